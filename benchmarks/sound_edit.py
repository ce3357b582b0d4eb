"""Sound editing beside librosa and noisereduce: the same files, the same measures, one run.

    python benchmarks/sound_edit.py [--quick]

Pieces: Bach chorales and Ryan's Mammoth Collection's fiddle tunes from music21's corpus, played through the SoundFont at
tempos drawn between 70 and 160, so that every beat and key is known. Beats: F-measure within ±70 ms (Davies et al. 2009), of
the felt beat and with any metrical level allowed (double, half); tempo within 4 % (Gouyon et al. 2006), likewise. Keys: share
of pieces whose tonic and mode are right; librosa's chroma gets the profiles we use and Temperley's, and the better ones count.
Stretching: a piece played at another tempo is the truth; the distance is the mean difference of log-mel spectra in dB, aligned
frame by frame. Noise: SI-SDR gained over sentences of the shipped voice under white and pink noise; noisereduce runs both of its
methods, each at its own strength and gentler, and the best of the four counts. Peers have compiled and imported what they use
before the clock starts, as we have. All of it takes about six minutes of one core.
"""

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from common import Row, peer_python, report
from mofang.sound import pcm, speak
from mofang.sound.clean.noise import denoise
from mofang.sound.edit.beats import grid
from mofang.sound.edit.key import key
from mofang.sound.edit.source import Sound, open_sound
from mofang.sound.edit.tempo import tempo
from mofang.sound.mel import Mel, log_mel
from mofang.sound.music import band
from mofang.sound.music.score import GRID, Key, Metre, Note, Score, Track

PACKAGES = ("librosa==0.11.0", "noisereduce==3.0.3")
RATE = 44_100
SENTENCES = (
    "The north wind and the sun were arguing one day about which of them was stronger.",
    "A traveller came along wrapped up in an overcoat, and they agreed on a contest.",
    "The harder the wind blew, the tighter the man held his coat around him.",
    "Then the sun came out and shone, and he took it off at once.",
)
SPEEDS = (0.7, 0.85, 1.2, 1.5)
LONGEST = 40.0
"""Seconds of a piece."""


def pieces(count):
    """(score, key) of chorales and fiddle tunes by turns."""
    from music21 import corpus

    chorales = sorted(corpus.getComposer("bach"), key=str)
    tunes = sorted(corpus.getComposer("ryansMammoth"), key=str)
    step = [max(1, len(each) // count) for each in (chorales, tunes)]
    rng, out = np.random.default_rng(1), []
    for path in [path for pair in zip(chorales[:: step[0]], tunes[:: step[1]], strict=False) for path in pair]:
        if (made := read(path, float(rng.integers(70, 161)))) is not None:
            out.append(made)
        if len(out) == count:
            break
    return out


def read(path, pace):
    """A score of music21's as ours, with its key by its last bass note; None where metre or mode are not plain."""
    from music21 import corpus, meter
    from music21 import key as keys

    piece = corpus.parse(path)
    parts = list(piece.parts)
    signatures = list(piece.recurse().getElementsByClass(keys.KeySignature))
    metres = {each.ratioString for each in piece.recurse().getElementsByClass(meter.TimeSignature)}
    if not parts or len(metres) != 1 or not signatures or len({each.sharps for each in signatures}) != 1:
        return None
    beats, unit = map(int, metres.pop().split("/"))
    tracks = []
    for number, part in enumerate(parts):
        notes = [Note(round(each.offset * GRID), max(1, round(each.quarterLength * GRID)), pitch.midi)
                 for each in part.flatten().notes for pitch in each.pitches]  # fmt: skip
        tracks.append(Track(tuple(sorted(notes)), (0, 40, 42, 32)[number % 4]))
    ends = [max(track.notes) for track in tracks if track.notes]
    if not ends or (unit, beats) == (4, 2) or signatures[0].sharps not in range(-7, 8):
        return None
    tonic = min(ends, key=lambda note: note.pitch).pitch % 12
    found = next((each for each in (Key(signatures[0].sharps), Key(signatures[0].sharps, True)) if each.tonic == tonic), None)
    metre = Metre(beats, unit)
    limit = round(LONGEST * pace / 60 * metre.beat)
    cut = tuple(replace(track, notes=tuple(note for note in track.notes if note.end <= limit)) for track in tracks)
    # `pace` is of the felt beat; a score's tempo is in quarters.
    return (Score(cut, found or Key(), metre, pace * metre.beat / GRID), found) if any(track.notes for track in cut) else None


def f_measure(found, truth):
    """Matches within 70 ms, each beat once."""
    hits = sum(np.abs(found - beat).min() < 0.07 for beat in truth) if len(found) else 0
    return 2 * hits / max(len(found) + len(truth), 1)


def levels(found, truth):
    """The best F-measure with the felt beat, its double, or either half."""
    double = np.sort(np.concatenate([truth, (truth[:-1] + truth[1:]) / 2]))
    return max(f_measure(found, each) for each in (truth, double, truth[::2], truth[1::2]))


def near(found, pace):
    return abs(found / pace - 1) < 0.04


def si_sdr(estimate, truth):
    estimate = estimate[: len(truth)].astype(np.float64)
    truth = truth[: len(estimate)].astype(np.float64)
    target = (estimate @ truth) / (truth @ truth) * truth
    return float(10 * np.log10((target @ target) / ((estimate - target) ** 2).sum()))


def noises(count):
    rng = np.random.default_rng(2)
    for sentence in SENTENCES[:count]:
        said = speak(sentence, "af_heart")
        for kind in ("white", "pink"):
            spectrum = np.fft.rfft(rng.standard_normal(len(said.samples)))
            if kind == "pink":
                spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 20))
            noise = np.fft.irfft(spectrum, len(said.samples))
            for snr in (0, 5, 10):
                level = said.samples.std() * 10 ** (-snr / 20) / noise.std()
                scale = 0.5
                yield scale * said.samples, (scale * (said.samples + level * noise)).astype(np.float32), said.rate


