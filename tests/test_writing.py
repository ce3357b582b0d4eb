"""The writing desk: what is taken, edited and undone; what is kept when everything stops; what it looks like."""

import contextlib
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import click
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import text_models
from classics import CLASSICS
from mofang.apps.remake import remake
from mofang.apps.verse import PoemWriter
from mofang.apps.writing import USUAL, Desk, EngineWriter, Offer, OwnWriter
from mofang.cli import mofang
from mofang.cli.terminal import width
from mofang.cli.text import desk as screen
from mofang.models import own
from mofang.studio import Recipe, Studio, UserError
from mofang.studio.credit import Credit
from mofang.text.engines import Completion
from mofang.text.evaluate.fingerprint import Fingerprint
from mofang.text.forms.regulated import FORMS, exact_form, fits_tones, lines_of, rhymes
from mofang.text.forms.verse import after_lines, opened
from mofang.text.own import OwnModel
from mofang.text.tokenizer import train_tokenizer
from mofang.trust.verify import verify


def start(prompt, **wishes):
    return replace(USUAL, prompt=prompt, **wishes)


class Scripted:
    """Offers texts that say which seed wrote them."""

    key, about = "scripted@00", ""
    credits = (Credit("scripted", "", "CC0-1.0"),)

    def __init__(self):
        self.asked = []

    def write(self, order):
        self.asked.append(order)
        return [f" <{order.seed + at}>" for at in range(order.n)]

    def recipe(self, order):
        return Recipe("own-text", "1", self.key, order.prompt, order.params(0), order.seed)

    def warnings(self, text, start):
        return ["<1> (a work with <1> in it)"] if "<1>" in text[start:] else []

    def note(self, text):
        return f"({len(text)} letters)"


@pytest.fixture
def studio(tmp_path):
    return Studio(tmp_path / "studio")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "small"
    text_models.transformer(folder)
    return folder


# -- the desk --------------------------------------------------------------------------------------------------------------


def test_steps_and_their_recipes(studio):
    desk = Desk(studio, Scripted(), start("Once"))
    assert [offer.text for offer in desk.again()] == [" <0>", " <1>", " <2>", " <3>"]
    assert [bool(offer.warnings) for offer in desk.offers] == [False, True, False, False]
    desk.pick(3)
    assert desk.text == "Once <2>" and not desk.offers
    desk.add(", and then")
    desk.again()
    desk.edit(" THE END", number=1)
    desk.replace("and", "AND")
    assert desk.text == "Once <2>, AND then THE END"
    assert [step.by for step in desk.steps] == ["writer", "model", "writer", "model", "writer", "writer"]
    making = desk.making()
    assert making.asset.path.read_text("utf-8") == desk.text and making.made.facts["nature"] == "compositeWithTrainedAlgorithmicMedia"
    while making.recipe.parents:  # back to the prompt, asset by asset
        (parent,) = making.recipe.parents
        making = studio.making(studio.asset(parent))
    assert making.recipe.prompt == {"begin": "Once"} and making.made.facts["nature"] == "digitalCreation"
    taken = studio.making(studio.asset(studio.made_by(desk.steps[1].recipe).asset.id))
    assert (taken.recipe.engine, taken.recipe.model, taken.recipe.seed, taken.recipe.prompt) == ("own-text", "scripted@00", 2, "Once")
    assert taken.made.credits == Scripted.credits


def test_undo_and_redo(studio):
    desk = Desk(studio, Scripted(), start("a"))
    desk.add("b")
    desk.add("c")
    desk.undo()
    desk.undo()
    assert desk.text == "a" and desk.undone == 2
    with pytest.raises(UserError, match="nothing to undo"):
        desk.undo()
    desk.redo()
    assert desk.text == "ab" and desk.undone == 1
    desk.add("d")
    assert desk.text == "abd" and desk.undone == 0
    with pytest.raises(UserError, match="nothing to redo"):
        desk.redo()


