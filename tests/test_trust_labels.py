"""The explicit label, measured the way the standard does: by what is drawn, heard and read."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mofang.trust import has_audio_label, has_text_label, label_audio, label_text, labels, overlay
from trust_samples import RATE, picture

SIZES = [(1080, 1920), (1920, 1080), (1080, 1080), (320, 240), (3840, 2160), (640, 3000), (200, 200), (97, 400)]


def rows_of_ink(image: np.ndarray) -> list[int]:  # type: ignore[type-arg]
    """The heights of the separate lines of white letters on the plate."""
    ink = (image[..., :3].min(2) > 140) & (image[..., 3] > 200)
    rows = np.concatenate([[False], ink.any(1), [False]])
    edges = np.flatnonzero(rows[1:] != rows[:-1])
    return [int(b - a) for a, b in edges.reshape(-1, 2)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_letter_is_high_enough(size: tuple[int, int], lang: str) -> None:
    label = overlay(*size, lang)
    assert label.text_height >= 0.05 * min(size)
    # What the whole line measures on the plate can only be more than its lowest letter.
    assert max(rows_of_ink(label.image)) >= label.text_height - 1
    assert label.y + label.image.shape[0] <= size[1] and label.x + label.image.shape[1] <= size[0]
    assert label.y + label.image.shape[0] < size[1] / 2, "at the edge, not in the middle"


def test_every_letter_of_the_text_is_in_the_font() -> None:
    assert labels.FACE.missing(labels.TEXT + labels.GLOSS) == ""
    assert has_text_label(labels.TEXT)


def test_each_capital_alone_reaches_five_percent() -> None:
    label = overlay(1080, 1920)
    ink = (label.image[..., :3].min(2) > 140) & (label.image[..., 3] > 200)
    columns = np.concatenate([[False], ink.any(0), [False]])
    letters = np.flatnonzero(columns[1:] != columns[:-1]).reshape(-1, 2)
    heights = [np.ptp(np.flatnonzero(ink[:, a:b].any(1))) + 1 for a, b in letters if b - a > 8]
    assert len(heights) >= 4 and min(heights) >= 54


@pytest.mark.parametrize("background", [0, 90, 160, 255])
def test_it_is_legible_on_any_ground(background: int) -> None:
    frame = labels.on_picture(np.full((1080, 1080, 3), background, np.uint8), "en")
    label = overlay(1080, 1080, "en")
    place = frame[label.y : label.y + label.image.shape[0], label.x : label.x + label.image.shape[1]]
    letters, plate = np.percentile(place, 99.5), np.median(place)

    def light(value: float) -> float:
        return float(((value / 255 + 0.055) / 1.055) ** 2.4)

    # WCAG 2.2, 1.4.3: large text needs a contrast of 3; ordinary text, 4.5.
    assert (light(letters) + 0.05) / (light(plate) + 0.05) >= 4.5
    assert labels.is_on(frame)


def test_it_is_not_seen_where_it_is_not() -> None:
    random = np.random.default_rng(0)
    for frame in (picture(), np.zeros((480, 640, 3), np.uint8), random.integers(0, 255, (480, 640, 3)).astype(np.uint8)):
        assert not labels.is_on(frame)
        label = overlay(frame.shape[1], frame.shape[0])
        faint = frame + (labels.on_picture(frame).astype(float) - frame) * 0.1
        assert not labels.is_on(faint.astype(np.uint8)), "a ghost of a label is none"
        covered = labels.on_picture(frame)
        covered[label.y : label.y + label.image.shape[0], label.x : label.x + label.image.shape[1] * 2 // 3] = 0
        assert not labels.is_on(covered)


def test_too_small_a_picture_is_refused() -> None:
    for size in ((40, 40), (60, 2000), (2000, 20), (1, 1)):
        with pytest.raises(ValueError, match="too small"):
            overlay(*size)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("本文由人工智能生成。" + "狐" * 200, True), ("AI生成", True), ("AI合成" + "x" * 500, True),
     ("x" * 500 + "（AI 生成）", True),
     ("AI 播客", False), ("虚拟主播", False), ("AI-generated", False), ("SAID 生成", False), ("", False),
     ("x" * 100 + "AI生成" + "x" * 100, False)])  # fmt: skip
def test_both_elements_must_stand_at_an_end(text: str, expected: bool) -> None:
    assert has_text_label(text) is expected


@given(st.text(max_size=200), st.sampled_from(["zh", "en"]))
def test_text_is_labelled_once_and_kept(text: str, lang: str) -> None:
    labelled = label_text(text, lang)
    assert has_text_label(labelled) and labelled.endswith(text) and label_text(labelled, lang) == labelled


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [0, 2])
def test_the_rhythm_is_short_long_short_short(rate: int, channels: int) -> None:
    random = np.random.default_rng(1)
    voice = 0.2 * random.standard_normal((rate * 2, channels) if channels else rate * 2).astype(np.float32)
    assert not has_audio_label(voice, rate)
    labelled = label_audio(voice, rate)
    assert has_audio_label(labelled, rate) and label_audio(labelled, rate) is labelled
    assert np.array_equal(labelled[-len(voice) :], voice) and np.abs(labels.rhythm(rate)).max() <= 0.25
    quiet = labelled * 0.0001
    assert not has_audio_label(quiet, rate)


def test_other_rhythms_and_plain_tones_are_not_it() -> None:
    time = np.arange(RATE * 2) / RATE
    tone = (0.3 * np.sin(2 * np.pi * labels.TONE * time)).astype(np.float32)
    assert not has_audio_label(tone, RATE)
    beeps = tone * ((time * 5).astype(int) % 2)  # ···· is no A I.
    assert not has_audio_label(beeps.astype(np.float32), RATE)
    for short in (np.zeros(0, np.float32), np.zeros(100, np.float32), labels.rhythm(RATE)[: RATE // 2]):
        assert not has_audio_label(short, RATE)


@settings(max_examples=25, deadline=None)
@given(st.integers(80, 3000), st.integers(80, 3000))
def test_any_picture_of_some_size_takes_it(width: int, height: int) -> None:
    label = overlay(width, height)
    assert label.text_height >= max(0.05 * min(width, height), labels.LEGIBLE)


def test_the_font_is_small_and_has_its_licence() -> None:
    folder = Path(labels.__file__).parent / "fonts"
    assert (folder / "label.ttf").stat().st_size < 8192
    assert "SIL OPEN FONT LICENSE" in (folder / "OFL.txt").read_text("utf-8").upper()
