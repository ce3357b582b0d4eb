"""The only door out of the studio.

The order is fixed by what each step would break: first what a person sees or hears, then the record in the file, last
the signature over all of it. Then everything is read back from the finished file, and only a file that proves itself
appears at its target.
"""

import json
import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mofang.studio.atomic import atomic, write_atomic
from mofang.studio.errors import UserError
from mofang.trust import credentials, labels
from mofang.trust.aigc import Record
from mofang.trust.carriers import Malformed, carrier
from mofang.trust.credentials import Claim
from mofang.trust.verify import verify

PRODUCER = "Mofang-studio"

PICTURES = ("png", "jpeg", "webp")
SOUNDS = ("wav", "flac")
PLAIN = (".srt", ".vtt", ".json", ".otio", ".txt")
"""Files for machines and editors, which no carrier exists for: they go out with a sidecar record."""


@dataclass(frozen=True)
class Receipt:
    """What was published: the file, its number in the ledger, its SHA-256."""

    path: Path
    produce_id: str
    sha256: str


def publish(source: Path, target: Path, claim: Claim, studio: Path) -> Receipt:
    """Label, sign, verify and write `source` to `target`, whole or not at all, and note it in the studio's ledger.

    A film must already show the label in its first two seconds (the renderer burns it in); that is checked here.
    Raises `UserError`; nothing appears then.
    """
    from mofang.studio.library import file_hash

    try:
        with source.open("rb") as file:
            found = carrier(file.read(1 << 20), target.suffix)
    except OSError as error:
        raise UserError(f"cannot read {source}: {error.strerror}") from error
    produce_id = datetime.now(UTC).strftime("%Y%m%d%H%M%S-") + secrets.token_hex(8)
    record = Record(PRODUCER, produce_id).dumps()
    if found is None:
        if target.suffix.lower() not in PLAIN:
            raise UserError(f"cannot publish a '{target.suffix}' file: choose one of png, jpg, webp, gif, wav, flac, mp3, mp4, "
                            "m4a, pdf, md, txt, srt, vtt, json, otio")  # fmt: skip
        _publish_plain(source, target, claim, record)
        return _noted(studio, Receipt(target, produce_id, file_hash(target)), claim)
    with atomic(target, suffix=target.suffix) as temporary:
        try:
            _make_visible(source, temporary, found.name, claim)
            temporary.write_bytes(found.write(temporary.read_bytes(), record))
        except Malformed as error:
            raise UserError(f"{source.name} cannot be labelled: {error}") from error
        signing = credentials.keys(studio)
        if found.embeds:
            unsigned = temporary.with_name(temporary.name + ".unsigned")
            try:
                shutil.move(temporary, unsigned)
                credentials.sign(unsigned, temporary, found.mime, claim, produce_id, signing)
            finally:
                unsigned.unlink(missing_ok=True)
        report = verify(temporary, studio)
        if not report.ok:
            raise UserError(
                f"{target.name} did not pass its own check ({'; '.join(report.faults)}); nothing was published"
            )
    return _noted(studio, Receipt(target, produce_id, file_hash(target)), claim)


def _make_visible(source: Path, target: Path, name: str, claim: Claim) -> None:
    """The explicit label, where this format can still take one."""
    if name in PICTURES:
        _label_picture(source, target, name)
    elif name in SOUNDS:
        _label_sound(source, target, name)
    elif name == "markdown":
        target.write_text(_below_front(source.read_text("utf-8"), claim.lang), "utf-8")
    else:
        # Films carry the label in their frames; MP3 and M4A are made from labelled sound; both are checked in verify.
        shutil.copyfile(source, target)


def _below_front(text: str, lang: str) -> str:
    if text.startswith("---\n") and "\n---\n" in text:
        front, _, body = text[4:].partition("\n---\n")
        return f"---\n{front}\n---\n{labels.in_text(body.lstrip(), lang)}"
    return labels.in_text(text, lang)


def _label_picture(source: Path, target: Path, name: str) -> None:
    import numpy as np
    from PIL import Image

    with Image.open(source) as image:
        mode = "RGBA" if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info else "RGB"
        pixels = np.asarray(image.convert(mode))
    try:
        labelled = pixels if labels.is_on(pixels[..., :3]) else labels.on_picture(pixels)
    except ValueError as error:
        raise UserError(f"{source.name}: {error}; make it larger") from error
    options: dict[str, dict[str, object]] = {
        "png": {"format": "PNG", "compress_level": 6},
        "jpeg": {"format": "JPEG", "quality": 95, "subsampling": 0},
        "webp": {"format": "WEBP", "lossless": True},
    }
    Image.fromarray(labelled).save(target, **options[name])  # type: ignore[arg-type]


def _label_sound(source: Path, target: Path, name: str) -> None:
    import av
    import numpy as np

    try:
        with av.open(str(source)) as container:
            frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
            stream = container.streams.audio[0]
            rate, layout, form = stream.rate, stream.layout.name, stream.format.name
        packed: Any = np.concatenate(frames, 1)
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise UserError(f"{source.name} is not sound that can be read") from error
    channels = stream.channels
    samples = packed.T if form.endswith("p") else packed.reshape(-1, channels)
    full = float(np.iinfo(samples.dtype).max) if samples.dtype.kind == "i" else 1.0
    if not labels.is_in_sound((samples / full).astype(np.float32), rate):
        tones = np.repeat(labels.hint(rate)[:, None], channels, 1) * full
        samples = np.concatenate([tones.astype(samples.dtype), samples])
    codec = {"flac": "flac"}.get(name) or {"s16": "pcm_s16le", "flt": "pcm_f32le"}.get(form.rstrip("p"), "pcm_s32le")
    with av.open(str(target), "w", format=name) as out:
        sink: Any = out.add_stream(codec, rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.reshape(1, -1)), form.rstrip("p"), layout)
        frame.sample_rate = rate
        out.mux(sink.encode(frame))
        out.mux(sink.encode(None))


def _publish_plain(source: Path, target: Path, claim: Claim, record: str) -> None:
    try:
        text = source.read_text("utf-8")
    except (UnicodeDecodeError, OSError) as error:
        raise UserError(f"{source.name} is not UTF-8 text; convert it first") from error
    shown: dict[str, Callable[[], str]] = {
        ".txt": lambda: labels.in_text(text, claim.lang),
        ".vtt": lambda: text.replace("WEBVTT\n", f"WEBVTT\n\nNOTE AI生成 AIGC {record}\n", 1),
    }
    write_atomic(target, shown.get(target.suffix.lower(), lambda: text)())
    if target.suffix.lower() == ".txt":
        write_atomic(target.with_name(target.name + ".aigc.json"), json.dumps({"AIGC": json.loads(record)}) + "\n")


def _noted(studio: Path, receipt: Receipt, claim: Claim) -> Receipt:
    """One line in the ledger, on disk before the caller goes on. Labels must be logged for half a year (办法, art. 9)."""
    line = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"), "file": receipt.path.name, "sha256": receipt.sha256,
        "produceId": receipt.produce_id, "title": claim.title,
    }  # fmt: skip
    try:
        with (studio / "ledger.jsonl").open("a", encoding="utf-8", errors="replace") as ledger:
            ledger.write(json.dumps(line, ensure_ascii=False) + "\n")
            ledger.flush()
            os.fsync(ledger.fileno())
    except OSError as error:
        receipt.path.unlink(missing_ok=True)
        raise UserError(f"cannot write the studio's ledger ({error.strerror}); nothing was published") from error
    return receipt