def apart(made, truth):
    """Mean difference of log-mel spectra in dB where there is sound, at the best of a few shifts."""
    mel = Mel(RATE, hop=512, window=2048, size=2048, bands=80, low=40.0, high=16_000.0)
    one, other = (np.maximum(log_mel(np.asarray(each, np.float32), mel), -9) * 8.686 for each in (made, truth))
    count = min(len(one), len(other)) - 4
    return min(float(np.abs(one[a : a + count] - other[b : b + count]).mean()) for a, b in ((0, 0), (1, 0), (0, 1), (2, 0), (0, 2)))


def main():
    quick = "--quick" in sys.argv
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scores = pieces(8 if quick else 60)
        for number, (score, _) in enumerate(scores):
            pcm.write_wav(folder / f"piece{number}.wav", band.play(score), band.RATE)
        stretch = []
        for number, (score, _) in enumerate(scores[: 2 if quick else 8]):
            for speed in SPEEDS:
                plain = f"stretch{number}-{speed}.wav"
                for label, pace in (("", score.tempo), ("truth-", score.tempo * speed)):
                    dry = next(band.placed(replace(score, tracks=score.tracks[:1], tempo=pace)))[1].mean(1)
                    dry *= np.float32(0.5 / max(float(np.abs(dry).max()), 1e-6))
                    pcm.write_wav(folder / f"{label}{plain}", pcm.resample(dry, band.RATE, RATE), RATE)
                stretch.append((plain, speed))
        noisy = list(noises(1 if quick else 4))
        for number, (_, samples, rate) in enumerate(noisy):
            pcm.write_wav(folder / f"noise{number}.wav", samples, rate, bits=24)
        work = {"pieces": [f"piece{number}.wav" for number in range(len(scores))], "stretch": stretch,
                "noise": [f"noise{number}.wav" for number in range(len(noisy))]}  # fmt: skip
        (folder / "work.json").write_text(json.dumps(work))
        here = Path(__file__).parent
        subprocess.run([str(peer_python("sound-edit", *PACKAGES)), str(here / "sound_edit_peer.py"), name], check=True)
        theirs = json.loads((folder / "peer.json").read_text())
        report("sound_edit", [*_pieces(folder, scores, theirs), *_stretch(folder, stretch, theirs), *_noise(folder, noisy, theirs)])


