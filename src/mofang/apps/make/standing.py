"""Shots by an engine that draws one subject on nothing: it stands in the place the words tell of, which lies out of focus.

The words are read as the collage reads them. The engine is asked for whom they are about, the collage for where.
"""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from mofang.apps.make.storyboard import Picture
from mofang.apps.originals import pixels
from mofang.apps.paint import Order, painted
from mofang.image.engines import PictureEngine
from mofang.image.engines.collage import scene as collage
from mofang.image.engines.collage.glyphs import glyphs
from mofang.image.engines.collage.read import read
from mofang.image.product import STANDS, Scene, stage
from mofang.studio import Made, Making, Recipe, Studio
from mofang.text.language import language_of

ENGINE, VERSION = "standing", "1"
DRAWN = 512
"""Pixels of a side of the drawing, before it is fitted into the shot."""
FEW = 4
"""Characters (Chinese) or words up to which a text may be the name of a thing."""


def standing(studio: Studio, engine: PictureEngine, name: str, picture: Picture, behind: Making, size: tuple[int, int]) -> Making:
    """The shot of a picture's words before `behind`, `size` (width, height); `behind` itself if they are about nothing to see."""
    subject = subject_of(picture.words)
    if not subject:
        return behind
    order = Order(name, subject, size=(DRAWN, DRAWN), seed=picture.seed)
    drawn = painted(studio, engine, order, again=False)[0][0]
    recipe = Recipe(ENGINE, VERSION, params={"size": list(size)}, parents=(drawn.asset.id, behind.asset.id))
    return studio.make(recipe, ".png", lambda target: produce(studio, recipe, target))


def subject_of(words: str) -> str:
    """The name of the first thing that words are about; a few words that tell of none we know are the thing. Empty: none, or
    what hangs in the sky, which the place shows."""
    lang = language_of(words)
    told = [subject for subject in _read(words).subjects if subject.glyph in glyphs() and subject.word in words]
    if told:
        return next((glyphs()[subject.glyph].label(lang) for subject in told if subject.role != "sky"), "")
    few = len(words.strip(" 。.!！?？")) <= FEW if lang == "zh" else len(words.split()) <= FEW
    return words * few


def place(picture: Picture) -> Picture:
    """Where the words of a picture are, with nobody there."""
    scene = _read(picture.words)
    sky = tuple(subject for subject in scene.subjects if subject.role == "sky")
    return Picture(scene=replace(scene, subjects=sky), seed=picture.seed)


@lru_cache(maxsize=16)
def _read(words: str) -> collage.Scene:
    # A shot asks for whom and for where.
    return read(words, language_of(words))


def produce(studio: Studio, recipe: Recipe, target: Path) -> Made:
    """The shot of a recipe: its first parent's drawing before the second."""
    drawing, behind = (studio.asset(each) for each in recipe.parents)
    with Image.open(drawing.path) as opened:
        cut = np.asarray(opened.convert("RGBA"), np.float32) / np.float32(255)
    ground = (pixels(studio, behind.id) / np.float32(255)).astype(np.float32)
    width, height = (int(side) for side in recipe.params["size"])
    shot = stage(cut[..., :3], cut[..., 3], (width, height), Scene("picture", picture=ground))
    Image.fromarray((shot * 255).round().astype(np.uint8)).save(target, "PNG", compress_level=1)
    credits = tuple(dict.fromkeys(credit for each in (drawing, behind) for credit in studio.making(each).made.credits))
    nature = studio.making(drawing).made.facts["nature"]
    left, top, right, foot = STANDS
    return Made(credits, {"focus": [left, top, round(right - left, 4), round(foot - top, 4)], "nature": nature})
