"""One illustration from words, as an asset and as a file."""

import re
from pathlib import Path

from mofang import trust
from mofang.apps.export import part, public, release
from mofang.apps.make import pictures
from mofang.apps.make.storyboard import Picture
from mofang.image.engines.collage.art import open_art
from mofang.image.engines.collage.paint import VERSION
from mofang.image.engines.collage.read import explain, read
from mofang.image.safe import open_picture
from mofang.studio import Recipe, Studio, UserError
from mofang.studio.words import language
from mofang.text.language import language_of

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
SMALLEST, LARGEST = 64, 8192


def draw_to(studio: Studio, words: str, target: Path, size: str, style: str, seed: int) -> tuple[Path, str]:
    """Paint `words` and publish the picture. Returns the file and which word called for what. Raises `UserError`."""
    if target.suffix.lower() not in SUFFIXES:
        raise UserError(f"cannot write a '{target.suffix}' picture; choose one of: {', '.join(SUFFIXES)}")
    if not any(letter.isalpha() or ord(letter) > 0x2000 for letter in words):
        raise UserError("there are no words to paint; say what the picture shows")
    wide, high = read_size(size)
    lang = language_of(words)
    scene = read(words, lang)
    recipe = Recipe(
        "collage",
        VERSION,
        open_art(style).card.key,
        pictures.scene_json(scene),
        {"size": [wide, high], "style": style},
        seed,
    )
    making = studio.make(recipe, ".png", lambda path: pictures.produce(recipe, Picture(scene, seed=seed), path))
    claim = trust.Claim(words[:60], "algorithmicMedia", lang, parts=(part(making),), credits=making.made.credits,
                        facts={"recipe": public(recipe), "words": words})  # fmt: skip
    return release(studio, making, target, claim, _converted), explain(scene, language())


def read_size(text: str) -> tuple[int, int]:
    """Width and height from `1080x1920`. Raises `UserError`."""
    match = re.fullmatch(r"(\d{1,5})[x×](\d{1,5})", text)
    if not match or not all(SMALLEST <= int(side) <= LARGEST for side in match.groups()):
        raise UserError(
            f"'{text[:20]}' is no size; write width x height, {SMALLEST} to {LARGEST} pixels each, as 1080x1920"
        )
    return int(match[1]), int(match[2])


def _converted(source: Path, target: Path) -> None:
    from PIL import Image

    Image.fromarray(open_picture(source)).save(target, quality=95)
