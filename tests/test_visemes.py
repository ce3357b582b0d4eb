"""Mouth shapes: every phoneme of both languages has one, they fill the time, and they fit the sound."""

import json
from itertools import pairwise

import numpy as np
import pytest
from click.testing import CliRunner

from mofang.cli import mofang
from mofang.sound import pcm, speak
from mofang.sound.engines.base import PAUSES, timed
from mofang.sound.frontend import Unit, phonemize
from mofang.sound.frontend.mandarin.syllables import ipa
from mofang.sound.frontend.symbols import SYMBOLS
from mofang.sound.visemes import SHAPES, TABLE, visemes
from mofang.studio.alignment import Aligned

SILENT = set("ˈˌːʰʲ→↗↓↘\u0303") | PAUSES | {'"'}


def test_every_symbol_a_voice_says_has_a_shape() -> None:
    assert SYMBOLS - SILENT - set("ST") <= set(TABLE)
    assert {shape for shapes in TABLE.values() for shape, _ in shapes} | {"sil"} == set(SHAPES)
    assert {number for shapes in TABLE.values() for _, number in shapes} <= set(range(22))


@pytest.mark.parametrize(("text", "shapes"), [
    ("map", "PP aa PP"), ("think", "TH ih nn kk"), ("five", "FF aa ih FF"), ("shoe", "CH ou")])  # fmt: skip
def test_english_words(text: str, shapes: str) -> None:
    phonemes = [each for unit in phonemize(text, "en") for each in unit.phonemes if each not in PAUSES]
    word = Aligned(text, 0, len(phonemes), tuple(Aligned(each, at, at + 1) for at, each in enumerate(phonemes)))
    assert [each.shape for each in visemes([word], len(phonemes)) if each.shape != "sil"] == shapes.split()


@pytest.mark.parametrize(("syllable", "shapes"), [
    ("ma1", "PP aa"), ("fu4", "FF ou"), ("zhi1", "CH ih"), ("hao3", "kk aa ou"), ("nv3", "nn ou"), ("si4", "SS ih")])  # fmt: skip
def test_mandarin_syllables(syllable: str, shapes: str) -> None:
    phonemes = ipa(syllable)
    word = Aligned("字", 0, len(phonemes), tuple(Aligned(each, at, at + 1) for at, each in enumerate(phonemes)))
    found = visemes([word], len(phonemes))
    assert [each.shape for each in found] == shapes.split() and found[-1].end == len(phonemes)


def test_times_come_from_the_voice_and_leave_no_gap() -> None:
    units = [Unit("hi ", "hI"), Unit("you", "ju.")]
    words = timed(units, SYMBOLS, np.array([2, 1, 3, 1, 4, 2, 1], np.float32), 0.025)
    assert [each.text for each in words[0].sounds] == ["h", "I"]
    assert [moment for each in words[0].sounds for moment in (each.start, each.end)] == pytest.approx([0.05, 0.075, 0.075, 0.15])
    assert words[1].sounds[1].end == pytest.approx(0.275) == words[1].end
    speech = speak("Five wolves sang, and nobody listened.", "hibari")
    shown = visemes(speech.alignment, speech.duration)
    assert shown[0].start == 0 and shown[-1].end == pytest.approx(speech.duration)
    assert all(a.end == pytest.approx(b.start, abs=1e-6) and a.end >= a.start for a, b in pairwise(shown))
    # Vowels are where the sound is, silence where it is not.
    level = np.square(speech.samples)
    loud = {True: [], False: []}
    for each in shown:
        loud[each.shape == "sil"].append(level[round(each.start * speech.rate) : round(each.end * speech.rate)])
    assert np.median(np.concatenate(loud[False])) > 10 * np.median(np.concatenate(loud[True]))


def test_say_writes_them_at_the_times_of_the_file(tmp_path) -> None:
    done = CliRunner().invoke(mofang, ["--studio", str(tmp_path / "s"), "speech", "say", "Bob may pay Pam.", str(tmp_path / "a.wav"),
                                       "--voice", "hibari", "--lips", str(tmp_path / "a.json")])  # fmt: skip
    assert done.exit_code == 0, done.output
    lips = json.loads((tmp_path / "a.json").read_text("utf-8"))
    sound = pcm.read(tmp_path / "a.wav", 24_000)
    assert lips["duration"] == pytest.approx(len(sound) / 24_000, abs=0.01)
    assert "".join(word["text"] for word in lips["words"]) == "Bob may pay Pam."
    assert sum(each["viseme"] == "PP" for each in lips["visemes"]) == 6
    first = next(each for each in lips["visemes"] if each["viseme"] == "aa")
    assert np.abs(sound[round(first["start"] * 24_000) : round(first["end"] * 24_000)]).max() > 0.05
