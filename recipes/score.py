"""The data that `score`, the music model, learns from: openly usable scores in music21's corpus (BSD, inside its wheel).

    python recipes/score.py OUT [--noncommercial]

Licences, as the files and their folders say: Bach's chorales, Ryan's Mammoth Collection (1883), O'Neill's (1903), Aird's Airs
(1782), Joplin's Maple Leaf Rag: compositions out of copyright, encodings given to be shared. The Essen collection (`han`: Chinese
folk songs; German ones) is given to music21 for non-commercial use: it is taken only with `--noncommercial`, and a model that
learned from it says so. Palestrina's masses are left out: their encoder reserves all rights to derived formats.
"""

import argparse
import contextlib
import re
import signal
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mofang.sound.music import data
from mofang.sound.music.score import GRID, Key, Metre, Note, Score, Track
from mofang.sound.music.tokens import METRES, TRACKS

PUBLIC = "LicenseRef-public-domain"
NONCOMMERCIAL = "LicenseRef-Essen-noncommercial"
MOST_BARS = 160
LONGEST = 10.0
"""Seconds of processor time that music21 may take for one tune."""


@dataclass(frozen=True)
class Folder:
    """Files of the corpus: `pattern` below it, what style they are, how fast they go, on which instruments (General MIDI)."""

    pattern: str
    style: str
    tempo: float
    programs: tuple[int, ...]
    licence: str = PUBLIC


FOLDERS = (
    Folder("bach/bwv*.mxl", "chorale", 80, (52, 52, 52, 52)),
    Folder("ryansMammoth/*.abc", "fiddle", 110, (40,)),
    Folder("oneills1850/*.abc", "irish", 110, (40,)),
    Folder("airdsAirs/*.abc", "fiddle", 100, (40,)),
    Folder("joplin/*.mxl", "ragtime", 90, (0, 0)),
    Folder("essenFolksong/han*.abc", "folk-zh", 84, (73,), NONCOMMERCIAL),
    Folder("essenFolksong/[aebk][lrio][tkne]*.abc", "folk-de", 96, (73,), NONCOMMERCIAL),
)


def pieces(noncommercial: bool, most: int | None = None) -> Iterator[data.Piece]:
    """Every piece that can be written on the grid, `most` of each folder."""
    import music21

    corpus = Path(music21.__file__).parent / "corpus"
    for folder in FOLDERS:
        if folder.licence == NONCOMMERCIAL and not noncommercial:
            continue
        count = 0
        works = ((path, work) for path in sorted(corpus.glob(folder.pattern)) for work in _works(path))
        for path, work in works:
            if (score := to_score(work, folder)) is not None:
                count += 1
                yield data.Piece(score, f"music21 corpus: {path.relative_to(corpus)}", folder.licence)
                if count == most:
                    break
        print(f"{folder.pattern}: {count}", file=sys.stderr)  # noqa: T201


def _works(path: Path) -> Iterator[object]:
    """The pieces in a file; an ABC file may hold hundreds, and one that cannot be read does not take the others with it."""
    import music21

    try:
        if path.suffix != ".abc":
            yield music21.converter.parseFile(path, forceSource=True, storePickle=False)
            return
        text = path.read_text("utf-8", errors="replace")
    except Exception as error:  # music21 raises whatever its parsers stumble upon
        print(f"{path.name}: {str(error)[:80]}", file=sys.stderr)  # noqa: T201
        return
    for tune in re.split(r"^(?=X:)", text, flags=re.MULTILINE):
        if "K:" not in tune:
            continue  # what stands before the first tune
        try:
            with _limited(LONGEST):
                work = music21.abcFormat.translate.abcToStreamScore(music21.abcFormat.ABCFile().readstr(tune))
        except Exception as error:  # as above
            print(f"{path.name}, {tune[:12].splitlines()[:1]}: {str(error)[:80]}", file=sys.stderr)  # noqa: T201
            continue
        yield work


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raises `TimeoutError` after so long, so that one tune cannot hold up thousands."""

    def ring(*_: object) -> None:
        raise TimeoutError("it takes too long")

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def to_score(work: object, folder: Folder) -> Score | None:
    """A piece of music21's as ours; None for one that changes metre, has more than eight parts or is very long."""
    import music21

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with contextlib.suppress(Exception):  # repeats that do not close are played once
                work = work.expandRepeats()
            parts = list(work.parts) or [work]
            signs = [sign for part in parts for sign in part.recurse().getElementsByClass("TimeSignature")]
            metres = {(sign.numerator, sign.denominator) for sign in signs}
            if len(metres) != 1 or len(parts) > TRACKS or Metre(*next(iter(metres))) not in METRES:
                return None
            metre = Metre(*next(iter(metres)))
            lead = _upbeat(parts[0], metre)
            tracks = [_track(part, lead, folder.programs[min(number, len(folder.programs) - 1)]) for number, part in enumerate(parts)]
            signs = list(parts[0].recurse().getElementsByClass(music21.key.KeySignature))
    except Exception:  # as above
        return None
    tracks = [track for track in tracks if track.notes]
    if not tracks:
        return None
    sign = signs[0] if signs else None
    minor = getattr(sign, "mode", "major") in ("minor", "aeolian", "dorian")
    fifths = max(-7, min(7, sign.sharps)) if sign is not None else 0
    title = str(getattr(work.metadata, "title", "") or "") if work.metadata else ""
    score = Score(tuple(tracks), Key(fifths, minor), metre, folder.tempo, folder.style, title)
    return score if 4 <= score.bars <= MOST_BARS else None


def _upbeat(part: object, metre: Metre) -> int:
    """Steps of rest that make a short first measure a whole one."""
    measures = list(part.getElementsByClass("Measure"))
    if not measures:
        return 0
    first = round(float(measures[0].highestTime) * GRID)
    return metre.bar - first if 0 < first < metre.bar else 0


def _track(part: object, lead: int, program: int) -> Track:
    notes = set()
    for element in part.stripTies().flatten().notes:
        if element.duration.isGrace or "ChordSymbol" in element.classes:
            continue
        start = round(float(element.offset) * GRID) + lead
        end = round(float(element.offset + element.quarterLength) * GRID) + lead
        notes |= {Note(start, max(1, end - start), pitch.midi) for pitch in element.pitches}
    return Track(tuple(sorted(notes)), program, str(part.partName or "")[:40])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--noncommercial", action="store_true", help="take the Essen folk songs too")
    parser.add_argument("--most", type=int, help="of each folder, for a trial")
    given = parser.parse_args()
    found = data.write(given.out, pieces(given.noncommercial, given.most), {
        "command": f"python recipes/score.py OUT{' --noncommercial' if given.noncommercial else ''}"})  # fmt: skip
    sizes = {part: sum(entry.part == part for entry in found.entries) for part in data.PARTS}
    print(f"{given.out}: {len(found.tokens):,} events; pieces {sizes}", file=sys.stderr)  # noqa: T201