@settings(deadline=None, max_examples=15)
@given(st.lists(st.sampled_from(["add", "undo", "redo", "pick", "resume"]), max_size=25))
def test_any_order_of_steps_keeps_text_and_session_together(tmp_path_factory, actions):
    studio = Studio(tmp_path_factory.mktemp("studio"))
    desk, past, future = Desk(studio, Scripted(), start("x")), ["x"], []
    for action in actions:
        if action == "add":
            desk.add("+")
            past, future = [*past, past[-1] + "+"], []
        elif action == "pick":
            words = desk.again()[0].text
            desk.pick(1)
            past, future = [*past, past[-1] + words], []
        elif action == "undo" and len(past) > 1:
            desk.undo()
            future.append(past.pop())
        elif action == "redo" and future:
            desk.redo()
            past.append(future.pop())
        elif action == "resume":
            desk = Desk(studio, Scripted(), start("x"))
        assert (desk.text, desk.undone, len(desk.steps)) == (past[-1], len(future), len(past))
    studio.close()


def test_a_desk_goes_on_where_it_was_left(studio):
    desk = Desk(studio, Scripted(), start("故事", n=2))
    desk.again()
    desk.pick(1)
    offered = [offer.text for offer in desk.again()]
    later = Desk(studio, writer := Scripted(), start("故事"))
    assert later.resumed and later.text == desk.text and [offer.text for offer in later.offers] == offered
    assert later.order.n == 2 and not writer.asked
    later.again()
    assert writer.asked[0].seed == 4  # seeds go on too: nothing is offered twice
    assert not Desk(studio, Scripted(), start("another")).resumed
    assert Desk(studio, Scripted(), start("故事"), fresh=True).text == "故事"


def test_other_wishes_on_the_way_ask_anew(studio):
    desk = Desk(studio, Scripted(), start("a"))
    desk.again()
    later = Desk(studio, Scripted(), start("a", temperature=0.3))
    assert not later.offers and later.order.temperature == 0.3 and later.order.seed == 4


def test_what_was_taken_back_is_not_published(studio, tmp_path):
    desk = Desk(studio, Scripted(), start("My public words"))
    desk.add(" and a secret")
    desk.replace(" and a secret", "")
    desk.again()
    desk.pick(1)
    path = desk.publish(tmp_path / "a.md")
    beside = [each.read_bytes() for each in tmp_path.glob("a*")]
    assert path.is_file() and len(beside) > 1 and not any(b"secret" in each for each in beside)


def test_requests_that_cannot_be_met(studio, tmp_path):
    desk = Desk(studio, Scripted(), start(""))
    for act, says in [
        (lambda: desk.pick(1), "nothing is offered"), (lambda: desk.replace("no", "x"), "does not stand"),
        (lambda: desk.wish(n=0), "1 to 9"), (lambda: desk.wish(tokens=0), "tokens"),
        (lambda: desk.wish(temperature=-1), "temperature"),
        (lambda: desk.publish(tmp_path / "a.txt"), "no text yet"), (lambda: desk.publish(tmp_path / "a.docx"), "not '.docx'"),
        (lambda: (desk.again(), desk.pick(9)), "choose from 1 to 4"),
    ]:  # fmt: skip
        with pytest.raises(UserError, match=says):
            act()
    assert desk.text == "" and replace(desk.order, seed=0) == USUAL


@pytest.mark.parametrize("harm", ["{", "[]", '{"version": 1}', '{"version": 9, "steps": [], "at": 0}', "\xff"])
def test_a_damaged_session_is_named(studio, harm):
    desk = Desk(studio, Scripted(), start("a"))
    desk.path.write_text(harm, "latin-1")
    with pytest.raises(UserError, match="damaged"):
        Desk(studio, Scripted(), start("a"))
    assert Desk(studio, Scripted(), start("a"), fresh=True).text == "a"


def test_a_step_whose_asset_is_gone(studio):
    desk = Desk(studio, Scripted(), start("a"))
    desk.add("b")
    path = studio.made_by(desk.steps[0].recipe).asset.path
    path.unlink()
    with pytest.raises(UserError, match="doctor"):
        desk.undo()
    assert desk.text == "ab"


