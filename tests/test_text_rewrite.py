"""From pairs to a model that rewrites, and how its rewriting is measured."""

import json
import random
import subprocess
import sys

import pytest
import torch
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from mofang.cli import mofang
from mofang.models import own
from mofang.studio.errors import UserError
from mofang.text.likeness import bleu, chrf, exact, words
from mofang.text.pairs import read_pairs
from mofang.text.rewriting import Rewriter
from mofang.text.seq2seq_train import Batches

DIGITS = "零一二三四五六七八九"
TRAIN = ["--network", "seq2seq", "--size", "nano", "--layers", "2", "--width", "64", "--heads", "2", "--context", "32",
         "--threads", "1", "--precision", "float32", "--batch", "48"]  # fmt: skip


def spoken(number: int) -> str:
    """A number below 100,000 as Chinese reads it."""
    if number >= 10_000:
        rest = number % 10_000
        return spoken(number // 10_000) + "万" + ("零" * (rest < 1000) + spoken(rest) if rest else "")
    said, zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        said += ("零" * (zero and bool(said)) + DIGITS[digit] + name) if digit else ""
        zero = not digit
    return said or DIGITS[0]


def run(*arguments, code=0, **more):
    done = CliRunner().invoke(mofang, ["text", *map(str, arguments)], catch_exceptions=False, **more)
    assert done.exit_code == code, done.output
    return done.stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model that reads numbers aloud, after 150 steps."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    folder, rng = tmp_path_factory.mktemp("numbers"), random.Random(1)
    numbers = sorted({int(10 ** rng.uniform(0, 4)) for _ in range(6000)})
    lines = [json.dumps({"source": str(number), "target": spoken(number)}, ensure_ascii=False) for number in numbers]
    (folder / "pairs.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    run("train", folder / "pairs.jsonl", *TRAIN, "--out", folder / "run", "--budget", "150steps")
    torch.set_num_threads(before)
    return folder


def test_a_short_training_learns_a_rule_and_the_model_runs_without_torch(trained):
    card = own.read_card(trained / "run" / "model")
    assert card["measured"]["exact"] >= 0.95 and card["measured"]["chrf"] >= 95 and card["recipe"]["steps"] == 150
    pairs = read_pairs(trained / "pairs.jsonl")
    rewriter = Rewriter.open(trained / "run" / "model")
    found = rewriter.sentences([source for source, _ in pairs.held_out], beams=1)
    assert exact([versions[0] for versions in found], [[target] for _, target in pairs.held_out]) >= 0.95
    page = (trained / "run" / "report.html").read_text("utf-8")
    assert "chrf" in page and "exact" in page and " → " in page
    # In a program of its own, in which torch cannot be imported.
    code = "import sys; sys.modules['torch'] = None; from mofang.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "text", "rewrite", str(trained / "run"), "-"], input="3141\n\n 2026 \n",
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout == "三千一百四十一\n\n 二千零二十六 \n"


def test_rewriting_a_file_keeps_its_lines_and_versions_are_asked_for(trained, tmp_path):
    (tmp_path / "in.txt").write_text("105\r\n\n\t7", "utf-8")
    assert run("rewrite", trained / "run", tmp_path / "in.txt", "--out", tmp_path / "out.txt") == ""
    assert (tmp_path / "out.txt").read_bytes().decode() in ("一百零五\r\n\n\t七", "一百零五\n\n\t七")
    several = run("rewrite", trained / "run", "1234", "--versions", "3").splitlines()
    assert several[0] == "一千二百三十四" and len(set(several[:3])) == 3
    assert run("rewrite", trained / "run", "", "--beams", "1").strip() == ""
    with pytest.raises(UserError, match="no model"):
        run("rewrite", tmp_path, "1")


def test_a_stopped_run_of_pairs_goes_on_and_other_settings_are_refused(trained, tmp_path):
    with pytest.raises(UserError, match="begun with seed = 0, not 1"):
        run("train", trained / "pairs.jsonl", *TRAIN, "--out", trained / "run", "--budget", "150steps", "--seed", "1")
    before = (trained / "run" / "model" / "model.safetensors").read_bytes()
    run("train", trained / "pairs.jsonl", *TRAIN, "--out", trained / "run", "--budget", "150steps")
    assert (trained / "run" / "model" / "model.safetensors").read_bytes() == before
    for arguments, message in ((("--size", "classic"), "no size 'classic'"), (("--width", "60", "--heads", "8"), "even heads")):
        with pytest.raises(UserError, match=message):
            run("train", trained / "pairs.jsonl", *TRAIN, *arguments, "--out", tmp_path / "run", "--budget", "5steps")


# -- pairs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, line", [
    ("p.tsv", "{0}\t{1}"), ("p.txt", "{0}\t{1}"), ("p.jsonl", '{{"source": "{0}", "target": "{1}"}}'), ("p.jsonl", '["{0}", "{1}"]'),
    ("p.jsonl", '{{"src": "{0}", "tgt": "{1}", "id": 3}}'),
])  # fmt: skip
def test_pairs_are_read_once_each_and_no_source_stands_on_both_sides(tmp_path, name, line):
    lines = [line.format(f"來{index}", f"来{index}") for index in range(400)]
    lines += [*lines[:50], line.format("來3", "来了3"), line.format("", "x"), "  "]
    (tmp_path / name).write_bytes("\r\n".join(lines).encode())
    pairs = read_pairs(tmp_path / name)
    assert len(pairs.held_out) in (20, 21) and len(pairs.train) + len(pairs.held_out) == 401
    assert not {source for source, _ in pairs.train} & {source for source, _ in pairs.held_out}
    (tmp_path / name).write_text("\n".join(reversed(lines)), "utf-8")
    assert {source for source, _ in read_pairs(tmp_path / name).held_out} == {source for source, _ in pairs.held_out}


