"""Standard MIDI files in and out, by symusic."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from mofang.sound.music.score import DRUMS, GRID, Key, Lyric, Metre, Note, Score, Track
from mofang.studio.atomic import write_atomic
from mofang.studio.errors import UserError
from mofang.studio.words import shown

LARGEST = 16 << 20
"""Bytes of a file that is read."""
MOST_NOTES = 100_000
LONGEST = 3600.0
"""Seconds of a piece that is read."""
TRACKS = 64


def read(path: Path) -> Score:
    """The score in a MIDI file, its notes moved to the nearest step of the grid.

    The first key, metre and tempo stand for the whole piece. Raises `UserError` for a file that is missing, damaged, has no
    notes, or is larger than a piece of music is.
    """
    import symusic

    if path.exists() and not path.is_file():
        raise UserError(f"{path} is no file; give a MIDI file")  # A pipe would be waited for without end.
    try:
        if path.stat().st_size > LARGEST:
            raise UserError(f"{path} has more than {LARGEST >> 20} MB, which is no piece of music; give a smaller MIDI file")
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}; give a MIDI file") from error
    if data[:4] != b"MThd":
        raise UserError(f"{path} is no MIDI file; give a .mid")
    _check_chunks(path, data)
    try:
        song: Any = symusic.Score.from_midi(data)
    except (RuntimeError, ValueError, MemoryError, OverflowError) as error:
        raise UserError(f"{path} is a damaged MIDI file ({str(error)[:60]}); export it again") from error
    count = int(song.note_num())
    if count == 0:
        raise UserError(f"{path} has no notes; give a MIDI file with music in it")
    if count > MOST_NOTES:
        raise UserError(f"{path} has {count:,} notes; {MOST_NOTES:,} are read at most: cut it into pieces")
    return _from_symusic(path, song)


def _check_chunks(path: Path, data: bytes) -> None:
    """Every chunk must fit in the file: a reader that trusts a size of 4 GB allocates it."""
    at, tracks = 0, 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        tracks += data[at : at + 4] == b"MTrk"
        at += 8 + size
        if at > len(data) or tracks > 4096:
            raise UserError(f"{path} is a damaged MIDI file (a chunk of {size:,} bytes does not fit); export it again")


def _from_symusic(path: Path, song: Any) -> Score:
    scale = GRID / max(1, song.ticks_per_quarter)
    tempo = float(song.tempos[0].qpm) if len(song.tempos) else 120.0
    tempo = min(max(tempo, 20.0), 300.0)
    if song.end() * scale / GRID * 60 / tempo > LONGEST:
        raise UserError(f"{path} lasts longer than {LONGEST / 3600:.0f} hour; cut it into pieces")
    metre = Metre()
    if len(song.time_signatures):
        first = song.time_signatures[0]
        if 1 <= first.numerator <= 24 and first.denominator in (1, 2, 4, 8, 16):
            metre = Metre(int(first.numerator), int(first.denominator))
    key = Key()
    if len(song.key_signatures):
        key = Key(max(-7, min(7, int(song.key_signatures[0].key))), bool(song.key_signatures[0].tonality))
    tracks: list[Track] = []
    for track in list(song.tracks)[:TRACKS]:
        notes = sorted({_on_grid(note, scale) for note in track.notes})
        if notes:
            tracks.append(Track(tuple(notes), DRUMS if track.is_drum else int(track.program) & 127, str(track.name)[:60]))
        if tracks and len(track.lyrics):
            # symusic gives the words a track of their own, after the one that sings them.
            words = tuple(Lyric(round(word.time * scale), text.removesuffix("-")[:60], text.endswith("-"))
                          for word in list(track.lyrics)[:MOST_NOTES] if (text := str(word.text).strip()))  # fmt: skip
            tracks[-1] = replace(tracks[-1], lyrics=words)
    return Score(tuple(tracks), key, metre, tempo, title=shown(path.stem))


def _on_grid(note: Any, scale: float) -> Note:
    start = round(note.time * scale)
    return Note(start, max(1, round(note.end * scale) - start), int(note.pitch) & 127, max(1, min(127, int(note.velocity))))


def to_bytes(score: Score) -> bytes:
    """The score as a MIDI file of 480 ticks a quarter."""
    import symusic

    song: Any = symusic.Score(480)
    song.tempos.append(symusic.Tempo(0, score.tempo))
    song.time_signatures.append(symusic.TimeSignature(0, *score.metre))
    song.key_signatures.append(symusic.KeySignature(0, score.key.fifths, int(score.key.minor)))
    ticks = 480 // GRID
    for track in score.tracks:
        drums = track.program == DRUMS
        part: Any = symusic.Track(track.name, 0 if drums else track.program, drums)
        for note in apart(track.notes):
            part.notes.append(symusic.Note(note.start * ticks, note.duration * ticks, note.pitch, note.velocity))
        for word in track.lyrics:
            part.lyrics.append(symusic.TextMeta(word.start * ticks, word.text + "-" * word.goes_on))
        song.tracks.append(part)
    return bytes(song.dumps_midi())


def apart(notes: Iterable[Note]) -> list[Note]:
    """A key cannot go down twice: a note still sounding ends where the same pitch begins again."""
    last: dict[int, int] = {}
    found: list[Note] = []
    for note in sorted(notes):
        before = last.get(note.pitch)
        if before is not None and found[before].end > note.start:
            if found[before].start == note.start:
                found[before] = note
                continue
            found[before] = found[before]._replace(duration=note.start - found[before].start)
        last[note.pitch] = len(found)
        found.append(note)
    return found


def write(path: Path, score: Score) -> None:
    """Write the score as a MIDI file, whole or not at all."""
    write_atomic(path, to_bytes(score))
