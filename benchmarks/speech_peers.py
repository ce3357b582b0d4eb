"""Runs in the peers' own Python: other ways to speak, and the ear that judges them all. JSON in, JSON out."""

import ctypes
import json
import sys
import time
import wave
from pathlib import Path

import numpy as np


def write(path: str, samples: np.ndarray, rate: int) -> float:
    with wave.open(path, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return len(samples) / rate


def espeak(task: dict) -> dict:
    """espeak-ng (GPL-3), a formant synthesiser."""
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = library.espeak_Initialize(2, 0, espeakng_loader.get_data_path().encode(), 0)
    heard: list[np.ndarray] = []

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
    def hear(samples, count, _events):
        if samples and count:
            heard.append(np.ctypeslib.as_array(samples, (count,)).astype(np.float32) / 32768)
        return 0

    library.espeak_SetSynthCallback(hear)
    library.espeak_SetVoiceByName({"zh": b"cmn", "en": b"en-us"}[task["language"]])
    start, sound = time.perf_counter(), 0.0
    for text, path in task["lines"]:
        heard.clear()
        data = text.encode() + b"\0"
        library.espeak_Synth(data, len(data), 0, 1, 0, 1, None, None)
        sound += write(path, np.concatenate(heard), rate)
    return {"seconds": time.perf_counter() - start, "sound": sound}


def misaki(task: dict) -> dict:
    """Kokoro as published, int8, with the front-end its author gives for Mandarin."""
    import onnxruntime
    from misaki.zh import ZHG2P

    read = ZHG2P()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = task["threads"]
    session = onnxruntime.InferenceSession(task["model"], options, providers=["CPUExecutionProvider"])
    styles = np.fromfile(task["voice"], np.float32).reshape(510, 256)

    def say(text: str) -> np.ndarray:
        phonemes = read(text)
        phonemes = phonemes[0] if isinstance(phonemes, tuple) else phonemes
        tokens = [task["numbers"][symbol] for symbol in phonemes if symbol in task["numbers"]][:510]
        feed = {"tokens": np.array([[0, *tokens, 0]], np.int64), "style": styles[len(tokens) - 1][None]}
        return session.run(None, {**feed, "speed": np.ones(1, np.float32)})[0].ravel()

    say(task["lines"][0][0])
    start, sound = time.perf_counter(), 0.0
    for text, path in task["lines"]:
        sound += write(path, say(text), 24_000)
    return {"seconds": time.perf_counter() - start, "sound": sound}


def hibari(task: dict) -> dict:
    """hibari-tts by its own program."""
    from hibari import Hibari

    voice = Hibari(threads=task["threads"])
    voice("Warm up.")
    start, sound = time.perf_counter(), 0.0
    for text, path in task["lines"]:
        sound += write(path, voice(text, seed=0), 24_000)
    return {"seconds": time.perf_counter() - start, "sound": sound}


def transcribe(task: dict) -> list[str]:
    """What Whisper base understands, one text for each file."""
    from faster_whisper import WhisperModel

    model = WhisperModel(task["model"], device="cpu", compute_type="int8", cpu_threads=2)
    texts = []
    for path in task["paths"]:
        segments, _ = model.transcribe(
            path, language=task["language"], beam_size=5, condition_on_previous_text=False, temperature=0.0
        )
        texts.append("".join(segment.text for segment in segments))
        Path(path).unlink()
    return texts


if __name__ == "__main__":
    tasks = {"espeak": espeak, "misaki": misaki, "hibari-tts": hibari, "transcribe": transcribe}
    print(json.dumps(tasks[sys.argv[1]](json.load(sys.stdin))))
