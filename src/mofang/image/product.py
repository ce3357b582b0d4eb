"""A product before a quiet ground: cut out, standing, with its shadows, in any shape.

The shadow has two parts, as under a lamp above, before and to the right: the dark line of contact where the thing stands, and the
silhouette laid on the ground, softer the farther from the foot (Pharr, Jakob & Humphreys 2023, 12.4: penumbras widen with
distance from the occluder).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mofang.image.edit.bm3d import Floats
from mofang.image.engines.collage.colour import shift
from mofang.image.layout.colours import clusters, luminance_of, oklab
from mofang.studio.errors import UserError

Shape = Literal["tall", "square", "wide"]
KINDS = ("gradient", "plain", "picture")
STANDS = (0.14, 0.14, 0.86, 0.82)
"""Left, top, right and foot of where a subject stands on a page without words, in shares of its sides."""
SMALLEST = 24
"""Pixels of the shorter side of a subject that is worth showing."""


@dataclass(frozen=True)
class Scene:
    """What stands behind and under a product. `colour` (`#rrggbb`, empty: from the product's own colours) is the ground's;
    `picture` (rows, columns, 3) in 0..1 stands behind instead, out of focus. `room` leaves space for words."""

    backdrop: Literal["gradient", "plain", "picture"] = "gradient"
    colour: str = ""
    picture: Floats | None = None
    shadow: bool = True
    room: bool = False


def stage(colours: Floats, alpha: Floats, size: tuple[int, int], scene: Scene) -> Floats:
    """(height, width, 3) of a subject's own colours (rows, columns, 3) and alpha (rows, columns); `size` is (width, height).

    Raises `UserError` if the subject is too small to show.
    """
    import cv2

    colours, alpha = _trimmed(colours, alpha)
    width, height = size
    left, top, wide, high = _place(size, scene.room)
    scale = min(wide / alpha.shape[1], high / alpha.shape[0])
    fitted = (max(round(alpha.shape[1] * scale), 1), max(round(alpha.shape[0] * scale), 1))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    # Premultiplied, or the colours outside the subject would bleed into its edge.
    soft = np.clip(cv2.resize(alpha, fitted, interpolation=how), 0, 1)
    body = np.clip(cv2.resize(colours * alpha[..., None], fitted, interpolation=how), 0, 1)
    x, foot = left + (wide - fitted[0]) // 2, top + high
    y = foot - fitted[1]
    ground = _ground(size, scene, colours, alpha, foot / height)
    placed = np.zeros((height, width), np.float32)
    placed[y : y + fitted[1], x : x + fitted[0]] = soft
    if scene.shadow:
        ground = ground * (1 - shadow(placed, foot))[..., None]
    out = ground * (1 - placed[..., None])
    out[y : y + fitted[1], x : x + fitted[0]] += body
    found: Floats = np.clip(out, 0, 1).astype(np.float32)
    return found


def shadow(placed: Floats, foot: int) -> Floats:
    """(rows, columns) 0..1 how dark the ground is made by a silhouette (rows, columns) that stands on row `foot`."""
    import cv2

    rows, columns = placed.shape
    lines = np.flatnonzero(placed.max(1) > 0.05)
    tall = max(foot - int(lines[0]), 1) if len(lines) else 1
    unit = np.sqrt(rows * columns)
    # The silhouette laid down: squashed to a fifth, leaning right, upwards behind the thing.
    lean, flat = 0.55, 0.22
    move = np.array([[1, -lean / flat, lean / flat * foot], [0, 1 / flat, foot - foot / flat]], np.float32)
    laid = cv2.warpAffine(placed, move, (columns, rows), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    far = np.clip((foot - np.arange(rows, dtype=np.float32)) / (flat * tall), 0, 1)[:, None]
    near, wide = (cv2.GaussianBlur(laid, (0, 0), unit * each) for each in (0.006, 0.03))
    cast = (near * (1 - far) + wide * far) * (0.34 - 0.2 * far)
    # What touches the ground: the lowest of the silhouette, pressed flat.
    band = max(round(tall * 0.05), 2)
    touching = placed[max(foot - band, 0) : foot].max(0) if foot > 0 else placed[0]
    contact = np.zeros_like(placed)
    thick = max(round(unit * 0.004), 1)
    contact[max(foot - thick, 0) : min(foot + thick, rows)] = touching
    pressed = cv2.GaussianBlur(contact, (0, 0), sigmaX=unit * 0.008, sigmaY=unit * 0.004)
    wider = cv2.GaussianBlur(contact, (0, 0), sigmaX=unit * 0.03, sigmaY=unit * 0.012)
    found: Floats = np.clip(cast + 0.55 * pressed + 0.7 * wider, 0, 0.8).astype(np.float32)
    return found


def _trimmed(colours: Floats, alpha: Floats) -> tuple[Floats, Floats]:
    rows, columns = np.flatnonzero(alpha.max(1) > 0.1), np.flatnonzero(alpha.max(0) > 0.1)
    if len(rows) < SMALLEST or len(columns) < SMALLEST:
        raise UserError("there is hardly anything to show; say where the product is with --box left,top,width,height")
    inside = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return colours[inside], alpha[inside]


def _place(size: tuple[int, int], room: bool) -> tuple[int, int, int, int]:
    """Left, top, width and height the product may take: low and large, right of the words on a wide page, else under them."""
    width, height = size
    ratio = width / height
    if room and ratio >= 1.2:
        left, top, right, foot = 0.46, 0.12, 0.95, 0.86
    elif room:
        left, top, right, foot = 0.14, 0.33, 0.86, 0.86
    else:
        left, top, right, foot = STANDS
    return round(left * width), round(top * height), round((right - left) * width), round((foot - top) * height)


def ground_colour(colours: Floats, alpha: Floats) -> str:
    """A light tint that lets the product stand out: of its own hue, paler and greyer, or dark for a white product."""
    sure = alpha > 0.9
    pixels = (colours[sure if sure.any() else alpha > 0.1] * 255).round().astype(np.uint8)
    side = max(int(np.sqrt(len(pixels))), 1)
    shares = clusters(np.ascontiguousarray(pixels[: side * side].reshape(side, side, 3)), 4)
    labs = oklab(np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour, _ in shares], np.uint8))
    vivid = int((np.hypot(labs[:, 1], labs[:, 2]) * np.sqrt([share for _, share in shares])).argmax())
    mean = float(sum(luminance_of(colour) * share for colour, share in shares))
    light = 0.9 if mean < 0.62 else 0.62
    chroma = max(float(np.hypot(labs[vivid, 1], labs[vivid, 2])), 1e-4)
    return shift(shares[vivid][0], light - float(labs[vivid, 0]), min(1.0, 0.035 / chroma))


def _ground(size: tuple[int, int], scene: Scene, colours: Floats, alpha: Floats, foot: float) -> Floats:
    width, height = size
    if scene.backdrop == "picture" and scene.picture is not None:
        return _behind(scene.picture, size)
    colour = scene.colour or ground_colour(colours, alpha)
    base = _rgb(colour)
    if scene.backdrop == "plain":
        return np.broadcast_to(base, (height, width, 3)).astype(np.float32)
    # A curved sheet of paper: light from above on the wall, a soft bend below the middle, a paler floor.
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    bend = max(foot - 0.2, 0.4)
    wall = 1.02 - 0.10 * np.clip((y / height) / bend, 0, 1)
    floor = 0.94 + 0.07 * np.clip((y / height - bend) / (1 - bend), 0, 1)
    share = 1 / (1 + np.exp(-(y / height - bend) / 0.03))
    glow = 0.07 * np.exp(-(((x / width - 0.42) / 0.5) ** 2) - ((y / height - 0.34) / 0.42) ** 2)
    lit = wall * (1 - share) + floor * share + glow
    grain = np.random.default_rng(0).normal(0, 0.7 / 255, (height, width)).astype(np.float32)  # Against bands.
    sheet: Floats = np.clip(base * lit[..., None] + grain[..., None], 0, 1).astype(np.float32)
    return sheet


def _behind(picture: Floats, size: tuple[int, int]) -> Floats:
    """A picture filled to the frame and put out of focus."""
    import cv2

    width, height = size
    scale = max(width / picture.shape[1], height / picture.shape[0])
    large = (max(round(picture.shape[1] * scale), width), max(round(picture.shape[0] * scale), height))
    filled = cv2.resize(picture, large, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    left, top = (large[0] - width) // 2, (large[1] - height) // 2
    cut = np.ascontiguousarray(filled[top : top + height, left : left + width])
    blurred: Floats = cv2.GaussianBlur(cut, (0, 0), np.sqrt(width * height) / 70)
    return blurred


def _rgb(colour: str) -> NDArray[np.float32]:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / np.float32(255)
