"""A jukebox's parts: what its codec keeps beside Opus at the same bitrate, what its priors know beside counting, how fast it is.

    python benchmarks/jukebox.py [--quick] [--data FOLDER --model FOLDER]

Without a model it makes one: public-domain scores played through the SoundFont (`recipes/jukebox.py`), half an hour of them, ten
minutes of training for the codec and seven for each prior; `--quick`: a minute of music, half a minute, ten seconds each.

Held-out pieces alone are judged. Spectral distance: `spectral_loss` (convergence + log magnitude, mean of three scales). Opus
(libopus) is given a level's bitrate, 6 kbit/s at least, and is aligned to the sample before its signal-to-noise ratio is
taken; 6 kbit/s is also the rate EnCodec (arXiv 2210.13438) is best known for: its weights are in no registry, so its rate is
what is compared. The counts (of codes, and of codes given the last) are of the training pieces; the bigram is mixed with the
unigram at the share that suits the held-out pieces best. Speed: the peer is what Jukebox's own authors say, 3 hours on a
V100 for 20 seconds.
"""

import argparse
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
import numpy as np
import torch

from common import Row, report
from mofang.sound import pcm
from mofang.sound.jukebox.data import Corpus
from mofang.sound.jukebox.sample import Jukebox, Wish, sample, window_told
from mofang.sound.nets.jukebox_codec import spectral_loss

ROOT = Path(__file__).parents[1]
PUBLISHED = 3 * 3600 / 20
"""Seconds of a V100 for a second of sound (Jukebox's README)."""
LEAST = 6000
"""Bits a second that libopus is asked for at least."""


def made(quick: bool, folder: Path) -> tuple[Path, Path]:
    """Data and a model of its own, by the commands a creator would use."""
    data, studio = folder / "data", folder / "studio"
    mofang = [str(Path(sys.executable).parent / "mofang"), "--studio", str(studio), "jukebox"]

    def run(*command: object, cwd: Path = ROOT) -> None:
        print("$", *command, file=sys.stderr)
        subprocess.run([str(each) for each in command], cwd=cwd, check=True, stdout=sys.stderr)

    run(sys.executable, "jukebox.py", data, "--minutes", 1 if quick else 30, cwd=ROOT / "recipes")
    often = ("--validations", 2 if quick else 20, "--budget")
    run(*mofang, "train", data, "--name", "codec", *often, "25s" if quick else "10min")
    priors = [f"prior{level}" for level in (2, 1, 0)]
    for level, name in zip((2, 1, 0), priors, strict=True):
        run(*mofang, "train", data, "--kind", "prior", "--codec", "codec", "--level", level, "--name", name, "--patience", 6,
            *often, "8s" if quick else "7min")  # fmt: skip
    run(*mofang, "join", "codec", *priors, "--name", "jukebox")
    return data, studio / "models" / "jukebox"


