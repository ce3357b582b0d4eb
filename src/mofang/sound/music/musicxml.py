"""MusicXML 4.0 (W3C), partwise: a score that notation programs open.

Each track becomes a part with as many voices as its notes overlap. A note is cut at bar lines and into values that can be
written (plain, dotted, triplet), tied together again; what nobody plays is rests.
"""

from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from mofang.sound.music.engrave.spelling import LETTERS, spelled
from mofang.sound.music.score import DRUMS, GRID, Key, Note, Score, Track
from mofang.studio.atomic import write_atomic

VALUES: dict[int, tuple[str, int, bool]] = {
    96: ("breve", 0, False), 72: ("whole", 1, False), 48: ("whole", 0, False), 36: ("half", 1, False), 24: ("half", 0, False),
    18: ("quarter", 1, False), 12: ("quarter", 0, False), 9: ("eighth", 1, False), 8: ("quarter", 0, True),
    6: ("eighth", 0, False), 4: ("eighth", 0, True), 3: ("16th", 0, False), 2: ("16th", 0, True), 1: ("32nd", 0, True),
}  # fmt: skip
"""Grid steps → the value's name, its dots, whether it is one of a triplet."""
MOST_VOICES = 4
TRIPLET = "<time-modification><actual-notes>3</actual-notes><normal-notes>2</normal-notes></time-modification>"


def to_xml(score: Score) -> str:
    """The score as the text of a .musicxml file."""
    names = [track.name or f"Part {number}" for number, track in enumerate(score.tracks, 1)]
    parts = "".join(
        f'<score-part id="P{number}"><part-name>{_text(name)}</part-name>'
        f'<score-instrument id="P{number}-I1"><instrument-name>{_text(name)}</instrument-name></score-instrument>'
        f'<midi-instrument id="P{number}-I1"><midi-channel>{10 if track.program == DRUMS else (number - 1) % 9 + 1}</midi-channel>'
        f"<midi-program>{1 if track.program == DRUMS else track.program + 1}</midi-program></midi-instrument></score-part>"
        for number, (name, track) in enumerate(zip(names, score.tracks, strict=True), 1))  # fmt: skip
    bodies = "".join(f'<part id="P{number}">{"".join(_measures(score, track, number == 1))}</part>'
                     for number, track in enumerate(score.tracks, 1))  # fmt: skip
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
            '"http://www.musicxml.org/dtds/partwise.dtd">\n<score-partwise version="4.0">'
            f"<work><work-title>{_text(score.title or 'Untitled')}</work-title></work>"
            f"<part-list>{parts}</part-list>{bodies}</score-partwise>\n")  # fmt: skip


def _text(text: str) -> str:
    """Escaped, without the characters XML forbids."""
    return escape("".join(letter for letter in text if letter >= " "))


def _measures(score: Score, track: Track, first: bool) -> Iterator[str]:
    bar = score.metre.bar
    voices = _voices(track.notes)
    words = _words(track)
    for number in range(max(1, score.bars)):
        start = number * bar
        body = _attributes(score, track, first) if number == 0 else ""
        for voice, notes in enumerate(voices, 1):
            inside = [note for note in notes if note.start < start + bar and note.end > start]
            if voice > 1 and not inside:
                continue
            body += f"<backup><duration>{bar}</duration></backup>" if voice > 1 else ""
            body += _voice(inside, start, bar, voice, score.key, words if voice == 1 else {})
        yield f'<measure number="{number + 1}">{body}</measure>'


def _words(track: Track) -> dict[int, str]:
    """Each syllable as MusicXML's `lyric`, by the step it is sung on."""
    found, inside = {}, False
    for word in track.lyrics:
        kind = ("middle" if inside else "begin") if word.goes_on else "end" if inside else "single"
        found[word.start] = f'<lyric number="1"><syllabic>{kind}</syllabic><text>{_text(word.text)}</text></lyric>'
        inside = word.goes_on
    return found


