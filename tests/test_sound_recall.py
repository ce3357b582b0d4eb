"""Sounds and scores tell the command that made them, with every setting; and come again from their recipes."""

import json
import shlex
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from mofang import models, trust
from mofang.apps.compose import produce
from mofang.apps.export import bare
from mofang.apps.remake import remake
from mofang.cli import mofang
from mofang.models import own
from mofang.sound import pcm
from mofang.sound.music import band, midi
from mofang.sound.music.score import GRID, Note, Score, Track
from mofang.studio import Studio, UserError

RATE = 24_000
needs_score = pytest.mark.skipif("score" not in own.names(), reason="the model of scores is not here")


def run(folder, *arguments):
    done = CliRunner().invoke(mofang, ["--studio", str(folder / "studio"), *map(str, arguments)])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def kept(folder):
    return {asset.id for asset in Studio(folder / "studio").assets(limit=-1)}


def again(folder, path):
    """Run the command that a file tells, into another file; its words. Nothing new is made: every setting came back."""
    words = shlex.split(run(folder, "recall", path))
    assert words[0] == "mofang" and words[-1] == path.name
    before = kept(folder)
    other = path.with_name("again" + path.suffix)
    run(folder, *words[1:-1], other)
    assert other.is_file() and kept(folder) == before, words
    return words


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    time = np.arange(4 * RATE) / RATE
    beat = (0.5 * np.sin(2 * np.pi * 220 * time) * np.exp(-8 * (time % 0.5))).astype(np.float32)
    pcm.write_wav(tmp_path / "one.wav", beat, RATE)
    pcm.write_wav(tmp_path / "-two.wav", (0.2 * np.sin(2 * np.pi * 330 * time[: 2 * RATE])).astype(np.float32), RATE)
    return tmp_path


@pytest.mark.parametrize("words", [
    "cut one.wav out.wav --from 0:00.5 --to 2", "cut one.wav out.flac --from 1 --to 1.5 --remove", "loop one.wav out.wav --least 1",
    "fade one.wav out.mp3 --in 0.1 --out 0.5 --curve linear", "tempo one.wav out.wav --bpm 100", "tempo one.wav out.wav --speed 1.25",
    "pitch one.wav out.wav --semitones -2.5 --formants", "loudness one.wav out.m4a --lufs -20 --peak -2",
    "join --crossfade 0.2 -- one.wav -two.wav one.wav out.wav", "join --gap 0.5 -- -two.wav one.wav out.wav",
    "mix --levels -6,3 --pans -1 --starts 0,0.5 --duck 6 -- -two.wav one.wav out.wav",
])  # fmt: skip
def test_every_setting_of_an_edit_comes_back(folder, words):
    run(folder, "sound", "edit", *shlex.split(words))
    (made,) = folder.glob("out.*")
    told = again(folder, made)
    assert told[1:4] == ["sound", "edit", words.split()[0]]
    asset = Studio(folder / "studio").asset(next(iter(trust.verify(made).credentials.lineage["parts"]))["asset"])
    assert remake(Studio(folder / "studio"), asset) == (asset.id, False)


def test_a_cleaning_and_an_effect_come_back(folder):
    options = ["--only", "click,loudness", "--strength", "0.5", "--pause", "1", "--lufs", "-18"]
    run(folder, "sound", "clean", "one.wav", "clean.flac", *options)
    words = again(folder, folder / "clean.flac")
    assert words[:3] == ["mofang", "sound", "clean"] and words[words.index("--only") + 1] == "click,loudness"
    run(folder, "sound", "effect", "雨", "rain.mp3", "--seconds", "1.5", "--seed", "7")
    assert again(folder, folder / "rain.mp3")[1:] == ["sound", "effect", "--seconds", "1.5", "--seed", "7", "--", "rain", "rain.mp3"]


def test_a_recording_that_is_gone_is_found_in_the_studio(folder):
    run(folder, "sound", "edit", "cut", "one.wav", "out.wav", "--to", "1")
    (folder / "one.wav").unlink()
    assert str(folder / "studio" / "assets") in again(folder, folder / "out.wav")[-2]


def test_speech_comes_back_and_tells_nobody_where_its_voice_lies(folder):
    text = "-- Good day:\n[read](/ɹˈɛd/) it."
    run(folder, "speech", "say", "--voice", "hibari", "--speed", "1.25", "--", text, folder / "s.flac")
    words = again(folder, folder / "s.flac")
    assert words[1:] == ["speech", "say", "--voice", "hibari", "--speed", "1.25", "--", text, "s.flac"]
    places = {"Fox": "transformers:/home/me/mms#1", "Owl": "transformers:facebook/mms", "way": "/home/me/a.wav", "it": 1}
    assert json.loads(bare(places)) == {"Fox": "transformers:mms#1", "Owl": "transformers:facebook/mms", "way": "a.wav", "it": 1}
    words = {"prompt": "/imagine a fox/ in the snow", "lyrics": "/la la\n/lu lu", "title": "/", "name": "//"}
    assert json.loads(bare(words)) == words


