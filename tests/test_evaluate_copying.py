"""Copying: the suffix array against the definition, spans against a naive search, the fingerprint against its promise."""

import string
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mofang.cli.text.copied import warn
from mofang.studio import UserError
from mofang.text.evaluate import copying as module
from mofang.text.evaluate.copying import Index, copying
from mofang.text.evaluate.fingerprint import LOW_BITS, Fingerprint
from mofang.text.evaluate.folding import fold, folded, unfold
from mofang.text.evaluate.suffixes import suffix_array
from mofang.text.evaluate.works import whole_words

POEMS = [
    "床前明月光，疑是地上霜。\n举头望明月，低头思故乡。",
    "白日依山尽，黄河入海流。\n欲穷千里目，更上一层楼。",
    "To be, or not to be, that is the question:\nWhether 'tis nobler in the mind to suffer",
]

letters = st.text("ab人 ,。\nÉ\0", max_size=30)


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), max_size=60))
def test_the_suffix_array_is_the_sorted_suffixes(symbols):
    naive = sorted(range(len(symbols)), key=lambda at: symbols[at:])
    assert suffix_array(np.array(symbols, np.int32), 4).tolist() == naive


@pytest.mark.parametrize("text", ["a" * 5000, "ab" * 3000, "abcab" * 999, ""])
def test_the_suffix_array_of_repetitive_texts(text):
    symbols = np.frombuffer(text.encode(), np.uint8).astype(np.int32)
    assert suffix_array(symbols, 256).tolist() == sorted(range(len(text)), key=lambda at: text[at:])


@settings(deadline=None)
@given(st.text(max_size=60))
def test_folding_keeps_the_letters_in_their_places(text):
    folded_letters, positions = fold(text)
    assert len(folded_letters) == len(positions) and (np.diff(positions) >= 0).all()
    for letter, at in zip(unfold(folded_letters), positions.tolist(), strict=True):
        assert letter in (" ", text[at].lower(), text[at])
    assert unfold(fold(unfold(folded_letters))[0]) == unfold(folded_letters)


def test_folding_in_both_languages():
    assert unfold(fold(POEMS[0])[0]) == "床前明月光疑是地上霜举头望明月低头思故乡"
    assert unfold(fold("To be,\n or NOT 第2章 x")[0]) == "to be or not第2章x"
    assert unfold(np.concatenate(list(folded(["a b!", "", "c\0d"])))) == "a b\0\0c d\0"


@settings(deadline=None, max_examples=60)
@given(st.lists(letters, min_size=1, max_size=5), letters)
def test_matches_are_the_longest_there_are(tmp_path_factory, documents, text):
    works = [unfold(fold(document.replace("\0", " "))[0]) for document in documents]
    folder = tmp_path_factory.mktemp("index")
    if not any(works):
        with pytest.raises(UserError, match="no letters"):
            Index.build(documents, folder / "index")
        return
    lengths, places, _ = Index.build(documents, folder / "index").matches(text)
    query = unfold(fold(text)[0])
    whole = "\0".join(works) + "\0"
    for at, (length, place) in enumerate(zip(lengths.tolist(), places.tolist(), strict=True)):
        naive = max(size for size in range(len(query) - at + 1)
                    if "\0" not in query[at : at + size] and any(query[at : at + size] in work for work in works))  # fmt: skip
        assert length == naive and (not length or whole[place : place + length] == query[at : at + length])


