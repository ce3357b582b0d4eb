"""Music made for a film: chosen by its scenes, as long as it to the sample, composed once, its makers named."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from mofang import models, trust
from mofang.apps import compose as composing
from mofang.apps.make import music
from mofang.apps.make.board import Wishes, board
from mofang.apps.make.script import from_file
from mofang.apps.make.storyboard import Picture, Shot, Storyboard, Tune, loads
from mofang.apps.remake import remake
from mofang.sound import pcm
from mofang.sound.mix import RATE, Clip, mix
from mofang.sound.music import band, compose, data, midi
from mofang.sound.music.score import Key, Metre, Note, Score, Track
from mofang.studio import Studio, UserError

TUNE = Tune("folk-zh", "G", 84.0, "pentatonic")


def tune(seed):
    """Eight bars that walk about a pentatonic scale."""
    rng = np.random.default_rng(seed)
    scale, place, at, notes = (60, 62, 64, 67, 69, 72, 74, 76), 3, 0, []
    while at < 8 * 24:
        place = int(np.clip(place + rng.integers(-2, 3), 0, 7))
        notes.append(Note(at, 12, scale[place]))
        at += 12
    return Score((Track(tuple(notes), 73),), Key(0), Metre(2, 4), 84.0, "folk-zh", f"tune {seed}")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    pytest.importorskip("torch")
    from mofang.sound.music.learn import Course, learn
    from mofang.sound.music.train import Settings
    from mofang.training.budget import Budget
    from mofang.training.loop import Plan

    prepared = data.write(tmp_path_factory.mktemp("music") / "data", [data.Piece(tune(n), "a test", "CC0-1.0") for n in range(24)], {})
    course = Course("nano", Settings(context=96, batch=8, precision="float32"), Plan(Budget(30, "steps"), validations=1, samples=1))
    return learn(prepared, tmp_path_factory.mktemp("run") / "tunes", course)


@pytest.fixture
def studio(model, tmp_path, monkeypatch):
    monkeypatch.setenv("MOFANG_WEIGHTS", str(tmp_path))  # before whatever ships
    (tmp_path / "score").symlink_to(model)
    opened = Studio(tmp_path / "studio")
    yield opened
    opened.close()


def story(lang="zh", *texts):
    shots = tuple(Shot(f"s{n}", text, Picture(words=text)) for n, text in enumerate(texts or ("湖面很静。",)))
    return Storyboard("x", lang, shots)


@pytest.mark.parametrize("seconds", [5.0, 9.0, 14.2, 31.0, 60.0, 61.3, 125.0, 600.0, 1190.0])
def test_bars_fit_any_film_at_about_the_tempo(seconds):
    fit = music.fitted(TUNE, seconds)
    room = seconds - band.TAIL
    tempo = fit.movements * fit.bars * 2 * 60 / room
    assert fit.bars <= 32 and abs(tempo / 84 - 1) < (0.35 if seconds < 10 else 0.16)
    assert seconds < 10 or fit.bars % 4 == 0
    assert music.fitted(fit, seconds * 1.08) == fit  # other words, the same piece
    assert seconds > 600 or music.fitted(fit, seconds * 2 + 10) != fit


def test_the_scenes_choose(studio):
    sad = music.scored(story("zh", "他孤独地哭了，很伤心。", "没有人来，他很难过。"), "score", studio.folder)
    assert sad.score.style == "folk-zh" and sad.score.scale == "pentatonic" and sad.score.mood in ("sad", "lonely")
    assert sad.score.key == "Em" and sad.score.tempo < 84
    glad = music.scored(story("en", "Everyone laughs and dances happily.", "A joyful party!"), "score", studio.folder)
    assert glad.score.key == "G" and glad.score.tempo > 84
    told = music.scored(story(), "style=folk-zh,mood=festive,tempo=96,key=Am,seed=7", studio.folder).score
    assert (told.mood, told.tempo, told.key, told.seed) == ("festive", 96.0, "Am", 7)


def test_files_and_none_are_as_before(studio, tmp_path, monkeypatch):
    assert music.scored(story(), "none", studio.folder).score is None
    assert music.scored(story(), "a/tune.wav", studio.folder).score is None
    monkeypatch.setattr(models, "installed", lambda name: False)
    assert music.scored(story(), "", studio.folder).score is None
    (tmp_path / "t.md").write_text("---\nmusic: none\n---\n\n小狐狸看月亮。\n", "utf-8")
    assert board(from_file(tmp_path / "t.md"), Wishes(), tmp_path).music == ""
    with pytest.raises(UserError, match="no music file"):
        board(from_file(tmp_path / "t.md"), Wishes(music="gone.wav"), tmp_path)


def test_without_a_model_a_film_goes_without(tmp_path, monkeypatch):
    monkeypatch.setattr(music.own, "shelves", lambda studio=None: [])
    assert music.scored(story(), "", tmp_path).score is None
    with pytest.raises(UserError, match="no model"):
        music.scored(story(), "score", tmp_path)


@pytest.mark.parametrize("asked, said", [
    ("style=polka", "not learned"), ("mood=hungry", "no mood"), ("key=H", "no key"), ("tempo=fast", "tempo=90"),
    ("tempo=9000", "30 to 250"), ("style=", "says nothing"),
    ("style=folk-zh,colour=red", "says nothing"), ("model=nobody", "no model"),
])  # fmt: skip
def test_wishes_that_cannot_be_are_said_in_a_line(studio, asked, said):
    with pytest.raises(UserError, match=said) as caught:
        music.scored(story(), asked, studio.folder)
    assert "\n" not in str(caught.value)


def test_the_storyboard_keeps_the_score():
    kept = replace(story(), score=replace(TUNE, movements=2, bars=16))
    assert loads(kept.dumps()) == kept and json.loads(kept.dumps())["score"]["bars"] == 16
    for wrong in ({"tempo": 5}, {"bars": "x"}, {"colour": 1}, {"seed": -1}):
        value = json.loads(kept.dumps())
        value["score"].update(wrong)
        with pytest.raises(UserError, match="score"):
            loads(json.dumps(value))


def test_movements_follow_one_another():
    whole = music.joined([tune(0), tune(1), tune(0)], 8)
    notes = whole.tracks[0].notes
    assert whole.end == 24 * 24 and len(notes) == 48 and notes[0].pitch == notes[32].pitch
    assert all(a.end <= b.start for a, b in pairwise(notes))


def test_music_made_to_measure_is_laid_as_it_is():
    tone = np.sin(np.arange(4 * RATE) * 2 * np.pi * 440 / RATE).astype(np.float32) * 0.2
    laid = mix([], 4.0, tone)
    assert np.abs(laid[:480]).max() > 0.1  # no fade
    assert np.abs(mix([], 4.0, tone[: 3 * RATE])[:480]).max() < 0.01


@pytest.fixture
def playing(monkeypatch):
    """A player of plain tones, so that the score's part in a film can be tested without the SoundFont."""

    def play(score, soundfont=None):
        sound = np.zeros((round((score.seconds + band.TAIL) * band.RATE), 2), np.float32)
        for note in score.tracks[0].notes:
            first, last = (round(at / 12 * 60 / score.tempo * band.RATE) for at in (note.start, note.end))
            turn = 2 * np.pi * 440 * 2 ** ((note.pitch - 69) / 12) / band.RATE
            sound[first:last] += 0.1 * np.sin(np.arange(last - first) * turn)[:, None]
        return sound

    monkeypatch.setattr(band, "play", play)