def opus(sound: np.ndarray, rate: int, bitrate: int) -> tuple[np.ndarray, float]:
    """The sound after libopus, aligned, and the bits a second it took."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.opus"
        pcm.write(path, sound, rate, bitrate)
        with av.open(io.BytesIO(path.read_bytes())) as container:
            bits = 8 * sum(packet.size for packet in container.demux(audio=0))
        back = pcm.read(path, rate)
    size = 1 << (len(sound) + len(back)).bit_length()
    lags = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(back, size)))
    lag = int(np.argmax(np.concatenate((lags[-rate // 10 :], lags[: rate // 10])))) - rate // 10
    back = np.pad(back, (max(lag, 0), 0))[max(-lag, 0) :][: len(sound)]
    return np.pad(back, (0, len(sound) - len(back))), bits / (len(sound) / rate)


def snr(sound: np.ndarray, back: np.ndarray) -> float:
    """Signal to noise in dB."""
    return float(10 * np.log10(np.square(sound).sum() / max(np.square(sound - back).sum(), 1e-12)))


def distance(sound: np.ndarray, back: np.ndarray) -> float:
    """The multi-scale spectral distance of two sounds."""
    return float(spectral_loss(torch.from_numpy(back.copy())[None], torch.from_numpy(sound.copy())[None]))


def codec_rows(jukebox: Jukebox, sounds: list[np.ndarray]) -> list[Row]:
    """Each level beside Opus."""
    rows, codec = [], jukebox.codec
    shape = codec.shape
    for level in range(len(shape.hops)):
        bits = shape.bits_per_second(level)
        ours, theirs, spent = [], [], []
        for sound in sounds:
            back = codec.decode(codec.encode(sound, level), level)
            ours.append((distance(sound, back), snr(sound, back)))
            other, cost = opus(sound, shape.rate, max(LEAST, round(bits)))
            theirs.append((distance(sound, other), snr(sound, other)))
            spent.append(cost)
        (far, clear), (far_peer, clear_peer) = np.mean(ours, 0), np.mean(theirs, 0)
        name = f"Opus, {np.mean(spent) / 1000:.1f} kbit/s" + (" (an EnCodec rate)" if bits <= LEAST else "")
        what = f"level {level}, {bits / 1000:.1f} kbit/s"
        rows.append(Row(f"{what}: spectral distance", "", far, far_peer, name, far_peer / far))
        rows.append(Row(f"{what}: signal to noise", "dB", clear, clear_peer, name))
    return rows


def counted(train: list[np.ndarray], held: list[np.ndarray], codes: int) -> tuple[float, float]:
    """Bits a code of a unigram and of a bigram model on held-out codes."""
    ones, twos = np.full(codes, 0.5), np.zeros((codes, codes))
    for piece in train:
        ones += np.bincount(piece, minlength=codes)
        np.add.at(twos, (piece[:-1], piece[1:]), 1)
    p1 = ones / ones.sum()
    after = twos / np.maximum(twos.sum(1, keepdims=True), 1)
    first = np.concatenate([p1[piece] for piece in held])
    mixed = [np.concatenate([np.append(p1[piece[:1]], share * after[piece[:-1], piece[1:]] + (1 - share) * p1[piece[1:]])
                             for piece in held]) for share in (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)]  # fmt: skip
    return float(-np.log2(first).mean()), min(float(-np.log2(each).mean()) for each in mixed)


def prior_rows(jukebox: Jukebox, corpus: Corpus, most: int) -> list[Row]:
    """Each prior beside counting, on the first `most` windows of held-out pieces."""
    rows, codec = [], jukebox.codec
    for prior in jukebox.priors:
        shape, bits, scored = prior.shape, [], []
        train = [codec.encode(corpus.samples(entry), shape.level) for entry in corpus.part("train")]
        for entry in corpus.part("validation"):
            sound = corpus.samples(entry)
            sound = np.pad(sound, (0, -len(sound) % codec.shape.hops[-1]))
            codes = codec.encode(sound, shape.level)
            upper = codec.encode(sound, shape.level + 1) if shape.upper else None
            for start in range(0, len(codes), shape.context):
                if len(scored) >= most:
                    break
                part = codes[start : start + shape.context]
                prior.begin(window_told(prior, start, len(codes), upper, shape.style(entry.style), entry.lyrics))
                logits = prior.feed_all(part[:-1]).astype(np.float64)
                nats = np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(1)) + logits.max(1)
                bits.append((nats - logits[np.arange(len(part)), part]) / np.log(2))
                scored.append(part)
        one, two = counted(train, scored, shape.codes)
        ours = float(np.concatenate(bits).mean())
        what = f"prior of level {shape.level}: bits a code"
        rows.append(Row(what, "bits", ours, one, "unigram counts", one / ours))
        rows.append(Row(what, "bits", ours, two, "bigram counts", two / ours, "fewer than counting", ours < two))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--model", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data, model = (given.data, given.model) if given.model and given.data else made(given.quick, Path(folder))
        corpus, jukebox = Corpus.open(data), Jukebox.open(model)
        seconds = 8 if given.quick else 20
        held = [corpus.samples(entry, 0, seconds * corpus.rate) for entry in corpus.part("validation")[: 2 if given.quick else 12]]
        rows = codec_rows(jukebox, held)
        rows += prior_rows(jukebox, corpus, 4 if given.quick else 48)
        wanted = 1.0 if given.quick else 8.0
        start = time.perf_counter()
        sample(jukebox, Wish(corpus.styles[0], wanted))
        spent = (time.perf_counter() - start) / wanted
        peer = "Jukebox 5B on a V100 (published)"
        rows.append(Row("seconds of compute a second of sound", "s", spent, PUBLISHED, peer, PUBLISHED / spent))
    report("jukebox", rows)


if __name__ == "__main__":
    main()
