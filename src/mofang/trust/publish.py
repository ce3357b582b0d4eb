"""The only door out of the studio.

The order is fixed by what each step would break: first what a person sees or hears, then the record in the file, last
the signature over all of it. Then everything is read back from the finished file, and only a file that proves itself
appears at its target.
"""

import json
import secrets
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mofang.studio.atomic import desk_for, settle, sweep
from mofang.studio.errors import UserError
from mofang.trust import credentials, ledger
from mofang.trust.aigc import Record
from mofang.trust.carriers import Carrier, Malformed, carrier
from mofang.trust.credentials import PERSONAL, Claim
from mofang.trust.imprint import imprint
from mofang.trust.keys import keys
from mofang.trust.verify import OURS, opened, sidecar, verify

PLAIN = (".txt", ".vtt", ".srt", ".json", ".otio")
"""Files without a carrier. Text gets the label and two sidecars, WebVTT a NOTE with the record. Subtitles (SRT), JSON and
OpenTimelineIO are read by machines that a label would break: they go out as they are, and the ledger knows their hash."""


@dataclass(frozen=True)
class Receipt:
    """What was published: the file, its number in the ledger, its SHA-256, and the files beside it that speak for it."""

    path: Path
    produce_id: str
    sha256: str
    sidecars: tuple[Path, ...] = ()


def publish(source: Path, target: Path, claim: Claim, studio_folder: Path, *, explicit: bool = True) -> Receipt:
    """Label, sign, verify and write `source` to `target`, whole or not at all, and note it in the studio's ledger.

    Pictures, pages, text and sound get the explicit label here; a film must already show it in its first two seconds
    (`overlay`, burnt in by the renderer), which is checked. `explicit=False` leaves it out, for whoever has taken the duty
    to declare upon themselves (办法, art. 9); the signature says so. What a person made (`PERSONAL`) is signed and bears no
    AI label at all. The format goes by content, not by name.
    Raises `UserError`; nothing appears then, and what stood at `target` stays. What a kill left there of another try is swept.
    """
    from mofang.studio.library import file_hash

    found = _carrier(source, target)
    made = datetime.now(UTC)
    produce_id = f"{OURS}{made:%Y%m%d%H%M%S}-{secrets.token_hex(8)}"
    record = Record(claim.producer, produce_id).dumps()
    time = made.isoformat(timespec="seconds")
    with desk_for(target) as place:
        sweep(target.parent)
        desk = place / target.name
        beside: list[Path] = []
        if claim.nature in PERSONAL:
            shutil.copyfile(source, desk)
        elif found is None:
            beside += _plain(source, desk, record, claim.lang, explicit)
        else:
            _label(source, desk, found, record, claim, explicit)
        if found is not None or desk.suffix.lower() == ".txt":
            lineage = {"produceId": produce_id, "published": time, "explicitLabel": explicit}
            beside += _sign(desk, found, credentials.manifest(claim, lineage), studio_folder)
        _prove(desk, studio_folder, source)
        sha256 = file_hash(desk)
        # Before the file appears: a number in the ledger that no file bears does no harm, the opposite would.
        ledger.append(studio_folder, {"time": time, "file": target.name, "sha256": sha256, "produceId": produce_id,
                                      "title": claim.title, "explicit": explicit})  # fmt: skip
        # All of it on disk first: a disk that fills up leaves the old file and what speaks for it, a kill nothing that is half.
        settle({each: target.parent / each.name for each in (*beside, desk)})
    return Receipt(target, produce_id, sha256, tuple(target.parent / each.name for each in beside))