def test_publishing_says_whose_words_they_are(studio, tmp_path):
    desk = Desk(studio, Scripted(), start("很久很久以前"))
    mine = desk.publish(tmp_path / "mine.txt")
    assert mine.read_text("utf-8").strip() == "很久很久以前"  # a person's words bear no label
    desk.again()
    desk.pick(1)
    for name in ("ours.txt", "ours.md"):
        path = desk.publish(tmp_path / name)
        text = path.read_text("utf-8")
        assert "很久很久以前 <0>" in text and "AI" in text
        assert verify(path, studio.folder).ok
    ledger = [json.loads(line) for line in (studio.folder / "ledger.jsonl").read_text("utf-8").splitlines()]
    assert [row["file"] for row in ledger] == ["mine.txt", "ours.txt", "ours.md"]
    assert verify(mine, studio.folder).ok


def test_broken_bytes_from_a_terminal_do_no_harm(studio, tmp_path):
    desk = Desk(studio, Scripted(), start("a\udce9"))
    desk.add("b\ud800")
    assert desk.text == "a?b?" and desk.publish(tmp_path / "a.txt").is_file()


def test_a_real_model_at_the_desk(studio, model):
    Fingerprint.of(["床前明月光，疑是地上霜。"]).save(model)
    writer = OwnWriter(OwnModel.open(model), studio)
    desk = Desk(studio, writer, start("床前明月光，", n=3, tokens=12, temperature=1.5, top_k=50, seed=7))
    offers = desk.again()
    # Each continuation is what its seed writes alone: the recipe is the whole of it.
    for offer in offers:
        alone = writer.write(replace(desk.order, prompt=desk.text, n=1, seed=offer.seed))
        assert alone == [offer.text]
    assert len({offer.text for offer in offers}) == 3
    assert writer.key == f"small@{own.read_card(model)['sha256']}"
    assert not writer.warnings("床前明月光，新", 6) and writer.warnings("新句。床前明月光，", 3) == ["床前明月光"]
    assert "first 273 tokens" in writer.note("床前" * 200) and not writer.note("床前")
    (model / "copies.bin").unlink()


class Echo:
    """An engine that answers with what it was asked."""

    model, chats, constrains, weak = "echo", False, False, False

    def generate(self, prompt, *, max_tokens=256, temperature=0.8, top_p=0.95, seed=0, stop=(), grammar=None, on_text=None):
        return Completion(f" {prompt}/{max_tokens}/{temperature}/{top_p}/{seed}", 1, "stop", self.model)

    def close(self):
        pass


def test_any_engine_may_sit_at_the_desk(studio, tmp_path):
    desk = Desk(studio, EngineWriter("echo.gguf", Echo()), start("hi", n=2, tokens=5, temperature=0.7, top_p=0.9, seed=4))
    assert [offer.text for offer in desk.again()] == [" hi/5/0.7/0.9/4", " hi/5/0.7/0.9/5"]
    desk.pick(2)
    assert (desk.making().recipe.engine, desk.making().recipe.model, desk.note) == ("gguf-text", "echo.gguf", "")
    assert verify(desk.publish(tmp_path / "a.md"), studio.folder).ok


def test_steps_are_made_again_byte_for_byte(studio, model):
    shutil.copytree(model, studio.folder / "models" / "small")
    desk = Desk(studio, OwnWriter(OwnModel.open(studio.folder / "models" / "small"), studio), start("床前明月光，", n=2, tokens=12))
    desk.again()
    desk.pick(2)
    desk.add("。\n")
    for step in desk.steps:
        asset = studio.made_by(step.recipe).asset
        assert remake(studio, asset) == (asset.id, False)
    shutil.rmtree(studio.folder / "models" / "small")
    with pytest.raises(UserError, match="the model small that wrote it is gone"):
        remake(studio, studio.made_by(desk.steps[1].recipe).asset)


# -- the screen ------------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.text(max_size=200), st.integers(2, 40))
def test_wrapped_lines_fit_and_lose_nothing_but_spaces(text, columns):
    lines = screen.wrapped(text, columns)
    assert all(width(line) <= columns for line in lines)
    shown = "".join(letter if letter.isprintable() else " " if letter in "\t\n" else "�" for letter in text)
    assert "".join("".join(lines).split()) == "".join(shown.split())


