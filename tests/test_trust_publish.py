"""The door: every format goes out labelled, signed and proven, or not at all."""

import importlib
import json
import os
import signal
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from mofang.studio.atomic import PREFIX
from mofang.studio.credit import Credit
from mofang.studio.errors import UserError
from mofang.trust import Claim, Part, publish, verify
from mofang.trust import keys as keys_module
from mofang.trust import ledger as ledger_module
from mofang.trust.keys import keys
from trust_samples import ALL, CARRIED, film, picture, sample


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("studio")


@pytest.mark.parametrize("name", ALL)
def test_every_format_goes_out_proven(name: str, tmp_path: Path, studio: Path) -> None:
    source = sample(tmp_path, name)
    before = source.read_bytes()
    receipt = publish(source, tmp_path / "out" / name, Claim("狐狸 the fox", lang="zh"), studio)
    report = verify(receipt.path, studio)
    assert report.ok, report.lines()
    assert source.read_bytes() == before
    assert report.published
    expected = {name} | {each.name for each in receipt.sidecars}
    assert {each.name for each in receipt.path.parent.iterdir()} == expected
    if name in CARRIED or name == "a.txt":
        assert report.visible and report.credentials and report.credentials.state == "Trusted"
        assert report.record and report.record.produce_id == receipt.produce_id
    assert any("published" in line for line in report.lines("en"))
    assert all(line.strip() for line in report.lines("zh"))


@pytest.mark.parametrize("name", ["a.png", "a.mp4", "a.wav", "a.md", "a.pdf", "a.gif"])
def test_published_again_it_has_one_label_still(name: str, tmp_path: Path, studio: Path) -> None:
    first = publish(sample(tmp_path, name), tmp_path / "one" / name, Claim("fox"), studio)
    second = publish(first.path, tmp_path / "two" / name, Claim("fox"), studio)
    report = verify(second.path, studio)
    assert report.ok and report.record and report.record.produce_id == second.produce_id


def test_the_report_tells_the_whole_story(tmp_path: Path, studio: Path) -> None:
    parts = [Part("ab" * 32, "picture", "collage", "", "cd" * 32), Part("ef" * 32, "voice", "kokoro", "kokoro@12", "ab" * 32)]
    claim = Claim("fox", parts=parts, credits=[Credit("Fox", "A. Artist", "CC-BY-4.0")], training="constrained", author="我")
    told = "\n".join(verify(publish(sample(tmp_path, "a.png"), tmp_path / "out.png", claim, studio).path, studio).lines("en"))
    for expected in ("made with AI by Mofang", "2 assets by collage, kokoro", "Fox (CC-BY-4.0)", "this studio", "under conditions"):
        assert expected in told


def test_the_signature_costs_at_most_five_kilobytes(tmp_path: Path, studio: Path) -> None:
    source = sample(tmp_path, "a.mp4")
    receipt = publish(source, tmp_path / "out.mp4", Claim("fox"), studio)
    assert receipt.path.stat().st_size - source.stat().st_size < 5 * 1024 + 600