@needs_score
def test_a_score_by_a_model_from_elsewhere_tells_its_title_and_hash(folder, monkeypatch):
    place = folder / "else" / "mine"
    place.mkdir(parents=True)
    for file in own.find("score").iterdir():
        (place / file.name).symlink_to(file)
    run(folder, "music", "compose", "a.mid", "--style", "irish", "--bars", "2", "--model", place)
    # The same weights are on the shelf, and so the model is here, under its name.
    words = shlex.split(run(folder, "recall", "a.mid"))
    assert words[words.index("--model") + 1] == "score"
    monkeypatch.setattr(own, "shelves", lambda studio=None: [])
    done = CliRunner().invoke(mofang, ["--studio", str(folder / "studio"), "recall", "a.mid"])
    assert str(folder) not in done.stdout and "--model mine" in done.stdout
    title, mark = own.title(place), own.key(place).partition("@")[2]
    assert done.stderr.count("\n") == 1 and f"mine ({title}, SHA-256 {mark}…), which is not here" in done.stderr
    assert f"--model {place}" in run(folder, "recall", "a.mid", "--model", place)


def tune():
    notes = tuple(Note(at * GRID, GRID, pitch) for at, pitch in enumerate((60, 62, 64, 65, 67, 65, 64, 62) * 2))
    return Score((Track(notes, 40, "Fiddle"),), tempo=110.0)


@needs_score
@pytest.mark.parametrize("words", [
    "compose out.mid --style chorale --bars 4 --key Bb --metre 3/4 --tempo 72.5 --form '' --mood 平静 --seed 3 --temperature 0.8",
    "compose out.musicxml --style fiddle --seconds 12 --scale western --top-p 0.9",
    "compose out.mid --style irish --continue tune.mid",
    "harmonise tune.mid out.mid --seed 2", "vary tune.mid out.mid --style fiddle --mood bright",
    "restyle tune.mid out.mid --style irish --metre 6/8", "fill tune.mid out.mid --bars 2 --style fiddle",
    "sing '-- Row, row, row your boat\nGently down the stream' out.mid --style fiddle --key G",
    "sing 'Row your boat' out.mid --style fiddle --melody tune.mid",
])  # fmt: skip
def test_every_setting_of_a_score_comes_back_and_it_comes_again(folder, words):
    midi.write(folder / "tune.mid", tune())
    options, last = shlex.split(words), []
    if options[0] == "sing":  # Lyrics may begin as an option does.
        options, last = [options[0], *options[3:]], ["--", *options[1:3]]
    run(folder, "music", *options, *last)
    (made,) = (path for path in folder.glob("out.*") if path.suffix != ".c2pa")
    assert again(folder, made)[1:3] == ["music", options[0]]
    studio = Studio(folder / "studio")
    asset = next(each for each in studio.assets(limit=9) if studio.making(each).recipe.engine == "score")
    asset.path.unlink()
    assert remake(studio, asset) == (asset.id, True)


@needs_score
def test_a_score_goes_on_from_a_file_that_is_gone_and_one_of_the_studio_stays_what_it_is(folder):
    midi.write(folder / "tune.mid", tune())
    run(folder, "music", "compose", folder / "a.mid", "--style", "irish", "--continue", "tune.mid")
    (folder / "tune.mid").unlink()
    words = again(folder, folder / "a.mid")
    assert str(folder / "studio" / "assets") in words[words.index("--continue") + 1]
    studio = Studio(folder / "studio")
    piece = next(each for each in studio.assets(limit=9) if studio.making(each).recipe.engine == "score")
    run(folder, "music", "vary", piece.path, folder / "b.mid", "--style", "irish")
    assert studio.making(piece).recipe.engine == "score"
    # A piece composed before such files were kept.
    with pytest.raises(UserError, match="same file"):
        produce(studio, replace(studio.making(piece).recipe, parents=()), folder / "c.mid")


@pytest.mark.skipif(not models.installed(band.SOUNDFONT), reason="the SoundFont is not here")
def test_stems_tell_their_score_and_whether_it_was_composed(folder):
    under = tuple(note._replace(pitch=note.pitch - 12) for note in tune().tracks[0].notes)
    midi.write(folder / "duo.mid", Score((*tune().tracks, Track(under, 42, "Cello")), tempo=110.0))
    run(folder, "sound", "edit", "stems", "duo.mid", "stems")
    first, second = sorted((folder / "stems").glob("*.wav"))
    words = shlex.split(run(folder, "recall", second))
    assert words[:4] == ["mofang", "sound", "edit", "stems"] and words[-1] == "stems" and words[-2].endswith(".mid")
    report = trust.verify(first, folder / "studio")
    assert report.ok and report.personal
    assert len(list((folder / "studio" / "fingerprints").glob("*.npy"))) == 2  # They left through the same door as everything.
    if "score" in own.names():
        run(folder, "music", "compose", folder / "c.mid", folder / "c.wav", "--style", "chorale", "--bars", "4")
        assert again(folder, folder / "c.wav")[1:3] == ["music", "compose"]
        run(folder, "sound", "edit", "stems", folder / "c.mid", "composed")
        report = trust.verify(next((folder / "composed").glob("*.wav")), folder / "studio")
        assert report.ok and report.generated and report.visible


def test_what_tells_no_command_is_said_in_a_line(folder):
    result = CliRunner().invoke(mofang, ["--studio", str(folder / "studio"), "recall", "one.wav"])
    assert isinstance(result.exception, UserError) and "\n" not in str(result.exception)
