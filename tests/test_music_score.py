"""Scores: MIDI and MusicXML round trips, bad files in a line, events without loss, transposition."""

import xml.etree.ElementTree as ET
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mofang.sound.music import data, midi, musicxml, roll, tokens
from mofang.sound.music.score import DRUMS, GRID, Key, Metre, Note, Score, Track, key_named, metre_named
from mofang.studio import UserError

SAID = st.integers(0, 31).map(lambda step: 4 * step + 2)
NOTE = st.builds(Note, st.integers(0, 600), st.integers(1, 300), st.integers(12, 115), SAID)
TRACK = st.builds(lambda notes, program: Track(tuple(sorted({note[:3]: note for note in notes}.values())), program),
                  st.lists(NOTE, min_size=1, max_size=20), st.integers(0, DRUMS))  # fmt: skip
SCORE = st.builds(lambda tracks, fifths, minor, metre, tempo, style: Score(tuple(tracks), Key(fifths, minor), metre, tempo, style),
                  st.lists(TRACK, min_size=1, max_size=tokens.TRACKS), st.integers(-7, 7), st.booleans(),
                  st.sampled_from(tokens.METRES), st.sampled_from(tokens.TEMPI).map(float),
                  st.sampled_from(tokens.STYLES))  # fmt: skip


@given(SCORE)
@settings(max_examples=60, deadline=None)
def test_events_lose_nothing(score):
    assert tokens.decode(tokens.encode(score)) == score