def test_a_film_gets_music_of_its_length_once(studio, playing, monkeypatch):
    composed = []
    real = compose.compose
    monkeypatch.setattr(compose, "compose", lambda *a, **k: (composed.append(1), real(*a, **k))[1])
    whose = music.credits(studio, TUNE)
    assert whose[0].licence == "CC0-1.0" and "FluidR3Mono" in whose[1].title
    first = music.fitted(TUNE, 30.0)
    *movements, played = music.played(studio, first, 30.0, whose)
    sound = pcm.read(played.asset.path, band.RATE, channels=2)
    assert len(sound) == 30 * band.RATE and played.made.credits == whose
    score = midi.read(movements[0].asset.path)
    last = [note for track in score.tracks for note in track.notes if note.end == score.end]
    assert score.bars == first.bars and {note.pitch % 12 for note in last} == {Key(1).tonic}
    assert abs(np.abs(sound[int(27.9 * band.RATE) : int(27.98 * band.RATE)]).max() - 0.1) < 0.02  # it sounds until the tail
    again = music.played(studio, first, 30.0, whose)
    assert again[-1].asset.id == played.asset.id and len(composed) == 1
    longer = music.fitted(first, 31.5)  # a caption changed
    other = music.played(studio, longer, 31.5, whose)
    assert longer == first and len(composed) == 1 and other[0].asset.id == movements[0].asset.id
    assert other[-1].made.facts["tempo"] < played.made.facts["tempo"]
    assert remake(studio, played.asset)[0] == played.asset.id


def test_a_long_film_is_a_rondo(studio, playing):
    fit = music.fitted(TUNE, 150.0)
    assert fit.movements == 4
    *movements, played = music.played(studio, fit, 150.0, ())
    assert len(played.recipe.parents) == 4 and len(movements) == 3
    assert played.recipe.parents[0] == played.recipe.parents[2]
    keys = [midi.read(studio.asset(parent).path).key.name for parent in played.recipe.parents]
    assert keys == ["G", "D", "G", "C"]


def test_a_voice_is_heard_over_it(studio, playing):
    *_, played = music.played(studio, music.fitted(TUNE, 12.0), 12.0, ())
    bed = pcm.read(played.asset.path, RATE, channels=2)
    voice = (0.3 * np.random.default_rng(0).standard_normal(3 * RATE)).astype(np.float32)
    both, alone = mix([Clip(voice, RATE, 4.0)], 12.0, bed), mix([], 12.0, bed)
    level = [np.sqrt(np.square(both[a * RATE : b * RATE]).mean()) / np.sqrt(np.square(alone[a * RATE : b * RATE]).mean())
             for a, b in ((1, 3), (4, 7))]  # fmt: skip
    assert level[1] > 2 * level[0]


def test_scores_leave_with_their_marks(studio, tmp_path):
    order = composing.Order(compose.Wish("folk-zh", 8, seed=2))
    targets = tuple(tmp_path / "out" / name for name in ("a.mid", "a.musicxml", "a.png"))
    for path in composing.compose_to(studio, order, targets).paths:
        report = trust.verify(path, studio.folder)
        assert report.ok and report.record and report.visible, (path, report.faults)
        recipe = json.loads(report.credentials.lineage["recipe"])
        assert recipe["engine"] == "score" and recipe["params"]["bars"] == 8
    assert b"Mofang-Recipe=" in targets[0].read_bytes() and midi.read(targets[0]).bars == 8
