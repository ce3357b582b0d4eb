"""Sources: package clients stood in for by small programs, the hub by a server on this machine. Hostile archives."""

import gzip
import hashlib
import http.server
import io
import subprocess
import sys
import tarfile
import threading
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models_shelf import quiet, shelf  # noqa: F401
from mofang import models
from mofang.models import client
from mofang.models.archives import tarball_member, wheel_member
from mofang.models.source import Unavailable
from mofang.studio import UserError


def test_members_of_packages_are_read(shelf):  # noqa: F811
    shelf.wheel("toy==1", {"toy/part.bin": b"from pip"})
    shelf.tarball("@scope/toy@1.0.0", {"package/part.bin": b"from npm", "package/other": b"!"})
    shelf.card('{ pip = "toy==1:toy/part.bin" }', b"from pip", name="p")
    shelf.card('{ npm = "@scope/toy@1.0.0:part.bin" }', b"from npm", name="n")
    assert models.ensure("p", notify=quiet).file("model").read_bytes() == b"from pip"
    assert models.ensure("n", notify=quiet).file("model").read_bytes() == b"from npm"
    assert sorted(path.name for path in (shelf.cache / "n").iterdir()) == [".toy.bin.verified", "toy.bin"]


def test_every_source_that_failed_is_named_in_one_line(shelf):  # noqa: F811
    shelf.tarball("toy@1.0.0", {"package/other": b"x"})
    shelf.card('{ pip = "toy==1:a" }, { npm = "toy@1.0.0:a" }, { npm = "none@1.0.0:a" }', b"x")
    with pytest.raises(UserError) as caught:
        models.ensure("toy", notify=quiet)
    line = str(caught.value)
    assert "pip does not give toy==1" in line and "holds no package/a" in line and "\n" not in line
    assert "npm does not give none@1.0.0 (404 Not Found - GET)" in line and "https" not in line


def test_clients_that_are_not_there_are_named_with_the_way_to_get_them(shelf, monkeypatch):  # noqa: F811
    monkeypatch.setattr(client.shutil, "which", lambda name, path=None: None)
    shelf.card('{ pip = "toy==1:a" }, { npm = "toy@1.0.0:a" }', b"x")
    with pytest.raises(UserError, match=r"ensurepip.*install Node\.js"):
        models.ensure("toy", notify=quiet)


def test_a_package_with_another_content_is_forgotten(shelf):  # noqa: F811
    shelf.wheel("toy==1", {"a": b"wrong"})
    shelf.card('{ pip = "toy==1:a" }', b"right")
    with pytest.raises(UserError, match="SHA-256"):
        models.ensure("toy", notify=quiet)
    shelf.wheel("toy==1", {"a": b"right"})
    assert models.ensure("toy", notify=quiet).file("model").read_bytes() == b"right"


# -- hostile archives ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../escaped", "/escaped", "package/../../escaped", "C:\\escaped", "..\\escaped"])
def test_an_archive_that_climbs_out_is_refused_whole(shelf, name):  # noqa: F811
    shelf.wheel("toy==1", {"part": b"good", name: b"!"})
    shelf.tarball("toy@1.0.0", {"package/part": b"good", name: b"!"})
    shelf.card('{ pip = "toy==1:part" }, { npm = "toy@1.0.0:part" }', b"good")
    with pytest.raises(UserError, match=r"climb out.*climb out"):
        models.ensure("toy", notify=quiet)
    assert not list(shelf.folder.rglob("escaped"))


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../etc/passwd", "package/part", "package/link"])
def test_a_link_is_no_file(shelf, target):  # noqa: F811
    shelf.tarball("toy@1.0.0", {"package/part": b"good"}, {"package/link": target})
    shelf.card('{ npm = "toy@1.0.0:link" }', b"good")
    with pytest.raises(UserError, match="no plain file"):
        models.ensure("toy", notify=quiet)


