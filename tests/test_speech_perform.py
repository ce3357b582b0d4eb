"""Scripts performed: cues read, voices cast, feelings heard in numbers, lines mixed, captions true to the sound."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from mofang.apps.speak import terms, terms_of
from mofang.cli import main, mofang
from mofang.sound import pcm, speak, voice
from mofang.sound.loudness import loudness, true_peak
from mofang.sound.mix import RATE
from mofang.sound.stage import casting, play
from mofang.sound.stage.emotion import Delivery, delivery
from mofang.sound.stage.script import Line, read
from mofang.studio.errors import UserError
from mofang.trust import verify

PLAY = """Deep in the wood there was a light.

Fox: (happy) Good morning, Owl!
[Owl] (whispering): It is night, dear Fox.
Fox: (interrupting) Night? (pause 2s) Then good night.
"""


def test_every_way_to_name_a_speaker() -> None:
    lines = read("【小狐狸】（高兴）你好！\n【猫头鹰】：夜深了。\n小狐狸（低声）：嘘……\n"
                 "[Fox]: Hi.\nFox: Bye.\n旁白：天黑了。\n\n他说：走吧。")
    assert [line.speaker for line in lines] == ["小狐狸", "猫头鹰", "小狐狸", "Fox", "Fox", "", ""]
    assert lines[0].text == "你好！" and lines[0].delivery.pitch > 0 and lines[2].delivery.gain == -9
    assert lines[-1].text == "他说：走吧。"
    assert [line.speaker for line in read("At 3:15 we met.\nSee https://a.b\nShe said: go.")] == [""]


def test_cues_inside_a_speech_and_stage_directions() -> None:
    lines = read("Fox: I am (sad) sorry. (pause 2s) Really (truly) sorry.")
    assert [line.text for line in lines] == ["I am", "sorry.", "Really (truly) sorry."]
    assert lines[1].delivery.speed < 1 and lines[2].delivery.rest >= 2 and lines[2].delivery.speed < 1
    assert read("Fox: (takes a chair) Sit down.")[0] == Line("Fox", "Sit down.")
    assert delivery("非常高兴地") == delivery("高兴") != Delivery() and delivery("takes a chair") is None
    assert delivery("停顿2秒") == Delivery(rest=2) == delivery("pause 2s")


def test_fountain() -> None:
    text = ("Title: The Fox\nAuthor: A\n\nINT. WOOD - NIGHT\n\nA light burns.\n\nFOX (V.O.)\n(whispering)\nWho is there?\n\n"
            "OWL ^\nMe.\n\n@小狐狸\n你好。\n\nCUT TO:\n\n> FADE OUT\n\n[[a note]]\n\n# Act two\n\nThe end.")  # fmt: skip
    lines = read(text, fountain=True)
    assert [(line.speaker, line.text) for line in lines] == [
        ("", "A light burns."), ("FOX", "Who is there?"), ("OWL", "Me."), ("小狐狸", "你好。"), ("", "The end.")]  # fmt: skip
    assert lines[1].delivery.gain == -9 and lines[2].delivery.breaks_in


@given(st.text(st.sampled_from("ab 你【】[]()（）:：\n>#*^!.@") | st.characters(), max_size=120), st.booleans())
def test_any_script_is_read_or_refused_in_one_line(text: str, fountain: bool) -> None:
    try:
        lines = read(text, fountain=fountain)
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert all(any(letter.isalnum() for letter in line.text) for line in lines)


def test_everyone_gets_a_voice_of_their_own() -> None:
    lines = read("夜深了。\n\n【妈妈】睡吧。\n【爷爷】好。\n【小狐狸】不！\n【Tom】Hello there.\n【Queen】Good night to you.")
    cast = casting.cast(lines, {})
    assert len({voice.name for voice in cast.values()}) == 6
    assert cast[""].name == "zf_xiaobei" and cast["妈妈"].gender == "female" and cast["爷爷"].gender == "male"
    assert (cast["Tom"].language, cast["Tom"].gender) == ("en", "male") and cast["Queen"].gender == "female"
    assert casting.cast(lines, {}) == cast
    assert casting.cast(lines, {"小狐狸": "xiaoyi"})["小狐狸"].name == "zf_xiaoyi"
    with pytest.raises(UserError, match="nobody in the script is called Wolf"):
        casting.cast(lines, {"Wolf": "hibari"})
    with pytest.raises(UserError, match="casts nobody"):
        casting.pairs(["Fox"])


def test_feelings_are_heard_in_numbers() -> None:
    said = speak("Good morning, dear old friend of mine.", "hibari")
    plain, low = play.voiced(said, Line("", "x")), play.voiced(said, Line("", "x", delivery("whispering") or Delivery()))
    high = play.voiced(said, Line("", "x", Delivery(pitch=4)))
    assert len(low.samples) == len(high.samples) == len(said.samples)
    assert loudness(plain.samples, said.rate) - loudness(low.samples, said.rate) == pytest.approx(9, abs=1)
    assert 12 * np.log2(_f0(high.samples, said.rate) / _f0(plain.samples, said.rate)) == pytest.approx(4, abs=0.7)


def _f0(samples: np.ndarray, rate: int) -> float:
    """Median fundamental (Hz) of the loud frames, by autocorrelation."""
    size, found = rate // 16, []
    for at in range(0, len(samples) - size, size):
        part = samples[at : at + size]
        if np.sqrt(np.square(part).mean()) < 0.05:
            continue
        spectrum = np.fft.rfft(part * np.hanning(size), 4 * size)
        strength = np.fft.irfft(np.abs(spectrum) ** 2)
        low, high = rate // 500, rate // 90
        found.append(rate / (low + int(np.argmax(strength[low:high]))))
    return float(np.median(found))


def test_lines_take_turns_and_break_in() -> None:
    lines = [Line("A", "x"), Line("B", "x"), Line("B", "x"), Line("A", "x", Delivery(breaks_in=True)), Line("", "x", Delivery(rest=1))]
    cues = play.schedule(lines, [1.0] * 5)
    gaps = [round(b.start - a.end, 3) for a, b in pairwise(cues)]
    assert gaps == [play.TURN, play.SAME, -play.OVERLAP, play.SCENE + 1]
    assert play.schedule(lines, [1.0] * 5, gap=0)[1].start == 1.0


def test_places_and_rooms() -> None:
    tone = (0.3 * np.sin(np.arange(RATE) * 0.05)).astype(np.float32)
    left = play.panned(tone, -0.5)
    assert np.square(left).sum() == pytest.approx(2 * np.square(tone).sum(), rel=1e-3)
    assert np.square(left[:, 0]).sum() > 4 * np.square(left[:, 1]).sum()
    assert play.seats(["", "A", "B"]) == {"": 0.0, "A": -play.WIDEST, "B": play.WIDEST}
    with pytest.raises(UserError, match="no room"):
        play.perform([play.Cue(Line("", "x"), 0, 1)], [], {}, "cave")


@pytest.fixture(scope="module")
def performed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("play")
    (folder / "play.txt").write_text(PLAY, "utf-8")
    (folder / "cast.txt").write_text("# who speaks\nFox=hibari\nOwl: hibari\nnarrator=hibari\n", "utf-8")
    done = CliRunner().invoke(mofang, ["--studio", str(folder / "studio"), "speech", "perform", str(folder / "play.txt"),
                                       str(folder / "play.wav"), "--cast", str(folder / "cast.txt")])  # fmt: skip
    assert done.exit_code == 0, done.output
    return folder


def test_a_performance_is_loud_enough_marked_and_captioned(performed: Path) -> None:
    sound = pcm.read(performed / "play.wav", RATE, 2)
    body = sound[round(1.6 * RATE) :]
    assert loudness(body, RATE) == pytest.approx(play.LOUDNESS, abs=0.6) and true_peak(body, RATE) <= play.PEAK + 0.05
    assert verify(performed / "play.wav", performed / "studio").ok
    srt = (performed / "play.srt").read_text("utf-8")
    assert "Fox: Good morning" in srt and "Owl: It is night" in srt and "happy" not in srt
    assert verify(performed / "play.vtt", performed / "studio").ok
    # What the captions say is heard then, and nothing is in the two seconds of pause before the last one.
    times = [line.split(" --> ") for line in srt.splitlines() if "-->" in line]
    bounds = [[_seconds(each) for each in pair] for pair in times]
    for start, end in bounds:
        assert np.abs(sound[round(start * RATE) : round(end * RATE)]).max() > 0.05
    assert any(b[0] - a[1] > 1.4 for a, b in pairwise(bounds))


def _seconds(text: str) -> float:
    hours, minutes, seconds = text.replace(",", ".").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


@pytest.mark.parametrize(("script", "arguments", "said"), [
    ("", [], "nobody says"), ("……", [], "nobody says"), (PLAY, ["--cast", "Fox=nobody_at_all"], "no voice"),
    (PLAY, ["--cast", "nowhere.txt"], "is no cast"), ("a: b\0", [], "play.txt")])  # fmt: skip
def test_bad_scripts_are_refused_in_one_line(tmp_path, capsys, script, arguments, said) -> None:
    (tmp_path / "play.txt").write_text(script, "utf-8")
    with pytest.raises(SystemExit) as stopped:
        main(["--studio", str(tmp_path / "s"), "speech", "perform", str(tmp_path / "play.txt"), str(tmp_path / "o.wav"), *arguments])
    error = capsys.readouterr().err
    assert stopped.value.code == 2 and said in error and error.count("\n") == 1 and not (tmp_path / "o.wav").exists()


def test_a_voice_that_somebody_lent_says_until_when(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "voice", "languages": ["en"]}')
    works = [{"name": "a.wav", "consent": "Lin", "until": "2999-01-01"}, {"name": "hibari", "synthetic": True, "until": ""}]
    (tmp_path / "card.json").write_text(json.dumps({"title": "demo", "licence": "own", "trained_on": works}))
    name = voice(str(tmp_path)).name
    assert terms_of([name, "hibari", f"{name}#Lin", name]) == (terms(name),) and "Lin (2999-01-01)" in terms(name)
    (tmp_path / "card.json").write_text(json.dumps({"title": "demo", "licence": "own", "trained_on": works[1:]}))
    assert terms_of([name]) == ()
