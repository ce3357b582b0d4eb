"""What each verb of `mofang image edit` does to a picture, and what that makes of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.image.edit import masks
from mofang.image.edit.bm3d import Floats
from mofang.image.edit.tiles import tiled
from mofang.studio import UserError
from mofang.trust.credentials import Nature

LARGEST = 60_000_000
"""Pixels of a picture that is worked on: at four bytes a channel and a few copies, that is some gigabytes."""


@dataclass(frozen=True)
class Work:
    """A picture (rows, columns, 3), where to work on it, its own transparency, a second picture, and the settings."""

    image: NDArray[np.uint8]
    mask: masks.Mask | None
    alpha: Floats | None
    other: Floats | None
    params: Mapping[str, Any]
    seed: int

    @property
    def floats(self) -> Floats:
        """The picture in 0..1."""
        return (self.image / np.float32(255)).astype(np.float32)


def seen(verb: str, picture: Path) -> dict[str, Any]:
    """What a verb must know of the file that its pixels do not say."""
    if verb != "unjpeg":
        return {}
    from mofang.image.edit.unjpeg import table_of

    table = table_of(picture)
    return {} if table is None else {"table": [int(step) for step in table.reshape(-1)]}


def do(verb: str, work: Work) -> tuple[Floats, Nature]:
    """(rows, columns, 3 or 4) in 0..1, and what the result is in IPTC's terms. Raises `UserError`."""
    if work.image.shape[0] * work.image.shape[1] > LARGEST:
        raise UserError(f"pictures of up to {LARGEST // 1_000_000} million pixels are worked on; make it smaller")
    action, whole = VERBS[verb]
    result, nature = action(work)
    if not whole and work.mask is not None:
        result = _within(work.floats, result, work.mask)
    if result.shape[2] == 3 and work.alpha is not None and verb != "outpaint":
        import cv2

        size = (result.shape[1], result.shape[0])
        result = np.dstack([result, cv2.resize(work.alpha, size, interpolation=cv2.INTER_LINEAR)])
    return result, nature


def network(verb: str, params: Mapping[str, Any]) -> tuple[str, Path] | None:
    """The network a verb will use, if any, as its engine and its file: one that was asked for, or ours. Raises `UserError`."""
    from mofang.image.edit import engines, enlarge, repair

    if "engine" in params:
        kind = str(params["engine"])
        return kind, engines.chosen(kind, Path(params["model"]), params.get("factor"))
    if verb == "enlarge":
        factor = params.get("factor", 2)
        graph = enlarge.network_of(params["model"], factor) if "model" in params else enlarge.shipped(factor)
    elif verb in REPAIRING:
        graph = repair.graph_of(params["model"]) if "model" in params else repair.shipped()
    else:
        return None
    return ("onnx", graph) if graph else None


def _repairing(work: Work, verb: str) -> Path | None:
    found = network(verb, work.params)
    return found[1] if found else None


def _restored(work: Work, verb: str) -> tuple[Floats, Nature]:
    """By somebody's network that keeps a picture's size."""
    from mofang.image.edit.engines import open_network

    kind, path = network(verb, work.params) or ("", Path())
    found = open_network(kind, path)
    if found.factor != 1:
        raise UserError(f"{found.name} enlarges by {found.factor}; it is one for: mofang image edit enlarge")
    image = work.floats
    changed = image + (found(image) - image) * np.float32(work.params["strength"])
    # Nobody knows what a stranger's network paints into a picture: it is said that one did.
    return changed, "compositeWithTrainedAlgorithmicMedia"


def _within(before: Floats, after: Floats, mask: masks.Mask) -> Floats:
    """The change where the mask is, fading over two pixels at its edge."""
    import cv2

    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.2)[..., None]
    mixed: Floats = (before + (after - before) * soft).astype(np.float32)
    return mixed


def _inpaint(work: Work) -> tuple[Floats, Nature]:
    from mofang.image.edit.inpaint import inpaint, thick_part

    if work.mask is None:
        raise UserError("say what is to go: --mask mask.png, --key '#ff00ff' or --box left,top,width,height")
    import cv2

    hole, method = work.mask, work.params.get("method", "auto")
    if grow := int(work.params.get("grow", 0)):
        hole = cv2.dilate(hole.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grow + 1,) * 2)) > 0
    if hole.all():
        raise UserError("the mask covers the whole picture, and nothing is left to fill it from; mask less of it")
    invented = method == "exemplar" or (method == "auto" and bool(thick_part(hole).any()))
    nature: Nature = "compositeSynthetic" if invented else "algorithmicallyEnhanced"
    return inpaint(work.floats, hole, work.seed, method, _repairing(work, "inpaint")), nature


def _outpaint(work: Work) -> tuple[Floats, Nature]:
    from mofang.image.edit.outpaint import outpaint

    top, right, bottom, left = work.params["sides"]
    return outpaint(work.floats, (top, right, bottom, left), work.seed), "compositeSynthetic"


