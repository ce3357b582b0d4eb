"""The main job, walked through with the real voices, art and encoder on a few words."""

import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mofang import trust
from mofang.apps.make import pictures, voices
from mofang.apps.make.board import Wishes
from mofang.apps.make.film import folder_for, make
from mofang.apps.make.script import from_file, is_brief
from mofang.apps.make.storyboard import load
from mofang.sound import pcm
from mofang.sound.loudness import loudness, true_peak
from mofang.studio import Studio, UserError, library
from mofang.studio.doctor import examine
from mofang.video import probe

pytestmark = pytest.mark.models

STORY = "---\ntitle: 月夜\nauthor: 我\n---\n\n小狐狸看月亮。\n\n湖边有三只青蛙。\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One short film, made once for the tests that look at it."""
    folder = tmp_path_factory.mktemp("make")
    (folder / "story.md").write_text(STORY, "utf-8")
    studio = Studio(folder / "studio")
    events = []
    done = make(studio, str(folder / "story.md"), folder / "out", listen=events.append, preset="ultrafast")
    yield folder, studio, done, events
    studio.close()


def test_every_file_is_there_and_proves_itself(made):
    _, studio, done, events = made
    assert {file.name for file in done.files} == {
        "film.mp4", "film.srt", "film.vtt", "storyboard.json", "cover.png", "film.otio"}  # fmt: skip
    for name in ("film.mp4", "cover.png"):
        report = trust.verify(done.folder / name, studio.folder)
        assert report.ok and report.visible, report.faults
        assert "本工作室" in "".join(report.lines("zh"))
    engines = {part["engine"] for part in report.credentials.lineage["parts"]}
    assert {"collage", "kokoro"} <= engines
    assert [event.share for event in events] == sorted(event.share for event in events) and events[-1].share == 1
    assert studio.pieces()[0]["title"] == "月夜"


def test_the_film_plays_and_is_as_loud_as_it_should_be(made):
    _, _, done, _ = made
    film_file = done.folder / "film.mp4"
    found = probe(film_file)
    assert (found.width, found.height, found.fps, found.video, found.sound) == (1080, 1920, 30, "h264", "aac")
    assert abs(found.seconds - found.frames / 30) < 0.05
    sound = pcm.read(film_file, 48_000, channels=2)
    assert abs(loudness(sound, 48_000) + 14) <= 1 and true_peak(sound, 48_000) <= -1
    assert "小狐狸看月亮" in (done.folder / "film.srt").read_text("utf-8")
    assert Image.open(done.folder / "cover.png").size == (1080, 1920)


def test_pictures_fit_the_words(made):
    _, _, done, _ = made
    first, second = load(done.folder / "storyboard.json").shots
    assert (
        "1F98A" in {subject.glyph for subject in first.picture.scene.subjects} and first.picture.scene.time == "night"
    )
    frogs = next(subject for subject in second.picture.scene.subjects if subject.glyph == "1F438")
    assert frogs.count == 3 and second.picture.scene.place == "lake"


def test_an_edited_storyboard_costs_only_what_changed(made, monkeypatch):
    folder, studio, done, _ = made
    board = load(done.folder / "storyboard.json")
    changed = replace(board.shots[1], text="湖边有三只小青蛙。")
    edited = folder / "edited.json"
    edited.write_text(board.with_shots((board.shots[0], changed)).dumps(), "utf-8")
    spoken, painted = [], []
    speak, paint = voices.produce, pictures.produce
    monkeypatch.setattr(voices, "produce", lambda *a, **k: (spoken.append(a[0].prompt), speak(*a, **k))[1])
    monkeypatch.setattr(pictures, "produce", lambda *a, **k: (painted.append(a), paint(*a, **k))[1])
    make(studio, str(edited), folder / "out", preset="ultrafast")
    assert spoken == ["湖边有三只小青蛙。"] and painted == []
    assert (done.folder / "storyboard.previous.json").exists()
    assert "小青蛙" in (done.folder / "film.srt").read_text("utf-8")