def test_shards_find_what_one_array_finds(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    works = ["".join(rng.choice(list("abcd"), 40)) for _ in range(50)]
    text = works[7] + "".join(rng.choice(list("abcd"), 200)) + works[30]
    whole, _, _ = Index.build(works, tmp_path / "whole").matches(text)
    monkeypatch.setattr(module, "SHARD", 300)
    monkeypatch.setattr(module, "OVERLAP", 60)
    cut, _, _ = Index.build(works, tmp_path / "cut").matches(text)
    assert (cut == whole).all()


def test_spans_say_what_was_copied_and_from_where(tmp_path):
    index = Index.build(POEMS, tmp_path / "index", document=POEMS.__getitem__)
    text = "窗外有风\n举头望明月低头思新家。"
    (span,) = index.spans(text, 7)
    assert text[span.start : span.end] == "举头望明月低头思" and span.letters == 8
    assert span.place.document == 0 and POEMS[0][span.place.offset :].startswith("举头望明月，低头思")
    assert "举头望明月，低头思故乡" in span.place.context
    measured = copying(index, [text, "风起云涌", "not to be that IS the question"], 7)
    assert (measured.letters, measured.copied, measured.longest) == (14 + 4 + 30, 8 + 30, 30)
    assert measured.shares == (8 / 14, 0.0, 1.0) and measured.share == 38 / 48
    assert measured.spans[0][0] == 2


def test_the_same_place_without_the_works_at_hand(tmp_path):
    Index.build(POEMS, tmp_path / "index")
    (span,) = Index(tmp_path / "index").spans("黄河入海流欲穷", 7)
    assert span.place.document == 1 and "黄河入海流欲穷千里" in span.place.context


def test_a_match_never_runs_from_one_document_into_the_next(tmp_path):
    index = Index.build(["甲乙丙丁", "戊己庚辛"], tmp_path / "index")
    assert index.spans("丙丁戊己", 3) == []


@pytest.mark.parametrize("name", ["index.json", "text.bin", "suffixes.bin"])
@pytest.mark.parametrize("harm", ["cut", "changed", "gone"])
def test_a_damaged_index_is_refused(tmp_path, name, harm):
    folder = tmp_path / "index"
    Index.build(POEMS, folder)
    raw = (folder / name).read_bytes()
    (folder / name).unlink()
    if harm != "gone":
        (folder / name).write_bytes(raw[:-3] if harm == "cut" else raw[:1] + bytes([raw[1] ^ 1]) + raw[2:])
    with pytest.raises(UserError, match="damaged"):
        Index(folder)


def test_an_empty_text_copies_nothing(tmp_path):
    index = Index.build(POEMS, tmp_path / "index")
    assert index.spans("", 7) == [] and copying(index, ["", "。！"], 7).share == 0.0


# -- what travels with a model ---------------------------------------------------------------------------------------------


def test_the_fingerprint_knows_the_lines_again(tmp_path):
    Fingerprint.of(POEMS).save(tmp_path)
    known = Fingerprint.open(tmp_path)
    text = "床前明月光，一片白如霜。 That is the Question  now; whether 'tis nobler in the mind TO SUFFER!"
    assert [text[span.start : span.end] for span in known.spans(text)] == [
        "床前明月光",
        "whether 'tis nobler in the mind TO SUFFER",
    ]
    assert known.spans("") == known.spans("。") == known.spans("白日依山") == []
    assert len(known.spans("白日依山尽，")) == 1 and known.spans("白日依山尽，", least=6) == []


def lines(rng: np.random.Generator, count: int) -> list[str]:
    letters = np.array(list(string.ascii_lowercase))
    return ["".join(row) for row in letters[rng.integers(0, 26, (count, 24))]]


def test_the_fingerprint_is_small_and_seldom_wrong(tmp_path):
    rng = np.random.default_rng(1)
    works, others = lines(rng, 20_000), lines(rng, 50_000)
    path = Fingerprint.of(["\n".join(works)]).save(tmp_path)
    assert path.stat().st_size * 8 <= len(works) * (LOW_BITS + 2) + 512
    known = Fingerprint.open(tmp_path)
    assert all(known.has(line) for line in works)
    wrong = sum(known.has(line) for line in others)
    # Binomial with p = 2⁻¹⁰: 48.8 expected, standard deviation 7.
    assert 20 < wrong < 85


def test_a_fingerprint_of_nothing(tmp_path):
    Fingerprint.of(["短句。", ""]).save(tmp_path)
    assert Fingerprint.open(tmp_path).spans("床前明月光") == [] and Fingerprint.open(tmp_path / "nowhere") is None


@settings(deadline=None)
@given(st.data())
def test_a_damaged_fingerprint_is_refused(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("print")
    path: Path = Fingerprint.of(POEMS).save(folder)
    raw = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del raw[data.draw(st.integers(0, len(raw) - 1)) :]
    path.write_bytes(raw)
    with pytest.raises(UserError, match="damaged"):
        Fingerprint.open(folder)


@pytest.mark.parametrize("text, start, end, whole", [
    ("my son. KING RICHARD", 1, 12, " son. KING"), ("my son. KING RICHARD", 4, 17, ". KING "), ("wonder", 1, 4, ""),
    ("我的床前明月光是", 2, 7, "床前明月光"), ("a床前b", 1, 3, "床前"), ("abc", 0, 3, "abc"), ("x好ab", 1, 3, "好"),
])  # fmt: skip
def test_halves_of_words_are_not_shown(text, start, end, whole):
    assert whole_words(text, start, end) == whole


def test_copied_lines_are_told_on_stderr(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MOFANG_LANG", "en")
    Fingerprint.of(POEMS).save(tmp_path)
    assert warn(tmp_path, tmp_path, "床前明月光，", ["疑是地上霜。\n", "疑是天上星。\n", "疑是地上霜，"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err == "this line stands in the training works: 疑是地上霜\n"
    assert warn(tmp_path / "nowhere", tmp_path, "", ["疑是地上霜"]) == 0
