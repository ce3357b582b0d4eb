"""A picture of the creator's, and the nearest that a model of theirs makes, side by side."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang import trust
from mofang.apps.export import part, public, release
from mofang.apps.generate import enlarged, on_paper, opened, save, sheet
from mofang.apps.originals import keep, pixels
from mofang.image.data.crop import square
from mofang.studio import Made, Recipe, Studio, UserError
from mofang.studio.progress import Progress, silent
from mofang.studio.words import language, say

ENGINE, VERSION = "projection", "1"


def project_to(studio: Studio, model: str, picture: Path, target: Path, steps: int, seed: int,
               progress: Progress = silent) -> tuple[Path, float]:  # fmt: skip
    """Publish the pair. Returns the file and the mean difference of their colours, 0..255. Raises `UserError`."""
    if target.suffix.lower() != ".png":
        raise UserError(f"cannot write a '{target.suffix[:12]}' picture here; call it {target.stem}.png")
    sampler = opened(studio, model)
    original = keep(studio, picture)
    params = {"model": str(sampler.folder.resolve()), "steps": steps}
    recipe = Recipe(ENGINE, VERSION, sampler.key, None, params, seed, (original.asset.id,))
    making = studio.make(recipe, ".png", lambda path: produce(studio, recipe, path, progress))
    title = say("Projected into ", "投影到 ") + sampler.key.partition("@")[0]
    claim = trust.Claim(title, "compositeWithTrainedAlgorithmicMedia", language(), parts=(part(making), part(original)),
                        facts={"recipe": public(recipe)})  # fmt: skip
    return release(studio, making, target, claim), float(making.made.facts["difference"])


def produce(studio: Studio, recipe: Recipe, target: Path, progress: Progress = silent) -> Made:
    """The pair of a recipe. Raises `UserError` if the picture or the model is gone."""
    from mofang.image.train.project import project

    sampler = opened(studio, recipe.params["model"])
    rgb = pixels(studio, recipe.parents[0])
    opaque = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
    asked: NDArray[np.uint8] = square(opaque, sampler.size)[..., : sampler.channels]
    made, _ = project(sampler, asked, recipe.params["steps"], recipe.seed, progress)
    pair = np.stack([on_paper(asked), on_paper(made)])
    save(enlarged(sheet(pair, 2)), target)
    difference = float(np.abs(pair[0].astype(int) - pair[1].astype(int)).mean())
    return Made(facts={"nature": "compositeWithTrainedAlgorithmicMedia", "difference": difference})