def test_a_link_in_a_wheel_is_no_file(shelf):  # noqa: F811
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(shelf.folder / "packages" / "toy==1", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    shelf.card('{ pip = "toy==1:link" }', b"/etc/passwd")
    with pytest.raises(UserError, match="no plain file"):
        models.ensure("toy", notify=quiet)


def test_a_bomb_goes_off_nowhere(shelf):  # noqa: F811
    shelf.wheel("toy==1", {"part": bytes(50_000_000)})
    shelf.tarball("toy@1.0.0", {"package/part": b"good", "package/bomb": bytes(50_000_000)})
    shelf.card('{ pip = "toy==1:part" }, { npm = "toy@1.0.0:part" }', b"good")
    with pytest.raises(UserError, match=r"larger than its card says.*unpacks to more than 1[678] MB"):
        models.ensure("toy", notify=quiet)
    assert not list(shelf.cache.rglob("*.tar"))


def test_a_tar_header_cannot_ask_for_memory(tmp_path):
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 30_000_000
    raw = info.tobuf(tarfile.GNU_FORMAT) + bytes(15_000_000)
    path = tmp_path / "toy.tgz"
    path.write_bytes(gzip.compress(raw))
    with pytest.raises(Unavailable):
        list(tarball_member(path, "package/part"))


@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty"])
@pytest.mark.parametrize("package", ["toy==1", "toy@1.0.0"])
def test_what_arrived_damaged_is_fetched_anew(shelf, damage, package):  # noqa: F811
    shelf.wheel("toy==1", {"part": b"good" * 1000})
    shelf.tarball("toy@1.0.0", {"package/part": b"good" * 1000})
    path = shelf.folder / "packages" / package
    whole = path.read_bytes()
    path.write_bytes({"truncated": whole[:-30], "garbage": b"?" * 999, "empty": b""}[damage])
    shelf.card(f'{{ {"pip" if "==" in package else "npm"} = "{package}:part" }}', b"good" * 1000)
    with pytest.raises(UserError, match="damaged"):
        models.ensure("toy", notify=quiet)
    path.write_bytes(whole)
    assert models.ensure("toy", notify=quiet).file("model").read_bytes() == b"good" * 1000


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("part", b"good" * 50)
    return out.getvalue()


def _tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("package/" + "x" * 120)
        info.size = 200
        archive.addfile(info, io.BytesIO(b"good" * 50))
    return out.getvalue()


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=6))
def test_mutated_archives_are_read_or_unavailable(tmp_path, changes):
    for whole, name in ((_zip(), "toy.whl"), (_tar(), "toy.tgz")):
        data = bytearray(whole)
        for position, value in changes:
            data[position % len(data)] = value
        path = tmp_path / name
        path.write_bytes(bytes(data) if name.endswith("whl") else gzip.compress(bytes(data), 1))
        path.with_suffix(".tar").unlink(missing_ok=True)
        try:
            reader = wheel_member if name.endswith("whl") else tarball_member
            for number, _ in enumerate(reader(path, "part" if name.endswith("whl") else "package/" + "x" * 120)):
                if number > 10:
                    break
        except Unavailable:
            pass


# -- the hub -------------------------------------------------------------------------------------------------------------


class Hub(http.server.BaseHTTPRequestHandler):
    """What the hub answers for one file, byte ranges included. The first connection breaks towards the end.

    The hub's client keeps ten megabytes at a time, so the file has more.
    """

    content = b"weights from the hub " * 700_000
    asked: list[int]

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")[0])
        found = self.path.split("?")[0] == "/me/toy/resolve/v1/model.bin"
        data = self.content[start:] if found else b""
        self.send_response((206 if start else 200) if found else 404)
        self.send_header("ETag", '"' + hashlib.sha256(self.content).hexdigest() + '"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("Content-Length", str(len(data)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        self.end_headers()
        if body and found:
            self.asked.append(start)
            self.wfile.write(data[: -len(data) // 6] if len(self.asked) == 1 else data)
            self.close_connection = True

    def log_message(self, *arguments):
        pass


def test_the_hub_by_its_endpoint_and_from_where_it_stopped(shelf, monkeypatch):  # noqa: F811
    pytest.importorskip("huggingface_hub")
    Hub.asked = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_HOME", str(shelf.folder / "hf"))
    shelf.card('{ npm = "none@1.0.0:x" }, { hub = "me/toy@v1:model.bin" }', Hub.content)
    shelf.card('{ hub = "me/none:model.bin" }', b"x", name="none")
    command = [sys.executable, "-m", "mofang", "models", "pull"]
    try:
        done = subprocess.run([*command, "toy"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert (shelf.cache / "toy" / "toy.bin").read_bytes() == Hub.content
        assert "MIT" in done.stderr and str(shelf.cache / "toy") in done.stdout
        assert len(Hub.asked) == 2 and Hub.asked[0] == 0 < Hub.asked[1], "it began again instead of going on"
        done = subprocess.run([*command, "none"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and "the hub does not give me/none/model.bin" in done.stderr
        assert "Traceback" not in done.stderr
    finally:
        server.shutdown()


# -- what clients say ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lines", "why"), [
    (["npm error code E404", "npm error 404 Not Found - GET https://x/y"], "404 Not Found - GET"),
    (["WARNING: Retrying (Retry(total=2…", "ERROR: No matching distribution found for x==1"], "no connection to its registry"),
    (["ERROR: Could not find a version that satisfies the requirement x==9"], "Could not find a version"),
    ([], "no answer"),
])  # fmt: skip
def test_a_client_s_words_become_one_reason(lines, why):
    assert client.reason(lines).startswith(why)


def test_progress_of_a_client_is_heard(tmp_path):
    shares: list[float] = []
    script = "import time\nfor n in range(5):\n    print(f'Progress {n} of 4', flush=True); time.sleep(0.15)"
    status, lines = client.run([sys.executable, "-c", script], tmp_path, shares.append)
    assert status == 0 and lines == [] and shares == sorted(shares) and 0 < shares[-1] <= 1