def test_wrapping_keeps_words_and_breaks_chinese_anywhere():
    assert screen.wrapped("the quick brown fox", 10) == ["the quick", "brown fox"]
    assert screen.wrapped("床前明月光，疑是地上霜", 11) == ["床前明月", "光，疑是地", "上霜"]
    assert screen.wrapped("abcdefghij", 4) == ["abcd", "efgh", "ij"] and screen.wrapped("", 9) == [""]


def test_continuations_stand_side_by_side_or_below_each_other():
    offers = [Offer("疑是地上霜。\n举头望明月", 0), Offer("the moon is bright", 1, ("the moon is bright (on the sea)",)), Offer("", 2)]
    wide = screen.laid_out(offers, 90)
    assert wide[0].startswith("1. 疑是地上霜。") and "2. the moon is bright" in wide[0] and "3. (the text ends here)" in wide[0]
    assert wide[1].startswith("   举头望明月") and "⚠ in the works:" in wide[1]
    at = wide[0].index("2.")
    assert width(wide[0][:at]) == 28 + 3 and all(width(line) <= 90 for line in wide)
    narrow = screen.laid_out(offers, 40)
    assert [line[:2] for line in narrow if line[0] != " "] == ["1.", "2.", "3."] and screen.laid_out([], 80) == []
    grid = screen.laid_out([Offer("好", seed) for seed in range(4)], 80)
    assert grid[0].split() == ["1.", "好", "2.", "好"] and grid[1].split() == ["3.", "好", "4.", "好"]


def test_a_text_cannot_steer_the_terminal():
    assert "\x1b" not in "".join(screen.laid_out([Offer("\x1b[2J\x07ab", 0)], 80))


def write(studio, words, out=None, env=None, prompt="Once"):
    """The desk in a command of its own, fed with lines."""

    @click.command()
    def command():
        screen.run(studio, Scripted(), start(prompt), out)

    return CliRunner().invoke(command, input="".join(line + "\n" for line in words), catch_exceptions=False,
                              env={"MOFANG_LANG": "en", "COLUMNS": "100", **(env or {})})  # fmt: skip


def test_a_session_in_the_terminal(studio, tmp_path):
    out = tmp_path / "story.txt"
    done = write(studio, ["2", "+ and\\nthen", "u", "y", "/then/THEN/", "t 0.5", "n 2", "l 9", "", "p", "1", "q"], out)
    assert done.exit_code == 0, done.output
    assert "⚠ in the works: <1> (a work with <1> in it)" in done.output
    assert "published: " in done.output
    text = Desk(studio, Scripted(), start("Once")).text
    assert text.startswith("Once <1> and\nTHEN <") and text in out.read_text("utf-8")
    order = Desk(studio, Scripted(), start("Once")).order
    assert (order.temperature, order.n, order.tokens) == (0.5, 2, 9)
    again = write(studio, [])
    assert "going on where you stopped, after 4 steps" in again.output and "THEN" in again.output


def test_every_mistake_gets_a_line_and_the_desk_stays(studio):
    done = write(studio, ["7", "t warm", "t -3", "n 0", "u", "y", "/nowhere/x/", "what now?", "e 8", "s story.docx", "?"])
    assert done.exit_code == 0
    for says in ("choose from 1 to 4", "is no number", "temperature cannot be", "1 to 9", "nothing to undo",
                 "nothing to redo", "does not stand", "begin the line with +", "not '.docx'", "take that continuation"):  # fmt: skip
        assert says in done.output, says
    assert "kept in the studio" in done.output and Desk(studio, Scripted(), start("Once")).text == "Once"


def test_editing_in_an_editor(studio, tmp_path):
    editor = tmp_path / "editor.py"
    editor.write_text("import sys,pathlib\np=pathlib.Path(sys.argv[1])\nt=p.read_text('utf-8')\n"
                      "p.write_text(t.strip(chr(10)).upper() + '！\\n', 'utf-8')\nimport os\nos.utime(p, (9e8, 9e8))\n")  # fmt: skip
    env = {"VISUAL": "", "EDITOR": f"{sys.executable} {editor}"}
    write(studio, ["e", "e 2", "q"], env=env)
    desk = Desk(studio, Scripted(), start("Once"))
    assert desk.text == "ONCE！ <5>！" and [step.by for step in desk.steps] == ["writer", "writer", "model", "writer"]
    done = write(studio, ["e"], env={"VISUAL": "", "EDITOR": "false"})
    assert "no editor could be opened" in done.output


