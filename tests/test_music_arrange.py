"""Music from music: harmonising, filling, varying, restyling; chords, moods and forms that are computed; tasks in training."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from click.testing import CliRunner

from mofang.cli import mofang
from mofang.sound.music import arrange, compose, data, form, harmony, lyrics, midi, mood, musicxml, sing, tasks, tokens
from mofang.sound.music.network import Network
from mofang.sound.music.score import Key, Lyric, Metre, Note, Score, Track
from mofang.studio import UserError

pytest.importorskip("torch")

from mofang.sound.music.learn import Course, learn
from mofang.sound.music.train import Settings
from mofang.training.budget import Budget
from mofang.training.loop import Plan


def chorale(seed, bars=8):
    """Four parts that move in chords of C major."""
    rng = np.random.default_rng(seed)
    chords = [(0, 4, 7), (5, 9, 0), (7, 11, 2), (0, 4, 7)]
    parts: list[list[Note]] = [[], [], [], []]
    for beat in range(bars * 4):
        chord = chords[beat // 4 % 4] if beat < bars * 4 - 4 else chords[0]
        for number, low in enumerate((67, 60, 53, 41)):
            pitches = [pitch for pitch in range(low, low + 12) if pitch % 12 in chord]
            parts[number].append(Note(beat * 12, 12, int(rng.choice(pitches)) if beat < bars * 4 - 1 else pitches[0]))
    return Score(tuple(Track(tuple(notes), 52) for notes in parts), Key(0), Metre(4, 4), 80.0, "chorale", f"chorale {seed}")


def tune(seed, bars=8):
    rng = np.random.default_rng(seed)
    notes = [Note(at * 6, 6, int(rng.choice((62, 64, 66, 67, 69, 71, 73, 74)))) for at in range(bars * 8)]
    return Score((Track(tuple(notes), 40),), Key(2), Metre(4, 4), 110.0, "fiddle", f"tune {seed}")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    pieces = [data.Piece(make(seed), "a test", "CC0-1.0") for seed in range(20) for make in (chorale, tune)]
    prepared = data.write(tmp_path_factory.mktemp("music") / "data", pieces, {})
    plan = Plan(Budget(30, "steps"), ema=0.9, validations=1, samples=1)
    course = Course("nano", Settings(context=256, batch=8, precision="float32"), plan)
    return learn(prepared, tmp_path_factory.mktemp("run") / "parts", course)


@pytest.fixture(scope="module")
def mind(model):
    return Network.open(model), compose.styles(model)


def test_a_melody_is_kept_note_for_note_and_parts_lie_under_it(mind):
    given = replace(chorale(99), tracks=chorale(99).tracks[:1])
    made = arrange.harmonise(*mind, compose.Wish("chorale", seed=2), given)
    assert made.tracks[0].notes == given.tracks[0].notes and len(made.tracks) == 4
    assert made.bars == given.bars and all(track.notes for track in made.tracks)
    assert all(note.start < given.end for track in made.tracks for note in track.notes)
    assert made == arrange.harmonise(*mind, compose.Wish("chorale", seed=2), given)
    with pytest.raises(UserError, match="one part"):
        arrange.harmonise(*mind, compose.Wish("fiddle"), given)


def test_a_gap_is_filled_and_nothing_else_is_touched(mind):
    given = tune(50)
    made = arrange.fill(*mind, compose.Wish("fiddle", seed=1), given, 4, 5)

    def outside(score):
        return [note for note in score.tracks[0].notes if not 3 * 48 <= note.start < 5 * 48]

    assert outside(made) == outside(given) and made != given
    inside = [note for note in made.tracks[0].notes if 3 * 48 <= note.start < 5 * 48]
    assert inside and max(note.end for note in inside) <= 5 * 48 and made.bars == given.bars
    for first, last in ((0, 2), (3, 2), (7, 9), (1, 8)):
        with pytest.raises(UserError, match="no gap"):
            arrange.fill(*mind, compose.Wish("fiddle"), given, first, last)


def test_a_variation_keeps_the_notes_on_the_beats(mind):
    given = tune(60)
    made = arrange.vary(*mind, compose.Wish("fiddle", seed=4), given)
    assert made.bars == given.bars and made.metre == given.metre

    def skeleton(score):
        return {note.start: note.pitch for note in score.tracks[0].notes if note.start % 12 == 0}

    said = {note.start: note.pitch for note in tasks.outline(given).tracks[0].notes if note.start < 7 * 48}
    assert said.items() <= skeleton(made).items() and made.tracks[0].notes != given.tracks[0].notes


def test_another_style_has_its_metre_and_parts(mind):
    made = arrange.vary(*mind, compose.Wish("chorale", seed=1), tune(61))
    assert made.style == "chorale" and len(made.tracks) == 4 and made.tempo == 80
    assert [note[:3] for note in made.tracks[0].notes] == [note[:3] for note in tasks.outline(tune(61)).tracks[0].notes]
    turned = arrange.vary(*mind, compose.Wish("fiddle", metre=Metre(6, 8)), chorale(5))
    assert turned.metre == Metre(6, 8) and turned.bars == 16


@pytest.mark.parametrize("seed", range(8))
def test_examples_of_every_task_fit_and_hold_their_places(seed):
    rng = np.random.default_rng(seed)
    piece = tokens.encode(chorale(seed, 12))
    tasks_seen = set()
    for _ in range(12):
        ids, places = tasks.example(piece, 300, rng)
        assert len(ids) == len(places) <= 301 and ids.max() < tokens.VOCABULARY
        assert places[:, 1].max() <= tokens.GIVEN
        task = tokens.TASKS[tokens.value(int(ids[0]))]
        tasks_seen.add(task)
        assert (tokens.MADE in ids) == (task != "compose")
        if task != "compose":
            at = int(np.flatnonzero(ids == tokens.MADE)[0])
            assert (places[at + 1 :, 1] < tokens.GIVEN).all()
    assert len(tasks_seen) > 1


def test_chords_are_those_that_are_played():
    found = harmony.chords(chorale(3))
    names = [harmony.chord_name(change.chord, Key(0)) for change in found]
    assert names[:3] == ["C", "F", "G"]
    assert [change.start for change in found[:3]] == [0, 48, 96]
    assert harmony.chord_name(harmony.transposed(0, 10), Key(-2)) == "Bb" and harmony.transposed(harmony.NONE, 3) == harmony.NONE
    assert harmony.chord_name(harmony.chords(Score(()))[0].chord, Key(0)) == "N.C."


def test_mood_scale_and_form_are_computed():
    assert mood.mood(tune(1)) == "lively" and mood.mood(replace(tune(1), tempo=40.0, key=Key(2, True))) == "sad"
    assert mood.mood(chorale(1)) == "solemn" and mood.mood(Score(())) == "any"
    five = Score((Track(tuple(Note(at * 12, 12, pitch) for at, pitch in enumerate((60, 62, 64, 67, 69)))),))
    assert mood.scale_name(five) == "pentatonic" and mood.scale_name(tune(1)) == "western"
    first = tune(1, 4).tracks[0].notes
    other = tuple(note._replace(start=note.start + 192) for note in tune(2, 4).tracks[0].notes)
    back = tuple(note._replace(start=note.start + 384) for note in first)
    whole = Score((Track(first + other + back, 40),))
    assert {bar: form.section_name(section) for bar, section in form.sections(whole).items()} == {0: "A", 4: "B", 8: "A"}


def test_a_form_in_words_is_laid_over_bars():
    plan = form.planned("intro A A' B A outro", 40)
    assert [(section.letter, section.primes, section.bars) for section in plan] == [
        ("intro", 0, 4), ("A", 0, 8), ("A", 1, 8), ("B", 0, 8), ("A", 0, 8), ("outro", 0, 4)]  # fmt: skip
    assert form.returns(plan, 12) == 4 and form.returns(plan, 19) is None and form.returns(plan, 20) is None
    assert form.returns(plan, 35) == 11 and form.planned("A B", 2) == [] and form.planned("", 16) == []
    with pytest.raises(ValueError, match="no form"):
        form.planned("verse chorus", 32)


def run(tmp_path, *arguments):
    return CliRunner().invoke(mofang, ["--studio", str(tmp_path / "studio"), *map(str, arguments)])


def test_the_commands_write_what_they_make(model, tmp_path):
    midi.write(tmp_path / "tune.mid", tune(70))
    for verb, *rest in (("harmonise", "--style", "chorale"), ("vary", "--style", "fiddle"), ("restyle", "--style", "chorale"),
                        ("fill", "--style", "fiddle", "--bars", "3-4"), ("compose", "--style", "fiddle", "--seconds", "20",
                         "--mood", "活泼", "--form", "intro A B A outro")):  # fmt: skip
        files = [] if verb == "compose" else [tmp_path / "tune.mid"]
        done = run(tmp_path, "music", verb, *files, tmp_path / f"{verb}.mid", "--model", model, *rest)
        assert done.exit_code == 0, (verb, done.output, done.exception)
        assert midi.read(tmp_path / f"{verb}.mid").bars >= 8
    assert abs(midi.read(tmp_path / "compose.mid").seconds - 20) < 0.5


@pytest.mark.parametrize("arguments, said", [
    (("fill", "--style", "fiddle", "--bars", "x"), "no bars"), (("fill", "--style", "fiddle", "--bars", "900"), "no gap"),
    (("vary", "--style", "polka"), "not learned"), (("harmonise", "--style", "fiddle"), "one part"),
    (("vary", "--style", "fiddle", "--mood", "hungry"), "no mood"),
])  # fmt: skip
def test_what_cannot_be_made_is_said_in_a_line(model, tmp_path, arguments, said):
    midi.write(tmp_path / "tune.mid", tune(70))
    done = run(tmp_path, "music", arguments[0], tmp_path / "tune.mid", tmp_path / "a.mid", "--model", model, *arguments[1:])
    assert isinstance(done.exception, UserError) and said in str(done.exception) and "\n" not in str(done.exception)


def test_words_are_parted_where_they_are_sung():
    said = ["-".join(lyrics.divided(word, count)) for word, count in (("twinkle", 2), ("little", 2), ("remember", 3), ("evening", 2),
            ("creation", 3), ("fire", 1), ("rhythm", 2), ("mmm", 1))]  # fmt: skip
    assert said == ["twin-kle", "lit-tle", "re-mem-ber", "eve-ning", "cre-a-tion", "fire", "rhythm", "mmm"]


def test_lyrics_are_lines_of_syllables_with_tones():
    ((first, second),) = lyrics.parse("床前明月光，疑是地上霜。")
    assert [(syllable.text, syllable.target) for syllable in first] == list(zip("床前明月光", (1, 1, 1, -1, 1), strict=True))
    assert len(second) == 5
    stanzas = lyrics.parse("How I wonder what you are\n\n我爱 music")
    assert [[len(line) for line in stanza] for stanza in stanzas] == [[7], [4]]
    for nothing in ("", " \n", "123 …"):
        with pytest.raises(UserError, match="nothing to sing"):
            lyrics.parse(nothing)
    with pytest.raises(UserError, match="601 syllables"):
        lyrics.parse("啦" * 601)


@pytest.mark.parametrize("metre", [Metre(2, 4), Metre(4, 4), Metre(3, 4), Metre(6, 8)])
@pytest.mark.parametrize("text", ["啦", "床前明月光", "落霞与孤鹜齐飞", "Twinkle twinkle little star how I wonder what you are"])
def test_a_line_has_a_note_a_syllable_within_its_bars(metre, text):
    (phrase,) = sing.laid(lyrics.parse(text), metre)
    assert len(phrase.places) == len(phrase.line) and phrase.places[0][0] == 0
    assert all(a + size <= b for (a, size), (b, _) in pairwise(phrase.places))
    assert sum(phrase.places[-1]) <= phrase.bars * metre.bar and all(size >= 6 for _, size in phrase.places)


def test_a_song_sings_every_syllable_and_stanzas_share_their_tune(mind):
    stanzas = lyrics.parse("床前明月光，\n疑是地上霜。\n\n举头望明月，\n低头思故乡。")
    song = sing.sing(*mind, compose.Wish("fiddle", seed=3, scale="pentatonic"), stanzas)
    track = song.tracks[0]
    assert "".join(word.text for word in track.lyrics) == "床前明月光疑是地上霜举头望明月低头思故乡"
    assert [word.start for word in track.lyrics] == [note.start for note in track.notes]
    assert [note.pitch for note in track.notes[:5]] == [note.pitch for note in track.notes[10:15]]
    assert track.notes[-1].pitch % 12 == song.key.tonic
    under = sing.sing(*mind, compose.Wish("fiddle", seed=3), stanzas, "chorale")
    assert len(under.tracks) == 4 and len(under.tracks[0].lyrics) == 20


def test_a_tune_rather_goes_with_the_tones(mind):
    stanzas = lyrics.parse("\n".join(["天大风冷天大", "山路花谢山路", "心痛星落心痛"]))
    against = total = 0
    for seed in range(3):
        track = sing.sing(*mind, compose.Wish("fiddle", seed=seed), stanzas).tracks[0]
        targets = [syllable.target for line in stanzas[0] for syllable in line]
        for (a, b), (first, second) in zip(pairwise(track.notes), pairwise(targets), strict=True):
            total += 1
            against += (b.pitch - a.pitch) * (second - first) < 0
    assert against / total < 0.35


def test_words_survive_midi_and_stand_in_musicxml(tmp_path):
    words = (Lyric(0, "Twin", True), Lyric(12, "kle"), Lyric(24, "星"))
    notes = tuple(Note(at * 12, 12, 67) for at in range(4))
    score = Score((Track(notes, 52, "", words),))
    midi.write(tmp_path / "a.mid", score)
    assert midi.read(tmp_path / "a.mid").tracks[0].lyrics == words
    xml = musicxml.to_xml(score)
    assert xml.count("<lyric ") == 3 and "<syllabic>begin</syllabic><text>Twin</text>" in xml and "<text>星</text>" in xml


def test_a_tune_that_is_given_is_sung(mind):
    song = sing.set_to(tune(1, 2), lyrics.parse("床前明月光"))
    assert [word.text for word in song.tracks[0].lyrics] == list("床前明月光") and song.tracks[0].notes == tune(1, 2).tracks[0].notes
    with pytest.raises(UserError, match="17 syllables, the melody 16 notes"):
        sing.set_to(tune(1, 2), lyrics.parse("啦" * 17))


def test_the_command_sings_and_remakes(model, tmp_path):
    (tmp_path / "song.txt").write_text("Twinkle, twinkle, little star,\nHow I wonder what you are!", "utf-8")
    done = run(tmp_path, "music", "sing", tmp_path / "song.txt", tmp_path / "a.mid", tmp_path / "a.musicxml", "--style", "fiddle",
               "--model", model, "--accompany", "chorale")  # fmt: skip
    assert done.exit_code == 0, (done.output, done.exception)
    assert [word.text for word in midi.read(tmp_path / "a.mid").tracks[0].lyrics][:4] == ["Twin", "kle", "twin", "kle"]
    for arguments, said in ((("none.txt",), "cannot be read"), (("…",), "nothing to sing"), ((" ",), "no lyrics"),
                            (("啦" * 40, "--melody", tmp_path / "a.mid"), "shorten")):  # fmt: skip
        done = run(tmp_path, "music", "sing", arguments[0], tmp_path / "b.mid", "--style", "fiddle", "--model", model, *arguments[1:])
        assert isinstance(done.exception, UserError) and said in str(done.exception) and "\n" not in str(done.exception)