@given(st.lists(st.integers(0, tokens.VOCABULARY - 1), max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_events_are_some_score(ids):
    score = tokens.decode(ids)
    assert all(note.duration > 0 for track in score.tracks for note in track.notes)
    tokens.places(ids)


@given(SCORE, st.integers(-6, 6))
@settings(max_examples=40, deadline=None)
def test_transposing_events_is_transposing_the_score(score, semitones):
    moved = tokens.decode(tokens.transpose(tokens.encode(score), semitones))
    assert moved == score.transposed(semitones)
    if semitones:
        assert moved.key.tonic == (score.key.tonic + semitones) % 12


def chorale():
    soprano = [Note(0, 12, 67), Note(12, 12, 69), Note(24, 24, 71), Note(48, 48, 72)]
    bass = [Note(0, 24, 43, 90), Note(24, 12, 47, 90), Note(36, 60, 48, 90)]
    tracks = (Track(tuple(soprano), 52, "女高音 <S>"), Track(tuple(bass), 58, "Bass"))
    return Score(tracks, Key(-2, True), Metre(4, 4), 90.0, "chorale", "试&试")


def test_midi_round_trip(tmp_path):
    midi.write(tmp_path / "a.mid", chorale())
    back = midi.read(tmp_path / "a.mid")
    assert [track.notes for track in back.tracks] == [track.notes for track in chorale().tracks]
    assert (back.key, back.metre, round(back.tempo, 2)) == (Key(-2, True), Metre(4, 4), 90.0)


def chunked(*chunks):
    head = b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x01\xe0"
    return head + b"".join(b"MTrk" + size.to_bytes(4, "big") + body for size, body in chunks)


@pytest.mark.parametrize("content, said", [
    (b"", "no MIDI file"), (b"Dear diary", "no MIDI file"), (chunked((0xFFFFFFFF, b"\x00")), "damaged"),
    (chunked((4, b"\x00\xff\x2f\x00")), "no notes"), (b"MThd\x00\x00", "no MIDI file|damaged|no notes"),
    (chunked((15, b"\x00\x90\x3c\x40\xff\xff\xff\x7f\x80\x3c\x00\x00\xff\x2f\x00")), "hour|damaged|no notes"),
])  # fmt: skip
def test_bad_midi_in_a_line(tmp_path, content, said):
    path = tmp_path / "bad.mid"
    path.write_bytes(content)
    with pytest.raises(UserError, match=said) as caught:
        midi.read(path)
    assert "\n" not in str(caught.value)


def test_a_million_notes_and_ten_hours_are_refused(tmp_path):
    path = tmp_path / "many.mid"
    body = b"\x01\x90\x3c\x40\x01\x3c\x00" * 200_000 + b"\x00\xff\x2f\x00"
    path.write_bytes(chunked((len(body), body)))
    with pytest.raises(UserError, match="200,000 notes"):
        midi.read(path)
    midi.write(path, Score((Track((Note(0, 12, 60), Note(10 * 3600 * 2 * GRID, 12, 60))),), tempo=120.0))
    with pytest.raises(UserError, match="longer than 1 hour"):
        midi.read(path)
    with pytest.raises(UserError, match="cannot be read"):
        midi.read(tmp_path / "none.mid")


def sounding(xml):
    """(part, start, end, pitch) of a MusicXML text, ties joined."""
    found = []
    for part in ET.fromstring(xml).iter("part"):
        at, begun, going = 0, 0, {}
        for measure in part.iter("measure"):
            for element in measure:
                size = int(element.findtext("duration", "0"))
                if element.tag == "backup":
                    at -= size
                elif element.tag == "note":
                    begun = begun if element.find("chord") is not None else at
                    at = begun + size
                    step = element.findtext("pitch/step")
                    if step is None:
                        continue
                    pitch = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[step] + int(element.findtext("pitch/alter", "0"))
                    pitch += 12 * (int(element.findtext("pitch/octave")) + 1)
                    ties, voice = [tie.get("type") for tie in element.findall("tie")], element.findtext("voice")
                    first = going.pop((voice, pitch), None) if "stop" in ties else begun
                    assert first is not None
                    if "start" in ties:
                        going[voice, pitch] = first
                    else:
                        found.append((part.get("id"), first, at, pitch))
        assert not going
    return sorted(found)


def test_musicxml_says_the_same_notes():
    rng = np.random.default_rng(0)
    notes = {(start, int(rng.integers(40, 84))): int(rng.integers(1, 24)) for start in np.cumsum(rng.integers(6, 20, 60)).tolist()}
    tracks = (Track(tuple(sorted(Note(start, size, pitch) for (start, pitch), size in notes.items())), 0, "p"), *chorale().tracks)
    score = Score(tracks, Key(3), Metre(3, 4), 100.0)
    expected = sorted((f"P{number}", note.start, note.end, note.pitch)
                      for number, track in enumerate(tracks, 1) for note in track.notes)  # fmt: skip
    assert sounding(musicxml.to_xml(score)) == expected
    root = ET.fromstring(musicxml.to_xml(chorale()))
    assert root.findtext("work/work-title") == "试&试" and root.findtext(".//part-name") == "女高音 <S>"
    for measure in root.iter("measure"):
        lengths = sum(int(note.findtext("duration")) for note in measure.iter("note") if note.find("chord") is None)
        assert lengths == 48


@pytest.mark.parametrize("key", [Key(fifths, minor) for fifths in range(-7, 8) for minor in (False, True)])
def test_musicxml_spells_as_the_key_does(key):
    notes = tuple(Note(12 * number, 12, 21 + number) for number in range(88))
    xml = musicxml.to_xml(Score((Track(notes),), key))
    assert [pitch for *_, pitch in sounding(xml)] == list(range(21, 109))
    # The raised seventh of a minor key is a sharpened letter, never the flat of the next.
    written = {(each.findtext("step"), int(each.findtext("alter", "0"))) for each in ET.fromstring(xml).iter("pitch")}
    assert len(written) == 12 and (key.fifths or key.minor or {("C", 1), ("E", -1), ("F", 1), ("G", 1), ("B", -1)} < written)
    assert key != Key(-1, True) or (("C", 1) in written and ("D", -1) not in written)


def test_musicxml_opens_in_music21(tmp_path):
    music21 = pytest.importorskip("music21")
    musicxml.write(tmp_path / "a.musicxml", chorale())
    opened = music21.converter.parse(tmp_path / "a.musicxml", forceSource=True)
    got = [(round(note.offset * GRID), round(note.quarterLength * GRID), note.pitch.midi)
           for note in opened.parts[1].stripTies().flatten().notes]  # fmt: skip
    assert got == [note[:3] for note in chorale().tracks[1].notes]


def test_piano_roll_shows_notes_where_they_sound():
    picture = np.asarray(Image.open(BytesIO(roll.piano_roll(chorale(), step=4, row=8))))
    top = (74 - 72) * 8
    assert picture.shape[1] == 96 * 4 + 1
    assert (picture[top + 4, 48 * 4 + 20] < 200).any() and (picture[top + 4, 20] > 200).all()


def test_names_of_keys_and_metres():
    assert key_named("Bb") == Key(-2) and key_named("em") == Key(1, True) and key_named("F#m").tonic == 6
    assert Key(3, True).name == "F#m"
    assert metre_named("6/8").bar == 36 and metre_named("6/8").beat == 18 and metre_named("3/4").beat == 12
    for wrong in ("H", "", "G##", "4"):
        with pytest.raises(ValueError):
            key_named(wrong)
    for wrong in ("4", "0/4", "4/3", "99999999/4", "a/b"):
        with pytest.raises(ValueError):
            metre_named(wrong)


def test_data_folder_keeps_pieces_apart_and_refuses_what_is_none(tmp_path):
    tunes = {step: Track(tuple(Note(at * 12, 12, 60 + (at * step) % 7) for at in range(12)), 40) for step in (1, 2, 3)}
    pieces = [data.Piece(Score((tunes[step],), style="fiddle", title=str(step)), "a tune", "CC0-1.0") for step in (1, 2, 3, 2)]
    data.write(tmp_path / "d", pieces, {})
    opened = data.open_data(tmp_path / "d")
    assert opened.manifest["repeated"] == 1 and len(opened.entries) == 3
    assert tokens.decode(opened.pieces("train")[0]).tracks[0].notes[0].pitch == 60
    assert opened.pieces("validation") and not opened.pieces("validation", "chorale")
    with pytest.raises(UserError, match="nothing to learn"):
        data.write(tmp_path / "e", [], {})
    with pytest.raises(UserError, match="no music to learn from"):
        data.open_data(tmp_path)