def test_in_chinese(studio):
    done = write(studio, ["?"], env={"MOFANG_LANG": "zh"}, prompt="从前")
    assert "选用该续写" in done.output and "训练作品中有" in done.output and "已存入工作室" in done.output


def test_ctrl_c_in_a_real_terminal_loses_nothing(model, tmp_path):
    main, side = pty.openpty()
    command = [sys.executable, "-m", "mofang", "--studio", str(tmp_path / "studio"), "text", "write", str(model), "床前明月光，", "-i"]
    process = subprocess.Popen(command, stdin=side, stdout=side, stderr=side,
                               env={**os.environ, "MOFANG_LANG": "en", "TERM": "xterm", "OMP_NUM_THREADS": "1"},
                               start_new_session=True)  # fmt: skip
    os.close(side)
    read(main, "> ")
    os.write(main, b"2\r")
    read(main, "> ")
    os.write(main, "+我的话\r".encode())
    shown = read(main, "> ")
    assert "我的话" in shown
    for _ in range(60):  # one that comes between the prompt and the waiting is only seen with the next key
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1)
            break
    os.close(main)
    assert process.returncode != 0
    studio = Studio(tmp_path / "studio")
    desk = Desk(studio, OwnWriter(OwnModel.open(model), studio), start("床前明月光，"))
    assert desk.resumed and desk.text.startswith("床前明月光，") and desk.text.endswith("我的话") and len(desk.steps) == 3


def read(terminal, until):
    """What the terminal shows until the prompt comes."""
    shown, end = b"", time.monotonic() + 120
    while not shown.decode("utf-8", "replace").endswith(until):
        assert time.monotonic() < end, shown.decode("utf-8", "replace")
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 65536)
    return shown.decode("utf-8", "replace")


def test_a_kill_between_any_two_steps_keeps_what_was_accepted(studio, tmp_path):
    desk = Desk(studio, Scripted(), start("a"))
    desk.add("b")
    kept = json.loads(desk.path.read_text("utf-8"))
    desk.add("c")
    # As a kill after the asset and before the session file leaves it.
    desk.path.write_text(json.dumps(kept), "utf-8")
    assert Desk(studio, Scripted(), start("a")).text == "ab"
    shutil.copytree(studio.folder, tmp_path / "copy")
    assert Desk(Studio(tmp_path / "copy"), Scripted(), start("a")).text == "ab"


def command(folder, *arguments, **settings):
    return CliRunner().invoke(mofang, ["--studio", str(folder), "text", "write", *map(str, arguments)], env={"MOFANG_LANG": "en"},
                              **settings)  # fmt: skip


def test_the_command_takes_its_seat_at_the_desk(model, tmp_path):
    options = ["床前明月光，", "-i", "--n", 2, "--tokens", 9, "--top-k", 30, "--out", tmp_path / "poem.md"]
    done = command(tmp_path / "studio", model, *options, input="1\n2\nq\n")
    assert done.exit_code == 0, done.output
    assert "2. " in done.output and "3. " not in done.output and "published" in done.output
    assert verify(tmp_path / "poem.md", tmp_path / "studio").ok
    # A step at the desk has the recipe of the text that the command writes alone, and so has it the same words.
    studio = Studio(tmp_path / "studio")
    desk = Desk(studio, OwnWriter(OwnModel.open(model), studio), start("床前明月光，"))
    step = studio.made_by(desk.steps[1].recipe)
    again = command(tmp_path / "studio", model, "床前明月光，", "--tokens", 9, "--top-k", 30, "--seed", step.recipe.seed)
    assert again.stdout_bytes.rstrip(b"\n") == step.asset.path.read_bytes().rstrip(b"\n")


