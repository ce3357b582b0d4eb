"""A cache, a folder of cards and package clients of our own, for the tests of models."""

import hashlib
import io
import os
import stat
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

CLIENT = """#!{python}
import pathlib, shutil, sys, time
here = pathlib.Path({folder!r})
package = next(a for a in reversed(sys.argv) if "@" in a or "==" in a)
with open(here / "calls", "a") as log:
    log.write(package + "\\n")
time.sleep({delay})
found = here / package.replace("/", "-")
if not found.exists():
    print("npm error code E404\\nnpm error 404 Not Found - GET https://somewhere/x\\nnpm error A complete log of this")
    sys.exit(1)
shutil.copy(found, "package" + {suffix!r})
"""


class Shelf:
    """Cards are written with `card`, packages that the stand-in clients give with `wheel` and `tarball`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = folder / "cache"
        for name in ("cards", "bin", "packages"):
            (folder / name).mkdir()
        for client in ("npm", "pip3"):
            self.client(client)

    def client(self, name: str, delay: float = 0) -> None:
        path = self.folder / "bin" / name
        path.write_text(CLIENT.format(python=sys.executable, folder=str(self.folder / "packages"), delay=delay,
                                      suffix=".tgz" if name == "npm" else ".whl"))  # fmt: skip
        path.chmod(path.stat().st_mode | stat.S_IEXEC)

    @property
    def calls(self) -> list[str]:
        log = self.folder / "packages" / "calls"
        return log.read_text().split() if log.exists() else []

    def card(self, origins: str, data: bytes, name: str = "toy", extra: str = "", file: str = "toy.bin",
             size: object = None) -> None:  # fmt: skip
        (self.folder / "cards" / f"{name}.toml").write_text(
            f'name = "{name}"\nkind = "text"\ntitle = "Toy"\nauthor = "Me"\nlicence = "MIT"\n'
            f'licence_url = "x"\nurl = "y"\n{extra}\n[[file]]\nrole = "model"\nname = "{file}"\n'
            f'sha256 = "{hashlib.sha256(data).hexdigest()}"\n'
            f"size = {len(data) if size is None else size}\nfrom = [{origins}]\n"
        )

    def wheel(self, requirement: str, members: dict[str, bytes]) -> None:
        with zipfile.ZipFile(self.folder / "packages" / requirement, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(name, data)

    def tarball(self, package: str, members: dict[str, bytes], links: dict[str, str] | None = None) -> None:
        with tarfile.open(self.folder / "packages" / package.replace("/", "-"), "w:gz") as archive:
            for name, data in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
            for name, target in (links or {}).items():
                info = tarfile.TarInfo(name)
                info.type, info.linkname = tarfile.SYMTYPE, target
                archive.addfile(info)


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """The environment points at a `Shelf`; pip is the one on the path, so that it can be stood in for."""
    made = Shelf(tmp_path)
    monkeypatch.setenv("MOFANG_MODELS", str(made.cache))
    monkeypatch.setenv("MOFANG_CARDS", str(tmp_path / "cards"))
    monkeypatch.setenv("MOFANG_LANG", "en")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    for name in ("MOFANG_OFFLINE", "MOFANG_ACCEPT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("mofang.models.client.importlib.util.find_spec", lambda name: None)
    return made


def quiet(line: str) -> None:
    """A `notify` that tells nobody."""
