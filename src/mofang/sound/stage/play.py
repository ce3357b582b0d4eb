"""Lines on a stage: when each begins, where it stands, and the room around all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mofang.sound.edit.pitch import pitch
from mofang.sound.edit.source import Sound
from mofang.sound.engines.base import Samples, Speech
from mofang.sound.loudness import normalise
from mofang.sound.mix import LONGEST, RATE, Clip, place
from mofang.sound.pcm import resample
from mofang.sound.reverb import reverb
from mofang.sound.stage.script import NARRATOR, Line
from mofang.studio.alignment import Aligned
from mofang.studio.errors import UserError

TURN, SAME, SCENE = 0.35, 0.2, 0.55
"""Seconds between two speakers, between lines of one, and around the narrator. Turns in talk are about 0.2 s apart (Stivers et
al., PNAS 106(26), 2009); listeners who see nobody need a little more."""
OVERLAP = 0.4
"""Seconds by which a line that breaks in begins before the other ends."""
WIDEST = 0.55
"""How far from the middle (0) towards a side (1) the outermost speaker stands."""
ROOMS = {"none": (0.0, 0.1), "studio": (0.06, 0.35), "room": (0.13, 0.7), "hall": (0.22, 1.8), "church": (0.32, 3.2)}
"""Room → how much of its answer is mixed in, and its reverberation time in seconds."""
LOUDNESS, PEAK = -16.0, -1.0
"""LUFS and dBTP of a performance: what AES TD1008 (2021) recommends for speech on demand, in stereo."""
TAIL = 0.4


@dataclass(frozen=True)
class Cue:
    """A line and from when to when (seconds) it is heard."""

    line: Line
    start: float
    end: float


def voiced(said: Speech, line: Line) -> Speech:
    """`said` as the line's delivery asks: its pitch moved with the formants kept, its level. Its speed is the voice's affair."""
    samples = said.samples
    if line.delivery.pitch:
        samples = pitch(Sound(samples[:, None], said.rate), line.delivery.pitch, formants=True).samples[:, 0]
    return Speech(samples * np.float32(10 ** (line.delivery.gain / 20)), said.rate, said.alignment)


def schedule(lines: Sequence[Line], seconds: Sequence[float], gap: float = 1.0) -> list[Cue]:
    """When each line is heard, from 0 on; `gap` stretches the rests between them. A line that breaks in begins before the one
    before it ends, though never before that one began."""
    cues: list[Cue] = []
    for line, length in zip(lines, seconds, strict=True):
        start = line.delivery.rest
        if cues:
            before = cues[-1]
            if line.delivery.breaks_in:
                start = max(before.start + min(0.5, before.end - before.start), before.end - OVERLAP) + line.delivery.rest
            else:
                start = max(cue.end for cue in cues[-3:]) + _rest(before.line, line) * gap + line.delivery.rest
        cues.append(Cue(line, start, start + length))
    return cues


def _rest(before: Line, line: Line) -> float:
    if before.speaker == line.speaker:
        return SAME
    return SCENE if NARRATOR in (before.speaker, line.speaker) else TURN


def seats(speakers: Sequence[str]) -> dict[str, float]:
    """Where each speaker stands, −1 (left) to 1: the narrator in the middle, the others spread by order of appearance."""
    others = [name for name in dict.fromkeys(speakers) if name != NARRATOR]
    if len(others) < 2:
        return dict.fromkeys(speakers, 0.0)
    spread = np.linspace(-WIDEST, WIDEST, len(others)).tolist()
    return {NARRATOR: 0.0} | dict(zip(others, spread, strict=True))


def panned(samples: Samples, where: float) -> Samples:
    """(n,) as (n, 2) at `where` in −1..1: equal power, unchanged in the middle."""
    angle = (where + 1) * np.pi / 4
    return np.stack([samples * np.float32(np.cos(angle)), samples * np.float32(np.sin(angle))], 1) * np.float32(2**0.5)


def perform(cues: Sequence[Cue], speeches: Sequence[Speech], places: Mapping[str, float], room: str = "studio") -> Samples:
    """The lines mixed in stereo at 48 kHz, (n, 2), in a room, mastered. Raises `UserError` for an unknown room or endless play."""
    if room not in ROOMS:
        raise UserError(f"there is no room '{room[:20]}'; choose one of: {', '.join(ROOMS)}")
    duration = max(cue.end for cue in cues) + TAIL
    if duration > LONGEST:
        raise UserError(f"the performance takes {duration / 3600:.1f} hours; perform at most {LONGEST // 3600}, scene by scene")
    clips = [Clip(panned(resample(said.samples, said.rate, RATE), places.get(cue.line.speaker, 0.0)), RATE, cue.start)
             for cue, said in zip(cues, speeches, strict=True)]  # fmt: skip
    dry = place(clips, round(duration * RATE))
    wet, tail = ROOMS[room]
    if wet:
        answer = reverb(dry, RATE, tail)
        dry = np.pad(dry, ((0, len(answer) - len(dry)), (0, 0))) + np.float32(wet) * answer
    return normalise(dry, RATE, LOUDNESS, PEAK)


def words(cue: Cue, said: Speech) -> list[Aligned]:
    """The words of a line at their times in the performance."""
    return [piece.shifted(cue.start) for piece in said.alignment]