@pytest.mark.parametrize("options", [["--form", "七绝"], ["--beams", 4], ["--n", 20], ["--tokens", 5000], ["--temperature", -1]])
def test_what_the_desk_does_not_do(model, tmp_path, options):
    done = command(tmp_path / "studio", model, "hi", "-i", *options)
    assert isinstance(done.exception, UserError)


def test_a_copied_line_is_told_of_when_it_is_written(model, tmp_path):
    first = command(tmp_path / "studio", model, "the moon ", "--tokens", 200, "--seed", 3)
    assert first.exit_code == 0 and "training works" not in first.stderr
    shutil.copytree(model, tmp_path / "model")
    Fingerprint.of([first.stdout]).save(tmp_path / "model")
    again = command(tmp_path / "studio", tmp_path / "model", "the moon ", "--tokens", 200, "--seed", 3)
    assert again.stdout == first.stdout and "this line stands in the training works: " in again.stderr


# -- verse -----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def poet(tmp_path_factory):
    """A random model of classical letters whose card says that it writes poems."""
    folder = tmp_path_factory.mktemp("poet") / "poet"
    tokenizer = train_tokenizer("char", CLASSICS)
    text_models.write(folder, text_models.transformer_config(tokenizer.size, 1, 32, 2, 1, 128), tokenizer, 0)
    own.write_card(folder, {"name": "poet", "format": {"form": "poem"}})
    return folder


def test_a_poem_grows_by_couplets_that_keep_the_form(poet, tmp_path):
    folder = tmp_path / "studio"
    done = command(folder, poet, "明月", "-i", "--form", "五绝", "--n", 2, "--out", tmp_path / "poem.txt", input="2\n1\nq\n")
    assert done.exit_code == 0, done.output
    assert "(五绝: whole)" in done.output and "(the text ends here)" in done.output
    studio = Studio(folder)
    writer = PoemWriter(OwnModel.open(poet), studio, "明月", "五绝")
    desk = Desk(studio, writer, start(writer.start))
    assert desk.resumed and desk.text.startswith("明月\n\n")
    poem = desk.text.removeprefix("明月\n\n")
    assert exact_form(poem, "五绝") and "明月" in (tmp_path / "poem.txt").read_text("utf-8")
    assert rhymes(lines_of(poem)) and fits_tones(lines_of(poem)) == 1.0
    for step in desk.steps:
        asset = studio.made_by(step.recipe).asset
        assert remake(studio, asset) == (asset.id, False)
    assert not Desk(studio, PoemWriter(writer.model, studio, "明月", "七绝"), start(writer.start)).resumed


def test_a_poem_goes_on_from_lines_of_ones_own(poet, studio):
    writer = PoemWriter(OwnModel.open(poet), studio, "床前明月光，")
    desk = Desk(studio, writer, start(writer.start, n=2))
    assert desk.text == "床前明月光，" and not desk.note
    line = desk.again()[0].text
    assert len(line) == 6 and line.endswith("。")
    desk.add("疑是地上霜。")
    couplet = desk.again()[0].text
    assert couplet.startswith("\n") and len(couplet) == 13 and couplet[-1] == "。"
    assert rhymes(lines_of(desk.text + couplet))  # the tones of 静夜思 are its own, yet what follows rhymes
    desk.add("\n今天天气真好啊，")
    assert "what is offered is free" in desk.note or "不再守律" in desk.note
    assert len(desk.again()) == 2


@pytest.mark.parametrize("text, line, place", [
    ("", 0, 0), ("床前", 0, 2), ("床前明月光，", 1, 0), ("床前明月光，疑是地上霜。", 1, 6), ("床前明月光，疑是地上霜。\n", 2, 0),
    (POEM := CLASSICS[0].partition("\n")[2], 4, 0), ("床前明月光。", None, 0), ("今天天气真好啊，", None, 0),
    ("床前明月光，疑是地上霜。举头", None, 0), (POEM + "\n", None, 0), (POEM + "举", None, 0),
])  # fmt: skip
def test_lines_off_the_patterns_keep_their_place(text, line, place):
    found = after_lines(opened(FORMS["五绝"]), text)
    assert found is None if line is None else (found.line, found.place) == (line, place)
