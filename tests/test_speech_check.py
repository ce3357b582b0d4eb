"""Speech read back: error rates against the plain algorithm, faults and their times, what a file itself says it speaks."""

import json
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from mofang import models
from mofang.apps import check as app
from mofang.apps.make.storyboard import Picture, Shot, Storyboard
from mofang.cli import mofang
from mofang.sound import hearing, pcm
from mofang.sound.hearing import RATE, align, check, distance, error_rate, units
from mofang.studio import Studio, UserError
from mofang.studio.alignment import Aligned

BOARD = Storyboard("t", "zh", (Shot("a", "一只狐狸。", Picture(file="a.png")), Shot("b", "它走了。", Picture(file="b.png")))).dumps()


class Ear:
    """A recogniser that hears what it was told to hear, a word every half second."""

    def __init__(self, *words):
        self.words, self.samples, self.language = words, np.zeros(0), ""

    def __call__(self, samples, language, progress=None):
        self.samples, self.language = samples, language
        return [Aligned(word, at / 2, at / 2 + 0.5) for at, word in enumerate(self.words)]


def plain_distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (not x & y))
    return row[-1]


sounds = st.lists(st.sets(st.sampled_from("abcd"), min_size=1, max_size=2), max_size=24)


@given(sounds, sounds)
def test_the_distance_is_levenshteins_and_the_alignment_costs_it(meant, heard):
    pairs = align(meant, heard)
    wrong = sum(a is None or b is None or not meant[a] & heard[b] for a, b in pairs)
    assert distance(meant, heard) == plain_distance(meant, heard) == wrong
    assert [a for a, _ in pairs if a is not None] == list(range(len(meant)))
    assert [b for _, b in pairs if b is not None] == list(range(len(heard)))


def test_a_chapter_is_compared_in_little_memory():
    rng = np.random.default_rng(0)
    meant = [{str(number)} for number in rng.integers(0, 400, 6000)]
    heard = [each for number, each in enumerate(meant) if number % 50]
    assert distance(meant, heard) == 120


def test_units_are_what_is_heard():
    def told(text, language, **more):
        return [(unit.text, "/".join(sorted(unit.sounds)), text[unit.start : unit.end]) for unit in units(text, language, **more)]

    assert told("It's 3 o'clock", "en") == [("its", "its", "It's"), ("three", "three", "3"), ("oclock", "oclock", "o'clock")]
    assert told("重慶AI", "zh") == [("重", "chong", "重"), ("庆", "qing", "慶"), ("ai", "ai", "AI")]
    assert told("重庆", "zh", tones=True)[0][1] == "chong2" and "zhong" in told("重", "zh", every=True)[0][1]
    assert [said for said, _, _ in told("拨010-8888吧", "zh")] == list("拨零一零八八八八吧")
    assert [unit.text for unit in units("[重](chong2)庆", "zh")] == ["重", "庆"]


def test_rates_of_mandarin_go_by_sound_and_by_character():
    assert error_rate(["他在那里，有12个人。"], ["她再哪里有十二个人"], "zh") == 0
    assert error_rate(["a cat sat", "one"], ["a hat sat", "two one"], "en") == 2 / 4
    done = check("他在那里。", Ear("她", "在", "那", "里")(None, "zh"), "zh")
    assert done.rate == 0 and done.characters == 1 / 4 and done.faults == ()
    with pytest.raises(ValueError, match="nothing"):
        error_rate([""], ["x"], "en")


def test_faults_say_which_words_and_when():
    heard = Ear("The", " brown", " fox", " sat", " on", " on", " my", " mat")(None, "en")
    done = check("The quick brown fox sat on the mat today.", heard, "en")
    assert [(each.meant, each.heard) for each in done.faults] == [("quick", ""), ("", "on"), ("the", "my"), ("today", "")] or \
           [(each.meant, each.heard) for each in done.faults] == [("quick", ""), ("the", "on my"), ("today", "")]  # fmt: skip
    assert done.rate == 4 / 9 and done.count == 9 and done.characters is None
    first, last = done.faults[0], done.faults[-1]
    assert (first.start, first.end) == (0.5, 0.5) and (last.start, last.end) == (4.0, 4.0)
    # A number that the recogniser wrote in digits has the time of its digits.
    done = check("一共一百二十个人", [Aligned("一共", 0, 1), Aligned("130", 1, 2), Aligned("个人[x](y)", 2, 3)], "zh")
    assert [(each.meant, each.heard, each.start, each.end) for each in done.faults][:1] == [("二", "三", 1.0, 2.0)]
    assert check("good day", [], "en").rate == 1
    with pytest.raises(UserError, match="no word"):
        check("……", [], "zh")


def run(folder, *arguments):
    return CliRunner().invoke(mofang, ["--studio", str(folder / "studio"), *map(str, arguments)])