def _carrier(source: Path, target: Path) -> Carrier | None:
    """The source's format; None for a plain file. Raises `UserError` for what cannot be published under that name."""
    try:
        with opened(source) as data:
            found = carrier(data, target.suffix)
            empty = len(data) == 0
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {source}: {getattr(error, 'strerror', None) or 'not a file'}; check its name") from error
    if empty:
        raise UserError(f"{source.name} is empty; make it again")
    suffix = target.suffix.lower()
    fits = {
        "png": (".png",), "jpeg": (".jpg", ".jpeg"), "webp": (".webp",), "gif": (".gif",), "wav": (".wav",),
        "flac": (".flac",), "mp3": (".mp3",), "mp4": (".mp4", ".m4a", ".m4b", ".m4v", ".mov"), "pdf": (".pdf",),
        "svg": (".svg",), "midi": (".mid", ".midi"), "musicxml": (".musicxml", ".xml"),
        "markdown": (".md", ".markdown"), "": PLAIN,
    }  # fmt: skip
    name = found.name if found else ""
    if suffix in fits[name]:
        return found
    if found:
        raise UserError(f"{source.name} is {name}, and {target.name} would say otherwise; call it {target.stem}{fits[name][0]}")
    every = ", ".join(each[1:] for group in fits.values() for each in group)
    raise UserError(f"cannot publish {source.name} as '{suffix}': its content is none of the formats that can be; choose from {every}")


def _label(source: Path, desk: Path, found: Carrier, record: str, claim: Claim, explicit: bool) -> None:
    """The explicit label, then the record. Scores also say their recipe, which a sidecar that is lost could not."""
    seen = desk.with_name("seen" + desk.suffix)
    if not (explicit and imprint(source, seen, found.name, claim.lang)):
        seen = source
    try:
        if (recipe := claim.facts.get("recipe")) and found.remark is not None:
            told = desk.with_name("told" + desk.suffix)
            with opened(seen) as data, told.open("wb") as file:
                file.writelines(found.remark(data, str(recipe)))
            seen = told
        with opened(seen) as data, desk.open("wb") as file:
            file.writelines(found.write(data, record))
    except Malformed as error:
        raise UserError(f"{source.name} cannot be labelled: {error}; make or save it anew") from error


def _plain(source: Path, desk: Path, record: str, lang: str, explicit: bool) -> list[Path]:
    """Write a file that has no carrier; returns the sidecars made."""
    suffix = desk.suffix.lower()
    if suffix == ".vtt":
        head, _, cues = source.read_bytes().partition(b"\n")
        if not head.removeprefix(b"\xef\xbb\xbf").startswith(b"WEBVTT"):
            raise UserError(f"{source.name} does not begin with WEBVTT; export the subtitles again")
        desk.write_bytes(head + b"\n\nNOTE " + f"AI生成 AIGC {record}".encode() + b"\n\n" + cues.lstrip(b"\r\n"))
        return []
    if suffix == ".txt":
        if not (explicit and imprint(source, desk, "text", lang)):
            shutil.copyfile(source, desk)
        beside = sidecar(desk, ".aigc.json")
        beside.write_text(json.dumps({"AIGC": json.loads(record)}) + "\n", "utf-8")
        return [beside]
    shutil.copyfile(source, desk)
    return []


def _sign(desk: Path, found: Carrier | None, manifest: str, studio: Path) -> list[Path]:
    """Sign in place, or into a sidecar where the format cannot hold a manifest; returns the sidecars made."""
    signing = keys(studio)
    if found is not None and found.embeds:
        unsigned = desk.with_name("unsigned" + desk.suffix)
        desk.rename(unsigned)
        credentials.sign(unsigned, desk, found.mime, manifest, signing)
        return []
    beside = sidecar(desk, ".c2pa")
    credentials.sign(desk, beside, found.mime if found else "text/plain", manifest, signing, embed=False)
    return [beside]


def _prove(desk: Path, studio: Path, source: Path) -> None:
    """Read everything back from the finished file."""
    report = verify(desk, studio)
    if report.silent and desk.read_bytes() == source.read_bytes():
        return  # A machine's file, which says nothing in itself.
    if not report.ok:
        faults = "; ".join(fault.en for fault in report.faults) or "it bears no mark"
        hint = ", or let the renderer burn the label in" if report.visible is False else ""
        raise UserError(f"{desk.name} did not pass its own check ({faults}); nothing was published: make it again{hint}")
