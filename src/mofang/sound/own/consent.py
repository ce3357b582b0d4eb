"""Whose voice may be learned: no recording is trained on without a consent on record that covers it, by its hash.

The record is the studio's (`mofang.studio.works`): who, for what, until when, of exactly which file. It is asked for
when recordings are prepared and again whenever a training begins or goes on, here and not in the interface.
"""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from mofang.studio.errors import UserError
from mofang.studio.library import Studio, file_hash
from mofang.studio.works import Work, all_works

USE = "clone-voice"
"""What a consent's scope must name."""


def granted(studio: Path | None, path: Path) -> Work:
    """The work on record for the recording at `path`. Raises `UserError` if there is none that allows its voice to be learned."""
    return _covering(records(studio), file_hash(path), path.name)


def still_granted(studio: Path | None, works: Iterable[dict[str, Any]]) -> None:
    """Raise `UserError` unless every recording in a corpus's manifest is still allowed; synthetic works need no one's leave."""
    known: list[Work] | None = None
    for work in works:
        if not work.get("synthetic"):
            known = records(studio) if known is None else known
            _covering(known, str(work.get("sha256")), str(work.get("name")))


def records(studio: Path | None) -> list[Work]:
    """Every work the studio knows; none if there is no studio."""
    if studio is None or not (studio / "studio.db").exists():
        return []
    opened = Studio(studio)
    try:
        return all_works(opened)
    finally:
        opened.close()


def _covering(known: list[Work], sha256: str, name: str) -> Work:
    found = [work for work in known if work.id == sha256]
    for work in found:
        if work.consent.covers(USE):
            return work
    how = f"mofang sound consent add FILE --who NAME --scope train,{USE}"
    if not found:
        raise UserError(f"{name}: there is no consent on record for this recording; record it with: {how}")
    consent = found[-1].consent
    if consent.revoked:
        why = f"was taken back on {consent.revoked[:10]}"
    elif consent.until and date.today() > date.fromisoformat(consent.until):
        why = f"ended on {consent.until}"
    else:
        why = f"does not cover {USE} (it covers {consent.scope})"
    raise UserError(f"{name}: the consent of {consent.who} {why}; leave the recording out, or record a new one: {how}")


def may_speak(card: dict[str, Any], studio: Path | None = None) -> None:
    """Raise `UserError` if a voice was made of recordings whose consent has ended by the card's own account, or has been
    taken back by the studio's."""
    works = card.get("trained_on", [])
    if not isinstance(works, list) or not all(isinstance(work, dict) for work in works):
        raise UserError("this model's card does not say what it learned from; take the model's folder whole, or train it again")
    for work in works:
        until = str(work.get("until") or "")
        try:
            ended = bool(until) and date.today() > date.fromisoformat(until)
        except ValueError:
            ended = True
        if ended:
            raise UserError(f"the consent of {work.get('consent')} for this voice ended on {until}; train it again under a new one")
    hashes = {str(work.get("sha256")) for work in works if work.get("sha256")}
    for record in records(studio) if hashes else []:
        if record.id in hashes and record.consent.revoked:
            raise UserError(f"{record.consent.who} took back the consent for this voice on {record.consent.revoked[:10]}; "
                            "it may not speak any more")  # fmt: skip
