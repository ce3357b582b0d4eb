"""The creator's own recordings as assets: kept byte for byte, so that what is made of them can be made again."""

import shutil
from pathlib import Path

from mofang import trust
from mofang.apps.sounds import SUFFIXES
from mofang.sound.edit.source import LONGEST, Sound, open_sound, probe
from mofang.studio import Made, Making, Recipe, Studio, UserError
from mofang.studio.library import file_hash
from mofang.trust.credentials import Nature
from mofang.trust.labels import rhythm

ENGINE = "original"
LARGEST = 4 << 30


def keep(studio: Studio, path: Path) -> Making:
    """The recording as an asset, and whether it bears an AI mark. Raises `UserError` for one that cannot be read."""
    probe(path)
    if path.stat().st_size > LARGEST:
        raise UserError(f"{path.name} is larger than {LARGEST >> 30} GB; cut it with another program first")
    studio.require_space(path.stat().st_size)
    try:
        marked = trust.verify(path, studio.folder).generated
    except UserError:  # A format that no mark of ours can be in.
        marked = False
    # The reader goes by content: a name that says otherwise does no harm, a strange one would.
    suffix = path.suffix.lower()
    nature: Nature = "compositeWithTrainedAlgorithmicMedia" if marked else "digitalCreation"
    return as_it_is(studio, path, suffix if suffix in SUFFIXES else ".wav", marked, nature, "audio")


def as_it_is(studio: Studio, path: Path, suffix: str, marked: bool, nature: Nature, kind: str = "") -> Making:
    """A file as an asset, byte for byte; `marked`: it bears an AI mark."""
    recipe = Recipe(ENGINE, "1", prompt=file_hash(path), params={"name": path.name, "generated": marked})

    def produce(target: Path) -> Made:
        shutil.copyfile(path, target)
        return Made(facts={"nature": nature})

    return studio.make(recipe, suffix, produce, kind)


def heard(studio: Studio, asset: str, longest: float = LONGEST) -> Sound:
    """A recording kept, without the rhythm that says it was generated: what is made of it gets its own.

    Raises `UserError` if it is gone.
    """
    kept = studio.asset(asset)
    path = kept.path
    if not path.is_file():
        raise UserError(f"the recording it was made from is gone from {studio.folder}; run: mofang doctor")
    sound = open_sound(path, longest, str(studio.making(kept).recipe.params.get("name", path.name)))
    if trust.has_audio_label(sound.samples, sound.rate):
        rest = sound.samples[len(rhythm(sound.rate)) :]
        if not len(rest):
            raise UserError("there is nothing in it but the label that it was generated; give another")
        return Sound(rest, sound.rate)
    return sound
