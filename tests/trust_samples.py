"""One small real file of every format that can be published, made with other people's encoders."""

import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pikepdf
from PIL import Image

from mofang.trust import labels

RATE = 24_000
CARRIED = ["a.png", "a.jpg", "a.webp", "a.gif", "a.wav", "a.flac", "a.mp3", "a.m4a", "a.mp4", "a.pdf", "a.md", "a.mid",
           "a.musicxml", "a.svg"]  # fmt: skip
ALL = [*CARRIED, "a.txt", "a.vtt", "a.srt", "a.json", "a.otio"]


def picture(width: int = 320, height: int = 240) -> np.ndarray[Any, np.dtype[np.uint8]]:
    y, x = np.mgrid[0:height, 0:width]
    return np.dstack([x * 255 // width, y * 255 // height, (x * y) % 251]).astype(np.uint8)


def sound(path: Path, samples: np.ndarray[Any, Any], container: str, codec: str, form: str) -> None:
    with av.open(str(path), "w", format=container) as out:
        stream: Any = out.add_stream(codec, rate=RATE, layout="mono")
        out.metadata["title"] = "Mine"
        resampler = av.AudioResampler(stream.codec_context.format or form, "mono", RATE)
        for start in range(0, len(samples), 1024):
            frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1024].astype(np.float32), "flt", "mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
            for ready in resampler.resample(frame):
                out.mux(stream.encode(ready))
        out.mux(stream.encode(None))


def film(path: Path, labelled: float = 2.5, seconds: float = 3.0, fast: bool = True, lang: str = "zh") -> None:
    """A film of ten frames a second, whose label stands for so many seconds."""
    options = {"movflags": "+faststart"} if fast else {}
    with av.open(str(path), "w", format="mp4", options=options) as out:
        out.metadata["title"] = "Mine"
        stream: Any = out.add_stream("libx264", rate=10, options={"crf": "23", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(round(seconds * 10)):
            image = np.roll(picture(), number, 1)
            if number < labelled * 10:
                image = labels.on_picture(image, lang)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        out.mux(stream.encode(None))


def sample(folder: Path, name: str) -> Path:
    """Make the sample of that name in a folder."""
    path = folder / name
    suffix = path.suffix
    tone = 0.3 * np.sin(2 * np.pi * 330 * np.arange(RATE * 2) / RATE)
    if suffix in (".png", ".jpg", ".webp", ".gif"):
        Image.fromarray(picture()).save(path)
    elif suffix == ".mp4":
        film(path)
    elif suffix == ".pdf":
        with pikepdf.new() as document:
            document.add_blank_page(page_size=(595, 842))
            document.docinfo["/Title"] = "Mine"
            document.save(path)
    elif suffix in (".wav", ".flac", ".mp3", ".m4a"):
        kind = {".wav": ("wav", "pcm_s16le", "s16"), ".flac": ("flac", "flac", "s16"), ".mp3": ("mp3", "libmp3lame", "fltp"),
                ".m4a": ("ipod", "aac", "fltp")}[suffix]  # fmt: skip
        sound(path, tone, *kind)
    elif suffix == ".mid":
        track = b"\0\xff\x51\x03\x07\xa1\x20\0\x90\x3c\x50\x83\x60\x3c\0\0\xff\x2f\0"
        path.write_bytes(b"MThd\0\0\0\x06\0\x01\0\x01\x01\xe0MTrk" + len(track).to_bytes(4, "big") + track)
    else:
        path.write_text({
            ".svg": '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240"><rect width="90" height="60"/></svg>\n',
            ".musicxml": '<?xml version="1.0"?>\n<score-partwise version="4.0"><part-list><score-part id="P1"><part-name>Fox'
                         '</part-name></score-part></part-list><part id="P1"/></score-partwise>\n',
            ".md": "---\ntitle: 狐狸\n---\n\n# 狐狸\n\n小狐狸坐在山坡上。\n", ".txt": "The little fox sat on the hill.\n",
            ".vtt": "WEBVTT\n\n00:00.000 --> 00:01.000\n小狐狸\n", ".srt": "1\n00:00:00,000 --> 00:00:01,000\n小狐狸\n",
            ".json": '{"a": 1}\n', ".otio": '{"OTIO_SCHEMA": "Timeline.1"}\n'}[suffix], "utf-8")  # fmt: skip
    return path


def decoded(data: bytes) -> bytes:
    """The pixels or samples of a picture, film or sound, as other people's decoders see them."""
    if data[:4] in (b"\x89PNG", b"GIF8") or data[:3] == b"\xff\xd8\xff" or data[8:12] == b"WEBP":
        with Image.open(io.BytesIO(data)) as image:
            return image.convert("RGB").tobytes()
    with av.open(io.BytesIO(data)) as container:
        return b"".join(np.ascontiguousarray(frame.to_ndarray()).tobytes() for frame in container.decode())
