"""Loudness, true peak and the limiter, against the standard's own test signals and two other implementations."""

import numpy as np
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mofang.sound.loudness import SILENT, limit, loudness, normalise, true_peak


def sine(frequency: float, level: float, seconds: float, rate: int = 48_000) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    return (10 ** (level / 20) * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


def test_the_standards_calibration_tone():
    # BS.1770-4: a 997 Hz sine at 0 dBFS in one channel measures -3.01 LKFS.
    assert loudness(sine(997, 0, 5), 48_000) == pytest.approx(-3.01, abs=0.01)


def test_ebu_3341_cases_of_gating():
    # EBU Tech 3341, cases 1 to 4: stereo 1 kHz sines, all but the first kind of level gated away.
    def stereo(*parts: tuple[float, float]) -> np.ndarray:
        return np.repeat(np.concatenate([sine(1000, level, seconds) for level, seconds in parts])[:, None], 2, axis=1)

    assert loudness(stereo((-23, 20)), 48_000) == pytest.approx(-23, abs=0.1)
    assert loudness(stereo((-33, 20)), 48_000) == pytest.approx(-33, abs=0.1)
    assert loudness(stereo((-36, 10), (-23, 60), (-36, 10)), 48_000) == pytest.approx(-23, abs=0.1)
    assert loudness(stereo((-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)), 48_000) == pytest.approx(
        -23, abs=0.1
    )


@pytest.mark.parametrize("rate", [24_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_loudness_agrees_with_pyloudnorm(rate, channels):
    rng = np.random.default_rng(rate + channels)
    sound = rng.standard_normal((6 * rate, channels)).cumsum(axis=0)
    sound = (0.1 * sound / np.abs(sound).max()).astype(np.float32) + 0.05 * rng.standard_normal(sound.shape).astype(
        "f4"
    )
    sound[2 * rate : 4 * rate] *= 0.01
    expected = pyloudnorm.Meter(rate).integrated_loudness(sound.astype(np.float64))
    assert loudness(sound.squeeze(), rate) == pytest.approx(expected, abs=0.1)


def test_loudness_and_peak_agree_with_ffmpeg():
    import av

    rng = np.random.default_rng(3)
    sound = (rng.standard_normal((5 * 48_000, 2)) * np.linspace(0.02, 0.3, 5 * 48_000)[:, None]).astype(np.float32)
    graph = av.filter.Graph()
    source = graph.add_abuffer(format="flt", sample_rate=48_000, layout="stereo", time_base="1/48000")
    meter = graph.add("ebur128", "peak=true:metadata=1:framelog=quiet")
    sink = graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(sound.reshape(1, -1), "flt", "stereo")
    frame.sample_rate, frame.pts = 48_000, 0
    graph.push(frame)
    graph.push(None)
    told: dict[str, str] = {}
    while True:
        try:
            told |= graph.pull().metadata
        except (av.error.BlockingIOError, av.error.EOFError):
            break
    assert loudness(sound, 48_000) == pytest.approx(float(told["lavfi.r128.I"]), abs=0.1)
    assert true_peak(sound, 48_000) == pytest.approx(20 * np.log10(float(told["lavfi.r128.true_peak"])), abs=0.2)


def test_true_peak_sees_between_the_samples():
    # A quarter of the sampling rate at 45 degrees: every sample is 3 dB below the crest (BS.1770-4, Attachment 1).
    time = np.arange(48_000)
    sound = np.sin(np.pi / 2 * time + np.pi / 4).astype(np.float32)
    assert 20 * np.log10(np.abs(sound).max()) == pytest.approx(-3.01, abs=0.01)
    assert true_peak(sound, 48_000) == pytest.approx(0.0, abs=0.3)


@pytest.mark.parametrize("crest", [1.0, 8.0, 40.0])
def test_normalise_reaches_loudness_under_the_ceiling(crest):
    rng = np.random.default_rng(1)
    sound = 0.02 * rng.standard_normal((8 * 48_000, 2))
    sound[::12_000] *= crest  # clicks that stand far above the rest
    result = normalise(sound.astype(np.float32), 48_000)
    assert loudness(result, 48_000) == pytest.approx(-14, abs=1)
    assert true_peak(result, 48_000) <= -1


def test_silence_stays_silence():
    silence = np.zeros((48_000, 2), np.float32)
    assert loudness(silence, 48_000) == SILENT
    assert not normalise(silence, 48_000).any()
    assert normalise(np.zeros((0, 2), np.float32), 48_000).shape == (0, 2)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4000), st.floats(0.01, 30), st.floats(-20, -0.1))
def test_the_limiter_never_lets_a_peak_through(seed, length, gain, ceiling):
    rng = np.random.default_rng(seed)
    sound = (gain * rng.standard_normal(length) * rng.random(length) ** 4).astype(np.float32)
    result = limit(sound, 24_000, ceiling)
    assert result.shape == sound.shape and np.isfinite(result).all()
    assert true_peak(result, 24_000) <= ceiling + 0.01
    assert (np.abs(result) <= np.abs(sound) + 1e-6).all()


def test_the_limiter_leaves_quiet_sound_alone():
    sound = sine(440, -12, 0.5)
    assert np.array_equal(limit(sound, 48_000, -1.0), sound)


def test_the_limiter_bends_without_a_click():
    sound = sine(220, -9, 1.0)
    sound[24_000:24_200] *= 6
    result = limit(sound, 48_000, -3.0)
    # Away from the burst nothing changed; around it the wave is as smooth as it was.
    assert np.allclose(result[:20_000], sound[:20_000], atol=1e-6)
    assert np.abs(np.diff(result[:23_990], 2)).max() <= 1.5 * np.abs(np.diff(sound[:23_990], 2)).max()
