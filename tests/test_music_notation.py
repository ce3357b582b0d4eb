"""Engraved notation: spelling, values, beams, accidentals, ties, and what stands on the page."""

from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mofang import models, trust
from mofang.sound.music import notation
from mofang.sound.music.engrave import shapes
from mofang.sound.music.engrave.bars import rests, staves, values
from mofang.sound.music.engrave.spacing import bar_of, systems
from mofang.sound.music.engrave.spelling import LETTERS, signature, spelled
from mofang.sound.music.musicxml import VALUES
from mofang.sound.music.score import DRUMS, Key, Metre, Note, Score, Track
from mofang.studio import UserError

font = pytest.mark.skipif(not models.installed(notation.FONT), reason="the font is not here")


def line(*items, program=73, key=Key(0), metre=Metre(4, 4)):  # noqa: B008
    """A score of (pitch or None, steps) one after another."""
    at, notes = 0, []
    for pitch, size in items:
        if pitch is not None:
            notes.append(Note(at, size, pitch))
        at += size
    return Score((Track(tuple(notes), program),), key, metre, 96.0, title="春 Spring")


@pytest.mark.parametrize("pitch, key, said", [
    (61, Key(-1, True), "C#"), (68, Key(0, True), "G#"), (70, Key(1), "Bb"), (66, Key(-4), "Gb"), (61, Key(5), "C#"),
    (71, Key(-7), "Cb"), (60, Key(7), "B#"), (63, Key(0), "Eb"), (66, Key(0), "F#"), (75, Key(1, True), "D#"),
])  # fmt: skip
def test_pitches_are_spelled_in_their_key(pitch, key, said):
    step, alter = spelled(pitch, key)
    assert LETTERS[step % 7] + {-1: "b", 0: "", 1: "#"}[alter] == said
    natural = (0, 2, 4, 5, 7, 9, 11)[step % 7] + step // 7 * 12
    assert natural + alter == pitch


@given(st.integers(0, 127), st.integers(-7, 7))
def test_every_pitch_has_a_letter(pitch, fifths):
    step, alter = spelled(pitch, Key(fifths))
    assert (0, 2, 4, 5, 7, 9, 11)[step % 7] + step // 7 * 12 + alter == pitch and abs(alter) <= 2
    assert len(signature(Key(fifths))) == abs(fifths)


@given(st.integers(0, 95), st.integers(1, 96), st.sampled_from([Metre(4, 4), Metre(3, 4), Metre(6, 8), Metre(2, 2), Metre(5, 8)]))
def test_any_length_is_written_in_values(place, size, metre):
    for found in (values(place, size, metre), rests(place, size, metre)):
        assert sum(found) == size and all(value in VALUES for value in found)


def test_beats_can_be_seen():
    four = Metre(4, 4)
    assert values(6, 12, four) == [12] and values(9, 12, four) == [3, 9] and values(0, 36, four) == [36]
    assert rests(12, 36, four) == [12, 24] and rests(3, 9, four) == [3, 6] and rests(18, 18, Metre(6, 8)) == [18]
    (staff,), = staves(line((60, 6), (62, 6), (64, 6), (65, 6), (67, 3), (67, 3), (67, 6), (67, 12)))
    beams = [event.beam for event in staff.bars[0]]
    assert beams == [0, 0, 0, 0, 1, 1, 1, -1]


def test_ties_rests_and_two_voices():
    (staff,), = staves(line((60, 36), (None, 6), (62, 30)))
    first, second = staff.bars
    assert [(event.start, event.size, bool(event.heads), event.tied) for event in first] == [
        (0, 36, True, ()), (36, 6, False, ()), (42, 6, True, (0,))]  # fmt: skip
    assert second[0].size == 24 and not second[0].tied and [event.size for event in second[1:]] == [24]
    both = Score((Track((Note(0, 48, 60), Note(0, 24, 72), Note(24, 24, 74)), 73),))
    (staff,), = staves(both)
    assert staff.twofold == {0} and {event.voice for event in staff.bars[0] if event.heads[0].step < 40} == {1}