@pytest.mark.parametrize("name", CARRIED)
def test_one_flipped_bit_is_found(name: str, tmp_path: Path, studio: Path) -> None:
    path = publish(sample(tmp_path, name), tmp_path / "out" / name, Claim("fox"), studio).path
    data = bytearray(path.read_bytes())
    random = np.random.default_rng(7)
    for place in random.integers(0, len(data), 25):
        flipped = bytearray(data)
        flipped[place] ^= 1 << int(random.integers(8))
        path.write_bytes(flipped)
        assert not verify(path, studio).ok, place
    path.write_bytes(data[: len(data) // 2])
    assert not verify(path, studio).ok
    path.write_bytes(data)
    assert verify(path, studio).ok


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.mp4", "a.wav"])
def test_without_the_ledger_the_signature_finds_it(name: str, tmp_path: Path, studio: Path) -> None:
    path = publish(sample(tmp_path, name), tmp_path / "out" / name, Claim("fox"), studio).path
    data = bytearray(path.read_bytes())
    for place in (len(data) // 2, len(data) * 3 // 4, len(data) - 20):
        data[place] ^= 1
        path.write_bytes(data)
        assert not verify(path).ok, place
        data[place] ^= 1


def test_an_image_saved_anew_or_a_lost_sidecar_is_broken_or_silent(tmp_path: Path, studio: Path) -> None:
    path = publish(sample(tmp_path, "a.png"), tmp_path / "out.png", Claim("fox"), studio).path
    with Image.open(path) as image:
        image.save(path)
    report = verify(path, studio)
    assert report.silent and not report.ok and len(report.lines("zh")) == 1
    receipt = publish(sample(tmp_path, "a.md"), tmp_path / "out.md", Claim("fox"), studio)
    receipt.sidecars[0].unlink()
    report = verify(receipt.path, studio)
    assert not report.ok and "signature is gone" in report.lines()[-1] + report.lines()[-2]


def test_another_studio_is_not_this_one(tmp_path: Path, studio: Path) -> None:
    path = publish(sample(tmp_path, "a.jpg"), tmp_path / "out.jpg", Claim("fox"), tmp_path / "other").path
    report = verify(path, studio)
    assert report.credentials and report.credentials.state == "Valid" and not report.published
    assert verify(path).ok


@pytest.mark.parametrize("labelled", [0.0, 1.0, 1.8])
def test_a_film_without_two_seconds_of_label_is_refused(labelled: float, tmp_path: Path, studio: Path) -> None:
    film(tmp_path / "film.mp4", labelled)
    with pytest.raises(UserError, match="label"):
        publish(tmp_path / "film.mp4", tmp_path / "out" / "film.mp4", Claim("film"), studio)
    assert not list((tmp_path / "out").iterdir())


def test_the_label_may_be_left_out_by_declaration(tmp_path: Path, studio: Path) -> None:
    film(tmp_path / "film.mp4", 0)
    report = verify(publish(tmp_path / "film.mp4", tmp_path / "o.mp4", Claim("film"), studio, explicit=False).path, studio)
    assert report.ok and report.visible is False and report.declared
    assert any("say that it was made with AI" in line for line in report.lines())


def test_pictures_keep_what_they_were(tmp_path: Path, studio: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera"  # Turned by a quarter; the maker.
    Image.fromarray(picture()).save(tmp_path / "a.jpg", exif=exif)
    path = publish(tmp_path / "a.jpg", tmp_path / "o.jpg", Claim("fox"), studio).path
    with Image.open(path) as image:
        assert image.size == (240, 320) and image.getexif()[0x010F] == "Camera" and image.getexif().get(0x0112, 1) == 1
    frames = [Image.fromarray(np.roll(picture(), 40 * n, 1)) for n in range(3)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=120, loop=0)
    with Image.open(publish(tmp_path / "a.gif", tmp_path / "o.gif", Claim("fox"), studio).path) as image:
        assert image.n_frames == 3 and image.info["duration"] == 120  # type: ignore[attr-defined]
    Image.fromarray(np.zeros((200, 200, 4), np.uint8)).save(tmp_path / "clear.png")
    with Image.open(publish(tmp_path / "clear.png", tmp_path / "c.png", Claim("fox"), studio).path) as image:
        assert image.mode == "RGBA" and image.getpixel((199, 199)) == (0, 0, 0, 0)


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_sound_keeps_every_sample_behind_the_label(name: str, tmp_path: Path, studio: Path) -> None:
    def samples(path: Path) -> np.ndarray:  # type: ignore[type-arg]
        with av.open(str(path)) as container:
            return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])

    source = sample(tmp_path, name)
    out = samples(publish(source, tmp_path / "out" / name, Claim("fox"), studio).path)
    before = samples(source)
    assert len(out) > len(before) and np.array_equal(out[-len(before) :], before)


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"", "a.png"), (b"\x89PNG\r\n\x1a\n", "a.png"), (b"\xff\xd8\xff\xe0", "a.jpg"), (b"RIFF\0\0\0\0WAVE", "a.wav"),
     (b"\0\0\0\x18ftypisom", "a.mp4"), (b"%PDF-1.7", "a.pdf"), (b"ID3\x04\0\0\0\0\0\0", "a.mp3"), (b"fLaC", "a.flac"),
     (b"\xff\xfe\x80", "a.md"), (b"\xff\xfe\x80", "a.txt"), (b"nothing", "a.vtt"), (b"MZ", "a.exe"), (b"MZ", "a.png"),
     (b"GIF89a", "a.gif"), (b"\x89PNG\r\n\x1a\n", "a.jpg")])  # fmt: skip