def test_the_creators_own_pictures_and_music(tmp_path):
    (tmp_path / "own").mkdir()
    rng = np.random.default_rng(1)
    for number in (2, 10):
        picture = rng.integers(0, 255, (90, 160, 3), dtype=np.uint8)
        Image.fromarray(picture).save(tmp_path / "own" / f"{number}.jpg")
    tune = np.sin(np.arange(48_000) * 2 * np.pi * 220 / 48_000).astype(np.float32) * 0.3
    pcm.write_wav(tmp_path / "tune.wav", tune, 48_000)
    (tmp_path / "text.txt").write_text("A fox looks at the moon.\n\nThe lake is quiet.", "utf-8")
    studio = Studio(tmp_path / "studio")
    wishes = Wishes(aspect="16:9", pictures=tmp_path / "own", music=str(tmp_path / "tune.wav"))
    done = make(studio, str(tmp_path / "text.txt"), tmp_path / "out", wishes, preset="ultrafast")
    board = load(done.folder / "storyboard.json")
    assert [Path(shot.picture.file).name for shot in board.shots] == ["2.jpg", "10.jpg"]
    assert probe(done.folder / "film.mp4").width == 1920
    assert trust.verify(done.folder / "film.mp4", studio.folder).ok


def test_stages_run_alone(tmp_path):
    (tmp_path / "story.md").write_text(STORY, "utf-8")
    studio = Studio(tmp_path / "studio")
    for stage, name in (("script", "script.md"), ("storyboard", "storyboard.json"), ("pictures", "storyboard.json"),
                        ("voices", "storyboard.json"), ("timeline", "timeline.json")):  # fmt: skip
        done = make(studio, str(tmp_path / "story.md"), tmp_path / "out", until=stage)
        assert done.files[0].name == name and done.files[0].is_file()
    timeline = json.loads((tmp_path / "out" / "月夜" / "timeline.json").read_text("utf-8"))
    assert len(timeline["shots"]) == 4
    assert from_file(tmp_path / "out" / "月夜" / "script.md").title == "月夜"


def test_a_killed_run_loses_nothing_and_goes_on(tmp_path):
    (tmp_path / "story.md").write_text(STORY, "utf-8")
    rng = random.Random(5)
    command = [sys.executable, "-m", "mofang", "--studio", str(tmp_path / "studio"), "make", str(tmp_path / "story.md"),
               "--out", str(tmp_path / "out")]  # fmt: skip
    for _ in range(4):
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.8, 4.0))
        child.send_signal(signal.SIGKILL)
        child.wait()
        if (tmp_path / "studio" / "studio.db").exists():
            studio = Studio(tmp_path / "studio")
            assert examine(studio).ok
            studio.close()
    studio = Studio(tmp_path / "studio")
    done = make(studio, str(tmp_path / "story.md"), tmp_path / "out")
    assert trust.verify(done.folder / "film.mp4", studio.folder).ok and examine(studio).ok


@pytest.mark.parametrize("title, name", [
    ("月夜", "月夜"), ("a/b\\c:d", "a b c d"), ("../../etc/passwd", "etc passwd"), ("...", "untitled"), ("", "untitled"),
    ("x" * 300, "x" * 60), ("\ud83d狐", "狐"), ("con\x00trol\n", "con trol"),
])  # fmt: skip
def test_titles_become_safe_folders(title, name):
    assert folder_for(Path("out"), title) == Path("out") / name


@pytest.mark.parametrize("source, brief", [
    ("中秋节的由来", True), ("a fox and the moon", True), ("missing.md", False), ("x" * 5000, True), ("a\0b", True),
])  # fmt: skip
def test_a_brief_is_not_a_file_name(source, brief):
    assert is_brief(source) is brief


def test_an_unknown_stage_is_refused(tmp_path):
    with pytest.raises(UserError, match="storyboard"):
        make(Studio(tmp_path), "x.md", tmp_path, until="finish")


def test_a_full_disk_is_noticed_before_work_begins(tmp_path, monkeypatch):
    (tmp_path / "story.md").write_text(STORY, "utf-8")
    studio = Studio(tmp_path / "studio")
    monkeypatch.setattr(library.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 10})())
    with pytest.raises(UserError, match="free some space"):
        make(studio, str(tmp_path / "story.md"), tmp_path / "out")
