"""The creator's own recordings as assets: kept byte for byte, so that what is made of them can be made again."""

import shutil
from pathlib import Path

from mofang import trust
from mofang.apps.sounds import SUFFIXES
from mofang.sound.edit.source import LONGEST, Sound, open_sound, probe
from mofang.studio import Made, Making, Recipe, Studio, UserError
from mofang.studio.library import file_hash
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
    recipe = Recipe(ENGINE, "1", prompt=file_hash(path), params={"name": path.name, "generated": marked})
    nature = "compositeWithTrainedAlgorithmicMedia" if marked else "digitalCreation"

    def produce(target: Path) -> Made:
        shutil.copyfile(path, target)
        return Made(facts={"nature": nature})

    # The reader goes by content: a name that says otherwise does no harm, a strange one would.
    suffix = path.suffix.lower()
    return studio.make(recipe, suffix if suffix in SUFFIXES else ".wav", produce, kind="audio")


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