def test_what_is_no_file_of_pairs_is_said_with_its_line(tmp_path):
    (tmp_path / "a.tsv").write_text("a\tb\nno tab\n", "utf-8")
    with pytest.raises(UserError, match=r"line 2: not a pair; write two texts with a tab"):
        read_pairs(tmp_path / "a.tsv")
    for bad in ('{"source": 1, "target": 2}', "[1, 2, 3]", "{", "[" * 100_000, "null"):
        (tmp_path / "b.jsonl").write_text('["a", "b"]\n' + bad, "utf-8")
        with pytest.raises(UserError, match=r"line 2: not a pair; write \{"):
            read_pairs(tmp_path / "b.jsonl")
    (tmp_path / "c.tsv").write_text("a\tb\n", "utf-8")
    with pytest.raises(UserError, match="holds 1 pairs; give at least 20"):
        read_pairs(tmp_path / "c.tsv")
    with pytest.raises(UserError, match="cannot read"):
        read_pairs(tmp_path / "none.tsv")
    with pytest.raises(UserError, match="cannot read"):
        read_pairs(tmp_path)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=200), st.integers(1, 9), st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_batches_of_pairs_go_through_all_of_them_once_an_epoch(lengths, size, seed):
    pairs = [([index] * length, [index]) for index, length in enumerate(lengths)]
    one, other = Batches(pairs, size, seed), Batches(pairs, size, seed)
    for epoch in range(2):
        seen = [pair[1][0] for number in range(one.count) for pair in one.batch(epoch * one.count + number)]
        assert sorted(seen) == list(range(len(pairs)))
    assert [other.batch(number) for number in reversed(range(one.count))][::-1] == [one.batch(number) for number in range(one.count)]


# -- measures ----------------------------------------------------------------------------------------------------------

WRITTEN = ["The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."]
REFERENCES = [["The dog bit the man.", "The dog had bit the man."], ["It was not unexpected.", "No one was surprised."],
              ["The man bit him first.", "The man had bitten the dog."]]  # fmt: skip


def test_bleu_and_chrf_are_the_published_ones():
    # The example of sacreBLEU's README: 48.53 82.4/50.0/45.5/37.5 (BP = 0.943 ratio = 0.944), chrF2 59.73.
    assert bleu(WRITTEN, REFERENCES) == pytest.approx(48.53, abs=0.005)
    assert chrf(WRITTEN, REFERENCES) == pytest.approx(59.73, abs=0.005)
    # Papineni et al. 2002, example 2: clipping gives 2/7.
    the = ["the the the the the the the"], [["The cat is on the mat".lower(), "there is a cat on the mat"]]
    assert bleu(*the, order=1) == pytest.approx(100 * 2 / 7)
    assert bleu(*the) == 0.0


@given(st.lists(st.text("abc 墨坊。", min_size=1, max_size=12).filter(str.strip), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_measures_are_whole_for_the_same_and_stay_in_their_range(texts):
    same = [[text] for text in texts]
    assert chrf(texts, same) == pytest.approx(100) and exact(texts, same) == 1.0
    turned = [[text[::-1]] for text in texts]
    assert 0 <= chrf(texts, turned) <= 100.0001 and 0 <= bleu(texts, turned) <= 100.0001
    assert chrf(["", *texts], [["x"], *same]) < 100


def test_words_are_words_marks_and_single_chinese_characters():
    assert words("It wasn't 墨坊's, 2026年!") == ["It", "wasn't", "墨", "坊", "'", "s", ",", "2026", "年", "!"]
    assert chrf(["墨坊"], [["作坊"]]) > 0 == chrf(["墨"], [["坊"]])
