"""Pictures: illustrations from words, and the creator's own pictures made to fit.

>>> from mofang.image import illustrate
>>> painting = illustrate(["秋天的夜晚，一只小狐狸坐在山坡上。"], "zh", (1080, 1920))[0]
>>> painting.image.shape
(1920, 1080, 3)
"""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from mofang.image.engines.collage.paint import Painting


def illustrate(
    passages: list[str], lang: Literal["zh", "en"], size: tuple[int, int], style: str = "", seed: int = 0
) -> "list[Painting]":
    """One picture for each passage of a story, the same hero and places carried through. `size` is (width, height)."""
    from mofang.image.engines.collage.art import DEFAULT
    from mofang.image.engines.collage.paint import paint
    from mofang.image.engines.collage.read import read_story

    return [paint(scene, size, style=style or DEFAULT, seed=seed) for scene in read_story(passages, lang)]


__all__ = ["illustrate"]
