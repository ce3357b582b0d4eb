"""How pieces that a model composes compare with held-out ones: styles, scales, pitch classes, durations, melodies copied.

A piece is composed to the key, metre, scale, tempo and length (up to `MOST` bars) of a held-out piece drawn at random: else what
is measured is how many jigs and minor keys there are. What is measured is the whole of it: whether a classifier of styles
(nearest mean of melody features, learned from the training pieces) tells the style; the time inside the best major scale, and
histograms of pitch classes above the tonic and of durations, each against the 95th percentile of what as many real pieces differ
by from the rest of them; notes inside runs of 12 that stand in a training melody.
"""

import numpy as np

from common import Row
from mofang.sound.music import compose, copying, data, tokens
from mofang.sound.music.mood import scale_name
from mofang.sound.music.network import Network
from mofang.sound.music.score import DRUMS, Key, Score

MOST = 24
"""Bars of a composed piece at most."""
SPLITS = 400
FEWEST = 9
"""Notes of a melody whose features say something."""


def melody(score: Score) -> tuple:
    """The notes of the first track that has any."""
    return next((track.notes for track in score.tracks if track.notes), ())


def features(score: Score) -> np.ndarray:
    """A melody's steps, durations and places in the bar as roots of shares, (25 + 24 + 24,): distances are Hellinger's."""
    notes = melody(score)
    steps = np.clip(np.diff([note.pitch for note in notes]), -12, 12).astype(int) + 12
    lengths = np.clip([note.duration // 2 - 1 for note in notes], 0, 23)
    places = [note.start % score.metre.bar * 24 // score.metre.bar for note in notes]
    counts = (np.bincount(steps, minlength=25), np.bincount(lengths, minlength=24), np.bincount(places, minlength=24))
    return np.concatenate([np.sqrt(count / max(1, count.sum())) for count in counts])


def classes(score: Score) -> np.ndarray:
    """Share of the time on each pitch class above the tonic, (12,)."""
    out = np.zeros(12)
    for track in score.tracks:
        for note in track.notes if track.program != DRUMS else ():
            out[(note.pitch - score.key.tonic) % 12] += note.duration
    return out / max(1, out.sum())


def rhythm(score: Score) -> np.ndarray:
    """Share of the notes with each duration up to a whole, (48,)."""
    lengths = [min(note.duration, 48) - 1 for track in score.tracks for note in track.notes]
    return np.bincount(lengths, minlength=48) / max(1, len(lengths))


def inside(score: Score) -> np.ndarray:
    """Share of the time that lies in the best of the major scales, (1,)."""
    heard = np.roll(classes(score), score.key.tonic)
    scales = [np.roll([1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1], Key(fifths).tonic) for fifths in range(-5, 7)]
    return np.array([max(heard @ scale for scale in scales)])


MEASURES = (("time inside the best scale", inside, "share"), ("pitch classes", classes, "variation"),
            ("durations", rhythm, "variation"))  # fmt: skip


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """How far the means of two sets of pieces (n, size) lie apart: total variation, or the difference of two shares."""
    return float(np.abs(a.mean(0) - b.mean(0)).sum() / (2 if a.shape[1] > 1 else 1))


def spread(pieces: np.ndarray, size: int, rng: np.random.Generator) -> float:
    """What `size` real pieces and the others differ by: the 95th percentile of many splits."""
    size = min(size, len(pieces) // 2)
    orders = [rng.permutation(len(pieces)) for _ in range(SPLITS)]
    return float(np.quantile([apart(pieces[order[:size]], pieces[order[size:]]) for order in orders], 0.95))


def wish(style: str, like: Score, seed: int) -> compose.Wish:
    """A piece of the measures of `like`."""
    return compose.Wish(style, min(MOST, max(4, like.bars)), like.key, like.metre, like.tempo, scale_name(like), seed)


def likeness(music: data.Data, model, count: int, seed: int, tell) -> list[Row]:
    """The rows of `count` pieces composed in each style that `model` (a folder) knows."""
    network, index, rng = Network.open(model), copying.open_index(model), np.random.default_rng(seed)

    def scores(style: str, *parts: str) -> list[Score]:
        found = [tokens.decode(piece) for part in parts for piece in music.pieces(part, style)]
        return [score for score in found if len(melody(score)) >= FEWEST]

    held = {style: scores(style, "validation", "test") for style in compose.styles(model)}
    known = [style for style in held if len(held[style]) >= 4]
    means = {style: np.mean([features(score) for score in scores(style, "train")], 0) for style in known}

    def named(score: Score) -> str:
        return min(known, key=lambda style: float(np.square(features(score) - means[style]).sum()))

    rows, right, right_real, copied, copied_real = [], [], [], [], []
    for style in known:
        likes = [held[style][at] for at in rng.integers(0, len(held[style]), count)]
        made = [compose.compose(network, known, wish(style, like, seed * 1000 + at)) for at, like in enumerate(likes)]
        told = [named(score) == style for score in made]
        right.append(np.mean(told))
        right_real.append(np.mean([named(score) == style for score in held[style]]))
        copied += [index.copied(score).share for score in made]
        copied_real += [index.copied(score).share for score in held[style]]
        for what, measure, unit in MEASURES:
            ours, theirs = (np.stack([measure(score) for score in pieces]) for pieces in (made, held[style]))
            far, usual = apart(ours, theirs), spread(theirs, count, rng)
            rows.append(Row(f"{style}: {what}, {count} composed to {len(theirs)} held out", unit, far, usual, "real to real, 95 %",
                            usual / max(far, 1e-9), "inside", far <= usual))  # fmt: skip
        tell(f"{style}: {np.mean(told):.2f} told, {np.mean([score.bars for score in made]):.1f} bars a piece")
    share, rate = float(np.mean(right)), float(np.mean(copied))
    rows.append(Row("style told from the melody, styles alike", "share", share, float(np.mean(right_real)), "held-out pieces",
                    goal="≥ 0.8", met=share >= 0.8))  # fmt: skip
    rows.append(Row("melodies copied, runs of 12 notes", "share of notes", rate, float(np.mean(copied_real)), "held-out pieces",
                    goal="≤ 0.02", met=rate <= 0.02))  # fmt: skip
    return rows
