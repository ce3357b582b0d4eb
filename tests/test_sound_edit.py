"""Recordings edited: every verb against a truth that is known, and from the command line."""

import json
import struct

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from mofang import trust
from mofang.cli import mofang
from mofang.sound import pcm
from mofang.sound.edit import beats, cut, fade, join, key, loop, mix, pitch, source, stft, tempo
from mofang.sound.edit.source import Sound
from mofang.sound.loudness import loudness
from mofang.studio import Studio, UserError

RATE = 44_100


def tone(hertz=440.0, seconds=2.0, rate=RATE, gain=0.5):
    return Sound((gain * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)[:, None], rate)


def pulses(bpm, seconds=12.0, first=0.3):
    out = np.zeros(round(seconds * RATE), np.float32)
    time = np.arange(round(0.05 * RATE)) / RATE
    places = np.arange(first, seconds - 0.1, 60 / bpm)
    for place in places:
        at = round(place * RATE)
        out[at : at + len(time)] += (np.sin(2 * np.pi * 1000 * time) * np.exp(-80 * time)).astype(np.float32)
    return Sound(out[:, None], RATE), places


def melody(pitches):
    time = np.arange(round(0.3 * RATE)) / RATE
    notes = [sum(np.sin(2 * np.pi * 440 * 2 ** ((note - 69) / 12) * k * time) / k for k in (1, 2, 3)) * np.exp(-3 * time)
             for note in pitches]  # fmt: skip
    return Sound(0.3 * np.concatenate(notes).astype(np.float32)[:, None], RATE)


