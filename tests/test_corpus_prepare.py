"""Works become a corpus: every character accounted for, nothing tested that was learned, papers asked for."""

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from classics import CLASSICS
from mofang.cli import mofang
from mofang.studio.errors import UserError
from mofang.studio.library import Studio
from mofang.studio.progress import Event
from mofang.studio.works import Consent, add, all_works, revoke
from mofang.text.corpus import Cleaning, Corpus, Papers, Reading, Split, Vocabulary, prepare
from mofang.text.tokenizer import KINDS

AS_IT_IS = Cleaning(clean=False)
NOVEL = "\n".join(f"第{n}天，少年走了{n * 7}里路，看见{CLASSICS[n % 12][3:]}" for n in range(1, 400))


def command(studio: Path, *arguments: object) -> Result:
    return CliRunner().invoke(mofang, ["--studio", str(studio), "text", "prepare", *map(str, arguments)],
                              env={"MOFANG_LANG": "en"})  # fmt: skip


def lines(path: Path, texts: list[str]) -> Path:
    path.write_text("".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts), "utf-8")
    return path


def everything(corpus: Corpus) -> list[str]:
    return [text for part in ("train", "val", "test") for text in corpus.documents(part)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_becomes_a_corpus_that_gives_its_texts_back(kind: str, tmp_path: Path) -> None:
    works = tmp_path / "works"
    (works / "诗").mkdir(parents=True)
    for number, poem in enumerate(CLASSICS):
        (works / "诗" / f"{number}.txt").write_text(poem, "utf-8")
    (works / "note.md").write_text("# 山居\n\n从前有座山。Once upon a time. 🦊\n", "utf-8")
    (works / "picture.png").write_bytes(b"\x89PNG")
    (works / ".hidden.txt").write_text("hidden")
    (works / "link.txt").symlink_to(works / "note.md")
    out = tmp_path / "corpus"
    done = command(tmp_path / "studio", works, "--out", out, "--tokenizer", kind, "--vocabulary", 600, "--licence", "own")
    assert done.exit_code == 0, done.output
    corpus = Corpus.open(out)
    assert sorted(everything(corpus)) == sorted([*CLASSICS, "# 山居\n\n从前有座山。Once upon a time. 🦊"])
    assert corpus.tokenizer.kind == kind and corpus.tokenizer.size <= 600
    assert corpus.manifest["dropped"]["file of another kind"]["examples"] == ["picture.png"]
    assert {work["name"] for work in corpus.manifest["works"]} == {"note.md", *(f"诗/{n}.txt" for n in range(12))}
    for part in ("train", "val", "test"):
        counts, tokens = corpus.manifest["splits"][part], corpus.tokens(part)
        texts = list(corpus.documents(part))
        assert tokens.dtype == np.dtype("<u2") and len(tokens) == counts["tokens"]
        assert counts["documents"] == len(texts) == int((tokens == corpus.tokenizer.end).sum()) > 0
        assert counts["characters"] == sum(map(len, texts))
        assert counts["bytes"] == corpus.size_bytes(part) == sum(len(text.encode()) for text in texts)
    assert not list(out.parent.glob(".tmp-*")) and not list(out.glob(".*"))


def test_the_vocabulary_knows_the_training_text_only(tmp_path: Path) -> None:
    corpus = prepare([lines(tmp_path / "a.jsonl", CLASSICS)], tmp_path / "corpus", split=Split.parse("60/20/20"))
    train = set("".join(corpus.documents("train")))
    known = {corpus.tokenizer.token(token) for token in range(260, corpus.tokenizer.size)}
    assert known == train and set("".join(corpus.documents("test"))) - train


def test_ninety_to_ten_in_order_is_exact(tmp_path: Path) -> None:
    (tmp_path / "novel.txt").write_text(NOVEL, "utf-8")
    out = tmp_path / "corpus"
    done = command(tmp_path / "studio", tmp_path / "novel.txt", "--out", out, "--split", "90/10", "--contiguous", "--no-clean")
    assert done.exit_code == 0, done.output
    corpus = Corpus.open(out)
    cut = int(len(NOVEL) * 0.9)
    decode = corpus.tokenizer.decode
    assert decode(corpus.tokens("train").tolist()) == NOVEL[:cut]
    assert decode(corpus.tokens("val").tolist()) == NOVEL[cut:]
    assert corpus.manifest["splits"]["test"]["tokens"] == 0
    assert corpus.tokenizer.end not in corpus.tokens("train")  # the document goes on in the validation split


def test_one_document_is_cut_in_order_by_itself(tmp_path: Path) -> None:
    (tmp_path / "novel.txt").write_text(NOVEL, "utf-8")
    corpus = prepare([tmp_path / "novel.txt"], tmp_path / "corpus", cleaning=AS_IT_IS)
    parts = ["".join(corpus.documents(part)) for part in ("train", "val", "test")]
    assert "".join(parts) == NOVEL and all(parts)
    assert [round(len(part) / len(NOVEL), 2) for part in parts] == [0.9, 0.05, 0.05]


def test_what_is_alike_falls_to_one_side(tmp_path: Path) -> None:
    """Versions of a story, a quarter of it changed, are no duplicates; but a model tested on one must not know another."""
    rng = np.random.default_rng(0)
    letters = np.array(list(dict.fromkeys("".join(CLASSICS))))
    texts = []
    for story in range(40):
        base = "".join(rng.choice(letters, 600))
        texts += [f"{story:02}甲{base}", f"{story:02}乙{base[:450]}{''.join(rng.choice(letters, 150))}"]
    corpus = prepare([lines(tmp_path / "a.jsonl", texts)], tmp_path / "corpus", split=Split.parse("50/25/25"))
    where = {text[:3]: part for part in ("train", "val", "test") for text in corpus.documents(part)}
    assert len(where) == 80 and len(set(where.values())) == 3
    assert all(where[f"{story:02}甲"] == where[f"{story:02}乙"] for story in range(40))


def test_a_corpus_that_grows_moves_nothing_from_test_to_train(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    letters = np.array(list(dict.fromkeys("".join(CLASSICS))))
    texts = ["".join(rng.choice(letters, 80)) for _ in range(300)]
    where = []
    for count in (150, 300):
        corpus = prepare([lines(tmp_path / "a.jsonl", texts[:count])], tmp_path / f"corpus{count}")
        where.append({text: part for part in ("train", "val", "test") for text in corpus.documents(part)})
    assert len(where[0]) == 150 and all(where[1][text] == part for text, part in where[0].items())
    other = prepare([tmp_path / "a.jsonl"], tmp_path / "other", split=Split(seed=1))
    assert set(other.documents("val")) != {text for text, part in where[1].items() if part == "val"}


def test_the_same_works_give_the_same_bytes(tmp_path: Path) -> None:
    lines(tmp_path / "a.jsonl", CLASSICS)
    first, second = (prepare([tmp_path / "a.jsonl"], tmp_path / name).manifest for name in ("one", "two"))
    assert first["data_sha256"] == second["data_sha256"] and first["tokenizer_sha256"] == second["tokenizer_sha256"]


def test_a_tokenizer_there_already_is_used_as_it_is(tmp_path: Path) -> None:
    first = prepare([lines(tmp_path / "a.jsonl", CLASSICS)], tmp_path / "first", vocabulary=Vocabulary("bpe", 400))
    lines(tmp_path / "b.jsonl", [text[::-1] for text in CLASSICS])
    done = command(tmp_path / "studio", tmp_path / "b.jsonl", "--out", tmp_path / "second", "--tokenizer", tmp_path / "first")
    assert done.exit_code == 0, done.output
    second = Corpus.open(tmp_path / "second")
    assert second.tokenizer.sha256 == first.tokenizer.sha256
    assert sorted(everything(second)) == sorted(text[::-1] for text in CLASSICS)
    refused = command(tmp_path / "studio", tmp_path / "b.jsonl", "--out", tmp_path / "x", "--tokenizer", "letters")
    assert isinstance(refused.exception, UserError) and "tokenizer.json" in str(refused.exception)


def test_wide_vocabularies_take_four_bytes(tmp_path: Path) -> None:
    texts = ["".join(map(chr, range(start, start + 1000))) for start in range(0x20000, 0x20000 + 70_000, 1000)]
    corpus = prepare([lines(tmp_path / "a.jsonl", texts)], tmp_path / "corpus", cleaning=AS_IT_IS, split=Split.parse("100"),
                     vocabulary=Vocabulary("char", 80_000))  # fmt: skip
    assert corpus.tokens("train").dtype == np.dtype("<u4") and sorted(corpus.documents("train")) == texts


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=40)


@settings(max_examples=25, deadline=None)
@given(texts=st.lists(TEXT.filter(str.strip), min_size=1, max_size=12),
       split=st.sampled_from(["90/10", "80/10/10", "100"]), contiguous=st.booleans())  # fmt: skip
def test_no_character_is_lost(texts: list[str], split: str, contiguous: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp() / "lost"
    folder.mkdir(exist_ok=True)
    corpus = prepare([lines(folder / "a.jsonl", texts)], folder / "corpus", cleaning=AS_IT_IS,
                     split=Split.parse(split, contiguous))  # fmt: skip
    found = everything(corpus)
    assert Counter("".join(found)) == Counter("".join(texts))
    if contiguous:
        assert "".join(found) == "".join(texts)
    elif len(found) == len(texts):
        assert sorted(found) == sorted(texts)


def test_words_of_consent_come_from_the_studio(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "studio")
    mine, theirs = tmp_path / "mine.txt", tmp_path / "theirs.txt"
    mine.write_text(NOVEL, "utf-8")
    theirs.write_text("\n".join(CLASSICS), "utf-8")
    add(studio, mine, "own", Consent("self"))
    add(studio, theirs, "CC-BY-4.0", Consent("李白", "publish"))
    corpus = prepare([mine], tmp_path / "corpus", studio=tmp_path / "studio")
    assert corpus.manifest["works"][0]["licence"] == "own" and corpus.manifest["works"][0]["consent"] == "self"
    refused = command(tmp_path / "studio", mine, theirs, "--out", tmp_path / "both")
    assert isinstance(refused.exception, UserError) and "李白" in str(refused.exception)
    # A copy under another name is the same work.
    (tmp_path / "copy.txt").write_text("\n".join(CLASSICS), "utf-8")
    assert command(tmp_path / "studio", tmp_path / "copy.txt", "--out", tmp_path / "both").exception
    revoke(studio, next(work for work in all_works(studio) if work.path == mine.resolve()))
    with pytest.raises(UserError, match="taken back"):
        prepare([mine], tmp_path / "corpus", studio=tmp_path / "studio")
    assert Corpus.open(tmp_path / "corpus").manifest["made"] == corpus.manifest["made"]
    studio.close()


def test_papers_are_asked_for_and_kept(tmp_path: Path) -> None:
    lines(tmp_path / "a.jsonl", CLASSICS)
    bare = prepare([tmp_path / "a.jsonl"], tmp_path / "bare")
    assert any("licen" in warning or "许可" in warning for warning in bare.manifest["warnings"])
    stated = prepare([tmp_path / "a.jsonl"], tmp_path / "stated", papers=Papers("public domain", "none needed"))
    assert not any("licen" in warning or "许可" in warning for warning in stated.manifest["warnings"])
    assert stated.manifest["works"][0]["licence"] == "public domain"


def test_a_text_without_stop_words(tmp_path: Path) -> None:
    lines(tmp_path / "a.jsonl", ["我们在山里看月亮。 The fox sat on the hill."])
    corpus = prepare([tmp_path / "a.jsonl"], tmp_path / "corpus", cleaning=Cleaning(stop_words="train"), split=Split.parse("100"))
    assert next(corpus.documents("train")) == "山里月亮。 fox sat hill."
    counted = prepare([tmp_path / "a.jsonl"], tmp_path / "counted", split=Split.parse("100"))
    table = dict(line.split("\t") for line in (tmp_path / "counted" / "words.tsv").read_text("utf-8").splitlines())
    assert "the" not in table and "The" not in table and table["fox"] == "1" and table["月亮"] == "1"
    assert next(counted.documents("train")).startswith("我们")
    prepare([tmp_path / "a.jsonl"], tmp_path / "kept", cleaning=Cleaning(stop_words="keep"), split=Split.parse("100"))
    assert "我们\t1" in (tmp_path / "kept" / "words.tsv").read_text("utf-8")


def test_traditional_characters_become_simplified(tmp_path: Path) -> None:
    lines(tmp_path / "a.jsonl", ["頭髮與發現，乾淨的裏面"])
    done = command(tmp_path / "studio", tmp_path / "a.jsonl", "--out", tmp_path / "corpus", "--simplify", "--split", "100")
    assert done.exit_code == 0, done.output
    assert everything(Corpus.open(tmp_path / "corpus")) == ["头发与发现，干净的里面"]


@pytest.mark.parametrize(("form", "text"), [("NFC", "café ﬁ Ａ①"), ("NFKC", "café fi A1"), ("none", "cafe\u0301 ﬁ Ａ①")])
def test_normal_forms(form: str, text: str, tmp_path: Path) -> None:
    lines(tmp_path / "a.jsonl", ["cafe\u0301 ﬁ Ａ①"])
    done = command(tmp_path / "studio", tmp_path / "a.jsonl", "--out", tmp_path / "corpus", "--form", form, "--split", "100")
    assert done.exit_code == 0 and everything(Corpus.open(tmp_path / "corpus")) == [text]


def test_the_report_says_what_is_there_and_what_is_not(tmp_path: Path) -> None:
    hostile = "<script>alert('x')</script>"
    works = tmp_path / "works"
    works.mkdir()
    (works / f"{hostile.replace('/', '_')}.txt").write_text(f"{hostile}\n{NOVEL}", "utf-8")
    lines(works / "poems.jsonl", CLASSICS + CLASSICS[:3])
    (works / "broken.epub").write_bytes(b"PK\x03\x04 cut")
    corpus = prepare([works], tmp_path / "corpus")
    page, text = ((tmp_path / "corpus" / name).read_text("utf-8") for name in ("report.html", "report.txt"))
    assert "<script" not in page and "Content-Security-Policy" in page and "<svg" in page
    assert not re.search(r"(?:src|href)=|url\(|@import", page)  # nothing is fetched
    for wanted in ("broken.epub", "duplicate document", f"{corpus.manifest['splits']['train']['characters']:,}", "n=6", "明月"):
        assert wanted in text or wanted in page
    assert corpus.manifest["dropped"]["duplicate document"]["count"] == 3
    assert "broken.epub" in text and "broken.epub" in page
    assert re.search(r"Distinct words met|遇到的不同词数", page)


def test_progress_goes_from_nothing_to_all(tmp_path: Path) -> None:
    events: list[Event] = []
    prepare([lines(tmp_path / "a.jsonl", CLASSICS)], tmp_path / "corpus", on_event=events.append)
    shares = [event.share for event in events]
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1.0) and {event.stage for event in events} == {
        "works", "read", "duplicates", "tokenizer", "encode"}  # fmt: skip
    done = command(tmp_path / "studio", tmp_path / "a.jsonl", "--out", tmp_path / "again", "--json")
    assert all({"stage", "share", "left"} <= set(json.loads(line)) for line in done.stderr.splitlines())


def test_documents_of_plain_text_as_asked(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n".join(text.replace("\n", "") for text in CLASSICS), "utf-8")
    corpus = prepare([tmp_path / "a.txt"], tmp_path / "corpus", reading=Reading(boundary="line"))
    assert len(everything(corpus)) == 12


@pytest.mark.parametrize("text", ["", "0/10", "90/x", "1/2/3/4", "-1/2", "nan/1", "inf/1", "90//10"])
def test_splits_that_are_none(text: str) -> None:
    with pytest.raises(UserError, match="90/5/5"):
        Split.parse(text)
