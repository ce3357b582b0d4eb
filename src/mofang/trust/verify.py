"""What a file says about itself, and whether it is true."""

import mmap
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mofang.trust import credentials, ledger
from mofang.trust.aigc import Record
from mofang.trust.carriers import Buffer, Malformed, carrier
from mofang.trust.credentials import PERSONAL
from mofang.trust.keys import authorities
from mofang.trust.look import visible
from mofang.trust.report import Fault, Report

OURS = "Mofang-"
"""How the numbers of files from this program begin."""

NOTE = re.compile(r"^NOTE AI生成 AIGC (\{.*\})[ \t]*\r?$", re.MULTILINE)
TEXT_LIMIT = 64 << 20


def verify(path: Path, studio_folder: Path | None = None) -> Report:
    """Look at every mark on a file. Any bytes give a report; nothing in a file raises.

    With a studio's folder the report also says whether the signature is that studio's, and whether its ledger has the file.
    """
    from mofang.studio.library import file_hash

    report = Report(path)
    try:
        with opened(path) as data:
            mime, embedded = _read_labels(report, data)
        _look_up(report, studio_folder, file_hash(path))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a file"
        report.faults.append(Fault(f"the file cannot be read ({why})", f"文件无法读取（{why}）"))
        return report
    if mime:
        _check_signature(report, mime, embedded, studio_folder)
    _look(report)
    return report


def _look_up(report: Report, studio: Path | None, sha256: str) -> None:
    """What the studio's ledger says. Its hash covers also the few bytes of padding that a signature leaves out."""
    if line := ledger.find(studio, "sha256", sha256):
        report.published = str(line.get("time", ""))
    elif report.record and ledger.find(studio, "produceId", report.record.produce_id):
        en = "it differs from the file that this studio published under its number"
        report.faults.append(Fault(en, "与本工作室以该编号发布的文件不一致"))


@contextmanager
def opened(path: Path) -> Iterator[Buffer]:
    """The file's content, mapped; an empty file cannot be mapped and is empty bytes."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            yield b""
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


def sidecar(path: Path, suffix: str) -> Path:
    """The file beside a file that speaks for it."""
    return path.with_name(path.name + suffix)


def claims_ours(report: Report) -> bool:
    """Whether a file says it comes from this program."""
    signed = report.credentials is not None and report.credentials.generator.startswith("Mofang")
    return signed or (report.record is not None and report.record.produce_id.startswith(OURS))


def _read_labels(report: Report, data: Buffer) -> tuple[str, bool]:
    """Take the implicit labels into the report. Returns the type to check a signature as, empty if there can be none, and
    whether it lies inside the file."""
    found = carrier(data, report.path.suffix)
    if found is None:
        return _read_plain(report, data), False
    report.kind = found.name
    try:
        records = found.read(data)
    except Malformed as error:
        report.faults.append(Fault(str(error), f"{found.name} 文件已损坏或被截断"))
        records = []
    except Exception as error:  # A parser's slip on hostile bytes is a finding about the file, not a crash.
        report.faults.append(Fault(f"the {found.name} is broken ({type(error).__name__})", f"{found.name} 文件已损坏"))
        records = []
    _take(report, records)
    return found.mime, found.embeds


def _read_plain(report: Report, data: Buffer) -> str:
    """Text and machine files: a sidecar, or a note inside, carries the record."""
    beside = sidecar(report.path, ".aigc.json")
    note = report.path.suffix.lower() == ".vtt"
    text = bytes(data[:TEXT_LIMIT]).decode("utf-8", "replace") if note else ""
    records = [match[1] for match in NOTE.finditer(text)]
    if beside.is_file():
        records.append(beside.read_text("utf-8", "replace")[:65536])
        report.kind = "text"
    _take(report, records)
    return "text/plain" if report.kind == "text" or sidecar(report.path, ".c2pa").is_file() else ""


def _take(report: Report, records: list[str]) -> None:
    if len(records) > 1:
        count = len(records)
        report.faults.append(Fault(f"it has {count} AIGC labels where one belongs", f"有 {count} 个 AIGC 标识，只应有一个"))
    for text in records[:1]:
        try:
            report.record = Record.loads(text)
        except ValueError as error:
            report.faults.append(Fault(str(error)[:160], "AIGC 隐式标识填写有误"))


def _check_signature(report: Report, mime: str, embedded: bool, studio: Path | None) -> None:
    beside = sidecar(report.path, ".c2pa")
    try:
        detached = beside.read_bytes() if not embedded and beside.is_file() else None
        made = credentials.read(report.path, mime, authorities(studio), detached) if embedded or detached else None
    except Exception as error:  # The shape of a manifest is whatever its writer wished.
        why = type(error).__name__
        report.faults.append(Fault(f"its credentials are broken ({why})", f"内容凭证已损坏（{why}）"))
        return
    report.credentials = made
    if made is None:
        if claims_ours(report):
            where = "" if embedded else f" (there is no {beside.name} beside it)"
            report.faults.append(Fault(f"its signature is gone{where}", "签名已丢失"))
        return
    if not report.signed:
        why = made.why or made.state
        en = f"it was changed after signing, or its signature is damaged ({why})"
        report.faults.append(Fault(en, f"签名后被改动，或签名已损坏（{why}）"))
    if made.generator.startswith("Mofang"):
        if report.record is None and made.nature not in PERSONAL:
            report.faults.append(Fault("its AIGC label is gone", "AIGC 隐式标识已丢失"))
        elif report.record is not None and made.lineage.get("produceId") != report.record.produce_id:
            report.faults.append(Fault("its label and its signature belong to different files", "标识与签名不属于同一文件"))
    report.declared = report.signed and made.lineage.get("explicitLabel") is False


def _look(report: Report) -> None:
    """Whether the explicit label is there, if the file says it is ours and not a person's own."""
    if not claims_ours(report) or report.personal:
        return
    try:
        report.visible = visible(report.path, report.kind)
    except Exception as error:  # As above: decoders meet hostile bytes here.
        why = type(error).__name__
        report.faults.append(Fault(f"its content cannot be decoded ({why})", f"内容无法解码（{why}）"))
        return
    if report.visible is False and not report.declared:
        report.faults.append(Fault("its AI label cannot be seen, heard or read", "显式标识缺失或不可见"))
