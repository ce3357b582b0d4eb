"""One asset out of the studio, through its only door."""

import re
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import get_args

from mofang import trust
from mofang.apps import fingerprints
from mofang.studio import Asset, Studio, UserError
from mofang.studio.atomic import desk_for
from mofang.studio.library import Making
from mofang.studio.recipe import Json, Recipe, canonical
from mofang.studio.words import language
from mofang.trust.credentials import Nature

_ENGINE = re.compile(r"[a-z]+:/[^\n]*\Z")
_TOPS = {"home", "Users", "Volumes", "root", "tmp", "var", "mnt", "media", "opt", "srv", "usr", "private", "data"}
"""Where files lie on computers."""
Convert = Callable[[Path, Path], object]
"""Write the asset at the first path to the second, in the format of its suffix."""


def part(making: Making) -> trust.Part:
    """What a claim says of one asset."""
    recipe = making.recipe
    return trust.Part(making.asset.id, making.asset.kind, recipe.engine, recipe.model, recipe.key)


def release(studio: Studio, making: Making, target: Path, claim: trust.Claim, convert: Convert = shutil.copyfile) -> Path:
    """Convert an asset to the format of `target`, publish it, and leave nothing lying about. Raises `UserError`."""
    with desk(studio) as place:
        made = place / (target.stem + target.suffix.lower())
        convert(making.asset.path, made)
        return send(studio, made, target, claim)


def release_text(studio: Studio, text: str, target: Path, claim: trust.Claim) -> Path:
    """Publish a text that goes beside a piece: captions, times, mouth shapes. Raises `UserError`."""
    with desk(studio) as place:
        (place / target.name).write_text(text, "utf-8")
        return send(studio, place / target.name, target, claim)


def desk(studio: Studio) -> AbstractContextManager[Path]:
    """An empty folder in the studio's cache to prepare files in, which is gone afterwards. Raises `UserError`."""
    return desk_for(studio.folder / "cache" / "desk")


def send(studio: Studio, source: Path, target: Path, claim: trust.Claim) -> Path:
    """Publish a file. One that holds sound says which works are heard in it, and the studio keeps its fingerprint.

    Raises `UserError`.
    """
    if heard := fingerprints.facts(studio, source):
        claim = replace(claim, facts={**claim.facts, **heard})
    receipt = trust.publish(source, target, claim, studio.folder)
    fingerprints.remember(studio, receipt)
    return receipt.path


def public(recipe: Recipe) -> str:
    """A recipe as it may travel in a file, as JSON text.

    Text, because the manifest's writer takes a list of numbers for bytes and keeps only their last eight bits.
    """
    return bare(recipe.to_json())


def bare(told: Json) -> str:
    """What may be told of how a file was made, as JSON text: where things lie on this computer is nobody's business."""

    def stripped(value: Json) -> Json:
        if isinstance(value, dict):
            return {key: stripped(each) for key, each in value.items()}
        if isinstance(value, list):
            return [stripped(each) for each in value]
        if not isinstance(value, str):
            return value
        # An engine may be named with a place: transformers:/home/me/voice.
        kind, colon, place = value.partition(":") if _ENGINE.match(value) else ("", "", value)
        return kind + colon + Path(place).name if _a_place(place) else value

    return canonical(stripped(told))


def _a_place(text: str) -> bool:
    """Whether a text is a path of a computer, this or another, rather than words that begin with a stroke: `/ming a fox/`."""
    path = Path(text)
    if not path.is_absolute() or "\n" in text or len(text) > 4096:
        return False
    top = path.parts[1] if len(path.parts) > 1 else ""
    return top in _TOPS or (bool(top) and Path(path.anchor, top).exists())


def generated(original: Making) -> bool:
    """Whether an original of the creator's bears an AI label already: what is made of it must bear one too."""
    return bool(original.recipe.params.get("generated"))


def nature_of(making: Making) -> Nature:
    """What an asset is, in IPTC's terms: as its maker noted, else by its engine."""
    noted = making.made.facts.get("nature")
    if noted is not None and noted in get_args(Nature):
        nature: Nature = noted
        return nature
    algorithmic = making.recipe.engine in ("collage", "folder", "mix", "lettering", "backdrop")
    return "algorithmicMedia" if algorithmic else "trainedAlgorithmicMedia"


def export_asset(studio: Studio, asset: Asset, target: Path) -> Path:
    """Publish an asset to `target`, labelled, signed and verified. Raises `UserError`."""
    if target.is_dir():
        target = target / f"{asset.id[:8]}{asset.path.suffix}"
    if target.suffix.lower() not in (asset.path.suffix, {".jpg": ".jpeg"}.get(asset.path.suffix, asset.path.suffix)):
        raise UserError(
            f"the asset is a {asset.path.suffix} file; name the target so: {target.with_suffix(asset.path.suffix).name}"
        )
    making = studio.making(asset)
    title = " ".join(str(making.recipe.prompt).split())[:60] or asset.kind
    claim = trust.Claim(title, nature_of(making), language(), parts=(part(making),), credits=making.made.credits)
    return send(studio, asset.path, target, claim)
