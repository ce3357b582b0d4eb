"""Sound files: what is written is what is read, and what cannot be read says so."""

import contextlib
import io
import wave

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mofang.sound import pcm
from mofang.studio.errors import UserError


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(-1.5, 1.5, width=32), min_size=1, max_size=200),
    st.sampled_from([16, 24]),
    st.sampled_from([1, 2]),
)
def test_wav_round_trip(tmp_path_factory, values, bits, channels):
    sound = np.array(values * channels, np.float32)
    sound = sound if channels == 1 else sound.reshape(-1, 2)
    path = tmp_path_factory.mktemp("wav") / "a.wav"
    pcm.write_wav(path, sound, 24_000, bits)
    with wave.open(io.BytesIO(path.read_bytes())) as file:  # another reader agrees on the head
        assert (file.getnchannels(), file.getsampwidth() * 8, file.getframerate()) == (channels, bits, 24_000)
        assert file.getnframes() == len(sound)
    again = pcm.read(path, 24_000, channels)
    assert again.shape == sound.shape
    assert np.abs(again - np.clip(sound, -1, 1)).max() <= 1.01 / (1 << (bits - 1))


@pytest.mark.parametrize("suffix", [".m4a", ".mp3", ".flac", ".opus", ".aac"])
def test_encoded_sound_is_the_same_sound(tmp_path, suffix):
    time = np.arange(2 * 48_000) / 48_000
    sound = np.stack([0.4 * np.sin(2 * np.pi * 440 * time), 0.2 * np.sin(2 * np.pi * 660 * time)], 1).astype(np.float32)
    path = tmp_path / f"a{suffix}"
    pcm.write(path, sound, 48_000)
    again = pcm.read(path, 48_000, 2)
    assert abs(len(again) - len(sound)) < 3000
    spectrum = np.abs(np.fft.rfft(again[4000:90_000], axis=0))
    peaks = spectrum.argmax(axis=0) * 48_000 / 86_000
    assert np.allclose(peaks, [440, 660], atol=2)
    assert np.allclose(np.sqrt(2) * again[4000:90_000].std(axis=0), [0.4, 0.2], atol=0.02)


def test_resampling_keeps_length_and_pitch():
    sound = np.sin(2 * np.pi * 1000 * np.arange(24_000) / 24_000).astype(np.float32)
    up = pcm.resample(sound, 24_000, 48_000)
    assert up.shape == (48_000,)
    assert np.abs(np.fft.rfft(up)).argmax() == 1000
    assert pcm.resample(np.repeat(up[:, None], 2, axis=1), 48_000, 44_100).shape == (44_100, 2)


def test_channels_are_mixed_down_and_up(tmp_path):
    stereo = np.stack([np.full(4800, 0.5), np.full(4800, -0.1)], 1).astype(np.float32)
    pcm.write_wav(tmp_path / "a.wav", stereo, 48_000)
    assert pcm.read(tmp_path / "a.wav", 48_000, 1).mean() == pytest.approx(0.2, abs=0.001)
    pcm.write_wav(tmp_path / "b.wav", stereo[:, 0], 48_000)
    assert pcm.read(tmp_path / "b.wav", 48_000, 2).shape == (4800, 2)


@pytest.mark.parametrize(
    "content", [b"", b"hello", bytes(range(256)) * 40, b"RIFF\xff\xff\xff\xffWAVEfmt ", b"ID3" + b"\0" * 500]
)
def test_what_is_no_sound_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.wav") as caught:
        pcm.read(path, 24_000)
    assert "\n" not in str(caught.value)


def test_truncated_files_give_what_they_have_or_say_so(tmp_path):
    noise = (0.1 * np.random.default_rng(0).standard_normal(48_000)).astype(np.float32)
    for suffix in (".flac", ".mp3", ".m4a", ".wav"):
        pcm.write(tmp_path / f"whole{suffix}", noise, 48_000)
        data = (tmp_path / f"whole{suffix}").read_bytes()
        for share in (0.02, 0.5, 0.9):
            path = tmp_path / f"cut{suffix}"
            path.write_bytes(data[: int(len(data) * share)])
            with contextlib.suppress(UserError):
                assert 0 < len(pcm.read(path, 48_000)) <= 49_000 + 3000


def test_limits_and_wrong_arguments(tmp_path):
    pcm.write_wav(tmp_path / "a.wav", np.zeros(24_000, np.float32), 24_000)
    with pytest.raises(UserError, match="longer than"):
        pcm.read(tmp_path / "a.wav", 24_000, longest=0.5)
    with pytest.raises(UserError, match="does not exist"):
        pcm.read(tmp_path / "none.wav", 24_000)
    with pytest.raises(UserError, match="no sound format"):
        pcm.write(tmp_path / "a.xyz", np.zeros(10, np.float32), 24_000)
    with pytest.raises(UserError, match="bits"):
        pcm.write_wav(tmp_path / "b.wav", np.zeros(10, np.float32), 24_000, bits=12)
    assert not list(tmp_path.glob(".tmp-*"))


def test_not_a_number_is_silence(tmp_path):
    pcm.write_wav(tmp_path / "a.wav", np.array([np.nan, np.inf, -np.inf, 0.5], np.float32), 24_000)
    assert np.allclose(pcm.read(tmp_path / "a.wav", 24_000), [0, 1, -1, 0.5], atol=1e-4)