def test_bad_input_is_told_in_one_line(content: bytes, name: str, tmp_path: Path, studio: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as error:
        publish(tmp_path / name, tmp_path / "out" / name, Claim("fox"), studio)
    assert "\n" not in str(error.value)
    assert not list((tmp_path / "out").glob("*"))


def test_other_bad_wishes(tmp_path: Path, studio: Path) -> None:
    source = sample(tmp_path, "a.png")
    for bad in ("墨坊", "two words", 'a"b', ""):
        with pytest.raises(UserError, match="ContentProducer"):
            publish(source, tmp_path / "out.png", Claim("fox", producer=bad), studio)
    Image.fromarray(picture(40, 30)).save(tmp_path / "small.png")
    with pytest.raises(UserError, match="too small"):
        publish(tmp_path / "small.png", tmp_path / "out.png", Claim("fox"), studio)
    with pytest.raises(UserError, match="cannot read"):
        publish(tmp_path / "absent.png", tmp_path / "out.png", Claim("fox"), studio)
    assert publish(source, tmp_path / "odd.png", Claim("\ud800 \u202e 🦊\n" * 99, author="\udfff"), studio).path.exists()
    assert verify(tmp_path / "odd.png", studio).ok


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, studio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out" / "a.png"
    receipt = publish(sample(tmp_path, "a.png"), target, Claim("fox"), studio)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    for owner in (os, ledger_module.os):
        monkeypatch.setattr(owner, "fsync", full)
        with pytest.raises(UserError, match="No space left"):
            publish(tmp_path / "a.png", target, Claim("another"), studio)
        monkeypatch.undo()
    assert {each.name for each in target.parent.iterdir()} == {"a.png"}
    assert verify(target, studio).record.produce_id == receipt.produce_id  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["a.mid", "a.txt"])
def test_a_full_disk_leaves_the_old_file_and_what_speaks_for_it(
    name: str, tmp_path: Path, studio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out" / name
    publish(sample(tmp_path, name), target, Claim("fox"), studio)
    before = {each.name: each.read_bytes() for each in target.parent.iterdir()}
    assert len(before) > 1
    fsync = os.fsync
    for room in range(1 + len(before)):  # The ledger, then every file.
        left = iter(range(room))

        def full(handle: int, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise OSError(28, "No space left on device")
            fsync(handle)

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(UserError, match="No space left"):
            publish(tmp_path / name, target, Claim("another"), studio)
        monkeypatch.undo()
        assert {each.name: each.read_bytes() for each in target.parent.iterdir()} == before
    assert verify(target, studio).ok


def test_a_kill_leaves_nothing_that_the_next_does_not_sweep(tmp_path: Path, studio: Path) -> None:
    source, target = sample(tmp_path, "a.png"), tmp_path / "out" / "a.png"
    for moment in ("_prove", "settle"):
        child = os.fork()
        if child == 0:
            module = importlib.import_module("mofang.trust.publish")
            setattr(module, moment, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
            module.publish(source, target, Claim("fox"), studio)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        (left,) = target.parent.iterdir()
        assert left.name.startswith(PREFIX)
        publish(source, target.with_name("b.png"), Claim("fox"), studio)
        assert [each.name for each in target.parent.iterdir()] == ["b.png"]
        target.with_name("b.png").unlink()


def test_the_ledger_survives_a_torn_line(tmp_path: Path) -> None:
    studio = tmp_path / "studio"
    publish(sample(tmp_path, "a.png"), tmp_path / "one.png", Claim("one"), studio)
    with (studio / "ledger.jsonl").open("ab") as file:
        file.write(b'{"time": "20')
    receipt = publish(tmp_path / "a.png", tmp_path / "two.png", Claim("two"), studio)
    assert json.loads((studio / "ledger.jsonl").read_text().splitlines()[-1])["sha256"] == receipt.sha256
    assert verify(tmp_path / "one.png", studio).published and verify(tmp_path / "two.png", studio).published


def test_keys_are_private_and_never_replaced(tmp_path: Path) -> None:
    studio = tmp_path / "studio"
    old = publish(sample(tmp_path, "a.png"), tmp_path / "old.png", Claim("old"), studio).path
    folder = studio / "keys"
    assert stat.S_IMODE((folder / "private.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    whole = (folder / "private.pem").read_bytes()
    (folder / "private.pem").write_bytes(whole[:40])
    with pytest.raises(UserError, match="rename"):
        publish(tmp_path / "a.png", tmp_path / "new.png", Claim("new"), studio)
    (folder / "private.pem").unlink()
    with pytest.raises(UserError, match="cannot be used"):
        keys(studio)
    folder.rename(studio / "keys-old")
    new = publish(tmp_path / "a.png", tmp_path / "new.png", Claim("new"), studio).path
    for path in (old, new):
        made = verify(path, studio).credentials
        assert made and made.state == "Trusted"


@pytest.mark.parametrize("year", [1970, 2020, 2200])
def test_a_wrong_clock_is_told(year: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "Clock":
            return cls(year, 1, 1, tzinfo=UTC)

    if year > 2026:
        keys(tmp_path)
    monkeypatch.setattr(keys_module, "datetime", Clock)
    with pytest.raises(UserError, match=r"clock|ended"):
        keys(tmp_path)
    if year <= 2026:
        assert not (tmp_path / "keys").exists()
        monkeypatch.undo()
        keys(tmp_path)
        monkeypatch.setattr(keys_module, "datetime", Clock)
        with pytest.raises(UserError, match="clock"):
            keys(tmp_path)
