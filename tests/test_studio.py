"""The library on disk: what is acknowledged is there, whatever happens."""

import errno
import os
import random
import select
import signal
import sqlite3
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mofang.studio import Made, Recipe, Studio, UserError
from mofang.studio import atomic as atomic_module
from mofang.studio.atomic import PREFIX, atomic, atomic_folder, sweep, write_atomic
from mofang.studio.credit import Credit
from mofang.studio.doctor import examine
from mofang.studio.progress import Event, Stages
from mofang.studio.works import Consent, add, all_works, revoke


def text_recipe(prompt: object, seed: int = 0) -> Recipe:
    return Recipe("test", "1", prompt=prompt, seed=seed)


def writer(text: str):
    def produce(path: Path) -> Made:
        path.write_text(text)
        return Made((Credit("Fox", "Artist", "MIT"),), {"length": len(text)})

    return produce


@pytest.fixture
def studio(tmp_path: Path):
    studio = Studio(tmp_path / "studio")
    yield studio
    studio.close()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, st.integers(0, 2**32))
def test_recipes_round_trip_and_equal_recipes_have_equal_keys(prompt, seed):
    recipe = Recipe("collage", "1", "noto@abc", prompt, {"size": [3, 4]}, seed, ("a", "b"))
    again = Recipe.from_json(recipe.to_json())
    assert again == recipe and again.key == recipe.key
    assert Recipe("collage", "1", "noto@abc", prompt, {"size": [3, 4]}, seed + 1, ("a", "b")).key != recipe.key


def test_the_same_recipe_is_made_once(studio):
    calls = []

    def produce(path: Path) -> Made:
        calls.append(path)
        return writer("hello")(path)

    first = studio.make(text_recipe("a"), ".txt", produce)
    second = studio.make(text_recipe("a"), ".txt", produce)
    assert len(calls) == 1 and first == second
    assert first.asset.path.read_text() == "hello"
    assert first.made.credits == (Credit("Fox", "Artist", "MIT"),) and second.made.facts == {"length": 5}
    assert studio.asset(first.asset.id[:8]) == first.asset
    assert studio.making(first.asset).recipe == text_recipe("a")


def test_a_truncated_asset_is_made_again(studio):
    making = studio.make(text_recipe("a"), ".txt", writer("hello"))
    making.asset.path.chmod(0o644)
    making.asset.path.write_text("he")
    assert studio.make(text_recipe("a"), ".txt", writer("hello")).asset.path.read_text() == "hello"
    assert examine(studio).ok


def test_doctor_finds_a_flipped_bit_and_a_missing_file_and_sweeps_leftovers(studio):
    one = studio.make(text_recipe("1"), ".txt", writer("one")).asset
    two = studio.make(text_recipe("2"), ".txt", writer("two")).asset
    assert examine(studio).ok
    (studio.folder / "assets" / ".tmp-left").write_text("x")
    (studio.folder / "assets" / "ab").mkdir(exist_ok=True)
    (studio.folder / "assets" / "ab" / "nobody.txt").write_text("x")
    assert examine(studio).swept == [], "young files may belong to another process"
    assert len(examine(studio, young=-1).swept) == 2
    one.path.chmod(0o644)
    one.path.write_text("onf")
    two.path.unlink()
    diagnosis = examine(studio)
    assert diagnosis.damaged == [one.id] and diagnosis.missing == [two.id] and not diagnosis.ok


def test_two_hundred_kills_lose_nothing_acknowledged(tmp_path):
    """A child makes assets and acknowledges each on a pipe; it is killed at a random moment, 200 times."""
    folder = tmp_path / "studio"
    Studio(folder).close()
    rng = random.Random(7)
    acknowledged: list[str] = []
    for attempt in range(200):
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(read_end)
                studio = Studio(folder)
                for number in range(10_000):
                    text = f"{attempt}-{number}" * rng.randrange(1, 2000)
                    making = studio.make(text_recipe([attempt, number]), ".txt", writer(text))
                    os.write(write_end, (making.asset.id + "\n").encode())
            finally:
                os._exit(0)
        os.close(write_end)
        if attempt % 4:  # Killed while it starts, or, however slow the machine, after the first asset.
            select.select([read_end], [], [], 30)
        time.sleep(rng.uniform(0.0, 0.04))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(read_end) as pipe:
            acknowledged += [line.strip() for line in pipe if line.endswith("\n")]
    studio = Studio(folder)
    diagnosis = examine(studio, young=-1)
    known = {asset.id for asset in studio.assets(limit=-1)}
    assert len(acknowledged) > 100, "the kills came too early to test anything"
    assert diagnosis.ok and set(acknowledged) <= known
    assert examine(studio, young=-1).swept == []
    studio.close()


def test_two_processes_share_one_studio(tmp_path):
    folder = tmp_path / "studio"
    children = []
    for process in range(2):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                studio = Studio(folder)
                for number in range(30):
                    studio.make(text_recipe([process, number]), ".txt", writer(f"{process} {number}"))
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)
    studio = Studio(folder)
    assert len(studio.assets(limit=-1)) == 60 and examine(studio).ok