def _denoise(work: Work) -> tuple[Floats, Nature]:
    from mofang.image.edit.denoise import denoise, noise_of

    if "engine" in work.params:
        return _restored(work, "denoise")
    image = work.floats
    sigma = work.params["sigma"] / 255 if "sigma" in work.params else noise_of(image)
    graph = _repairing(work, "denoise")
    return tiled(image, lambda part: denoise(part, work.params["strength"], sigma, graph)), "algorithmicallyEnhanced"


def _unjpeg(work: Work) -> tuple[Floats, Nature]:
    from mofang.image.edit.unjpeg import unjpeg

    if "engine" in work.params:
        return _restored(work, "unjpeg")
    table = np.array(work.params["table"], np.float32).reshape(8, 8) if "table" in work.params else None
    return tiled(work.floats, lambda part: unjpeg(part, table, work.params["strength"])), "algorithmicallyEnhanced"


def _enlarge(work: Work) -> tuple[Floats, Nature]:
    from mofang.image.edit.alpha import straight

    image, factor = work.floats, work.params.get("factor")
    how, nature = _enlarger(work)
    if work.alpha is None:
        return how(image, factor), nature
    grey = np.repeat(work.alpha[..., None], 3, 2)
    return np.dstack([how(straight(image, work.alpha), factor), how(grey, factor)[..., 1]]), nature


def _enlarger(work: Work) -> tuple[Callable[[Floats, Any], Floats], Nature]:
    from mofang.image.edit.engines import open_network
    from mofang.image.edit.enlarge import by_engine, enlarge

    found = network("enlarge", work.params)
    if found is None or "model" not in work.params:
        sharpness, graph = work.params["sharpness"], found[1] if found else None
        return lambda image, factor: enlarge(image, factor, sharpness, graph), "algorithmicallyEnhanced"
    # Nobody knows what a stranger's network paints into a picture: it is said that one did.
    opened = open_network(*found)
    return lambda image, factor: by_engine(image, opened, factor), "compositeWithTrainedAlgorithmicMedia"


def _deblur(work: Work) -> tuple[Floats, Nature]:
    from mofang.image.edit.blind import blur_of
    from mofang.image.edit.blur import read_blur
    from mofang.image.edit.deblur import deblur
    from mofang.image.edit.denoise import noise_of

    if "engine" in work.params:
        return _restored(work, "deblur")
    image, blur = work.floats, work.params["blur"]
    kernel = blur_of(image, work.params["size"]) if blur == "auto" else read_blur(blur)
    sigma = noise_of(image)
    sharp = tiled(image, lambda part: deblur(part, kernel, work.params["strength"], sigma), max(kernel.shape) + 16, 512)
    return sharp, "algorithmicallyEnhanced"


def _scratches(work: Work) -> tuple[Floats, Nature]:
    from mofang.image.edit.scratches import scratches

    return scratches(work.floats, work.params["sensitivity"], work.mask, _repairing(work, "scratches"))[0], "algorithmicallyEnhanced"


def _colourise(work: Work) -> tuple[Floats, Nature]:
    from mofang.image.edit.colourise import from_reference, from_strokes

    if work.other is None:
        raise UserError("say where the colours come from: --reference picture.jpg, or --strokes painted.png")
    if work.params["by"] == "strokes":
        return from_strokes(work.floats, work.other), "compositeSynthetic"
    return from_reference(work.floats, work.other, work.seed), "compositeSynthetic"


def _cutout(work: Work) -> tuple[Floats, Nature]:
    from mofang.image.edit.background import cut_out

    box = masks.read_box(work.params["box"]) if "box" in work.params else None
    marked = work.mask if "mask" in work.params["parents"] or "key" in work.params else None
    colours, soft = cut_out(work.floats, box, marked, work.alpha)
    return np.dstack([colours, soft]), "algorithmicallyEnhanced"


def _style(work: Work) -> tuple[Floats, Nature]:
    from mofang.image.edit import style

    if work.other is None:
        raise UserError("say whose style: --like picture.jpg")
    full = work.params["mode"] == "full"
    result = (style.full if full else style.colours)(work.floats, work.other, work.params["strength"], work.seed)
    return result, "compositeSynthetic" if full else "algorithmicallyEnhanced"


Action = Callable[[Work], tuple[Floats, Nature]]
VERBS: dict[str, tuple[Action, bool]] = {
    "inpaint": (_inpaint, True),
    "outpaint": (_outpaint, True),
    "denoise": (_denoise, False),
    "deblur": (_deblur, False),
    "unjpeg": (_unjpeg, False),
    "scratches": (_scratches, True),
    "colourise": (_colourise, False),
    "enlarge": (_enlarge, True),
    "cutout": (_cutout, True),
    "style": (_style, False),
}
"""Verb → what does it, and whether it makes its own use of the mask (else only what lies in the mask changes)."""

REPAIRING = ("inpaint", "scratches", "denoise")
"""The verbs that use the network that repairs."""
