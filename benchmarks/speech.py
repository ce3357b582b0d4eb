"""How fast, how soon and how well Mofang speaks, beside Kokoro as published, hibari-tts and espeak-ng, in one run.

    python benchmarks/speech.py [--quick] [--errors]

Speed is sound made per second of work at two threads. Intelligibility is what Whisper base makes of sixty Mandarin
and forty English sentences (`sets/`): Mandarin is compared syllable by syllable in pinyin, so that a homophone is no
error (with and without tones), English word by word; numbers are compared as words. Peers live in `.peers/speech`.
--quick takes every tenth sentence and one voice a language; --errors prints the sentences that were misunderstood.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from common import HERE, Row, peer_python, report

PACKAGES = [
    "faster-whisper==1.2.1", "espeakng-loader==0.2.4", "misaki==0.9.4", "hibari-tts==0.2.1",
    "jieba", "pypinyin", "cn2an", "ordered-set", "regex",
]  # fmt: skip
THREADS = 2
COLD = """
import time; start = time.perf_counter()
from mofang.sound import stream
next(stream({text!r}, {voice!r}))
print(time.perf_counter() - start)
"""
FIRST = "天刚蒙蒙亮，老渔夫就推着小船下了河，他要在太阳出来以前把昨天放下的网全部收回来，因为天气预报说中午有大风。"


def peer(task: str, **data: object) -> object:
    done = subprocess.run(
        [peer_python("speech", *PACKAGES), "-W", "ignore", HERE / "speech_peers.py", task],
        input=json.dumps(data), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def sentences(name: str, quick: bool) -> list[str]:
    lines = (HERE / "sets" / name).read_text("utf-8").splitlines()
    texts = [line.split("\t")[1] for line in lines if line and not line.startswith("#")]
    return texts[::10] if quick else texts


def misunderstood(texts: list[str], heard: list[str], language: str) -> None:
    """Print the sentences with errors, how many, and what was heard."""
    from mofang.sound.hearing import distance, units

    for text, transcript in zip(texts, heard, strict=True):
        sounds = [unit.sounds for unit in units(text, language)], [unit.sounds for unit in units(transcript, language, every=True)]
        if errors := distance(*sounds):
            print(f"   {errors}  {text}\n      {transcript.strip()}")


def timed(work: Callable[[], object], times: int = 3) -> float:
    """The median of several runs, in seconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def graphs(folder: Path) -> dict[str, float]:
    """Times real time of Kokoro's three graphs on one sentence."""
    from mofang import models
    from mofang.models.session import load
    from mofang.sound.engines import kokoro
    from mofang.sound.frontend import phonemize

    source = models.ensure("kokoro-82m").file("model")
    units = phonemize(FIRST, "zh")
    speeds = {}
    for kind in ("signed", "integer", "float32"):
        path = folder / f"{kind}.onnx"
        kokoro.derive(source, path, kind)
        engine = kokoro.Kokoro(THREADS)
        engine.__dict__["_session"] = load(path, THREADS)
        sound = engine.speak(units, "zf_xiaoxiao", 1.0).duration
        speeds[kind] = sound / timed(lambda engine=engine: engine.speak(units, "zf_xiaoxiao", 1.0))
        path.unlink()
    return speeds


def first_audio(text: str, voice: str) -> tuple[float, float]:
    """Seconds to the first chunk of a stream: with the engine loaded, and in a new process."""
    from mofang.sound import stream

    next(stream(text, voice))
    warm = timed(lambda: next(stream(text, voice)))
    cold = subprocess.run([sys.executable, "-c", COLD.format(text=text, voice=voice)], capture_output=True, check=True)
    return warm, float(cold.stdout)


def ours(texts: list[str], voice: str, folder: Path) -> tuple[list[str], float]:
    """Files spoken, and times real time over all of them."""
    from mofang.sound import speak
    from mofang.sound.pcm import write_wav

    speak(texts[0], voice)
    paths, start, sound = [], time.perf_counter(), 0.0
    for number, text in enumerate(texts):
        speech = speak(text, voice, threads=THREADS)
        sound += speech.duration
        paths.append(str(folder / f"{voice}-{number}.wav"))
        write_wav(Path(paths[-1]), speech.samples, speech.rate)
    return paths, sound / (time.perf_counter() - start)


