"""The mixing desk: places, beds, ducking, master."""

import numpy as np
import pytest

from mofang.sound.loudness import loudness, true_peak
from mofang.sound.mix import RATE, Clip, Ducking, bed, duck, mix, place
from mofang.studio.errors import UserError


def tone(frequency: float, seconds: float, level: float = 0.3, rate: int = RATE) -> np.ndarray:
    return (level * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def level(sound: np.ndarray, start: float, end: float) -> float:
    return 20 * np.log10(np.sqrt(np.square(sound[round(start * RATE) : round(end * RATE)]).mean()) + 1e-9)


def test_clips_lie_where_they_were_put():
    track = place([Clip(tone(440, 1.0, rate=24_000), 24_000, 2.0), Clip(tone(880, 1.0), RATE, 4.5, gain=-6)], 5 * RATE)
    assert track.shape == (5 * RATE, 2)
    assert not track[: round(1.999 * RATE)].any()
    assert level(track, 2.1, 2.9) == pytest.approx(20 * np.log10(0.3 / np.sqrt(2)), abs=0.1)
    assert level(track, 4.5, 5.0) == pytest.approx(20 * np.log10(0.3 / np.sqrt(2)) - 6, abs=0.1)
    assert np.array_equal(place([Clip(tone(440, 2), RATE, -1.0)], RATE)[:, 0], tone(440, 2)[RATE:])


@pytest.mark.parametrize("seconds", [0.5, 3, 7, 40])
def test_a_bed_fills_the_film_without_a_hole(seconds):
    noise = (0.1 * np.random.default_rng(0).standard_normal(10 * RATE)).astype(np.float32)
    track = bed(noise, round(seconds * RATE))
    assert track.shape == (round(seconds * RATE), 2)
    assert np.abs(track[0]).max() < 0.01 and np.abs(track[-1]).max() < 0.01
    middle = [level(track, at, at + 0.2) for at in np.arange(1.2, seconds - 3.3, 0.2)]
    assert all(value == pytest.approx(-20, abs=1.5) for value in middle)  # cross-fades neither dip nor swell


def test_music_makes_way_before_the_voice_and_comes_back():
    music = np.repeat(tone(300, 10)[:, None], 2, axis=1)
    voice = np.zeros((10 * RATE, 2), np.float32)
    voice[3 * RATE : 5 * RATE] = 0.3
    ducking = Ducking(depth=12, attack=0.2, hold=0.3, release=1.0)
    under = duck(music, voice, ducking)
    open_level = level(music, 0, 10)
    assert level(under, 0, 2.7) == pytest.approx(open_level, abs=0.05)
    assert level(under, 3.0, 5.2) == pytest.approx(open_level - 12, abs=0.3)
    assert open_level - 11 < level(under, 5.7, 5.9) < open_level - 1  # on its way back
    assert level(under, 6.5, 10) == pytest.approx(open_level, abs=0.05)
    steps = np.abs(np.diff(duck(np.ones((10 * RATE, 2), np.float32), voice, ducking)[:, 0]))
    assert steps.max() < 0.001


def test_a_short_rest_does_not_pump():
    music = np.repeat(tone(300, 6)[:, None], 2, axis=1)
    voice = np.zeros((6 * RATE, 2), np.float32)
    voice[RATE : 2 * RATE] = voice[round(2.3 * RATE) : 3 * RATE] = 0.3
    under = duck(music, voice, Ducking(depth=12, hold=0.35))
    assert level(under, 2.0, 2.3) == pytest.approx(level(under, 1.2, 1.8), abs=0.1)


def test_the_master_is_loud_and_safe():
    rng = np.random.default_rng(0)
    voice = (rng.standard_normal(4 * 24_000) * np.repeat(rng.random(40), 2400) * 0.2).astype(np.float32)
    for quiet in (1.0, 0.01):
        music = quiet * (tone(220, 5) + tone(277, 5))
        master = mix([Clip(voice, 24_000, 1.0), Clip(voice, 24_000, 8.0)], 15, music)
        assert master.shape == (15 * RATE, 2) and master.dtype == np.float32
        assert loudness(master, RATE) == pytest.approx(-14, abs=1)
        assert true_peak(master, RATE) <= -1
    only_music = mix([], 5, tone(220, 2))
    assert loudness(only_music, RATE) == pytest.approx(-14, abs=1)
    assert not mix([], 2).any()


@pytest.mark.parametrize("duration", [0, -1, float("nan"), float("inf"), 1e9])
def test_a_duration_that_cannot_be(duration):
    with pytest.raises(UserError, match="cannot be made"):
        mix([], duration)