def _pieces(folder, scores, theirs):
    rows: dict[str, list[tuple[float, float]]] = {name: [] for name in ("f", "levels", "tempo", "tempo levels", "key", "seconds")}
    keys: list[list[bool]] = []
    grid(_heard(open_sound(folder / "piece0.wav")))
    for number, ((score, truth), peer) in enumerate(zip(scores, theirs["pieces"], strict=True)):
        sound = open_sound(folder / f"piece{number}.wav")
        heard = _heard(sound)
        begun = time.perf_counter()
        ours = grid(heard)
        seconds = time.perf_counter() - begun
        pace = score.tempo * GRID / score.metre.beat
        beats = np.arange(0, score.seconds, 60 / pace)
        pairs = (ours.beats, np.array(peer["beats"]))
        rows["f"].append((f_measure(pairs[0], beats), f_measure(pairs[1], beats)))
        rows["levels"].append((levels(pairs[0], beats), levels(pairs[1], beats)))
        rows["tempo"].append((near(ours.tempo, pace), near(peer["tempo"], pace)))
        multiples = (1, 2, 3, 0.5, 1 / 3)
        rows["tempo levels"].append(tuple(any(near(each, pace * m) for m in multiples) for each in (ours.tempo, peer["tempo"])))
        rows["seconds"].append((sound.seconds / seconds, sound.seconds / peer["seconds"]))
        if truth is not None:
            found = key(sound)
            right = [truth.tonic, truth.minor]
            keys.append([[found.tonic, found.minor] == right, *(each == right for each in peer["keys"])])
    shares = np.mean(keys, 0)
    rows["key"] = [(shares[0], shares[1:].max())]
    names = {"f": ("beats, felt level", "F"), "levels": ("beats, any level", "F"), "tempo": ("tempo within 4 %", "share"),
             "tempo levels": ("tempo within 4 %, any level", "share"), "key": ("key", "share"),
             "seconds": ("beat tracking", "× real time")}  # fmt: skip
    return [_row(f"{what} ({len(keys) if each == 'key' else len(scores)} pieces)", unit, *np.mean(rows[each], 0), "librosa")
            for each, (what, unit) in names.items()]  # fmt: skip


def _heard(sound):
    """The sound as librosa opens it: one channel at 22.05 kHz."""
    return Sound(pcm.resample(sound.mono(), sound.rate, 22_050)[:, None], 22_050)


def _stretch(folder, stretch, theirs):
    ours, peers, speed = [], [], []
    warm = open_sound(folder / stretch[0][0])
    tempo(Sound(warm.samples[: warm.rate], warm.rate), 1.2)
    for (name, factor), seconds in zip(stretch, theirs["stretch"], strict=True):
        sound, truth = open_sound(folder / name), open_sound(folder / f"truth-{name}").mono()
        begun = time.perf_counter()
        made = tempo(sound, factor)
        speed.append((sound.seconds / (time.perf_counter() - begun), sound.seconds / seconds))
        ours.append(apart(made.mono(), truth))
        peers.append(apart(open_sound(folder / f"peer-{name}").mono(), truth))
    distance = Row("time-stretch, distance to the truth", "dB", float(np.mean(ours)), float(np.mean(peers)), "librosa",
                   float(np.mean(peers) / np.mean(ours)), "< peer", bool(np.mean(ours) < np.mean(peers)))  # fmt: skip
    return [distance, _row("time-stretch", "× real time", *np.mean(speed, 0), "librosa")]


def _noise(folder, noisy, theirs):
    gains, speed = [], []
    denoise(Sound(noisy[0][1][:2048, None], RATE))  # compiled here, not in the measured time, as librosa's
    kinds = list(theirs["noise"][0])
    for number, ((truth, samples, rate), seconds) in enumerate(zip(noisy, theirs["noise"], strict=True)):
        before = si_sdr(samples, truth)
        begun = time.perf_counter()
        made = denoise(Sound(samples[:, None], rate)).samples[:, 0]
        took = (time.perf_counter() - begun, *(seconds[kind] for kind in kinds))
        speed.append([len(samples) / rate / each for each in took])
        peer = [si_sdr(open_sound(folder / f"peer-{kind}-noise{number}.wav").mono(), truth) for kind in kinds]
        gains.append([each - before for each in (si_sdr(made, truth), *peer)])
    ours, *both = np.mean(gains, 0)
    better = int(np.argmax(both))  # Its time is what counts too.
    peer = float(both[better])
    times = np.mean(speed, 0)
    # Decibels do not divide: the ratio is that of the distortions' powers.
    return [Row("noise reduction, SI-SDR gained", "dB", float(ours), peer, "noisereduce", float(10 ** ((ours - peer) / 10)), "≥ peer",
                bool(ours >= peer)),
            _row("noise reduction", "× real time", times[0], times[1 + better], "noisereduce")]  # fmt: skip


def _row(what, unit, ours, peer, name):
    return Row(what, unit, float(ours), float(peer), name, float(ours / peer) if peer > 0 else None, "≥ peer", bool(ours >= peer))


if __name__ == "__main__":
    main()
