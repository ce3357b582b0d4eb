"""What a file says about itself, and whether it is true."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mofang.trust import credentials, labels
from mofang.trust.aigc import Record
from mofang.trust.carriers import Carrier, Malformed, carrier
from mofang.trust.credentials import Credentials

LARGEST = 4 << 30
"""Bytes of the largest file that is looked into."""


@dataclass
class Report:
    """The marks found on a file. `faults` is what is broken, in a few words each; `silent` if it bears no mark at all."""

    path: Path
    kind: str = ""
    record: Record | None = None
    credentials: Credentials | None = None
    visible: bool | None = None
    faults: list[str] = field(default_factory=list)

    @property
    def silent(self) -> bool:
        """Whether the file says nothing about itself."""
        return self.record is None and self.credentials is None and not self.faults

    @property
    def ok(self) -> bool:
        """Whether the file says how it was made and everything it says holds."""
        return not self.silent and not self.faults

    def lines(self, lang: str = "en") -> list[str]:
        """The report in plain words."""

        def say(en: str, zh: str) -> str:
            return zh if lang == "zh" else en

        if self.silent:
            return [
                say(f"{self.path.name} says nothing about how it was made.", f"{self.path.name} 没有任何来源说明。")
            ]
        out = []
        if self.record:
            how = {"1": ("was made with AI", "由人工智能生成"), "2": ("may have been made with AI", "可能由人工智能生成"),
                   "3": ("is suspected to be made with AI", "疑似由人工智能生成")}[self.record.label]  # fmt: skip
            out.append(say(f"{self.path.name} {how[0]}, by {self.record.producer}, number {self.record.produce_id}.",
                           f"{self.path.name} {how[1]}，制作者 {self.record.producer}，编号 {self.record.produce_id}。"))  # fmt: skip
        if self.visible is not None:
            out.append(say("The label can be seen or heard." if self.visible else "No label can be seen or heard.",
                           "显式标识可见（可听）。" if self.visible else "没有可见（可听）的标识。"))  # fmt: skip
        if made := self.credentials:
            who = {"Trusted": ("this studio", "本工作室"), "Valid": (made.signer or "an unknown signer",
                   made.signer or "未知签名者")}.get(made.state)  # fmt: skip
            if who:
                out.append(say(f"Signed by {who[0]} with {made.generator}; nothing was changed since.",
                               f"由{who[1]}使用 {made.generator} 签名；此后未被改动。"))  # fmt: skip
            if parts := made.lineage.get("parts"):
                engines = ", ".join(sorted({str(part.get("engine")) for part in parts}))
                out.append(
                    say(
                        f"Made from {len(parts)} assets by: {engines}.",
                        f"由 {len(parts)} 件素材制成，引擎：{engines}。",
                    )
                )
            if credits := made.lineage.get("credits"):
                names = "; ".join(sorted({f"{c.get('title')} ({c.get('licence')})" for c in credits}))
                out.append(say(f"With work by others: {names}.", f"使用了他人作品：{names}。"))
            if made.training:
                out.append(say(f"Training on it: {made.training}.", f"用于训练：{made.training}。"))
        out += [say(f"Broken: {fault}.", f"有问题：{fault}。") for fault in self.faults]
        return out


def verify(path: Path, studio: Path | None = None) -> Report:
    """Look at every mark on a file. Any bytes give a report; nothing in a file raises."""
    report = Report(path)
    try:
        if path.stat().st_size > LARGEST:
            report.faults.append("the file is too large to be checked")
            return report
        data = path.read_bytes()
    except OSError as error:
        report.faults.append(f"the file cannot be read ({error.strerror})")
        return report
    found = carrier(data, path.suffix)
    if found is None:
        _read_plain(report, data)
        return report
    report.kind = found.name
    try:
        records = found.read(data)
    except Malformed as error:
        report.faults.append(str(error))
        records = []
    except Exception as error:  # A parser's slip on hostile bytes is a finding about the file, not a crash.
        report.faults.append(f"the {found.name} is broken ({type(error).__name__})")
        records = []
    _take(report, records)
    if found.embeds:
        _check_signature(report, found, studio)
    if report.record or (report.credentials and report.credentials.generator.startswith("Mofang")):
        _look(report, found)
    return report


def _take(report: Report, records: list[str]) -> None:
    if len(records) > 1:
        report.faults.append(f"{len(records)} AIGC labels where one belongs")
    for text in records[:1]:
        try:
            report.record = Record.loads(text)
        except (ValueError, TypeError, RecursionError) as error:
            report.faults.append(str(error)[:120] if isinstance(error, ValueError) else "the AIGC label is broken")


def _check_signature(report: Report, found: Carrier, studio: Path | None) -> None:
    authority = studio / "keys" / "authority.pem" if studio else None
    try:
        anchor = authority.read_bytes() if authority and authority.is_file() else None
        made = credentials.read(report.path, found.mime, anchor)
    except Exception as error:
        report.faults.append(f"the credentials are broken ({type(error).__name__})")
        return
    report.credentials = made
    if made is None:
        if report.record and report.record.producer.startswith("Mofang"):
            report.faults.append("the signature is gone")
        return
    if made.state not in ("Valid", "Trusted"):
        report.faults.append(f"the file was changed after signing ({made.why or made.state})")
    if made.generator.startswith("Mofang"):
        if report.record is None:
            report.faults.append("the AIGC label is gone")
        elif made.lineage.get("produceId") != report.record.produce_id:
            report.faults.append("label and signature belong to different files")


def _look(report: Report, found: Carrier) -> None:
    """Whether the explicit label is there, in formats we label ourselves."""
    looks: dict[str, Callable[[Path], bool | None]] = {
        "png": _seen, "jpeg": _seen, "webp": _seen, "mp4": _shown, "wav": _heard, "flac": _heard, "mp3": _heard,
        "markdown": lambda path: labels.has_text_label(path.read_text("utf-8", "replace")),
    }  # fmt: skip
    if found.name in looks:
        try:
            report.visible = looks[found.name](report.path)
        except Exception as error:  # As above: decoders meet hostile bytes here.
            report.faults.append(f"the content cannot be decoded ({type(error).__name__})")
            return
        if report.visible is False:
            report.faults.append("no label can be seen or heard")


def _seen(path: Path) -> bool:
    import numpy as np
    from PIL import Image

    with Image.open(path) as image:
        return labels.is_on(np.asarray(image.convert("RGB")))


def _shown(path: Path) -> bool | None:
    """In a film, at its start and just before two seconds have passed; sound without pictures is listened to."""
    import av
    import numpy as np

    with av.open(str(path)) as container:
        if not container.streams.video:
            return _heard(path)
        seen: list[bool] = []
        for frame in container.decode(video=0):
            moment = frame.time or 0.0
            if not seen or moment >= labels.SECONDS - 0.1:
                seen.append(labels.is_on(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)))
            if moment >= labels.SECONDS - 0.1:
                break
        return bool(seen) and all(seen)


def _heard(path: Path) -> bool:
    import av
    import numpy as np

    with av.open(str(path)) as container:
        rate = container.streams.audio[0].rate
        resampler = av.AudioResampler("flt", "mono", rate)
        pieces, count = [], 0
        for frame in container.decode(audio=0):
            for piece in resampler.resample(frame):
                pieces.append(piece.to_ndarray()[0])
                count += piece.samples
            if count > 3 * rate:
                break
    return labels.is_in_sound(np.concatenate(pieces), rate)


def _read_plain(report: Report, data: bytes) -> None:
    """Text files: a sidecar or a note inside carries the record."""
    import re

    sidecar = report.path.with_name(report.path.name + ".aigc.json")
    text = data[: 1 << 20].decode("utf-8", "replace")
    records = [sidecar.read_text("utf-8", "replace")] if sidecar.is_file() else []
    records += [match[1] for match in re.finditer(r"^NOTE AI生成 AIGC (\{.*\})$", text, re.MULTILINE)]
    report.kind = "text" if records else ""
    _take(report, records)
    if report.record and sidecar.is_file():
        report.visible = labels.has_text_label(text)
        if not report.visible:
            report.faults.append("no label can be seen or heard")
