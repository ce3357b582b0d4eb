"""Our own text-to-image model as a picture engine: one subject, drawn in a style, on nothing.

`own:NAME` is one that `mofang image train --kind flow` made, `sticker` the one that ships. It draws at its own size; the
drawing is then enlarged to fit the picture that was asked for, transparent around it.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.image.edit.enlarge import enlarge
from mofang.image.engines.base import Image, Painted, Request, check
from mofang.image.engines.own import CANDIDATES, GUIDANCE, STEPS, Painter
from mofang.models import own
from mofang.studio.credit import Credit
from mofang.studio.progress import Progress, silent

SAID = {
    "3d": r"\b3-?d\b|立体|三维",
    "flat": r"\bflat\b|扁平",
    "outline": r"\boutlined?\b|\bline art\b|线描|线条画|描边",
    "blob": r"\bblobs?\b|圆滚滚",
}
"""How a description names a style, where the model knows one of that name."""
NAME = "sticker"
"""The shipped model."""
USUAL = "flat"
"""The style where none is said: pictures of one piece should look alike."""


class StickerEngine:
    """A model's folder as a picture engine; `style` is one of the styles it learned, named or said in the words.
    A model with a chooser paints several pictures and shows the one that fits the words best."""

    version = "3"
    hears = frozenset({"negative", "steps", "guidance", "style"})
    exact = True

    def __init__(self, folder: Path) -> None:
        self.painter = Painter(folder)
        self.cut_out = self.painter.channels == 4
        card = own.read_card(folder)
        self.model = f"{card.get('name', folder.name)}@{str(card.get('sha256', ''))[:16]}"
        self._credits = tuple(_credit(card, source) for source in card.get("sources", []))

    def paint(self, request: Request, progress: Progress = silent) -> Painted:
        """See `PictureEngine`."""
        check(request, self.hears, "a model of one's own")
        words, style = self._styled(request)
        count = request.count
        made = self.painter.best([words] * count, [self.painter.style(style)] * count,
                                 [request.seed + at for at in range(count)], CANDIDATES, request.steps or STEPS,
                                 GUIDANCE if request.guidance is None else request.guidance,
                                 [request.negative] * count, lambda share: progress(share, ""))  # fmt: skip
        size = request.size or (512, 512)
        notes: tuple[str, ...] = ()
        if unread := self.painter.unread(words):
            notes = (f"the model reads the first {self.painter.words} tokens; {unread} at the end were not read",)
        return Painted(tuple(placed(picture, size) for picture in made), self._credits, {"style": style}, notes)

    def _styled(self, request: Request) -> tuple[str, str]:
        """The words without what names the style, and the style."""
        if request.style:
            return request.words, request.style
        for style, pattern in SAID.items():
            if style in self.painter.styles and re.search(pattern, request.words, re.IGNORECASE):
                rest = re.sub(rf"(?:{pattern})(?:风格|风)?的?", " ", request.words, flags=re.IGNORECASE).strip()
                return rest or request.words, style
        return request.words, USUAL if USUAL in self.painter.styles else ""

    def close(self) -> None:
        """Free the graphs."""
        self.painter.__dict__.pop("_graphs", None)


def placed(picture: NDArray[np.uint8], size: tuple[int, int]) -> Image:
    """The picture enlarged by our own super-resolution to fit `size` (width, height), in the middle of nothing."""
    import cv2

    width, height = size
    side, own_side = min(width, height), len(picture)
    values = picture.astype(np.float32) / 255
    alpha = values[..., 3:] if values.shape[2] == 4 else np.ones_like(values[..., :1])
    layers: list[NDArray[Any]] = [values[..., :3] * alpha, np.repeat(alpha, 3, 2)]
    if side > own_side:
        factor = 2 if side <= 2 * own_side else 4
        layers = [enlarge(layer, factor) for layer in layers]
    method = cv2.INTER_AREA if side < len(layers[0]) else cv2.INTER_CUBIC
    colour, cover = (np.clip(cv2.resize(layer, (side, side), interpolation=method), 0, 1) for layer in layers)
    straight = np.minimum(colour / np.maximum(cover, 1 / 255), 1)
    page = np.zeros((height, width, 4), np.uint8)
    top, left = (height - side) // 2, (width - side) // 2
    page[top : top + side, left : left + side] = np.rint(np.concatenate([straight, cover[..., :1]], 2) * 255)
    return page


def _credit(card: dict[str, Any], source: str) -> Credit:
    """`name, licence, address` of what a model learned from."""
    name, licence, address = ([part.strip() for part in source.rsplit(",", 2)] + ["", ""])[:3]
    return Credit(name, str(card.get("title", "")), licence, address)


def open_engine(rest: str, loras: Sequence[str], controlnet: str, studio: Path | None) -> StickerEngine:
    """See `mofang.image.engines.open_engine`."""
    return StickerEngine(own.find(rest or NAME, studio))
