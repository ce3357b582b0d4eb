"""What every picture engine can do, whatever paints."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mofang.studio.credit import Credit
from mofang.studio.errors import UserError
from mofang.studio.progress import Progress, silent

LONGEST = 20_000
"""Characters of a prompt; more is a text and no description of a picture."""
SMALLEST, LARGEST = 16, 8192
"""Pixels of a side."""
MOST = 100
"""Pictures of one request."""

Image = NDArray[np.uint8]
"""(rows, columns, 3) in RGB, or (rows, columns, 4) with straight alpha."""


@dataclass(frozen=True)
class Request:
    """A picture that is asked for. What is left at its default is the engine's own affair.

    `size` is (width, height); with an `image` and no size, the image's. `mask` is True where the image is to be painted
    anew. `strength` is how far from the image the result may go, 0 to 1. `control` is the picture a ControlNet follows.
    Picture i of `count` is what seed `seed` + i gives alone.
    """

    words: str
    negative: str = ""
    size: tuple[int, int] | None = None
    seed: int = 0
    count: int = 1
    steps: int = 0
    guidance: float | None = None
    sampler: str = ""
    style: str = ""
    quality: str = ""
    background: str = ""
    image: Image | None = None
    mask: NDArray[np.bool_] | None = None
    strength: float | None = None
    control: Image | None = None


@dataclass(frozen=True)
class Painted:
    """The pictures of a request, whose work went in, what was measured (JSON), and what the asker should know."""

    images: tuple[Image, ...]
    credits: tuple[Credit, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class PictureEngine(Protocol):
    """Something that paints.

    `model` is `name@sha256` of its weights, or the name a service knows it by; `version` changes when the same request
    would give another picture; `hears` names the fields of a `Request` that it listens to beside words, size, seed, count;
    `exact` says whether the same request gives the same picture, `cut_out` whether it draws a subject on nothing.
    """

    model: str
    version: str
    hears: frozenset[str]
    exact: bool
    cut_out: bool

    def paint(self, request: Request, progress: Progress = silent) -> Painted:
        """Paint. Raises `UserError` for what the engine cannot do."""
        ...

    def close(self) -> None:
        """Free the model's memory or the connection."""
        ...


def check(request: Request, hears: frozenset[str], who: str) -> None:
    """Raise `UserError` for a request that no engine can take, or that asks `who` for what it does not listen to."""
    for each in fields(Request):
        if each.name in ("words", "size", "seed", "count") or each.name in hears:
            continue
        value = getattr(request, each.name)
        if value is not None and not isinstance(value, np.ndarray) and value == each.default:
            continue
        if value is not None:
            raise UserError(f"{who} is not told --{each.name}; leave it out, or choose another engine")
    for words in (request.words, request.negative):
        if len(words) > LONGEST:
            raise UserError(f"the description has {len(words):,} characters; describe the picture in at most {LONGEST:,}")
        if any("\ud800" <= letter <= "\udfff" for letter in words):
            raise UserError("the description has half a character (a lone surrogate); delete it")
    if not request.words.strip() and request.image is None:
        raise UserError("there are no words to paint; say what the picture shows")
    if not 1 <= request.count <= MOST:
        raise UserError(f"{request.count} pictures cannot be asked for at once; ask for 1 to {MOST}")
    if request.size and not all(SMALLEST <= side <= LARGEST for side in request.size):
        raise UserError(f"a picture has {SMALLEST} to {LARGEST} pixels a side, not {request.size[0]}x{request.size[1]}")
    if request.strength is not None and not 0 < request.strength <= 1:
        raise UserError(f"a strength of {request.strength:g} makes no sense; give more than 0 and at most 1")
    if request.strength is not None and request.image is None:
        raise UserError("--strength says how far to go from a picture; give the picture with --image")
    if request.mask is not None:
        if request.image is None:
            raise UserError("a mask says where to paint a picture anew; give the picture with --image")
        if request.mask.shape != request.image.shape[:2]:
            raise UserError("the mask and the picture have different sizes; paint the mask over the picture itself")
        if not request.mask.any():
            raise UserError("the mask is black all over; paint white what is to be made anew")
