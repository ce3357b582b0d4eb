"""A piano roll: the score as a picture, time to the right, pitch upwards, a colour for each track."""

from io import BytesIO

import numpy as np
from PIL import Image

from mofang.sound.music.score import DRUMS, Score

COLOURS = ((46, 100, 200), (214, 88, 60), (40, 150, 100), (150, 90, 190),
           (220, 160, 40), (70, 150, 180), (190, 80, 130), (110, 110, 110))  # fmt: skip
WIDEST = 16_000
"""Pixels."""


def piano_roll(score: Score, step: int = 4, row: int = 8) -> bytes:
    """PNG of the score: `step` pixels a grid step (fewer for a long piece), `row` a semitone. Bars are ruled, black keys shaded."""
    pitches = [note.pitch for track in score.tracks for note in track.notes]
    low, high = (min(pitches) - 2, max(pitches) + 2) if pitches else (58, 62)
    steps = max(score.bars, 1) * score.metre.bar
    step = max(1, min(step, WIDEST // steps))
    picture = np.full(((high - low + 1) * row, min(steps * step, WIDEST) + 1, 3), 252, np.uint8)
    for pitch in range(low, high + 1):
        top = (high - pitch) * row
        if pitch % 12 in (1, 3, 6, 8, 10):
            picture[top : top + row] = 240
        if pitch % 12 == 0:
            picture[top + row - 1] = 205
    for at in range(0, steps + 1, score.metre.beat):
        picture[:, at * step : at * step + 1] = 150 if at % score.metre.bar == 0 else 222
    for number, track in enumerate(score.tracks):
        colour = np.array((90, 90, 90) if track.program == DRUMS else COLOURS[number % len(COLOURS)], np.float32)
        for note in track.notes:
            top, left = (high - note.pitch) * row, note.start * step
            right = max(left + 2, left + note.duration * step - 1)
            fill = 255 - (255 - colour) * (0.4 + 0.6 * note.velocity / 127)
            picture[top + 1 : top + row - 1, left + 1 : right] = fill.astype(np.uint8)
            picture[top + 1 : top + row - 1, left + 1 : left + 2] = (colour * 0.6).astype(np.uint8)
    stream = BytesIO()
    Image.fromarray(picture).save(stream, "PNG", optimize=True)
    return stream.getvalue()
