"""Tokenizers lose nothing, open in Transformers, and refuse what is not theirs."""

import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mofang.studio.errors import UserError
from mofang.text.tokenizer import KINDS, SPECIALS, Tokenizer, train_tokenizer

ZH = "从前有座山，山里有座庙。庙里有个老和尚在讲故事：从前有座山，山里有座庙。举头望明月，低头思故乡。"
EN = "The moonlight before my bed, isn't it like frost? I lift my head and watch the moon; I lower it and think of home.\n"
NASTY = "<|end|> <0x41> ▁Ġ 👨‍👩‍👧‍👦 𠮷𰻝 \x00\x1f\u200f\u3000\ufffd e\u0301 \r\n\t  'LL 12345\n\n  x"
TEXTS = [ZH * 5, EN * 5, "今天的 weather 很好。"]


@cache
def made(kind: str) -> Tokenizer:
    return train_tokenizer(kind, TEXTS, size=480)


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_loses_a_character(kind: str) -> None:
    tokenizer = made(kind)

    @settings(max_examples=150, deadline=None)
    @given(st.text(st.characters(exclude_categories=["Cs"])))
    @example(NASTY)
    @example("".join(SPECIALS))
    @example("<0x0A><0xFF>")
    def round_trip(text: str) -> None:
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids) == text
        assert b"".join(map(tokenizer.bytes_of, ids)) == text.encode()
        assert all(len(SPECIALS) <= token < tokenizer.size for token in ids)

    round_trip()


@pytest.mark.parametrize("kind", KINDS)
def test_half_a_character_does_not_crash(kind: str) -> None:
    assert made(kind).decode(made(kind).encode("月\ud83d")) == "月\ufffd"


