"""What a recording is: its length, loudness, tempo, key, clipping and silence; and its spectrogram as a picture."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mofang.sound.clean.clips import clipped
from mofang.sound.clean.silence import pauses
from mofang.sound.edit.beats import grid
from mofang.sound.edit.key import key
from mofang.sound.edit.source import Sound, open_sound, probe
from mofang.sound.edit.stft import stft
from mofang.sound.loudness import loudness, true_peak
from mofang.sound.mel import from_mel, to_mel


def inspect(path: Path) -> dict[str, Any]:
    """What the file says and what is heard in it, as JSON values. Raises `UserError`."""
    facts, sound = probe(path), open_sound(path)
    samples = sound.samples
    found, tones = grid(sound), key(sound)
    still = pauses(sound)
    return {
        "file": path.name, "container": facts.container, "codec": facts.codec, "rate": facts.rate, "channels": facts.channels,
        "bits": facts.bits, "seconds": round(sound.seconds, 3), "loudness": round(loudness(samples, sound.rate), 1),
        "true_peak": round(true_peak(samples, sound.rate), 1), "offset": round(float(samples.mean()), 5),
        "clipped": int(clipped(samples).sum()), "silence": round(sum(end - start for start, end in still), 2),
        "silences": [[round(start, 2), round(end, 2)] for start, end in still[:200]],
        "tempo": round(found.tempo, 1) or None, "beats": [round(float(beat), 3) for beat in found.beats[:4000]],
        "key": tones.name if tones else None, "key_fit": round(tones.fit, 2) if tones else None,
    }  # fmt: skip


def spectrogram(sound: Sound, width: int = 1200, height: int = 400) -> bytes:
    """A PNG: time to the right, mel frequency upwards to half the rate, −90 to 0 dB from black to white."""
    mono = sound.mono()
    size = 1 << round(np.log2(0.04 * sound.rate))
    hop = max(size // 8, len(mono) // (4 * width))
    level = np.abs(stft(mono, size, hop)) * (4 / size)
    top = float(to_mel(min(sound.rate / 2, 20_000)))
    bins = np.arange(level.shape[1]) * sound.rate / size
    centres = from_mel(np.linspace(float(to_mel(30.0)), top, height))
    rows = np.stack([np.interp(centres, bins, frame) for frame in level], 1)
    decibels = np.clip(20 * np.log10(np.maximum(rows, 1e-6)), -90, 0) / 90 + 1
    picture = cv2.resize((decibels[::-1] * 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_AREA)
    coloured: NDArray[np.uint8] = cv2.applyColorMap(picture, cv2.COLORMAP_INFERNO)
    for hertz in (100, 300, 1000, 3000, 10_000):
        if 30 < hertz < sound.rate / 2:
            y = height - 1 - int((float(to_mel(hertz)) - float(to_mel(30.0))) / (top - float(to_mel(30.0))) * (height - 1))
            cv2.line(coloured, (0, y), (6, y), (255, 255, 255), 1)
            _written(coloured, str(hertz), 9, y + 4)
    step = next((each for each in (0.1, 0.5, 1, 5, 10, 30, 60, 300, 600) if sound.seconds / each <= 12), 1200)
    for number in range(1, int(sound.seconds / step) + 1):
        x = int(number * step / sound.seconds * width)
        cv2.line(coloured, (x, height - 6), (x, height), (255, 255, 255), 1)
        _written(coloured, f"{number * step:g}s", x + 2, height - 8)
    return bytes(cv2.imencode(".png", coloured)[1])


def _written(picture: NDArray[np.uint8], text: str, x: int, y: int) -> None:
    cv2.putText(picture, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (255, 255, 255), 1, cv2.LINE_AA)
