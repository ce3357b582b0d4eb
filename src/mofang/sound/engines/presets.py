"""Speakers of Bark: the codes of a few seconds of somebody, as NumPy arrays, read without running anything."""

import io
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from mofang.models import own
from mofang.models.hub import REPOSITORY, fetch
from mofang.studio.errors import UserError
from mofang.studio.library import file_hash

Preset = dict[str, NDArray[np.int64]]
INDEX = "speaker_embeddings_path.json"
PARTS = ("semantic_prompt", "coarse_prompt", "fine_prompt")
LARGEST = 4 << 20
"""Bytes of a preset; ten seconds of codes are a hundredth of it."""
SCRIPTS = (("ja", "\u3040-\u30ff"), ("ko", "\uac00-\ud7af"), ("zh", "\u3400-\u9fff"), ("ru", "\u0400-\u04ff"), ("hi", "\u0900-\u097f"))
"""Languages that are told by their letters alone; Japanese before Chinese, whose characters it uses too."""
LANGUAGES = frozenset(["en", "zh", "de", "es", "fr", "hi", "it", "ja", "ko", "pl", "pt", "ru", "tr"])


@dataclass(frozen=True)
class Sizes:
    """How many codes a checkpoint's prompts are drawn from, and how many code books they have."""

    meanings: int
    codes: int
    coarse: int
    fine: int


class Presets:
    """The speakers that come with a checkpoint, and those in files."""

    def __init__(self, name: str, folder: Path, sizes: Sizes) -> None:
        """`name` is the hub's, if it is from there: its presets are then fetched as they are asked for."""
        self._name, self._folder, self._sizes = name, folder, sizes
        self._known = _index(folder)

    def find(self, speaker: str, text: str) -> Preset:
        """The preset `speaker`: a name, the tag of a language (`zh`), or a `.npz` file; nothing asked: one of the text's language,
        and an empty preset, with which every sentence is in another voice, if none came along. Raises `UserError`."""
        if speaker.lower().endswith(".npz"):
            return self._checked(_from_npz(Path(speaker).expanduser()), speaker)
        if not speaker or speaker in LANGUAGES:
            found = self._of_language(speaker or language_of(text))
            if found is None and speaker:
                raise UserError(f"{self._name} has no speaker of '{speaker}'; {self._have()}")
            return self._read(found) if found else {}
        known = next((name for name in (speaker, f"v2/{speaker}") if name in self._known), None)
        if known is None:
            raise UserError(f"{self._name} has no speaker '{speaker[:40]}'; {self._have()}")
        return self._read(known)

    def _of_language(self, tag: str) -> str | None:
        # The later ones, in v2/, are recorded better; of English ones the seventh is the one its makers show.
        names = (f"{version}{tag}_speaker_{number}" for version in ("v2/", "") for number in ((6 if tag == "en" else 0), *range(10)))
        return next((name for name in names if name in self._known), None)

    def _have(self) -> str:
        return f"it has {', '.join(list(self._known)[:3])} … ({len(self._known)})" if self._known else "give a .npz file"

    def _read(self, name: str) -> Preset:
        paths = self._known[name]
        for part in PARTS:
            path = PurePosixPath(str(paths.get(part, "")))
            if path.is_absolute() or ".." in path.parts or path.suffix != ".npy" or "\\" in str(path):
                raise UserError(f"{self._name} keeps its speaker {name} in a place that is none of its own; choose another checkpoint")
        folder = self._folder
        if REPOSITORY.fullmatch(self._name) and not all((folder / str(paths[part])).is_file() for part in PARTS):
            folder = fetch(self._name, [str(paths[part]) for part in PARTS])
        return self._checked({part: _from_npy(folder / str(paths[part])) for part in PARTS}, name)

    def _checked(self, preset: dict[str, NDArray[np.generic]], name: str) -> Preset:
        """Codes that index nothing are refused here: in the network they would be read from beyond a table's end."""
        shapes = {"semantic_prompt": ((), self._sizes.meanings), "coarse_prompt": ((self._sizes.coarse,), self._sizes.codes),
                  "fine_prompt": ((self._sizes.fine,), self._sizes.codes)}  # fmt: skip
        for part, (books, most) in shapes.items():
            codes = preset.get(part)
            if codes is None or codes.dtype.kind not in "iu" or codes.shape[:-1] != books or not codes.size:
                raise UserError(f"{Path(name).name} is no speaker of {self._name}: its {part} is missing or of another shape")
            if int(codes.min()) < 0 or int(codes.max()) >= most:
                raise UserError(f"{Path(name).name} is no speaker of {self._name}: its {part} holds codes the model does not have")
        return {part: np.ascontiguousarray(preset[part], np.int64) for part in PARTS}


def language_of(text: str) -> str:
    """The tag of the language a text is in, as far as its letters tell."""
    return next((tag for tag, letters in SCRIPTS if re.search(f"[{letters}]", text)), "en")


def mark(speaker: str) -> str:
    """Which file a speaker is, if it is one: the beginning of its SHA-256. Raises `UserError` if it is not there."""
    if not speaker.lower().endswith(".npz"):
        return ""
    path = Path(speaker).expanduser()
    if not path.is_file():
        raise UserError(f"there is no speaker's file {speaker[:80]}; give a .npz that Bark wrote")
    return file_hash(path)[:16]


def _index(folder: Path) -> dict[str, dict[str, object]]:
    path = folder / INDEX
    if not path.is_file():
        return {}
    try:
        if path.stat().st_size > own.LARGEST_JSON:
            raise ValueError("far too large")
        told = json.loads(path.read_text("utf-8"))
        return {str(name): paths for name, paths in told.items() if isinstance(paths, dict)}
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise UserError(f"{path.name} of {folder.name} cannot be read ({str(error)[:60]}); fetch the checkpoint again") from error


def _from_npz(path: Path) -> dict[str, NDArray[np.generic]]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            if sum(info.file_size for info in members.values()) > LARGEST:
                raise ValueError("it is far too large for a speaker")
            return {part: _array(archive.read(members[part])) for part in PARTS if part in members}
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise UserError(f"{path.name} cannot be read as a speaker ({str(error)[:60]}); give a .npz that Bark wrote") from error


def _from_npy(path: Path) -> NDArray[np.generic]:
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("it is far too large for a speaker")
        return _array(path.read_bytes())
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path.name} cannot be read as a speaker ({str(error)[:60]}); fetch it again") from error


def _array(data: bytes) -> NDArray[np.generic]:
    """The array of a .npy file; its header is believed only as far as there are bytes. Raises `ValueError`."""
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file, max_header_size=4096)
    if dtype.hasobject or len(shape) > 2 or int(np.prod(shape, dtype=object)) * dtype.itemsize != len(data) - file.tell():
        raise ValueError("its header does not fit its content")
    file.seek(0)
    return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