@pytest.mark.parametrize("kind", KINDS)
def test_saved_and_loaded_is_the_same(kind: str, tmp_path: Path) -> None:
    made(kind).save(tmp_path)
    again = Tokenizer.load(tmp_path)
    assert (again.kind, again.size, again.end, again.sha256) == (kind, made(kind).size, 0, made(kind).sha256)
    assert again.encode(ZH + NASTY) == made(kind).encode(ZH + NASTY)
    assert [again.token(token) for token in range(4)] == list(SPECIALS) and again.id_of("<|sep|>") == 3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "beside",
    [None, {"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"]}, {"model_type": "mofang-lstm"}],
)
def test_transformers_opens_it(kind: str, beside: dict[str, str] | None, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    made(kind).save(tmp_path)
    if beside:
        (tmp_path / "config.json").write_text(json.dumps(beside))
    theirs = transformers.AutoTokenizer.from_pretrained(str(tmp_path))
    for text in (ZH, EN, "明月 👨‍👩‍👧 𠮷\n\n  x"):
        assert theirs(text, add_special_tokens=False)["input_ids"] == made(kind).encode(text)
        assert theirs.decode(made(kind).encode(text)) == text
    assert (theirs.eos_token_id, theirs.pad_token_id, len(theirs)) == (0, 1, made(kind).size)


def test_characters_without_bytes_give_up_only_the_unknown() -> None:
    tokenizer = train_tokenizer("char", ["to be or not"], bytes_fallback=False)
    assert tokenizer.size == 4 + len(set("to be or not"))
    assert tokenizer.encode("bé") == [tokenizer.id_of("b"), 2]
    assert tokenizer.decode(tokenizer.encode("bé or not")) == "b or not"
    assert (tokenizer.token(4), tokenizer.token(5)) == (
        " ",
        "o",
    )  # the most frequent first, ties in the order of Unicode


@pytest.mark.parametrize("kind", KINDS)
def test_vocabulary_fits_its_size_and_repeats(kind: str) -> None:
    for size in (261, 300, 480):
        tokenizer = train_tokenizer(kind, TEXTS, size=size)
        assert tokenizer.size <= size
        assert tokenizer.decode(tokenizer.encode(NASTY)) == NASTY
    if kind != "unigram":
        assert train_tokenizer(kind, TEXTS, size=480).sha256 == made(kind).sha256


def test_words_are_words() -> None:
    tokens = [made("word").bytes_of(token).decode() for token in made("word").encode("老和尚讲故事 the moonlight")]
    assert tokens == ["老和尚", "讲故事", " the", " moonlight"]


def test_batches_are_the_same_as_one_by_one() -> None:
    for kind in KINDS:
        texts = [ZH, "", NASTY, EN]
        assert [list(ids) for ids in made(kind).encode_batch(texts)] == [made(kind).encode(text) for text in texts]


@pytest.mark.parametrize(
    ("kind", "texts", "size"),
    [("letters", ["a"], 300), ("bpe", [], 300), ("bpe", ["", ""], 300), ("char", ["a"], 100), ("char", ["a"], 1 << 30)],
)
def test_what_cannot_be_learned_says_so(kind: str, texts: list[str], size: int) -> None:
    with pytest.raises(UserError):
        train_tokenizer(kind, texts, size=size)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "text",
    ["a", "\n", " ", "\ufffd", "😀", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" * 50, "的", "\x00"],
)
def test_the_smallest_texts_make_a_vocabulary(kind: str, text: str) -> None:
    tokenizer = train_tokenizer(kind, [text], size=300)
    assert tokenizer.decode(tokenizer.encode(text + ZH)) == text + ZH


def corrupt(content: dict) -> dict[str, object]:
    vocabulary = content["model"]["vocab"]
    cases: dict[str, object] = {
        "no object": [],
        "no model": {**content, "model": None},
        "normaliser": {**content, "normalizer": {"type": "NFKC"}},
        "regex bomb": {
            **content,
            "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False},
        },
        "other special": {**content, "added_tokens": []},
        "template": {**content, "post_processor": {"type": "ByteLevel"}},
        "no vocabulary": {**content, "model": {**content["model"], "vocab": []}},
        "numbers": {**content, "model": {**content["model"], "vocab": 7}},
    }
    if isinstance(vocabulary, dict):
        first = next(iter(vocabulary))
        cases["gap"] = {**content, "model": {**content["model"], "vocab": {**vocabulary, "zz": 1 << 40}}}
        cases["twice"] = {**content, "model": {**content["model"], "vocab": {**vocabulary, "zz": vocabulary[first]}}}
        cases["merge"] = {**content, "model": {**content["model"], "merges": [["x", "nothing"]]}}
    else:
        cases["nan"] = {
            **content,
            "model": {**content["model"], "vocab": [[piece, float("nan")] for piece, _ in vocabulary]},
        }
        cases["short"] = {**content, "model": {**content["model"], "vocab": vocabulary[:100]}}
        cases["unknown id"] = {**content, "model": {**content["model"], "unk_id": 1 << 40}}
    return cases


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_files_are_refused_in_one_line(kind: str, tmp_path: Path) -> None:
    made(kind).save(tmp_path)
    path = tmp_path / "tokenizer.json"
    good = path.read_text()
    for what, content in corrupt(json.loads(good)).items():
        path.write_text(json.dumps(content))
        with pytest.raises(UserError) as refused:
            Tokenizer.load(tmp_path)
        assert "\n" not in str(refused.value), what
    for data in (b"", b"{", b"\xff\xfe", b"[" * 100_000, good.encode()[: len(good) // 2], b"null", b'"x"'):
        path.write_bytes(data)
        with pytest.raises(UserError):
            Tokenizer.load(tmp_path)
    path.write_text(good)
    (tmp_path / "tokenizer_config.json").write_text('{"mofang_kind": "../../x"}')
    with pytest.raises(UserError):
        Tokenizer.load(tmp_path)
    (tmp_path / "tokenizer_config.json").unlink()
    assert Tokenizer.load(tmp_path).encode(ZH) == made(kind).encode(ZH)
    with pytest.raises(UserError):
        Tokenizer.load(tmp_path / "nowhere")


@settings(max_examples=60, deadline=None)
@given(place=st.floats(0, 1), byte=st.integers(0, 255))
def test_a_damaged_byte_is_refused_or_still_lossless(
    place: float, byte: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "damaged"
    made("unigram").save(folder)
    data = bytearray((folder / "tokenizer.json").read_bytes())
    data[int(place * (len(data) - 1))] = byte
    (folder / "tokenizer.json").write_bytes(data)
    try:
        tokenizer = Tokenizer.load(folder)
    except UserError:
        return
    assert tokenizer.decode(tokenizer.encode(NASTY + ZH)) == NASTY + ZH
