"""Scores that something is made of as assets: kept byte for byte, so that what is made of them can be made again."""

from contextlib import suppress
from pathlib import Path

from mofang import trust
from mofang.apps.recordings import as_it_is
from mofang.sound.music import midi
from mofang.sound.music.score import Score
from mofang.studio import Making, Studio, UserError
from mofang.studio.library import file_hash


def keep(studio: Studio, path: Path) -> Making:
    """The MIDI file as an asset, and whether it bears an AI mark; one that the studio has already stays what it is.

    Raises `UserError` for a file that cannot be read."""
    midi.read(path)
    with suppress(UserError):
        known = studio.asset(file_hash(path))
        if known.path.is_file():
            return studio.making(known)
    marked = trust.verify(path, studio.folder).generated
    return as_it_is(studio, path, ".mid", marked, "trainedAlgorithmicMedia" if marked else "digitalCreation")


def kept(studio: Studio, asset: str) -> Score:
    """A score that was kept. Raises `UserError` if it is gone."""
    path = studio.asset(asset).path
    if not path.is_file():
        raise UserError(f"the MIDI file it was made from is gone from {studio.folder}; run: mofang doctor")
    return midi.read(path)
