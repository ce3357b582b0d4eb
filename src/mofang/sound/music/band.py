"""The band: a score through a SoundFont, mixed: places in the room, the room itself, an equaliser, −14 LUFS."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mofang import models
from mofang.sound.engines.base import Samples
from mofang.sound.loudness import normalise
from mofang.sound.music.midi import apart
from mofang.sound.music.score import DRUMS, GRID, Score, Track
from mofang.sound.music.soundfont import only
from mofang.sound.reverb import equalise, reverb
from mofang.studio.errors import UserError

RATE = 48_000
SOUNDFONT = "soundfont-fluidr3mono"
TAIL = 2.0
"""Seconds that a last note may ring."""
LONGEST = 1200.0
"""Seconds of a piece that is played."""
WIDTH = 0.55
"""How far from the middle the outermost track sits (1: on a loudspeaker)."""
TONE = ((20, -24), (35, -3), (60, 0), (200, 0), (320, -1.5), (600, 0), (3500, 0), (8000, 1.5), (20000, 1.0))
"""The master's curve: rumble out, a little mud out, a little air in."""
LARGEST_SOUNDFONT = 1 << 30
MIDDLE = np.array((0.5, 0.5), np.float32)
"""What makes one channel of two."""


def play(score: Score, soundfont: Path | None = None, *, room: float = 0.16, lufs: float = -14.0) -> Samples:
    """The score as stereo sound at 48 kHz, (n, 2). `room` is how much of the reverb is heard.

    Raises `UserError` without the synthesiser or the SoundFont, and for a piece of more than twenty minutes or none.
    """
    parts = placed(score, soundfont)
    dry = next(parts)[1]
    for _, part in parts:
        dry += part
    return normalise(finished(dry, room), RATE, lufs)


def placed(score: Score, soundfont: Path | None = None) -> Iterator[tuple[Track, Samples]]:
    """Each track with notes at its place between the loudspeakers, dry, (n, 2). Raises `UserError` as `play` does."""
    if not score.end:
        raise UserError("there is nothing to play: the piece has no notes")
    if score.seconds > LONGEST:
        raise UserError(f"the piece lasts {score.seconds / 60:.0f} minutes; {LONGEST / 60:.0f} are played at most: cut it")
    tracks = [track for track in score.tracks if track.notes]
    synth, font = _synth(only(_font(soundfont), {_preset(track) for track in tracks}))
    length = round((score.seconds + TAIL) * RATE)
    for number, track in enumerate(tracks):
        side = 0.0 if track.program == DRUMS or len(tracks) == 1 else WIDTH * (2 * number / (len(tracks) - 1) - 1)
        angle = (side + 1) * np.pi / 4
        # Equal power: as loud on the way from one side to the other.
        solo, stereo = _solo(track, score.tempo, length, synth, font), np.empty((length, 2), np.float32)
        stereo[:, 0], stereo[:, 1] = solo * np.float32(np.cos(angle)), solo * np.float32(np.sin(angle))
        yield track, stereo


def finished(dry: Samples, room: float = 0.16) -> Samples:
    """`dry` (n, 2) in its room, equalised, its last notes faded: all linear, so that tracks may be finished one by one."""
    wet = reverb(dry, RATE)[: len(dry)]
    mixed = equalise(dry + np.float32(room) * wet, RATE, TONE)
    fade = round(0.5 * RATE)
    mixed[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None] ** 2
    return mixed


def _font(path: Path | None) -> bytes:
    place = path or models.ensure(SOUNDFONT).file("soundfont")
    try:
        if place.stat().st_size > LARGEST_SOUNDFONT:
            raise UserError(f"{place} is far too large for a SoundFont; give an .sf2 or .sf3")
        data = place.read_bytes()
    except OSError as error:
        raise UserError(f"the SoundFont {place} cannot be read: {error.strerror}; run: mofang models pull {SOUNDFONT}") from error
    if data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        raise UserError(f"{place} is no SoundFont; give an .sf2 or .sf3, or run: mofang models pull {SOUNDFONT}")
    return data


def _synth(font: bytes) -> tuple[Any, int]:
    """A synthesiser and the SoundFont in it."""
    try:
        import tinysoundfont
    except ImportError as error:
        raise UserError("playing a score needs tinysoundfont; run: pip install --no-deps tinysoundfont") from error
    synth: Any = tinysoundfont.Synth(samplerate=RATE)
    try:
        return synth, int(synth.sfload(font))
    except Exception as error:  # its own errors share no base but this
        raise UserError(f"the SoundFont cannot be read ({str(error)[:60]}); run: mofang models pull {SOUNDFONT}") from error


def _preset(track: Track) -> tuple[int, int]:
    """Bank and program of a track's instrument."""
    return (128, 0) if track.program == DRUMS else (0, track.program)


def _solo(track: Track, tempo: float, length: int, synth: Any, font: int) -> Samples:
    """One track alone, (length,)."""
    try:
        synth.sounds_off(0)
        synth.program_select(0, font, *_preset(track), track.program == DRUMS)
    except Exception as error:  # as above
        raise UserError(f"the SoundFont has no instrument for program {track.program} ({str(error)[:60]}); give another") from error
    scale = 60 / tempo / GRID * RATE
    notes = apart(track.notes)
    # What stops comes before what begins, so that a repeated note is struck again.
    events = sorted([(round(note.end * scale), 0, note.pitch, 0) for note in notes]
                    + [(round(note.start * scale), 1, note.pitch, note.velocity) for note in notes])  # fmt: skip
    out, at = np.zeros(length, np.float32), 0
    for moment, on, pitch, velocity in [*events, (length, 0, -1, 0)]:
        until = min(moment, length)
        if until > at:
            out[at:until] = np.frombuffer(synth.generate(until - at), np.float32).reshape(-1, 2) @ MIDDLE
            at = until
        if pitch >= 0:
            synth.noteon(0, pitch, velocity) if on else synth.noteoff(0, pitch)
    return out
