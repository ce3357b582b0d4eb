"""How well a voice of one's own speaks: what Whisper understands, and how near its spectra are to the voice it learned from.

    python benchmarks/wavenet_speech.py [VOICE] [--quick]

VOICE is a folder or name that `mofang sound join` wrote, by default the shipped `voice-demo` (see recipes/voice_demo.py).
Thirty Mandarin sentences of `sets/mandarin60.tsv`, none of them learned, are spoken by it, by Griffin–Lim (fast variant,
Perraudin et al. 2013) from the same predicted features, and by the ready voice it learned from. "Vocoder alone" gives
both vocoders the features measured from the ready voice's speech and compares the log-mel spectra of what comes out:
Griffin–Lim looks for just the sound that is nearest by this measure, so it is a bound there and no goal; what it sounds
like shows in the first row.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from common import Row, report
from mofang import models
from mofang.sound import pcm, speak
from mofang.sound import voice as find_voice
from mofang.sound.cast import engine
from mofang.sound.engines.vocabulary import numbers
from mofang.sound.hearing import error_rate
from mofang.sound.mel import Mel, filters, frames, log_mel
from mofang.sound.own.features import RATE, as_mel, features
from mofang.sound.own.prepare import levelled
from mofang.sound.own.speaker import opened, stamp
from mofang.sound.speech import phrases
from speech import peer, sentences

SETTINGS = Mel()
DECIBELS = 20 / np.log(10)


def griffin_lim(spectrum: np.ndarray, rounds: int = 60) -> np.ndarray:
    """Sound whose log-mel spectrum (frames, bands) is near the given: magnitudes by least squares, phases by projection."""
    mel, size, hop = SETTINGS, SETTINGS.size, SETTINGS.hop
    bank = filters(mel).astype(np.float64)
    magnitudes = np.maximum(np.exp(spectrum) @ np.linalg.pinv(bank).T, 0)
    for _ in range(20):  # non-negative least squares by multiplicative steps
        magnitudes *= (np.exp(spectrum) @ bank) / np.maximum(magnitudes @ bank.T @ bank, 1e-9)
        magnitudes = np.maximum(magnitudes, 1e-7)
    count = len(spectrum)
    window = np.zeros(size)
    start = (size - mel.window) // 2
    window[start : start + mel.window] = np.hanning(mel.window + 1)[:-1]
    magnitudes *= window.sum() / 2
    places = np.arange(count)[:, None] * hop + np.arange(size)
    weight = np.zeros(count * hop + size)
    np.add.at(weight, places, np.tile(window**2, (count, 1)))

    def sound(spectra: np.ndarray) -> np.ndarray:
        whole = np.zeros(count * hop + size)
        np.add.at(whole, places, np.fft.irfft(spectra, size) * window)
        whole /= np.maximum(weight, 1e-3)
        return whole[size // 2 - hop // 2 :][: count * hop]

    rng = np.random.default_rng(0)
    guess = magnitudes * np.exp(2j * np.pi * rng.random(magnitudes.shape))
    before = np.zeros_like(guess)
    for _ in range(rounds):
        made = np.fft.rfft(frames(sound(guess).astype(np.float32), mel), axis=1)
        moved = made + 0.99 * (made - before)
        before = made
        guess = magnitudes * moved / np.maximum(np.abs(moved), 1e-9)
    return sound(guess).astype(np.float32)


def distance(made: np.ndarray, wanted: np.ndarray) -> float:
    """Mean difference of two log-mel spectra in dB, where the wanted one is not silent."""
    count = min(len(made), len(wanted))
    heard = wanted[:count].mean(1) > -8.5
    return float(np.abs(made[:count] - wanted[:count])[heard].mean() * DECIBELS)


def vocoders(texts: list[str], folder: Path, reference: str) -> dict[str, float]:
    """The distance of each vocoder's spectra from the measured ones it was given."""
    _, sampler, config = opened(folder, stamp(folder))
    voice = find_voice(reference)
    source = engine(voice.engine, 1)
    found: dict[str, list[float]] = {"wavenet": [], "griffin-lim": []}
    for text in texts:
        units = next(phrases(text, voice))
        samples, _ = source.utter(numbers("".join(unit.phonemes for unit in units)), voice.name, 1.0)
        sound = levelled(pcm.resample(samples, source.rate, RATE))
        given = features(sound)
        made = sampler.sample(given, temperature=float(config["temperature"]))
        found["wavenet"].append(distance(log_mel(made), as_mel(given)))
        found["griffin-lim"].append(distance(log_mel(griffin_lim(as_mel(given))), as_mel(given)))
    return {name: float(np.mean(values)) for name, values in found.items()}


def spoken(texts: list[str], folder: Path, reference: str, desk: Path) -> tuple[dict[str, list[str]], float]:
    """Files by three ways to speak, and how many times real time our own takes."""
    acoustic = opened(folder, stamp(folder))[0]
    voice = find_voice(str(folder))
    paths: dict[str, list[str]] = {"own": [], "griffin-lim": [], "reference": []}
    sound = spent = 0.0
    speak(texts[0][:4], voice.name)
    for number, text in enumerate(texts):
        start = time.perf_counter()
        said = speak(text, voice.name)
        spent, sound = spent + time.perf_counter() - start, sound + said.duration
        parts = [griffin_lim(as_mel(acoustic.features(numbers("".join(unit.phonemes for unit in units)))[0]))
                 for units in phrases(text, voice)]  # fmt: skip
        ready = speak(text, reference)
        for name, samples, rate in (("own", said.samples, said.rate), ("griffin-lim", np.concatenate(parts), RATE),
                                    ("reference", ready.samples, ready.rate)):  # fmt: skip
            path = desk / f"{name}-{number}.wav"
            pcm.write_wav(path, samples, rate)
            paths[name].append(str(path))
    return paths, sound / spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("voice", nargs="?", default="voice-demo")
    parser.add_argument("--reference", default="zf_xiaobei", help="the ready voice it learned from")
    parser.add_argument("--quick", action="store_true", help="six sentences")
    given = parser.parse_args()
    folder = Path(find_voice(given.voice).name)
    texts = sentences("mandarin60.tsv", False)[:: 10 if given.quick else 2]
    whisper = str(models.ensure("whisper-base").folder)
    with tempfile.TemporaryDirectory() as name:
        paths, speed = spoken(texts, folder, given.reference, Path(name))
        rates = {way: error_rate(texts, peer("transcribe", model=whisper, language="zh", paths=files), "zh")
                 for way, files in paths.items()}  # fmt: skip
    near = vocoders(texts[: 2 if given.quick else 10], folder, given.reference)
    report("wavenet_speech", [
        Row("Mandarin CER, pinyin", "share", rates["own"], rates["griffin-lim"], "Griffin–Lim, same features",
            rates["griffin-lim"] / max(rates["own"], 1e-9), "<= 0.10", rates["own"] <= 0.10),
        Row("Mandarin CER, pinyin", "share", rates["own"], rates["reference"], f"{given.reference}, its teacher",
            rates["reference"] / max(rates["own"], 1e-9)),
        Row("vocoder alone, log-mel distance", "dB", near["wavenet"], near["griffin-lim"], "Griffin–Lim",
            near["griffin-lim"] / near["wavenet"]),
        Row("text to sound, one core", "× real time", speed, None, "", speed, ">= 1", speed >= 1),
    ])  # fmt: skip


if __name__ == "__main__":
    main()