def theirs(name: str, texts: list[str], language: str, folder: Path) -> tuple[list[str], float]:
    from mofang import models
    from mofang.sound.engines.vocabulary import NUMBERS

    kokoro = models.ensure("kokoro-82m")
    paths = [str(folder / f"{name}-{language}-{number}.wav") for number in range(len(texts))]
    done = peer(
        name, lines=list(zip(texts, paths, strict=True)), language=language, threads=THREADS, numbers=NUMBERS,
        model=str(kokoro.file("model")), voice=str(kokoro.file("voices/zf_xiaoxiao")),
    )  # fmt: skip
    return paths, done["sound"] / done["seconds"]


def row(what: str, unit: str, value: float, other: float | None, name: str, goal: float | None, less: bool) -> Row:
    ratio = None if other is None or not value else (other / value if less else value / other)
    met = None if goal is None else (value <= goal if less else value >= goal)
    words = "" if goal is None else f"{'<=' if less else '>='} {goal:g}"
    return Row(what, unit, value, other, name, ratio, words, met)


def hearing(language: str, quick: bool, show: bool, folder: Path, whisper: str) -> list[Row]:
    from mofang.sound.hearing import error_rate

    texts = sentences("mandarin60.tsv" if language == "zh" else "english40.tsv", quick)
    voices = ["zf_xiaobei", "zf_xiaoxiao"] if language == "zh" else ["hibari", "af_heart"]
    voices = voices[: 1 if quick else 2]
    made = {voice: ours(texts, voice, folder) for voice in voices}
    peers = {"misaki": "Kokoro int8 + misaki"} if language == "zh" else {"hibari-tts": "hibari-tts"}
    peers["espeak"] = "espeak-ng 1.52"
    made |= {name: theirs(name, texts, language, folder) for name in peers}
    rates: dict[str, tuple[float, ...]] = {}
    for name, (paths, _) in made.items():
        heard = peer("transcribe", model=whisper, language=language, paths=paths)
        if show and name in voices:
            print(f"{name}: misunderstood")
            misunderstood(texts, heard, language)
        both = (False, True) if language == "zh" else (False,)
        rates[name] = tuple(error_rate(texts, heard, language, tones) for tones in both)
    rows = []
    measure = "Mandarin CER, pinyin" if language == "zh" else "English WER"
    limit = 0.03 if language == "zh" else 0.04
    for voice in voices:
        for number, rate in enumerate(rates[voice]):
            for name, title in peers.items():
                goal = limit if voice == voices[0] and not number else None
                what = f"{measure}{' with tones' * number}, {voice}"
                rows.append(row(what, "share", rate, rates[name][number], title, goal, True))
    for name, title in peers.items():
        what = f"{'Mandarin' if language == 'zh' else 'English'} speed, {voices[0]}, all sentences"
        rows.append(row(what, "× real time", made[voices[0]][1], made[name][1], title, None, False))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="every tenth sentence, one voice a language")
    parser.add_argument("--errors", action="store_true", help="print what was misunderstood")
    given = parser.parse_args()
    from mofang import models
    from mofang.sound.engines.graphs import exact_signed_products

    whisper = str(models.ensure("whisper-base").folder)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        speeds = graphs(folder)
        best = speeds["signed" if exact_signed_products() else "float32"]
        warm, cold = first_audio(FIRST, "zf_xiaoxiao")
        rows = [
            row("Kokoro at 2 threads", "× real time", best, speeds["integer"], "int8 as published", 3.5, False),
            row("Kokoro at 2 threads", "× real time", best, speeds["float32"], "float32", None, False),
            row("first audio of a stream, engine loaded", "s", warm, None, "", 1.0, True),
            row("first audio of a stream, new process", "s", cold, None, "", None, True),
        ]  # fmt: skip
        for language in ("zh", "en"):
            rows += hearing(language, given.quick, given.errors, folder, whisper)
    report("speech", rows)


if __name__ == "__main__":
    main()