def test_a_full_disk_is_one_line_and_loses_nothing(studio, monkeypatch):
    kept = studio.make(text_recipe("kept"), ".txt", writer("kept")).asset

    def full(path: Path) -> Made:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(UserError, match="free some space"):
        studio.make(text_recipe("new"), ".txt", full)
    assert examine(studio, young=-1).ok and studio.asset(kept.id) == kept
    with pytest.raises(UserError, match="free some space"):
        studio.require_space(1 << 60)


def test_atomic_write_leaves_the_old_file_when_the_disk_is_full(tmp_path, monkeypatch):
    target = tmp_path / "piece.json"
    write_atomic(target, "old")

    def full(source: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="nothing was changed"):
        write_atomic(target, "new")
    assert target.read_text() == "old" and list(tmp_path.iterdir()) == [target]


def killed_at_work(folder: Path) -> int:
    """The pid of a child that was killed while it wrote a file in `folder`."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        with atomic(folder / "piece.json") as temporary:
            temporary.write_text("half of")
            os.write(write_end, b"!")
            time.sleep(60)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        assert pipe.read(1) == b"!"
    assert sweep(folder) == [], "it is alive"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return child


def test_what_a_kill_left_is_swept_and_what_is_at_work_is_not(tmp_path):
    killed_at_work(tmp_path)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(PREFIX)
    (tmp_path / ".tmp-others").mkdir()
    with atomic(tmp_path / "mine.txt") as temporary:
        assert sweep(tmp_path) == [left]
        temporary.write_text("mine")
    assert {each.name for each in tmp_path.iterdir()} == {".tmp-others", "mine.txt"}
    killed_at_work(tmp_path)
    with atomic_folder(tmp_path / "data", "manifest") as folder:
        (folder / "manifest").touch()
    assert {each.name for each in tmp_path.iterdir()} == {".tmp-others", "mine.txt", "data"}


def test_the_doctor_sweeps_in_the_studio_by_its_pieces_and_where_it_is_told(studio, tmp_path):
    places = [studio.folder / "runs" / "a", tmp_path / "film", tmp_path / "elsewhere"]
    studio.add_piece("Film", "film", tmp_path / "film", [])
    for place in places:
        place.mkdir(parents=True)
        killed_at_work(place)
    assert examine(studio, sweep=False).swept == []
    assert {path.parent for path in examine(studio).swept} == set(places[:2])
    assert {path.parent for path in examine(studio, places=[tmp_path / "elsewhere"]).swept} == {places[2]}


def test_where_folders_cannot_be_locked_only_age_tells(tmp_path, monkeypatch):
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    killed_at_work(tmp_path)
    (left,) = tmp_path.iterdir()
    assert sweep(tmp_path) == []
    os.utime(left, (time.time() - atomic_module.ABANDONED - 1,) * 2)
    assert sweep(tmp_path) == [left]


def test_a_sweeper_that_is_quicker_than_the_lock_costs_a_second_try(tmp_path, monkeypatch):
    lock, swept = atomic_module.hold, []

    def late(folder: Path) -> int:
        if not swept:
            swept.append(folder)
            folder.rmdir()
        return lock(folder)

    monkeypatch.setattr(atomic_module, "hold", late)
    write_atomic(tmp_path / "a.txt", "whole")
    assert swept and (tmp_path / "a.txt").read_text() == "whole" and len(list(tmp_path.iterdir())) == 1


def test_a_damaged_or_newer_catalogue_is_a_user_error(tmp_path):
    folder = tmp_path / "studio"
    Studio(folder).close()
    connection = sqlite3.connect(folder / "studio.db")
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(UserError, match="newer Mofang"):
        Studio(folder)
    for leftover in folder.glob("studio.db*"):
        leftover.unlink()
    (folder / "studio.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(UserError, match="damaged"):
        Studio(folder)


@pytest.mark.parametrize("prefix", ["", "ab", "../../etc", "zzzz", "abcd' OR 1=1"])
def test_hostile_asset_ids_are_refused(studio, prefix):
    with pytest.raises(UserError):
        studio.asset(prefix)


def test_works_carry_licence_and_consent(studio, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "story.md").write_text("从前有座山。")
    (folder / "empty.txt").write_text("")
    (folder / "tool.exe").write_bytes(b"MZ")
    (folder / "link.md").symlink_to(folder / "story.md")
    works, passed = add(studio, folder, "CC-BY-4.0", Consent("self", "train", "2027-01-01"), "我")
    assert [work.path.name for work in works] == ["story.md"] and len(passed) == 2
    assert all_works(studio)[0].consent.covers("train", date(2026, 12, 31))
    assert not all_works(studio)[0].consent.covers("train", date(2027, 1, 2))
    assert not all_works(studio)[0].consent.covers("clone-voice", date(2026, 12, 31))
    revoke(studio, works[0])
    assert not all_works(studio)[0].consent.covers("train", date(2026, 12, 31))
    for licence, consent in (("", Consent("self")), ("MIT", Consent("")), ("MIT", Consent("self", until="soon"))):
        with pytest.raises(UserError):
            add(studio, folder, licence, consent)


def test_stages_fold_into_one_share():
    events: list[Event] = []
    stages = Stages({"voices": 1, "render": 3}, events.append)
    stages.of("voices")(1.0, "speaking")
    stages.of("render")(0.5, "encoding")
    assert [event.share for event in events] == [0.25, 0.625]
    assert events[-1].left is not None and events[-1].left >= 0
