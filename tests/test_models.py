"""Cards, sources and the store: verified or refused, fetched once, and nothing fetched is ever run."""

import hashlib
import http.server
import io
import json
import pickle
import struct
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mofang import models
from mofang.models import sources
from mofang.models.card import cards, parse
from mofang.models.safety import check_weights, gguf_header, safetensors_header
from mofang.studio import UserError


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A cache and a card folder of our own; returns a function that writes a card for some bytes."""
    monkeypatch.setenv("MOFANG_MODELS", str(tmp_path / "cache"))
    monkeypatch.setenv("MOFANG_CARDS", str(tmp_path / "cards"))
    monkeypatch.delenv("MOFANG_OFFLINE", raising=False)
    (tmp_path / "cards").mkdir()

    def write(origins: str, data: bytes, name: str = "toy", extra: str = "", file: str = "toy.bin") -> None:
        (tmp_path / "cards" / f"{name}.toml").write_text(
            f'name = "{name}"\nkind = "text"\ntitle = "Toy"\nauthor = "Me"\nlicence = "MIT"\nlicence_url = "x"\nurl = "y"\n'
            f'{extra}\n[[file]]\nrole = "model"\nname = "{file}"\nsha256 = "{hashlib.sha256(data).hexdigest()}"\n'
            f"size = {len(data)}\nfrom = [{origins}]\n"
        )
        cards.cache_clear()

    yield write
    cards.cache_clear()


def quiet(line: str) -> None:
    pass


def test_every_card_that_ships_can_be_read():
    assert {"kokoro-82m", "font-noto-sans-sc", "art-noto", "art-fluent-flat", "smollm2-135m"} <= set(models.cards())
    for card in models.cards().values():
        assert card.licence and card.author and card.size > 0
        assert "GPL" not in card.licence or not card.default


def test_parts_are_joined_verified_and_remembered(shelf, tmp_path):
    (tmp_path / "a").write_bytes(b"first ")
    (tmp_path / "b").write_bytes(b"second")
    shelf(f'{{ file = ["{tmp_path}/a", "{tmp_path}/b"] }}', b"first second")
    told: list[str] = []
    path = models.ensure("toy", notify=told.append).file("model")
    assert path.read_bytes() == b"first second" and "MIT" in told[0]
    (tmp_path / "a").unlink()
    assert models.ensure("toy", notify=told.append).file("model") == path and len(told) == 1
    assert models.verify("toy") == []
    path.write_bytes(b"first sec0nd")
    assert models.verify("toy") == ["toy.bin"] and not models.installed("toy")
    assert models.remove("toy") > 0 and not path.exists()


def test_another_file_is_refused_and_the_next_source_is_tried(shelf, tmp_path):
    (tmp_path / "bad").write_bytes(b"evil!")
    (tmp_path / "good").write_bytes(b"right")
    shelf(f'{{ file = "{tmp_path}/bad" }}, {{ file = "{tmp_path}/good" }}', b"right")
    assert models.ensure("toy", notify=quiet).file("model").read_bytes() == b"right"
    shelf(f'{{ file = "{tmp_path}/bad" }}, {{ file = "{tmp_path}/none" }}', b"right", name="other")
    with pytest.raises(UserError, match=r"SHA-256.*is not there"):
        models.ensure("other", notify=quiet)
    assert not list((tmp_path / "cache" / "other").glob("*.bin"))


def test_more_bytes_than_the_card_says_are_not_read(shelf, tmp_path):
    (tmp_path / "huge").write_bytes(bytes(10_000_000))
    shelf(f'{{ file = "{tmp_path}/huge" }}', b"tiny")
    with pytest.raises(UserError, match="larger than its card says"):
        models.ensure("toy", notify=quiet)


def test_a_licence_that_asks_is_not_taken_silently(shelf, tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"x")
    shelf(f'{{ file = "{tmp_path}/a" }}', b"x", extra="accept = true")
    with pytest.raises(UserError, match="accept-licence"):
        models.ensure("toy", notify=quiet)
    assert models.ensure("toy", accept=True, notify=quiet).file("model").exists()


def test_offline_fetches_nothing(shelf, monkeypatch):
    monkeypatch.setenv("MOFANG_OFFLINE", "1")
    monkeypatch.setattr(sources.subprocess, "run", lambda *a, **k: pytest.fail("a client was run"))
    shelf('{ pip = "no-such==1:a" }, { npm = "no-such@1:a" }, { hub = "no/such:a" }', b"x")
    with pytest.raises(UserError, match="offline"):
        models.ensure("toy", notify=quiet)


def test_members_of_packages_are_read_and_never_unpacked(shelf, tmp_path, monkeypatch):
    """The clients are stood in for by a function that leaves the archive they would have fetched."""

    def client(command, cwd, **rest):
        if "pip" in command:
            with zipfile.ZipFile(Path(cwd) / "toy-1-py3-none-any.whl", "w") as archive:
                archive.writestr("toy/part.bin", b"from pip")
                archive.writestr("../../escaped", b"!")
        else:
            with tarfile.open(Path(cwd) / "toy-1.tgz", "w:gz") as archive:
                for name in ("package/part.bin", "../escaped"):
                    info = tarfile.TarInfo(name)
                    info.size = 8
                    archive.addfile(info, io.BytesIO(b"from npm"))
                link = tarfile.TarInfo("package/link")
                link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
                archive.addfile(link)
        return sources.subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(sources.subprocess, "run", client)
    monkeypatch.setattr(sources.shutil, "which", lambda name: name)
    shelf('{ pip = "toy==1:toy/part.bin" }', b"from pip", name="p")
    shelf('{ npm = "toy@1:part.bin" }', b"from npm", name="n")
    shelf('{ npm = "toy@1:link" }', b"from npm", name="l")
    assert models.ensure("p", notify=quiet).file("model").read_bytes() == b"from pip"
    assert models.ensure("n", notify=quiet).file("model").read_bytes() == b"from npm"
    with pytest.raises(UserError):
        models.ensure("l", notify=quiet)
    assert not list(tmp_path.rglob("escaped"))


class Hub(http.server.BaseHTTPRequestHandler):
    """What the hub answers for one file, byte ranges included."""

    content = b"weights from the hub " * 5000
    asked: list[str]

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        type(self).asked.append(self.path)
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")[0])
        found = self.path.split("?")[0] == "/me/toy/resolve/main/model.bin"
        data = self.content[start:] if found else b""
        self.send_response((206 if start else 200) if found else 404)
        self.send_header("ETag", '"' + hashlib.sha256(self.content).hexdigest() + '"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("Content-Length", str(len(data)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, *arguments):
        pass


def test_the_hub_through_a_server_standing_in_for_it(shelf, tmp_path, monkeypatch):
    Hub.asked = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        hub = pytest.importorskip("huggingface_hub")
        monkeypatch.setattr(hub.constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setattr(hub.file_download.constants, "HUGGINGFACE_CO_URL_TEMPLATE",
                            f"http://127.0.0.1:{server.server_port}/{{repo_id}}/resolve/{{revision}}/{{filename}}")
        shelf('{ hub = "me/toy:model.bin" }', Hub.content)
        assert models.ensure("toy", notify=quiet).file("model").read_bytes() == Hub.content and Hub.asked
        shelf('{ hub = "me/none:model.bin" }', Hub.content, name="none")
        with pytest.raises(UserError, match="the hub does not give"):
            models.ensure("none", notify=quiet)
    finally:
        server.shutdown()


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a\\..\\b", "x/../../y"])
def test_a_card_cannot_write_outside_its_folder(shelf, tmp_path, name):
    shelf('{ file = "a" }', b"x", file=name)
    with pytest.raises(UserError, match="card"):
        models.cards()


@given(st.text(max_size=200))
def test_any_text_is_a_card_or_a_user_error(text):
    with pytest.raises(UserError):
        parse(text, "x.toml")


def test_an_unknown_model_names_the_nearest():
    with pytest.raises(UserError, match="did you mean kokoro-82m"):
        models.ensure("kokoro")


# -- hostile weights -------------------------------------------------------------------------------------------------


class Bomb:
    def __reduce__(self):
        return (print, ("ran",))


def safetensors(header: object, data: bytes = b"") -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + data


def zipped(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("data", [
    *(pickle.dumps(Bomb(), protocol) for protocol in range(6)),
    zipped("archive/data.pkl", pickle.dumps(Bomb())),
    zipped("innocent.txt", pickle.dumps(Bomb())),
    b"PK\x03\x04 but not a zip",
    b"GGUF" + struct.pack("<IQQ", 3, 1 << 40, 1),
    b"GGUF" + struct.pack("<IQQ", 3, 1, 1 << 60),
    b"GGUF\x03",
])  # fmt: skip
@pytest.mark.parametrize("name", ["model.bin", "model.Safetensors", "model.pt"])
def test_hostile_weights_are_refused_whatever_they_are_called(tmp_path, capsys, data, name):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(UserError):
        check_weights(path)
    assert "ran" not in capsys.readouterr().out


@pytest.mark.parametrize("data", [
    b"", b"\xff" * 8, safetensors(b"[]"), safetensors(b"{"), struct.pack("<Q", 1 << 63) + b"{}",
    safetensors({"a": {"dtype": "F32", "shape": [1 << 62, 1 << 62], "data_offsets": [0, 4]}}, bytes(4)),
    safetensors({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, bytes(4)),
    safetensors({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(3)),
    safetensors({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, bytes(8)),
    safetensors({"a": {"dtype": "XX", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
    safetensors(b"[" * 100_000),
])  # fmt: skip
def test_broken_safetensors_headers_are_refused(tmp_path, data):
    path = tmp_path / "model.safetensors"
    path.write_bytes(data)
    with pytest.raises(UserError):
        check_weights(path)


@settings(max_examples=200)
@given(st.binary(max_size=300), st.integers(0, 200), st.integers(0, 255))
def test_mutated_headers_never_crash(tmp_path_factory, tail, position, value):
    folder = tmp_path_factory.getbasetemp()
    whole = bytearray(safetensors({"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}, bytes(16)))
    whole[position % len(whole)] = value
    for reader, data in ((safetensors_header, bytes(whole)), (safetensors_header, tail), (gguf_header, b"GGUF" + tail),
                         (check_weights, tail)):  # fmt: skip
        path = folder / "fuzz.bin"
        path.write_bytes(data)
        try:
            reader(path)
        except UserError as error:
            assert "\n" not in str(error)


def test_a_whole_file_passes(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(safetensors({"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}, bytes(16)))
    check_weights(path)
    assert safetensors_header(path)["a"]["shape"] == [2, 2]