@pytest.fixture
def tone(tmp_path):
    pcm.write_wav(tmp_path / "a.wav", 0.1 * np.sin(np.arange(2 * RATE) * 0.1).astype(np.float32), RATE)
    return tmp_path


def test_the_command_fails_above_what_is_let_pass(tone, monkeypatch):
    monkeypatch.setattr(app, "Whisper", lambda: Ear("good", " bye"))
    done = run(tone, "speech", "check", tone / "a.wav", "--text", "Good day!")
    assert done.exit_code == 1 and "0:00.5\tday → bye" in done.stdout and "50.0% of 2" in done.stdout
    assert run(tone, "speech", "check", tone / "a.wav", "--text", "Good day!", "--most", "0.5").exit_code == 0
    told = json.loads(run(tone, "speech", "check", tone / "a.wav", "--text", "Good day!", "--json").stdout)
    assert told["faults"] == [{"start": 0.5, "end": 1.0, "meant": "day", "heard": "bye"}] and told["transcript"] == "good bye"


def test_a_file_of_ours_tells_what_it_says(tmp_path):
    said = run(tmp_path, "speech", "say", "Good day, my friend.", tmp_path / "a.wav", "--voice", "hibari")
    assert said.exit_code == 0, said.exception
    ear = Ear("Good", " day", " my", " friend")
    done = app.check_file(Studio(tmp_path / "studio"), tmp_path / "a.wav", recogniser=ear)
    assert done.rate == 0 and ear.language == "en"
    assert not ear.samples[: RATE // 2].any() and ear.samples.any()  # The label's rhythm is no word.
    assert app.told_by(Studio(tmp_path / "other"), tmp_path / "a.wav") == "Good day, my friend."
    (tmp_path / "play.txt").write_text("Fox: (happy) Good morning!\n\nOwl: Good night!\n\nFox: Good morning!\n", "utf-8")
    cast = ["--cast", "Fox=hibari", "--cast", "Owl=hibari"]
    done = run(tmp_path, "speech", "perform", tmp_path / "play.txt", tmp_path / "p.mp3", *cast)
    assert done.exit_code == 0, done.exception
    studio = Studio(tmp_path / "studio")
    assert app.told_by(studio, tmp_path / "p.mp3").split("\n") == ["Good morning!", "Good night!", "Good morning!"]
    # Where the studio is another, the captions beside it tell, without the speakers' names.
    told = app.told_by(Studio(tmp_path / "other"), tmp_path / "p.mp3")
    assert told.split("\n") == ["Good morning!", "Good night!", "Good morning!"]
    (tmp_path / "p.srt").unlink()
    assert app.told_by(Studio(tmp_path / "other"), tmp_path / "p.mp3") == told
    (tmp_path / "book.md").write_text("# One\n\nA fox sat.\n\n# Two\n\nIt slept.\n", "utf-8")
    assert run(tmp_path, "speech", "book", tmp_path / "book.md", tmp_path / "b.mp3", "--voice", "hibari").exit_code == 0
    assert " ".join(app.told_by(studio, tmp_path / "b.mp3").split()) == "One A fox sat. Two It slept."


def test_scripts_of_every_kind(tmp_path):
    from test_audiobook import epub

    (tmp_path / "s.json").write_text(BOARD, "utf-8")
    (tmp_path / "s.txt").write_text("【狐狸】（高兴）你好！\n\n天黑了。\n", "utf-8")
    (tmp_path / "s.fountain").write_text("INT. WOOD\n\nFOX\n(softly)\nGood day.\n", "utf-8")
    assert app.spoken_in(tmp_path / "s.json") == "一只狐狸。\n它走了。" and app.spoken_in(tmp_path / "s.txt") == "你好！\n天黑了。"
    assert "Good day." in app.spoken_in(tmp_path / "s.fountain") and "FOX" not in app.spoken_in(tmp_path / "s.fountain")
    assert app.spoken_in(epub(tmp_path / "a.epub")).strip()
    (tmp_path / "film.mp4").write_bytes(b"")
    (tmp_path / "storyboard.json").write_text(BOARD, "utf-8")
    assert app.told_by(Studio(tmp_path / "studio"), tmp_path / "film.mp4") == "一只狐狸。\n它走了。"


@pytest.mark.parametrize(("text", "said"), [
    ("Note: the ship sails", "Note: the ship sails"),
    ("The ship sails.\n\nNote: bring a coat.", "The ship sails.\nNote: bring a coat."),
    ("注意：船要开了", "注意：船要开了"), ("The ship sails.\n\nNote: a coat.\n\nIt rains.\n\nIt rains.\n\nNote: a hat.",) * 2,
    ("Fox: Good day!\n\nOwl: Good night!", "Good day!\nGood night!"), ("【小狐狸】你好！\n\n旁白：天黑了。", "你好！\n天黑了。"),
    ("【小狐狸】（高兴）你好！\n\n注意：船要开了。", "你好！\n船要开了。"), ("[Fox]: Good day!\nOwl: Hm.", "Good day!\nHm."),
])  # fmt: skip
def test_only_a_dialogue_has_speakers_before_colons(tmp_path, text, said):
    (tmp_path / "s.txt").write_text(text, "utf-8")
    assert app.spoken_in(tmp_path / "s.txt") == said.replace("\n\n", "\n")


def test_a_script_is_read_as_the_file_that_is_checked_was_made(tmp_path):
    """Words that were said have no speakers; a performance has those of its cast, and so has whom the asker names."""
    note, studio = "Note: the ship sails.", Studio(tmp_path / "studio")
    (tmp_path / "s.txt").write_text(note, "utf-8")
    ear = Ear("Note", " the", " ship", " sails")

    def rate(path, words=ear, **more):
        return app.check_file(studio, tmp_path / path, script=tmp_path / "s.txt", recogniser=words, **more).rate

    assert run(tmp_path, "speech", "say", note, tmp_path / "said.mp3", "--voice", "hibari").exit_code == 0
    done = run(tmp_path, "speech", "perform", tmp_path / "s.txt", tmp_path / "played.mp3", "--cast", "Note=hibari")
    assert done.exit_code == 0, done.exception
    assert rate("said.mp3") == 0 and rate("played.mp3", Ear(*ear.words[1:])) == 0 and rate("played.mp3") > 0
    pcm.write_wav(tmp_path / "own.wav", 0.1 * np.sin(np.arange(2 * RATE) * 0.1).astype(np.float32), RATE)
    assert rate("own.wav") == 0 and rate("own.wav", Ear(*ear.words[1:]), cast=["Note"]) == 0
    assert app.spoken_in(tmp_path / "played.srt", lineage={"wish": '{"cast": {"Note": "hibari"}}'}) == "the ship sails"
    # Two people talk, and one of them says what looks like a third.
    text = "Fox: Good day.\nOwl: Hear this.\nNote: the ship sails."
    (tmp_path / "s.txt").write_text(text, "utf-8")
    done = ["check", tmp_path / "own.wav", "--script", tmp_path / "s.txt", "--cast", "Fox=hibari", "--cast", "Owl"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "Whisper", lambda: Ear("Good day", " hear this ", *ear.words))
        assert run(tmp_path, "speech", *done).exit_code == 0
    assert "give it with --script" in str(run(tmp_path, "speech", *done[:2], "--text", "x", "--cast", "Fox").exception)


@pytest.mark.parametrize(("arguments", "said"), [
    ((), "does not tell"), (("--text", "x", "--script", "y"), "give one"), (("--script", "none.txt"), "is no script"),
    (("--script", "bad.srt"), "no captions"), (("--text", "…"), "no word"), (("--script", "a.wav"), "a.wav")])  # fmt: skip
def test_what_cannot_be_checked_is_said_in_a_line(tone, monkeypatch, arguments, said):
    monkeypatch.chdir(tone)
    monkeypatch.setattr(app, "Whisper", lambda: Ear("x"))
    (tone / "bad.srt").write_text("no captions at all", "utf-8")
    done = run(tone, "speech", "check", "a.wav", *arguments)
    assert isinstance(done.exception, UserError) and said in str(done.exception) and "\n" not in str(done.exception)
    assert "no file" in str(run(tone, "speech", "check", "gone.wav", "--text", "x").exception)


def test_what_is_missing_is_named_with_the_command_that_brings_it(tone, monkeypatch):
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    done = run(tone, "speech", "check", tone / "a.wav", "--text", "x")
    assert isinstance(done.exception, UserError) and "pip install 'mofang[check]'" in str(done.exception)
    monkeypatch.setitem(sys.modules, "faster_whisper", hearing)
    monkeypatch.setattr(models, "installed", lambda name: False)
    done = run(tone, "speech", "check", tone / "a.wav", "--text", "x")
    assert isinstance(done.exception, UserError) and "mofang models pull whisper-base" in str(done.exception)


@pytest.mark.slow
def test_whisper_hears_our_own_voices(tmp_path):
    pytest.importorskip("faster_whisper")
    if not models.installed("whisper-base"):
        pytest.skip("Whisper is not here")
    for voice, text, other in (("hibari", "The old fisherman pushed his boat into the river at dawn.", "The young fisherman slept."),
                               ("zf_xiaoxiao", "重庆有三个博物馆，我们明天上午九点出发。", "北京下雨了。")):  # fmt: skip
        assert run(tmp_path, "speech", "say", text, tmp_path / "a.mp3", "--voice", voice).exit_code == 0
        done = run(tmp_path, "speech", "check", tmp_path / "a.mp3")
        assert done.exit_code == 0, done.output
        assert run(tmp_path, "speech", "check", tmp_path / "a.mp3", "--text", other).exit_code == 1