def _attributes(score: Score, track: Track, tempo: bool) -> str:
    pitches = [note.pitch for note in track.notes]
    if track.program == DRUMS:
        clef = "<sign>percussion</sign>"
    else:
        clef = "<sign>G</sign><line>2</line>" if not pitches or sum(pitches) / len(pitches) >= 57 else "<sign>F</sign><line>4</line>"
    said = (f'<direction placement="above"><direction-type><metronome><beat-unit>quarter</beat-unit><per-minute>{score.tempo:g}'
            f'</per-minute></metronome></direction-type><sound tempo="{score.tempo:g}"/></direction>') if tempo else ""  # fmt: skip
    return (f"<attributes><divisions>{GRID}</divisions><key><fifths>{score.key.fifths}</fifths>"
            f"<mode>{'minor' if score.key.minor else 'major'}</mode></key><time><beats>{score.metre.beats}</beats>"
            f"<beat-type>{score.metre.unit}</beat-type></time><clef>{clef}</clef></attributes>{said}")  # fmt: skip


def _voices(notes: tuple[Note, ...]) -> list[list[Note]]:
    """Notes laid into voices in which nothing overlaps but chords (same start, same end). Past the fourth voice, a note is
    cut to fit."""
    voices: list[list[Note]] = [[]]
    for note in sorted(notes):
        for voice in voices:
            if not voice or voice[-1].end <= note.start or voice[-1][:2] == note[:2]:
                voice.append(note)
                break
        else:
            if len(voices) < MOST_VOICES:
                voices.append([note])
                continue
            last = voices[-1]
            if last[-1].start == note.start:
                last.append(note._replace(duration=last[-1].duration))
                continue
            # The last one is cut short, with every note of its chord.
            begun = last[-1].start
            last[:] = [each._replace(duration=note.start - begun) if each.start == begun else each for each in last] + [note]
    return voices


def _voice(notes: list[Note], start: int, bar: int, voice: int, key: Key, words: dict[int, str]) -> str:
    at, text = start, ""
    groups: dict[int, list[Note]] = {}
    for note in notes:
        groups.setdefault(note.start, []).append(note)
    for begun, chord in sorted(groups.items()):
        first, last = max(begun, start), min(chord[0].end, start + bar)
        text += "".join(_element(None, size, voice, key) for size in _split(first - at, at - start))
        sizes = _split(last - first, first - start)
        for piece, size in enumerate(sizes):
            stop, go = piece > 0 or begun < start, piece < len(sizes) - 1 or chord[0].end > start + bar
            for place, note in enumerate(chord):
                word = words.get(begun, "") if not stop and place == 0 else ""
                text += _element(note.pitch, size, voice, key, place > 0, stop, go, word)
        at = last
    return text + "".join(_element(None, size, voice, key) for size in _split(start + bar - at, at - start))


def _split(steps: int, place: int) -> list[int]:
    """`steps` as values that can be written, largest first; triplet values only where nothing else fits."""
    sizes = []
    while steps > 0:
        if steps in VALUES:
            size = steps
        elif place % 3:
            # Off the plain grid: one small triplet value at a time, until back on it.
            size = next((value for value in (4, 2, 1) if value <= steps and (place + value) % 3 == 0), 1)
        else:
            size = max(value for value in VALUES if value <= steps)
        sizes.append(size)
        steps, place = steps - size, place + size
    return sizes


def _element(pitch: int | None, size: int, voice: int, key: Key, chord: bool = False, stop: bool = False, go: bool = False,
             lyric: str = "") -> str:  # fmt: skip
    kind, dots, triplet = VALUES[size]
    if pitch is None:
        what = "<rest/>"
    else:
        step, alter = spelled(pitch, key)
        altered = f"<alter>{alter}</alter>" if alter else ""
        what = f"<pitch><step>{LETTERS[step % 7]}</step>{altered}<octave>{step // 7 - 1}</octave></pitch>"
    kinds = [kind for kind, on in (("stop", stop), ("start", go)) if on]
    ties = "".join(f'<tie type="{kind}"/>' for kind in kinds)
    shown = "".join(f'<tied type="{kind}"/>' for kind in kinds)
    return (f"<note>{'<chord/>' if chord else ''}{what}<duration>{size}</duration>{ties}<voice>{voice}</voice><type>{kind}</type>"
            + "<dot/>" * dots
            + (TRIPLET if triplet else "") + (f"<notations>{shown}</notations>" if shown else "") + lyric + "</note>")  # fmt: skip


def write(path: Path, score: Score) -> None:
    """Write the score as MusicXML, whole or not at all."""
    write_atomic(path, to_xml(score))
