"""Recordings that a jukebox may learn from: public-domain scores of music21's corpus, played through the SoundFont.

    python recipes/jukebox.py OUT [--minutes 30] [--rate 16000]

The scores are those of `recipes/score.py` whose compositions are out of copyright and whose encodings are given to be shared
(Bach's chorales, fiddle and Irish tunes, ragtime); the SoundFont, FluidR3Mono, is MIT. Styles come by turns, so that all are
heard alike; at most forty seconds of a piece are played.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

import numpy as np
from score import FOLDERS, PUBLIC, _works, to_score

from mofang.sound import pcm
from mofang.sound.jukebox import data
from mofang.sound.music import band
from mofang.sound.music.score import Score
from mofang.studio import UserError

LONGEST = 40.0
"""Seconds of a piece that are played."""
SILENT = 0.003
"""An amplitude that is nothing yet."""


def scores(folder: object) -> Iterator[tuple[Score, str]]:
    """The pieces of a folder of the corpus, each with where it stands."""
    import music21

    corpus = Path(music21.__file__).parent / "corpus"
    for path in sorted(corpus.glob(folder.pattern)):
        for work in _works(path):
            if (score := to_score(work, folder)) is not None:
                yield score, f"music21 corpus: {path.relative_to(corpus)}"


def cut(score: Score) -> Score:
    """The piece's first `LONGEST` seconds, to the bar."""
    bars = max(1, int(LONGEST * score.bars / max(score.seconds, 1e-3)))
    end = bars * score.metre.bar
    return replace(score, tracks=tuple(replace(track, notes=tuple(note for note in track.notes if note.end <= end))
                                       for track in score.tracks))  # fmt: skip


def takes(minutes: float, rate: int) -> Iterator[data.Take]:
    """Pieces played, by turns from each folder, until there are enough minutes."""
    left = minutes * 60
    public = [folder for folder in FOLDERS if folder.licence == PUBLIC]
    for row in zip_longest(*(scores(folder) for folder in public)):
        for score, source in filter(None, row):
            if left <= 0:
                return
            try:
                sound = band.play(cut(score)).mean(1)
            except UserError as error:
                print(f"{score.title}: {error}", file=sys.stderr)  # noqa: T201
                continue
            sound = pcm.resample(np.asarray(sound, np.float32), band.RATE, rate)
            # An upbeat stands at the end of a bar that is silent before it; a model would learn to begin with nothing.
            sound = sound[np.argmax(np.abs(sound) > SILENT) :]
            left -= len(sound) / rate
            yield data.Take(sound, score.title or source, score.style, PUBLIC, source=source)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=int, default=16_000)
    given = parser.parse_args()
    command = f"python recipes/jukebox.py OUT --minutes {given.minutes:g} --rate {given.rate}"
    made = data.write(given.out, takes(given.minutes, given.rate), given.rate, {"command": command, "passed_over": []})
    styles = ", ".join(made.styles)
    print(f"{given.out}: {len(made.entries)} pieces, {made.manifest['seconds'] / 60:.1f} minutes ({styles})", file=sys.stderr)  # noqa: T201
