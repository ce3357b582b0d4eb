"""Stems: each track of a score as it stands in the mix, so that the stems added up are the mix before its limiter."""

from pathlib import Path

import numpy as np

from mofang.sound.engines.base import Samples
from mofang.sound.loudness import gain_to
from mofang.sound.music import band
from mofang.sound.music.score import DRUMS, Score, Track
from mofang.studio.errors import UserError

RATE = band.RATE


def stems(score: Score, soundfont: Path | None = None, lufs: float = -18.0) -> list[tuple[str, Samples]]:
    """(name, stereo at 48 kHz) of every track with notes, all equally long, under one gain that brings their sum to `lufs`.

    −18 LUFS leaves room for whoever mixes them again. Raises `UserError` for a piece of one voice or none.
    """
    if sum(bool(track.notes) for track in score.tracks) < 2:
        raise UserError("the piece has fewer than two tracks with notes, so there is nothing to separate")
    out = [(_name(track), band.finished(dry)) for track, dry in band.placed(score, soundfont)]
    gain = np.float32(gain_to(np.sum([samples for _, samples in out], axis=0), RATE, lufs))
    return [(name, samples * gain) for name, samples in out]


def _name(track: Track) -> str:
    return "drums" if track.program == DRUMS else (track.name or f"program {track.program}")
