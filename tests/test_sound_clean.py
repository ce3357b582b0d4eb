"""Recordings cleaned up: every fault put into a sound that is known, and taken out again."""

import numpy as np
import pytest
from click.testing import CliRunner

from mofang import trust
from mofang.cli import mofang
from mofang.sound import pcm, speak
from mofang.sound.clean import clicks, clips, hum, noise, omlsa, silence
from mofang.sound.clean.clean import Wish, clean
from mofang.sound.edit.source import Sound
from mofang.sound.loudness import loudness
from mofang.studio import UserError

RATE = 22_050


def voice(seconds=5.0, rate=RATE, seed=0):
    """Something like speech: a source with a gliding pitch through three formants, in syllables and pauses."""
    rng = np.random.default_rng(seed)
    count = round(seconds * rate)
    time = np.arange(count) / rate
    phase = 2 * np.pi * np.cumsum(120 + 20 * np.sin(2 * np.pi * 0.5 * time)) / rate
    partials = np.arange(1, 36)
    weight = sum(gain / (1 + ((partials * 120 - centre) / 130) ** 2) for centre, gain in ((600, 1), (1500, 0.6), (2700, 0.3)))
    wave = (weight[:, None] * np.sin(partials[:, None] * phase)).sum(0)
    gate = np.repeat((rng.random(int(seconds * 4) + 1) > 0.35).astype(float), rate // 4)[:count]
    gate = np.convolve(np.pad(gate, (0, count - len(gate))), np.hanning(rate // 20) / np.hanning(rate // 20).sum(), "same")
    wave *= gate
    return (0.3 * wave / np.abs(wave).max()).astype(np.float32)


def sound(samples, rate=RATE):
    return Sound(np.asarray(samples, np.float32).reshape(len(samples), -1), rate)


def sdr(estimate, truth):
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux et al. 2019)."""
    truth, estimate = truth.astype(np.float64), estimate.astype(np.float64)
    target = (estimate @ truth) / (truth @ truth) * truth
    return 10 * np.log10((target @ target) / max(float(((estimate - target) ** 2).sum()), 1e-20))


@pytest.fixture(scope="module")
def spoken():
    """A sentence of the shipped English voice."""
    said = speak("The north wind and the sun were arguing one day about which of them was stronger.", "af_heart")
    return np.pad(said.samples, said.rate // 2), said.rate


@pytest.mark.parametrize(("snr", "gained"), [(0, 8), (10, 5.5), (20, 3)])
def test_noise_over_a_voice_goes(spoken, snr, gained):
    samples, rate = spoken
    noisy = samples + np.random.default_rng(1).normal(0, samples.std() * 10 ** (-snr / 20), len(samples)).astype(np.float32)
    done = noise.denoise(sound(noisy, rate)).samples[:, 0]
    assert sdr(done, samples) > sdr(noisy, samples) + gained


def test_clicks_over_a_voice_go_and_the_voice_stays(spoken):
    samples, rate = spoken
    rng, damaged = np.random.default_rng(2), samples.copy()
    for at in rng.integers(100, len(samples) - 100, 40):
        damaged[at : at + 4] += rng.choice([-0.5, 0.5]) * np.array([1, -0.6, 0.3, -0.1], np.float32)
    assert sdr(clicks.declick(sound(damaged, rate)).samples[:, 0], samples) > sdr(damaged, samples) + 6
    assert sdr(clicks.declick(sound(samples, rate)).samples[:, 0], samples) > 35


def test_noise_that_grows_is_followed():
    clean_voice = voice(8)
    rising = np.linspace(0.003, 0.03, len(clean_voice))
    noisy = clean_voice + (np.random.default_rng(2).standard_normal(len(clean_voice)) * rising).astype(np.float32)
    done = noise.denoise(sound(noisy)).samples[:, 0]
    assert sdr(done, clean_voice) > sdr(noisy, clean_voice) + 1.5


def test_a_clean_voice_is_left_nearly_alone():
    assert sdr(noise.denoise(sound(voice())).samples[:, 0], voice()) > 20
    assert np.allclose(clicks.declick(sound(voice())).samples[:, 0], voice(), atol=0.02)
    assert not clips.clipped(sound(voice()).samples).any() and hum.hum_of(sound(voice())) == 0


def test_the_exponential_integral_is_right():
    x = np.array([1e-6, 0.01, 0.5, 1.0, 2.0, 10.0])
    truth = np.array([13.2382958930, 4.0379295765, 0.5597735948, 0.2193839344, 0.0489005107, 4.156968930e-06])
    assert np.allclose([2 * omlsa.log_amplitude(1.0, each, np.exp(-each)) for each in x], truth, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("mains", [50.0, 60.0, 49.9])
def test_hum_is_found_and_notched(mains):
    time = np.arange(len(voice())) / RATE
    added = 0.02 * sum(np.sin(2 * np.pi * mains * k * time + k) / k for k in range(1, 8))
    noisy = sound(voice() + added)
    assert abs(hum.hum_of(noisy) - mains) < 0.25
    assert sdr(hum.dehum(noisy).samples[:, 0], voice()) > sdr(noisy.samples[:, 0], voice()) + 6


def test_clicks_are_filled_in():
    rng = np.random.default_rng(3)
    damaged = voice()
    places = rng.integers(100, len(damaged) - 100, 40)
    for at in places:
        damaged[at : at + 4] += rng.choice([-0.5, 0.5]) * np.array([1, -0.6, 0.3, -0.1], np.float32)
    done = clicks.declick(sound(damaged)).samples[:, 0]
    assert sdr(done, voice()) > sdr(damaged, voice()) + 7


def test_a_gap_in_a_tone_is_continued():
    tone = np.sin(np.arange(2000) * 0.05) + 0.5 * np.sin(np.arange(2000) * 0.17)
    part = tone.copy()
    model = clicks.predictor(part)
    part[1000:1020] = 0
    clicks.fill(part, np.arange(1000, 1020), model)
    assert np.abs(part - tone).max() < 0.05


def test_clipping_is_found_and_undone():
    loud = 3 * voice()
    held = np.clip(loud, -0.5, 0.5)
    assert abs(clips.clipped(sound(held).samples).mean() - (np.abs(loud) >= 0.5).mean()) < 0.01
    done = clips.declip(sound(held)).samples[:, 0]
    assert sdr(done, loud) > sdr(held, loud) + 5
    assert (np.abs(done) >= np.abs(held) - 1e-3).all()


def test_silence_is_trimmed_and_pauses_shortened():
    quiet = np.random.default_rng(4).normal(0, 1e-4, RATE).astype(np.float32)
    tone = 0.3 * np.sin(np.arange(RATE) * 0.2).astype(np.float32)
    whole = sound(np.concatenate([quiet, tone, quiet, quiet, tone, quiet]))
    assert [tuple(round(edge) for edge in pause) for pause in silence.pauses(whole)] == [(0, 1), (2, 4), (5, 6)]
    assert abs(silence.trimmed(whole).seconds - (4 + 2 * silence.MARGIN)) < 0.05
    assert abs(silence.trimmed(whole, 0.5).seconds - (2.5 + 2 * silence.MARGIN)) < 0.05
    with pytest.raises(UserError, match="silence"):
        silence.trimmed(sound(np.zeros(RATE)))


def test_everything_at_once_comes_out_right():
    damaged = voice(6) + np.random.default_rng(5).normal(0, 0.01, 6 * RATE).astype(np.float32) + 0.1
    done = clean(sound(np.stack([damaged, damaged], 1)))
    assert done.samples.shape[1] == 2 and abs(float(done.samples.mean())) < 1e-3
    assert abs(loudness(done.samples, RATE) + 16) < 0.5
    for wish in (Wish(("dust",)),):
        with pytest.raises(UserError, match="there is no step"):
            clean(sound(damaged), wish)
    with pytest.raises(UserError, match="silence"):
        clean(sound(np.full(RATE, 0.5)))


def test_from_the_command_line(tmp_path):
    pcm.write_wav(tmp_path / "a.wav", voice() + np.random.default_rng(6).normal(0, 0.01, 5 * RATE).astype(np.float32), RATE)
    studio = ["--studio", str(tmp_path / "studio"), "sound", "clean"]
    result = CliRunner().invoke(mofang, [*studio, str(tmp_path / "a.wav"), str(tmp_path / "b.flac"), "--pause", "0.4"])
    assert result.exit_code == 0, (result.output, result.exception)
    report = trust.verify(tmp_path / "b.flac", tmp_path / "studio")
    assert report.ok and report.personal
    result = CliRunner().invoke(mofang, [*studio, str(tmp_path / "a.wav"), str(tmp_path / "c.wav"), "--only", "noise，hum"])
    assert result.exit_code == 0 and abs(len(pcm.read(tmp_path / "c.wav", RATE)) - 5 * RATE) < 2
    pcm.write_wav(tmp_path / "still.wav", np.zeros(RATE, np.float32), RATE)
    for source, more in (("a.wav", ["--only", "dust"]), ("still.wav", [])):
        result = CliRunner().invoke(mofang, [*studio, str(tmp_path / source), str(tmp_path / "d.wav"), *more])
        assert isinstance(result.exception, UserError) and not (tmp_path / "d.wav").exists()


@pytest.mark.parametrize("rate", [8000, 48_000, 96_000])
def test_one_second_at_any_rate(rate):
    made = clean(sound(voice(1.0, rate, 3) + np.random.default_rng(7).normal(0, 0.01, rate).astype(np.float32), rate))
    assert np.isfinite(made.samples).all() and made.rate == rate
