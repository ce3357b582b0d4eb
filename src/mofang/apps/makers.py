"""The model that a recipe names, found again: on this computer, or where the asker says that it lies."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mofang.apps import compose, jukebox, musicgen, reconstruct
from mofang.apps.paint import SUFFIX
from mofang.models import own
from mofang.studio import Studio, UserError
from mofang.studio.given import is_there
from mofang.studio.recipe import Recipe
from mofang.studio.words import say

Arguments = list[str]


@dataclass(frozen=True)
class Maker:
    """A model by its `name`, its `title` if that says more, and the first letters of the SHA-256 of its weights; `here`: it was
    found."""

    name: str
    title: str
    sha256: str
    here: bool

    def missing(self, studio: Studio) -> str:
        """What it takes, in a line."""
        title = f"{self.title}, " if self.title else ""
        who, shelf = f"{self.name} ({title}SHA-256 {self.sha256}…)", studio.folder / "models"
        return say(f"it takes the model {who}, which is not here; put its folder into {shelf}, or say where it lies: --model PATH",
                   f"需要模型 {who}，这里没有；请把它的文件夹放入 {shelf}，或用 --model PATH 指明位置")  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """How commands name a kind of model: the option, what stands before its name; and the hash of one in a folder or file."""

    option: str
    before: str
    sha256: Callable[[Path], str]
    own: bool = False


def _own(option: str, before: str = "") -> Kind:
    return Kind(option, before, lambda place: own.key(own.find(place)).partition("@")[2], own=True)


def _transformers(place: Path) -> str:
    from mofang.sound.engines.transformers_files import find

    return find(str(place)).key().rpartition("@")[2]


def _diffusers(place: Path) -> str:
    from mofang.image.engines.diffusers.find import find

    return find(str(place)).key().rpartition("@")[2]


KINDS: Mapping[str, Kind] = {
    **dict.fromkeys((compose.ENGINE, jukebox.ENGINE, reconstruct.ENGINE), _own("--model")),
    "own": _own("--voice"),
    "own" + SUFFIX: _own("--engine", "own:"),
    "transformers": Kind("--voice", "transformers:", _transformers),
    musicgen.ENGINE: Kind("--engine", "transformers:", _transformers),
    "diffusers" + SUFFIX: Kind("--engine", "diffusers:", _diffusers),
}
"""Engine of a recipe → the kind of model that it runs, if that is a folder or a file which somebody brought."""


def settle(studio: Studio, recipe: Recipe, arguments: Arguments, title: str, place: Path | None) -> tuple[Arguments, Maker | None]:
    """The arguments with the model's name here, or its `place` where one is given; and the model, None if it is of no such kind.

    Raises `UserError` for a place that holds another model, or none.
    """
    kind = KINDS.get(recipe.engine)
    if kind is None:
        if place:
            raise UserError("no model that lies somewhere made this; leave --model out")
        return arguments, None
    at = arguments.index(kind.option) + 1
    name, speaker = arguments[at].removeprefix(kind.before), ""
    if kind.option == "--voice":  # One of several is told after the model's name.
        name, mark, speaker = name.partition("#")
        speaker = mark + speaker
    # Of checkpoints what goes with them (a speaker's file, a LoRA) is told after a plus.
    found = re.search(r"@([0-9a-f]{8,64})(?: ?\+|$)", recipe.model)
    sha256 = found[1] if found else ""
    called = _given(kind, place, sha256) if place else _known(studio, kind, name, sha256)
    maker = Maker(name, title if title.isprintable() and title != name else "", sha256[:16], bool(called))
    return [*arguments[:at], kind.before + (called or name) + speaker, *arguments[at + 1 :]], maker


def _given(kind: Kind, place: Path, sha256: str) -> str:
    if not is_there(place.expanduser()):
        raise UserError(f"there is nothing at {str(place)[:200]}; give the folder of the model")
    if not (there := kind.sha256(place)).startswith(sha256):
        told = f"SHA-256 {there[:16]}…, not {sha256[:16]}…"
        raise UserError(f"{place} is another model than the one that made this ({told}); give that one")
    return str(place)


def _known(studio: Studio, kind: Kind, name: str, sha256: str) -> str:
    """What a command calls the model on this computer, empty if it is not here. A stranger's recipe leads nowhere else."""
    if name != Path(name).name:  # `owner/model`: the hub has it.
        return name
    try:
        if not kind.own:
            return name if is_there(Path(name)) and kind.sha256(Path(name)).startswith(sha256) else ""
        folder = own.find_again(f"{name}@{sha256}", studio.folder)
    except UserError:  # Nothing of that name, or something else.
        return ""
    # Found by its hash alone it has another name here.
    called = {place: each for each, place in own.names(studio.folder).items()}
    return name if name in (folder.name, folder.parent.name) else called.get(folder, str(folder))
