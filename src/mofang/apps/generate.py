"""Pictures of a model of one's own, as assets and as files: single ones, sheets, films between them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang import trust
from mofang.apps.export import part, public, release
from mofang.image.data import Pictures
from mofang.image.measure.copies import FEWEST, learned, too_near
from mofang.image.safe import MOST_PIXELS, on_white
from mofang.image.sampler import Sampler, slerp
from mofang.models import own
from mofang.studio import Made, Making, Recipe, Studio, UserError
from mofang.studio.words import language, say
from mofang.trust.credentials import Nature

ENGINE, VERSION = "generator", "1"
LEAST = 256
"""Pixels a side of what is published at least: the label must be legible."""
FPS = 30
LABEL_FRAMES = 75
"""Frames that show the label: the two seconds it must be seen for, and a little more."""

LONGEST = 30 * 60 * FPS
"""Frames of the longest film: half an hour."""
LARGEST = MOST_PIXELS
"""Pixels of the largest sheet."""

Rgb = NDArray[np.uint8]


def sample_to(studio: Studio, model: str, seeds: Sequence[int], out: Path, truncation: float = 1.0) -> list[Path]:
    """A picture for each seed, `out/seed-00007.png`. Raises `UserError`."""
    sampler = opened(studio, model)
    made = []
    for seed in seeds:
        recipe = _recipe(sampler, {"what": "picture", "truncation": truncation}, seed)
        made.append(_released(studio, recipe, sampler, out / f"seed-{seed:05}.png"))
    return made


def grid_to(studio: Studio, model: str, seeds: Sequence[int], target: Path, truncation: float = 1.0) -> Path:
    """All pictures of the seeds on one sheet. Raises `UserError`."""
    sampler = opened(studio, model)
    _must_fit(sampler, len(seeds))
    params = {"what": "grid", "seeds": list(seeds), "truncation": truncation}
    return _released(studio, _recipe(sampler, params), sampler, target)


def mix_to(studio: Studio, model: str, rows: Sequence[int], columns: Sequence[int], target: Path, truncation: float = 1.0) -> Path:
    """A table of mixed styles: the coarse levels of a row's seed with the fine levels of a column's (Karras et al. 2019,
    section 3.1). Raises `UserError` for a model without levels."""
    sampler = opened(studio, model)
    if sampler.levels < 2:
        raise UserError(f"a {sampler.kind} has no levels to mix styles over; train one with --kind gan")
    _must_fit(sampler, (len(rows) + 1) * (len(columns) + 1))
    params = {"what": "mix", "rows": list(rows), "columns": list(columns), "truncation": truncation}
    return _released(studio, _recipe(sampler, params), sampler, target)


def new_among(studio: Studio, model: str, seeds: Sequence[int], data: Path, truncation: float = 1.0) -> list[int]:
    """The seeds whose pictures are no nearer to a training picture than a held-out one is (see `image.measure.copies`).

    Raises `UserError` for a dataset of other pictures, one that holds too few out to tell, and if no seed is left.
    """
    sampler = opened(studio, model)
    pictures = _learned_from(sampler, data)
    held = pictures.split("val")
    if len(held) < FEWEST:
        raise UserError(f"{data} holds out {len(held)} pictures, too few to tell what copies; prepare it with a larger --val")
    index, _ = learned(pictures)
    threshold = too_near(index.nearest(held.take(np.arange(min(len(held), 1000))))[0])
    new: list[int] = []
    for start in range(0, len(seeds), 64):
        some = seeds[start : start + 64]
        distances, _ = index.nearest(sampler.sample(some, truncation))
        new += [seed for seed, distance in zip(some, distances, strict=True) if distance >= threshold]
    if not new:
        raise UserError("each of these pictures is nearly one of the training set; give other seeds, or train on more pictures")
    return new


def nearest_to(studio: Studio, model: str, seeds: Sequence[int], data: Path, target: Path, truncation: float = 1.0) -> Path:
    """Each picture, large, beside the training picture it is nearest to. Raises `UserError`."""
    sampler = opened(studio, model)
    Pictures.open(data)
    _must_fit(sampler, 2 * len(seeds))
    params = {"what": "nearest", "seeds": list(seeds), "data": str(data.resolve()), "truncation": truncation}
    return _released(studio, _recipe(sampler, params), sampler, target)


def interpolate_to(studio: Studio, model: str, seeds: Sequence[int], target: Path, seconds: float = 2.0,
                   truncation: float = 1.0) -> Path:  # fmt: skip
    """A film that goes from seed to seed and back to the first, `seconds` for each way. Raises `UserError`."""
    if target.suffix.lower() != ".mp4":
        raise UserError(f"cannot write the film as '{target.suffix[:12]}'; call it {target.stem}.mp4")
    if len(seeds) < 2:
        raise UserError("a film goes from one picture to another; give two seeds or more, as --seeds 1,2,3")
    sampler = opened(studio, model)
    if sampler.kind == "mofang-vqvae":
        raise UserError("there is nothing between the codes of a VQ-VAE; train one with --kind gan or vae")
    frames = max(round(seconds * FPS), 2)
    if frames * len(seeds) < LABEL_FRAMES:
        raise UserError("the film is shorter than the two seconds its label must be seen; give more seeds or --seconds")
    if frames * len(seeds) > LONGEST:
        raise UserError(f"the film would be longer than {LONGEST // FPS // 60} minutes; give fewer seeds or less --seconds")
    params = {"what": "film", "seeds": list(seeds), "frames": frames, "truncation": truncation, "lang": language()}
    recipe = _recipe(sampler, params)
    making = studio.make(recipe, ".mp4", lambda path: produce(studio, recipe, path))
    return release(studio, making, target, _claim(making, sampler))


def produce(studio: Studio, recipe: Recipe, target: Path) -> Made:
    """What a recipe of this engine makes. Raises `UserError` if the model is gone or another by now."""
    sampler = opened(studio, recipe.params["model"])
    if sampler.key.partition("@")[2] != recipe.model.partition("@")[2]:
        raise UserError(f"the model {recipe.params['model']} is not the one that made this; it was trained again since")
    what = recipe.params["what"]
    if what == "film":
        _film(sampler, recipe.params, target)
    else:
        pictures = {"picture": _picture, "grid": _grid, "mix": _mix, "nearest": _nearest}[what](sampler, recipe)
        save(pictures, target)
    return Made(facts={"nature": _nature(recipe)})


def seeds_of(text: str) -> list[int]:
    """`0-35`, `1,2,7-9` as numbers. Raises `UserError`."""
    seeds: list[int] = []
    for piece in text.replace("，", ",").split(","):
        first, dash, last = piece.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or len(piece) > 50:
            raise UserError(f"'{text[:40]}' are no seeds; write them as 0-35 or 1,2,7-9")
        low, high = int(first), int(last or first)
        if high >= 1 << 63 or not 0 <= high - low < 10_000 - len(seeds):
            raise UserError(f"'{text[:40]}' are no seeds, or more than 10,000; write them as 0-35")
        seeds += range(low, high + 1)
    return seeds


# -- pictures ----------------------------------------------------------------------------------------------------------


def _picture(sampler: Sampler, recipe: Recipe) -> Rgb:
    return enlarged(sampler.sample([recipe.seed], recipe.params["truncation"])[0])


def _grid(sampler: Sampler, recipe: Recipe) -> Rgb:
    made = sampler.sample(recipe.params["seeds"], recipe.params["truncation"])
    return enlarged(sheet(made, max(1, round(len(made) ** 0.5))))


def _mix(sampler: Sampler, recipe: Recipe) -> Rgb:
    rows, columns = (sampler.latents(sampler.noise(recipe.params[name]), recipe.params["truncation"])
                     for name in ("rows", "columns"))  # fmt: skip
    half = sampler.levels // 2
    blank = np.full((1, sampler.size, sampler.size, sampler.channels), 255, np.uint8)
    cells = [blank, sampler.pictures(columns)]
    for row in rows:
        mixed = columns.copy()
        mixed[:, :half] = row[:half]
        cells += [sampler.pictures(row[None]), sampler.pictures(mixed)]
    return enlarged(sheet(np.concatenate(cells), len(columns) + 1))


def _nearest(sampler: Sampler, recipe: Recipe) -> Rgb:
    data = _learned_from(sampler, Path(recipe.params["data"]))
    index, train = learned(data)
    made = sampler.sample(recipe.params["seeds"], recipe.params["truncation"])
    _, which = index.nearest(made)
    pairs = np.stack([made, train[which]], 1).reshape(-1, *made.shape[1:])
    return enlarged(sheet(pairs, 2 * max(1, round((len(made) / 2) ** 0.5))))


def _learned_from(sampler: Sampler, folder: Path) -> Pictures:
    data = Pictures.open(folder)
    if (data.size, data.channels) != (sampler.size, sampler.channels):
        raise UserError(f"{data.folder} holds pictures of another size or kind than the model makes; give the dataset it "
                        "learned from")  # fmt: skip
    return data


def _film(sampler: Sampler, params: Mapping[str, Any], target: Path) -> None:
    from mofang.video import mux
    from mofang.video.planes import convert

    ends = sampler.noise(params["seeds"])
    frames, total = params["frames"], params["frames"] * len(ends)
    side = 512
    label = trust.overlay(side, side, params["lang"])

    def each() -> Iterator[Any]:
        for number in range(total):
            leg, share = divmod(number, frames)
            # Slower at the ends: each picture is seen for a moment.
            eased = 0.5 - 0.5 * np.cos(np.pi * share / frames)
            noise = slerp(ends[leg], ends[(leg + 1) % len(ends)], float(eased))
            made = on_paper(sampler.pictures(sampler.latents(noise[None].astype(np.float32), params["truncation"]))[0])
            frame = _resized(made, side)
            if number < LABEL_FRAMES:
                _lay(frame, label)
            yield convert(frame)

    chunk = target.with_suffix(".part")
    try:
        mux.encode(each(), chunk, side, side, FPS, "medium", 18)
        mux.join([chunk], None, target, total, FPS)
    finally:
        chunk.unlink(missing_ok=True)


def _lay(frame: Rgb, label: Any) -> None:
    rows, columns = label.image.shape[:2]
    part_of = frame[label.y : label.y + rows, label.x : label.x + columns]
    share = label.image[..., 3:].astype(np.float32) / 255
    part_of[:] = np.rint(part_of * (1 - share) + label.image[..., :3] * share).astype(np.uint8)


def sheet(pictures: Rgb, columns: int) -> Rgb:
    """(N, H, W, C) as one picture of so many columns, with white between and at the end."""
    count, height, width, channels = pictures.shape
    rows = -(-count // columns)
    page = np.full((rows * (height + 2) + 2, columns * (width + 2) + 2, channels), 255, np.uint8)
    for number, picture in enumerate(pictures):
        y, x = number // columns * (height + 2) + 2, number % columns * (width + 2) + 2
        page[y : y + height, x : x + width] = picture
    return page


def on_paper(picture: Rgb) -> Rgb:
    """(H, W, 3 or 4) without transparency."""
    return on_white(picture) if picture.shape[-1] == 4 else picture


def enlarged(picture: Rgb, least: int = LEAST) -> Rgb:
    """Enlarged by a whole number, so that the shorter side has at least `least` pixels."""
    factor = -(-least // min(picture.shape[:2]))
    return _resized(picture, picture.shape[0] * factor, picture.shape[1] * factor) if factor > 1 else picture


def _resized(picture: Rgb, rows: int, columns: int = 0) -> Rgb:
    from PIL import Image

    image = Image.fromarray(picture)
    size = (columns or rows, rows)
    if image.mode == "RGBA":
        return np.array(image.convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA"))
    return np.array(image.resize(size, Image.Resampling.LANCZOS))


def save(picture: Rgb, target: Path) -> None:
    """Write a picture (rows, columns, 3 or 4) as PNG."""
    from PIL import Image

    Image.fromarray(picture).save(target, format="PNG", compress_level=6)


# -- recipes and files -------------------------------------------------------------------------------------------------


def opened(studio: Studio, model: str) -> Sampler:
    """The model by name or path. Raises `UserError`."""
    return Sampler(own.find(model, studio.folder))


def _must_fit(sampler: Sampler, count: int) -> None:
    """Raise `UserError` if so many pictures are more than a sheet."""
    if count * (sampler.size + 2) ** 2 > LARGEST:
        raise UserError(f"{count:,} pictures of {sampler.size} pixels are too many for one sheet; give fewer seeds")


def _recipe(sampler: Sampler, params: dict[str, Any], seed: int = 0) -> Recipe:
    return Recipe(ENGINE, VERSION, sampler.key, None, {"model": str(sampler.folder.resolve()), **params}, seed)


def _nature(recipe: Recipe) -> Nature:
    # A sheet that shows the creator's own pictures beside the generated ones is composed of both.
    return "compositeWithTrainedAlgorithmicMedia" if recipe.params["what"] == "nearest" else "trainedAlgorithmicMedia"


def _claim(making: Making, sampler: Sampler) -> trust.Claim:
    title = say("Generated by ", "生成自 ") + sampler.key.partition("@")[0]
    nature = _nature(making.recipe)
    return trust.Claim(title, nature, language(), parts=(part(making),), facts={"recipe": public(making.recipe)})


def _released(studio: Studio, recipe: Recipe, sampler: Sampler, target: Path) -> Path:
    if target.suffix.lower() != ".png":
        raise UserError(f"cannot write a '{target.suffix[:12]}' picture here; call it {target.stem}.png")
    making = studio.make(recipe, ".png", lambda path: produce(studio, recipe, path))
    return release(studio, making, target, _claim(making, sampler))
