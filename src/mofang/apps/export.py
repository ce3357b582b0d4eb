"""One asset out of the studio, through its only door."""

from pathlib import Path

from mofang import trust
from mofang.studio import Asset, Studio, UserError
from mofang.studio.library import Making
from mofang.studio.words import language
from mofang.trust.credentials import Nature


def part(making: Making) -> trust.Part:
    """What a claim says of one asset."""
    recipe = making.recipe
    return trust.Part(making.asset.id, making.asset.kind, recipe.engine, recipe.model, recipe.key)


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
    algorithmic = making.recipe.engine in ("collage", "folder", "mix", "lettering", "backdrop")
    nature: Nature = "algorithmicMedia" if algorithmic else "trainedAlgorithmicMedia"
    claim = trust.Claim(title, nature, language(), parts=(part(making),), credits=making.made.credits)
    return trust.publish(asset.path, target, claim, studio.folder).path
