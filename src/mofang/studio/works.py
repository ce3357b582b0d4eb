"""Works: what the creator brings in, under which licence, and with whose consent."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from mofang.studio.errors import UserError
from mofang.studio.library import Studio, file_hash, now
from mofang.studio.recipe import canonical

KINDS = {
    "text": {".txt", ".md", ".markdown", ".jsonl", ".epub", ".docx", ".srt", ".vtt", ".html"},
    "image": {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".svg"},
    "audio": {".wav", ".mp3", ".flac", ".m4a", ".ogg", ".opus", ".aac"},
    "score": {".mid", ".midi", ".musicxml", ".mxl", ".abc"},
    "video": {".mp4", ".mov", ".mkv", ".webm"},
}


@dataclass(frozen=True)
class Consent:
    """Who allowed what, until when.

    `who` is the person the work belongs to or shows (`self` for the creator), `scope` what it may be used for
    (`train`, `clone-voice`, `publish`, comma-separated), `until` the last day (ISO 8601) or empty for no end,
    `revoked` the moment consent was taken back, or empty.
    """

    who: str
    scope: str = "train,publish"
    until: str = ""
    revoked: str = ""

    def covers(self, use: str, today: date | None = None) -> bool:
        """Whether this consent allows `use` today."""
        if self.revoked or use not in {part.strip() for part in self.scope.split(",")}:
            return False
        return not self.until or (today or date.today()) <= date.fromisoformat(self.until)


@dataclass(frozen=True)
class Work:
    """One file the creator brought in: SHA-256 (`id`), where it lies, and its papers."""

    id: str
    path: Path
    kind: str
    size: int
    licence: str
    author: str
    consent: Consent
    added: str


def add(studio: Studio, path: Path, licence: str, consent: Consent, author: str = "") -> tuple[list[Work], list[Path]]:
    """Take in a file or a folder (hidden files and links aside). Returns the works and what was passed over.

    The files stay where they are; their hashes are kept, so a changed file is noticed when it is used.
    """
    if not licence.strip():
        raise UserError("say under which licence: --licence CC-BY-4.0, or --licence own for your own works")
    if not consent.who.strip():
        raise UserError("say whose consent you have: --consent self, or --consent 'NAME'")
    if consent.until:
        try:
            date.fromisoformat(consent.until)
        except ValueError as error:
            raise UserError(f"'{consent.until}' is no date; write it as 2027-12-31") from error
    if not path.exists():
        raise UserError(f"{path} does not exist; give a file or a folder of works")
    works, passed = [], []
    for file in [path] if path.is_file() else sorted(files_in(path)):
        try:
            str(file.resolve()).encode()
        except UnicodeEncodeError as error:  # The catalogue is UTF-8.
            raise UserError(f"the name of {file} is no UTF-8 text; rename it") from error
        kind = next((kind for kind, suffixes in KINDS.items() if file.suffix.lower() in suffixes), "")
        if not kind or file.stat().st_size == 0:
            passed.append(file)
            continue
        works.append(Work(file_hash(file), file.resolve(), kind, file.stat().st_size, licence, author, consent, now()))
    if not works:
        raise UserError(f"nothing in {path} is a text, picture, recording, score or film that can be read")
    with studio.catalogue.transaction():
        for work in works:
            studio.catalogue.execute(
                "INSERT OR REPLACE INTO works VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                work.id,
                str(work.path),
                work.kind,
                work.size,
                work.licence,
                work.author,
                canonical(asdict(work.consent)),
                work.added,
            )
    return works, passed


def files_in(folder: Path) -> Iterator[Path]:
    """The files in a folder and its folders, in no order, without what lies hidden or is a link."""
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not path.is_symlink() and not hidden:
            yield path


def all_works(studio: Studio) -> list[Work]:
    """Every work taken in, oldest first."""
    rows = [dict(row) for row in studio.catalogue.execute("SELECT * FROM works ORDER BY added, path")]
    return [
        Work(**{**row, "path": Path(row["path"]), "consent": Consent(**json.loads(row["consent"]))}) for row in rows
    ]


def to_learn_from(studio: Path | None) -> dict[str, Work]:
    """The registered works of the studio in a folder, by hash and by path; empty where there is no studio."""
    if studio is None or not (studio / "studio.db").exists():
        return {}
    opened = Studio(studio)
    try:
        # The same file may be registered under several papers; the last word counts, and a refusal outweighs.
        works = sorted(all_works(opened), key=lambda work: not work.consent.covers("train"))
        return {key: work for work in works for key in (work.id, str(work.path))}
    finally:
        opened.close()


def must_cover_training(work: Work, name: str, what: str) -> None:
    """Raise `UserError` if nobody consents (any longer) to training on a work, which is called `name` and is a `what`."""
    if not work.consent.covers("train"):
        why = "was taken back" if work.consent.revoked else "does not cover training"
        raise UserError(f"{name}: the consent of {work.consent.who} {why}; leave the {what} out, or register new "
                        "consent with: mofang works add")  # fmt: skip


def revoke(studio: Studio, work: Work) -> None:
    """Take consent for a work back, from now on."""
    consent = {**asdict(work.consent), "revoked": now()}
    studio.catalogue.execute("UPDATE works SET consent = ? WHERE id = ?", canonical(consent), work.id)
