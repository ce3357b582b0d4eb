"""The collage as a picture engine: words are read into a scene, and the scene is painted."""

from collections.abc import Sequence
from pathlib import Path

from mofang.image.engines.base import Painted, Request, check
from mofang.image.engines.collage.art import DEFAULT, open_art
from mofang.image.engines.collage.paint import VERSION, paint
from mofang.image.engines.collage.read import read
from mofang.studio.progress import Progress, silent


class CollageEngine:
    """Any size, any words, in Chinese or English; see `collage.read` and `collage.paint`."""

    version = VERSION
    hears = frozenset({"style"})
    exact = True
    cut_out = False

    def __init__(self) -> None:
        self.model = open_art(DEFAULT).card.key

    def paint(self, request: Request, progress: Progress = silent) -> Painted:
        """See `PictureEngine`."""
        check(request, self.hears, "the collage")
        scene = read(request.words, "zh" if any("\u3400" <= letter <= "\u9fff" for letter in request.words) else "en")
        size = request.size or (1080, 1920)
        made = [paint(scene, size, style=request.style or DEFAULT, seed=request.seed + at) for at in range(request.count)]
        return Painted(tuple(each.image for each in made), made[0].credits, {"focus": list(made[0].focus)})

    def close(self) -> None:
        """Nothing is kept open."""


def open_engine(rest: str, loras: Sequence[str], controlnet: str, studio: Path | None) -> CollageEngine:
    """See `mofang.image.engines.open_engine`."""
    return CollageEngine()