def frequency(sound):
    middle = sound.samples[len(sound.samples) // 4 : -len(sound.samples) // 4, 0]
    size = 8 * len(middle)
    return np.argmax(np.abs(np.fft.rfft(middle * np.hanning(len(middle)), size))) * sound.rate / size


def run(tmp_path, *arguments):
    return CliRunner().invoke(mofang, ["--studio", str(tmp_path / "studio"), *map(str, arguments)])


def edit(tmp_path, *arguments):
    result = run(tmp_path, "sound", "edit", *arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result


def written(tmp_path, name, sound):
    pcm.write_wav(tmp_path / name, sound.samples, sound.rate)
    return tmp_path / name


# -- methods -----------------------------------------------------------------------------------------------------------------


def test_spectra_come_back():
    samples = np.random.default_rng(0).standard_normal(10_001).astype(np.float32)
    assert np.allclose(stft.istft(stft.stft(samples, 1024, 256), 1024, 256, len(samples)), samples, atol=1e-4)


@pytest.mark.parametrize("semitones", [3, -5, 12])
def test_a_pitch_is_moved_by_what_was_asked_and_the_time_is_kept(semitones):
    made = pitch.pitch(tone(), semitones)
    assert made.samples.shape == tone().samples.shape
    assert abs(frequency(made) - 440 * 2 ** (semitones / 12)) < 0.2
    assert abs(made.samples[RATE // 2 : -RATE // 2].std() / tone().samples.std() - 1) < 0.02


@pytest.mark.parametrize("speed", [0.5, 0.8, 1.5])
def test_a_tempo_changes_the_length_and_not_the_pitch(speed):
    made = tempo.tempo(tone(), speed)
    assert len(made.samples) == round(2 * RATE / speed)
    assert abs(frequency(made) - 440) < 0.2


def test_attacks_stay_sharp_and_where_they_belong():
    sound, places = pulses(120, 6)
    made = tempo.tempo(sound, 0.7)
    assert np.abs(made.samples).max() > 0.9 * np.abs(sound.samples).max()
    for place in places:
        at = round(place / 0.7 * RATE)
        near = np.abs(made.samples[at - 400 : at + 400, 0])
        assert near.max() > 0.7 and near[:250].max() < 0.15  # no echo before it


def test_stereo_stays_where_it_is():
    left = np.repeat(tone().samples, 2, 1) * np.array([1, 0.25], np.float32)
    made = tempo.tempo(Sound(left, RATE), 0.8).samples
    assert np.allclose(made[:, 1], 0.25 * made[:, 0], atol=1e-3)


def test_formants_stay_when_asked():
    time = np.arange(2 * RATE) / RATE
    partials = np.arange(1, 40) * 120.0
    weight = np.exp(-0.5 * ((partials - 700) / 150) ** 2) + 0.5 * np.exp(-0.5 * ((partials - 1800) / 200) ** 2) + 0.01
    voice = Sound(0.1 * (weight[:, None] * np.sin(2 * np.pi * partials[:, None] * time)).sum(0).astype(np.float32)[:, None], RATE)

    def centre(sound):  # of the first formant
        level = np.abs(np.fft.rfft(sound.samples[RATE // 2 : -RATE // 2, 0]))
        hertz = np.linspace(0, RATE / 2, len(level))
        kept = (hertz > 300) & (hertz < 1200)
        return (hertz * level**2)[kept].sum() / (level**2)[kept].sum()

    moved, kept = pitch.pitch(voice, 5), pitch.pitch(voice, 5, formants=True)
    assert centre(moved) > 850 and abs(centre(kept) - centre(voice)) < 60


@pytest.mark.parametrize("bpm", [60, 90, 120, 140])
def test_a_click_track_has_its_tempo_and_beats(bpm):
    sound, places = pulses(bpm)
    found = beats.grid(sound)
    assert abs(found.tempo - bpm) < 0.1
    assert len(found.beats) == len(places) and np.abs(found.beats - places).max() < 0.015


def test_silence_and_a_steady_tone_have_no_beat():
    assert beats.grid(Sound(np.zeros((3 * RATE, 1), np.float32), RATE)).tempo == 0
    assert not len(beats.grid(tone(seconds=0.5)).beats)


def test_scales_are_in_their_keys():
    for tonic in range(12):
        major = key.key(melody([60 + tonic + step for step in (0, 2, 4, 5, 7, 9, 11, 12, 7, 4, 0)]))
        minor = key.key(melody([57 + tonic + step for step in (0, 2, 3, 5, 7, 8, 11, 12, 7, 3, 0)]))
        assert (major.tonic, major.minor) == (tonic, False)
        assert (minor.tonic, minor.minor) == ((9 + tonic) % 12, True)
    assert key.key(Sound(np.zeros((RATE, 1), np.float32), RATE)) is None


def test_a_key_is_found_in_a_recording_that_is_out_of_tune():
    sharp = melody([60, 62, 64, 65, 67, 69, 71, 72, 67, 64, 60])
    assert key.key(Sound(sharp.samples, round(RATE * 2 ** (0.35 / 12)))).name == "C"


def test_a_loop_is_whole_beats_and_has_no_seam():
    sound, _ = pulses(120)
    found = loop.find(sound, 3.0)
    assert found.beats % 4 == 0 and abs(found.sound.seconds - found.beats * 0.5) < 0.01
    hum = Sound(tone(220, 6).samples + 0.3 * tone(331, 6).samples, RATE)
    turn = loop.find(hum, 2.0).sound.samples[:, 0]
    twice = np.concatenate([turn, turn])
    steps = np.abs(np.diff(twice, 2))
    assert steps[len(turn) - 3 : len(turn) + 3].max() < 1.3 * steps[1000 : len(turn) - 3000].max()
    assert loop.repeat(loop.find(sound, 3.0).sound, 20).seconds == 20


def test_cuts_are_where_they_should_be():
    sound = tone(seconds=3)
    assert cut.cut(sound, 0.5, 1.25).seconds == 0.75
    assert cut.cut(sound, 1.0, 2.0, remove=True).seconds == 2.0
    assert np.array_equal(cut.cut(sound, 0.0, None).samples, sound.samples)
    for start, end, remove in ((5, None, False), (2, 1, False), (0, 9, True)):
        with pytest.raises(UserError):
            cut.cut(sound, start, end, remove=remove)


def test_fades_and_crossfades():
    made = fade.fade(tone(), 0.5, 0.5).samples[:, 0]
    assert np.abs(made[:200]).max() < 0.01 and np.abs(made[-200:]).max() < 0.01 and np.abs(made[RATE:]).max() > 0.49
    for curve in fade.CURVES:
        rise = fade.rise(1000, curve)
        assert rise[0] < 0.01 and rise[-1] > 0.99 and (np.diff(rise) >= 0).all()
    rng = np.random.default_rng(0)
    one, other = (Sound(rng.standard_normal((RATE, 1)).astype(np.float32), RATE) for _ in range(2))
    joined = join.join([one, other], crossfade=0.4)
    assert abs(joined.seconds - 1.6) < 1e-3
    assert abs(joined.samples[round(0.7 * RATE) : round(0.9 * RATE)].std() - 1) < 0.05  # strangers: equal power
    same = join.crossed(tone().samples, tone().samples)
    assert np.allclose(same, tone().samples, atol=1e-3)  # a piece and itself: equal gain
    with pytest.raises(UserError, match="too long"):
        join.join([one, other], crossfade=0.9)


def test_a_mix_has_sides_levels_and_room_for_the_first():
    sound = tone(seconds=1, rate=48_000, gain=0.2)
    made = mix.mix([mix.Layer(sound, pan=-1), mix.Layer(sound, gain=-6, start=1.5)])
    assert made.seconds == 2.5
    assert np.abs(made.samples[:48_000, 1]).max() < 1e-6
    assert abs(np.abs(made.samples[90_000:110_000]).max() - 0.2 * 10 ** (-6 / 20)) < 0.002
    low = mix.mix([mix.Layer(sound, start=1), mix.Layer(tone(880, 4, 48_000, 0.2))], duck=20).samples
    assert np.abs(low[round(3.5 * 48_000) :]).max() > 0.15  # and it comes back


def test_times_are_read():
    assert [source.seconds_of(text) for text in ("12.5", "1:02.5", "1:00:00")] == [12.5, 62.5, 3600]
    for text in ("", "x", "-1", "1:2:3:4", "nan", "inf"):
        with pytest.raises(UserError):
            source.seconds_of(text)


# -- from the command line ---------------------------------------------------------------------------------------------------


def test_every_verb_makes_a_signed_file_that_can_be_made_again(tmp_path):
    sound, _ = pulses(120, 5)
    one, other = written(tmp_path, "one.wav", sound), written(tmp_path, "other.wav", tone())
    for number, arguments in enumerate((
        ("cut", one, "--from", "0.5", "--to", "2"), ("fade", one, "--in", "0.1", "--out", "0.5"), ("loop", one, "--least", "2"),
        ("tempo", one, "--bpm", "100"), ("pitch", other, "--semitones", "2", "--formants"), ("loudness", other, "--lufs", "-20"),
        ("join", one, other, "--crossfade", "0.2"), ("mix", one, other, "--levels", "0,-12", "--duck", "6"),
    )):  # fmt: skip
        verb, *rest = arguments
        split = next((at for at, each in enumerate(rest) if str(each).startswith("--")), len(rest))
        target = tmp_path / f"{number}{('.wav', '.flac', '.mp3', '.m4a')[number % 4]}"
        edit(tmp_path, verb, *rest[:split], target, *rest[split:])
        report = trust.verify(target, tmp_path / "studio")
        assert report.ok and report.personal, (verb, report.faults)
        assert report.credentials.lineage["files"][0] == "one.wav" or verb in ("pitch", "loudness")
        assert len(report.credentials.lineage["parts"]) >= 2  # the original is a parent
    assert abs(loudness(pcm.read(tmp_path / "5.flac", RATE), RATE) + 20) < 0.3


def test_what_was_generated_stays_marked(tmp_path):
    claim = trust.Claim("spoken")
    written(tmp_path, "plain.wav", tone(seconds=3))
    studio = tmp_path / "studio"
    Studio(studio).close()
    trust.publish(tmp_path / "plain.wav", tmp_path / "spoken.wav", claim, studio)
    for name in ("cut.wav", "cut.mp3"):
        edit(tmp_path, "cut", tmp_path / "spoken.wav", tmp_path / name, "--from", "1")
        report = trust.verify(tmp_path / name, studio)
        assert report.ok and not report.personal and report.visible
    assert abs(len(pcm.read(tmp_path / "cut.wav", RATE)) / RATE - 2 - len(trust.labels.rhythm(RATE)) / RATE) < 0.01


def test_inspect_says_what_is_there(tmp_path):
    sound, places = pulses(100)
    samples = np.concatenate([np.zeros((2 * RATE, 1), np.float32), np.clip(3 * tone(seconds=1, gain=0.9).samples, -0.8, 0.8)])
    result = run(tmp_path, "sound", "inspect", written(tmp_path, "a.wav", sound), "--json", "--picture", tmp_path / "a.png")
    found = json.loads(result.output)
    assert abs(found["tempo"] - 100) < 0.1 and len(found["beats"]) == len(places) and found["bits"] == 16
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    found = json.loads(run(tmp_path, "sound", "inspect", written(tmp_path, "b.wav", Sound(samples, RATE)), "--json").output)
    assert found["clipped"] > 10_000 and abs(found["silence"] - 2) < 0.1
    assert "LUFS" in run(tmp_path, "sound", "inspect", tmp_path / "b.wav").output


def test_stems_add_up_to_the_mix(tmp_path):
    from mofang.sound.music import midi
    from mofang.sound.music.score import Note, Score, Track

    notes = tuple(Note(at * 12, 12, 60 + at) for at in range(4))
    score = Score((Track(notes, 0, "Piano"), Track(tuple(n._replace(pitch=n.pitch - 12) for n in notes), 42, "Cello")), tempo=160)
    midi.write(tmp_path / "piece.mid", score)
    try:
        from mofang.sound.music import band, stems

        parts = stems.stems(score)
    except UserError as error:
        pytest.skip(str(error))
    mixed = band.finished(sum(each for _, each in band.placed(score)))
    total = sum(samples for _, samples in parts)
    factor = float((total * mixed).sum() / (mixed * mixed).sum())
    assert np.allclose(total, factor * mixed, atol=1e-3 * np.abs(total).max())
    edit(tmp_path, "stems", tmp_path / "piece.mid", tmp_path / "stems")
    files = sorted((tmp_path / "stems").glob("*.wav"))
    assert len(files) == 2 and trust.verify(files[0], tmp_path / "studio").ok


# -- bad input ---------------------------------------------------------------------------------------------------------------


def one_line(result):
    assert isinstance(result.exception, UserError), (result.output, result.exception)
    assert "\n" not in str(result.exception)


def header(rate=RATE, channels=1, bits=16, claimed=None, data=b""):
    block = channels * bits // 8
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, channels, rate,
                       rate * block & 0xFFFFFFFF, block, bits, b"data", len(data) if claimed is None else claimed) + data  # fmt: skip


def test_hopeless_files_are_refused_in_one_line(tmp_path):
    files = {
        "text.wav": b"this is no sound at all, whatever its name says\n" * 40, "empty.wav": b"", "head.wav": header()[:30],
        "none.wav": header(), "list.wav": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n",
    }  # fmt: skip
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        one_line(run(tmp_path, "sound", "inspect", tmp_path / name))
        one_line(run(tmp_path, "sound", "edit", "tempo", tmp_path / name, tmp_path / "out.wav", "--speed", "2"))
    one_line(run(tmp_path, "sound", "inspect", tmp_path / "missing.wav"))
    one_line(run(tmp_path, "sound", "edit", "cut", tmp_path / "missing.wav", tmp_path / "out.wav"))
    assert not (tmp_path / "out.wav").exists()


def test_strange_files_are_read(tmp_path):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, 48_000, np.uint8).tobytes()
    files = {
        "eight.wav": header(8000, 1, 8, data=noise), "fast.wav": header(192_000, 2, 16, data=noise * 4),
        "six.wav": header(RATE, 6, 16, data=noise * 2), "cut.wav": header(RATE, 2, 16, claimed=10**8, data=noise),
        "huge.wav": header(RATE, 1, 16, claimed=0xFFFFFFFF, data=noise), "slow.wav": header(1000, 1, 16, data=noise[:4000]),
    }  # fmt: skip
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        found = json.loads(run(tmp_path, "sound", "inspect", tmp_path / name, "--json").output)
        assert found["seconds"] > 0, name
        edit(tmp_path, "fade", tmp_path / name, tmp_path / f"out-{name}", "--in", "0.1")
    pcm.write(tmp_path / "real.mp3", tone().samples, RATE)
    (tmp_path / "mp3.wav").write_bytes((tmp_path / "real.mp3").read_bytes())
    edit(tmp_path, "pitch", tmp_path / "mp3.wav", tmp_path / "out.flac", "--semitones", "-2")


def test_silence_and_one_second_pass_through_every_verb(tmp_path):
    still = written(tmp_path, "still.wav", Sound(np.zeros((RATE, 2), np.float32), RATE))
    for arguments in (("fade",), ("tempo", "--speed", "0.5"), ("pitch", "--semitones", "7", "--formants"), ("loudness",)):
        edit(tmp_path, arguments[0], still, tmp_path / "out.wav", *arguments[1:])
    one_line(run(tmp_path, "sound", "edit", "tempo", still, tmp_path / "no.wav", "--bpm", "100"))
    one_line(run(tmp_path, "sound", "edit", "loop", still, tmp_path / "no.wav"))
    one_line(run(tmp_path, "sound", "edit", "fade", still, tmp_path / "no.ogg"))
    one_line(run(tmp_path, "sound", "edit", "mix", still, tmp_path / "no.wav", "--levels", "0,0"))
    one_line(run(tmp_path, "sound", "edit", "tempo", still, tmp_path / "no.wav"))


@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=300), rate=st.integers(0, 2**32 - 1), channels=st.integers(0, 65535), bits=st.integers(0, 65535))
def test_hostile_headers_end_in_a_sound_or_a_user_error(tmp_path_factory, data, rate, channels, bits):
    path = tmp_path_factory.mktemp("hostile") / "a.wav"
    block = (channels * bits // 8) & 0xFFFF
    path.write_bytes(struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 2**32 - 1, b"WAVE", b"fmt ", 16, 1, channels, rate, 0, block, bits,
                                 b"data", 2**31) + data)  # fmt: skip
    try:
        sound = source.open_sound(path)
        assert sound.samples.ndim == 2 and np.isfinite(sound.samples).all()
    except UserError as error:
        assert "\n" not in str(error)
