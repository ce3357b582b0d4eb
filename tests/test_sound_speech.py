"""Speech: what is heard, when, and what happens to text that cannot be said."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mofang.sound import default_voice, sample_text, speak, stream, voice, voices
from mofang.sound.engines.base import Speech
from mofang.sound.frontend import symbols, visible
from mofang.sound.loudness import loudness
from mofang.sound.pauses import COMMA, ELLIPSIS, PARAGRAPH, STOP, rest_after, rested, trim
from mofang.studio.alignment import Aligned
from mofang.studio.errors import UserError

STORY = (
    "Once upon a time, there was a painter… She lived by the sea — alone! “Who is there?” she said.\n\n"
    "Nobody answered; it was 3:15 p.m."
)


def check(speech: Speech, text: str) -> None:
    assert "".join(piece.text for piece in speech.alignment) == visible(text)
    assert all(piece.start <= piece.end for piece in speech.alignment)
    assert all(a.end <= b.start + 1e-6 for a, b in pairwise(speech.alignment))
    assert speech.alignment[0].start >= 0 and speech.alignment[-1].end <= speech.duration + 1e-6
    assert speech.samples.dtype == np.float32 and np.isfinite(speech.samples).all()
    assert np.abs(speech.samples).max() < 1


def test_every_word_has_its_time():
    speech = speak(STORY, "hibari")
    check(speech, STORY)
    level = np.abs(speech.samples)
    for piece in speech.alignment:
        said = level[round(piece.start * speech.rate) : round(piece.end * speech.rate)]
        assert said.size and said.max() > (0.03 if piece.end - piece.start > 0.06 else 0.005), piece
    rests = {a.text: b.start - a.end for a, b in pairwise(speech.alignment)}
    assert rests["said.\n\n"] > rests["painter… "] > rests["time, "]


def test_the_same_words_make_the_same_sound():
    first, second = speak(STORY, "hibari"), speak(STORY, "hibari")
    assert np.array_equal(first.samples, second.samples) and first.alignment == second.alignment


def test_a_stream_is_the_whole_text_and_begins_short():
    parts = list(stream(STORY, "hibari"))
    assert "".join(piece.text for part in parts for piece in part.alignment) == STORY
    assert parts[0].duration < 4
    long = (
        "the old man who lived by the river walked along the quiet road with his grey dog and a basket full of bread "
        * 2
    )
    assert next(stream(long, "hibari")).duration < 6


def test_sentences_are_equally_loud():
    text = "Good morning to all of you. THIS IS IMPORTANT! A quiet word about nothing in particular. Really?"
    levels = [loudness(part.samples, part.rate) for part in stream(text, "hibari")]
    assert max(levels) - min(levels) < 1.0


def test_speed_changes_the_length_and_nothing_else():
    slow, fast = speak(STORY, "hibari", speed=0.7), speak(STORY, "hibari", speed=1.5)
    assert slow.duration > 1.6 * fast.duration
    check(slow, STORY)
    check(fast, STORY)


def test_long_text_is_said_to_the_end():
    sentence = "and then another wave came rolling in from the wide grey sea, "
    text = sentence * 40 + "the end."
    speech = speak(text, "hibari")
    check(speech, text)
    one = speak(sentence, "hibari").duration
    assert speech.duration > 30 * one
    tail = speech.samples[round(speech.alignment[-1].start * speech.rate) :]
    assert np.abs(tail).max() > 0.05


def test_an_endless_word_is_said():
    text = "1" + "0" * 700
    check(speak(text, "hibari"), text)


@pytest.mark.parametrize("text", ["", "   \n\t", "😀🎉👍", "……", "\ud800", "—— ！？", "\u200b\ufeff"])
def test_nothing_to_say_is_said_plainly(text):
    for call in (speak, stream):
        with pytest.raises(UserError, match="nothing to say"):
            call(text, "hibari")


@pytest.mark.parametrize("text", ["Hello 😀 world!", "שלום hello", "a\ud800b cat", "Hi\r\nthere", "Hello.😀\n\n🎉"])
def test_what_cannot_be_said_is_kept_in_the_captions(text):
    check(speak(text, "hibari"), text)


@settings(max_examples=15, deadline=None)
@given(st.text(st.sampled_from("ab i,.!?…—\n“”😀好3 -"), max_size=60))
def test_any_text_is_said_or_refused(text):
    try:
        speech = speak(text, "hibari")
    except UserError as error:
        assert "\n" not in str(error)
    else:
        check(speech, text)


def test_unreasonable_arguments():
    with pytest.raises(UserError, match="did you mean zf_xiaoxiao"):
        speak("你好", "xiaoxao")
    with pytest.raises(UserError, match="speech voices"):
        voice("qqqqqqqq")
    with pytest.raises(UserError, match="out of range"):
        speak("Hello.", "hibari", speed=9)
    with pytest.raises(UserError, match="out of range"):
        speak("Hello.", "hibari", speed=float("nan"))
    with pytest.raises(UserError, match="characters"):
        speak("a" * 300_000, "hibari")


def test_the_voices():
    listed = voices()
    assert sum(v.language == "zh" for v in listed.values()) == 8
    assert sum(v.language == "en" and v.engine == "kokoro" for v in listed.values()) == 28
    assert all(v.zh and v.en and v.gender in ("female", "male") for v in listed.values())
    assert voice("xiaoxiao").name == "zf_xiaoxiao"
    for language in ("zh", "en"):
        assert default_voice(language).language == language and sample_text(language)


def test_rests_by_mark():
    assert rest_after("你好，") == rest_after("hello, ") == COMMA
    assert rest_after("“走！”") == rest_after("Go.") == STOP
    assert rest_after("等等……") == rest_after("wait...") == ELLIPSIS
    assert rest_after("end.\n\n") == rest_after("完。\r\n\r\n") == PARAGRAPH
    assert rest_after("word") == rest_after("") == 0
    assert COMMA < STOP < ELLIPSIS < PARAGRAPH


def test_trimming_and_resting_keep_the_times_true():
    rate = 24_000
    sound = np.zeros(2 * rate, np.float32)
    rng = np.random.default_rng(0)
    for start, end in ((0.5, 0.8), (1.0, 1.4)):
        sound[round(start * rate) : round(end * rate)] = 0.2 * rng.standard_normal(round((end - start) * rate))
    speech = Speech(sound, rate, (Aligned("a, ", 0.5, 0.8), Aligned("b", 1.0, 1.4)))
    for changed in (trim(speech), rested(trim(speech), [0.5, 0.0])):
        for piece in changed.alignment:
            inside = changed.samples[round(piece.start * rate) : round(piece.end * rate)]
            assert inside.std() == pytest.approx(0.2, rel=0.1)
    result = rested(trim(speech), [0.5, 0.0])
    assert result.alignment[1].start - result.alignment[0].end == pytest.approx(0.5, abs=0.01)
    assert len(trim(speech).samples) < 1.1 * rate
    assert len(rested(speech, [0.1, 0.0]).samples) == len(speech.samples)  # it rests long enough already


def test_a_sound_that_runs_on_is_not_cut():
    rate = 24_000
    tone = (0.3 * np.sin(np.arange(rate) * 0.1)).astype(np.float32)
    speech = Speech(tone, rate, (Aligned("a, ", 0.1, 0.45), Aligned("b", 0.5, 0.9)))
    assert np.array_equal(rested(speech, [0.5, 0.0]).samples, tone)


def test_the_vocabulary_is_the_one_hibari_ships():
    import json
    from importlib.resources import files

    assert json.loads((files("hibari") / "assets" / "vocab.json").read_text("utf-8")) == symbols.NUMBERS


def test_speaking_leaves_arithmetic_alone():
    # Engines flush denormal numbers to zero for speed; nobody else's arithmetic may change for it.
    speak("Hello.", "hibari")
    assert (np.array([5e-324]) * np.ones(1)).all()