def test_a_keyboard_has_two_staves_and_drums_their_clef():
    score = Score((Track((Note(0, 48, 40), Note(0, 48, 72)), 0), Track((Note(0, 12, 36),), DRUMS), Track((Note(0, 12, 40),), 32)))
    assert [[staff.clef for staff in group] for group in staves(score)] == [["G", "F"], ["drums"], ["F"]]


def signs(score, number=0):
    written = [staff for group in staves(score) for staff in group]
    size = score.metre.bar
    return sorted(bar_of(written, number, number * size, size, score.key, len).signs.values())


def test_accidentals_hold_for_a_bar():
    assert signs(line((66, 12), (66, 12), (65, 12), (65, 12))) == [0, 1]
    assert signs(line((66, 12), (65, 12), key=Key(1))) == [0]
    tied = line((60, 36), (66, 24), (66, 12), (65, 12))
    assert signs(tied) == [1] and signs(tied, 1) == [0, 1]


def test_systems_reach_the_margin_and_nothing_collides():
    score = line(*[(60 + n % 12, 6 if n % 3 else 12) for n in range(120)])
    written = [staff for group in staves(score) for staff in group]
    bars = [bar_of(written, n, n * 48, 48, score.key, len) for n in range(score.bars)]
    lines = systems(bars, lambda first: 90.0)
    assert sum(len(each) for each in lines) == score.bars
    assert all(abs(sum(bar.width for bar in each) - 90) < 1e-6 for each in lines[:-1])
    for bar in (bar for each in lines for bar in each):
        assert all(b - a >= 1.3 for a, b in pairwise(bar.columns.values())) and max(bar.columns.values()) < bar.width


def test_signs_are_outlines_of_a_sensible_size():
    for path, height in ((shapes.clef("G"), 7), (shapes.clef("F"), 3.6), (shapes.sign(1), 2.8), (shapes.head("black"), 0.95),
                         (shapes.rest("quarter"), 3), (shapes.flag(True), 2.8)):  # fmt: skip
        assert abs(path.computeTightBounds().height() - height) < 0.45


@font
def test_the_page_shows_the_notes():
    score = line((67, 12), (69, 12), (71, 24), (72, 48), key=Key(1))
    picture = np.asarray(Image.open(BytesIO(notation.png(score, ["春", "江", "花", "月"], space=10))))
    assert picture.ndim == 2 and picture.shape[1] == 1160
    # The staff's five lines run through the whole system.
    rows = np.flatnonzero((picture < 128).sum(1) > 300)
    lines = rows[np.insert(np.diff(rows) > 1, 0, True)]
    assert len(lines) == 5 and set(np.diff(lines)) <= {9, 10, 11}
    assert (picture[lines[-1] + 25 :] < 128).any()  # the syllables
    drawing = notation.svg(score)
    assert drawing.count("<path") > 25 and 'width="928"' in drawing


@font
@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 80), st.integers(30, 95), st.sampled_from([0, 40, DRUMS])), min_size=1,
                max_size=25), st.integers(-7, 7), st.sampled_from([Metre(4, 4), Metre(6, 8), Metre(3, 2), Metre(5, 8)]))  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_any_score_can_be_engraved(notes, fifths, metre):
    programs = sorted({note[3] for note in notes})
    tracks = tuple(Track(tuple(sorted(Note(*note[:3]) for note in notes if note[3] == program)), program) for program in programs)
    assert notation.svg(Score(tracks, Key(fifths), metre)).endswith("</svg>\n")


def test_what_cannot_be_written_down_is_said_in_a_line():
    with pytest.raises(UserError, match="no notes"):
        notation.svg(Score(()))
    with pytest.raises(UserError, match="601 bars"):
        notation.png(Score((Track((Note(600 * 48, 12, 60),)),)))


@font
def test_staves_leave_with_their_marks(tmp_path):
    for name, data in (("a.svg", notation.svg(line((67, 48))).encode()), ("a.png", notation.png(line((67, 48))))):
        (tmp_path / name).write_bytes(data)
        path = trust.publish(tmp_path / name, tmp_path / "out" / name, trust.Claim("a tune"), tmp_path / "studio").path
        report = trust.verify(path, tmp_path / "studio")
        assert report.ok and report.record and report.visible
