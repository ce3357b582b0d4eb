"""Frames as 4:2:0 planes: pictures are converted to the film's colour once, not at every frame."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang.video import pictures
from mofang.video.motion import Motion, View, covers, inside

Plane = NDArray[np.uint8]
Deep = NDArray[np.uint16]
BLACK = (16, 128, 128)
"""Video black in limited range."""
RIM = 2
"""Pixels a still's planes are larger than the picture on each side."""

# Rec. ITU-R BT.709-6, 3.2 and 3.4, limited range: 8-bit RGB → Y′CbCr.
BT709 = (
    np.array(
        [
            [0.2126 * 219, 0.7152 * 219, 0.0722 * 219, 16 * 255],
            [-0.2126 / 1.8556 * 224, -0.7152 / 1.8556 * 224, 0.9278 / 1.8556 * 224, 128 * 255],
            [0.7874 / 1.5748 * 224, -0.7152 / 1.5748 * 224, -0.0722 / 1.5748 * 224, 128 * 255],
        ]
    )
    / 255
)


@dataclass(frozen=True)
class Planes:
    """Luma (rows, columns) and two chroma planes of half its size."""

    y: Plane
    u: Plane
    v: Plane


def convert(rgb: NDArray[np.uint8]) -> Planes:
    """(rows, columns, 3) of even size → planes. Chroma is the mean of its four pixels."""
    import cv2

    full = cv2.transform(rgb, BT709)
    half = cv2.resize(full, (rgb.shape[1] // 2, rgb.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return Planes(
        np.ascontiguousarray(full[..., 0]), np.ascontiguousarray(half[..., 1]), np.ascontiguousarray(half[..., 2])
    )


class Still:
    """A picture ready to be looked at along a move: its part that is seen, in the film's colour, finely enough."""

    def __init__(self, path: Path, motion: Motion, width: int, height: int) -> None:
        import cv2

        image = pictures.read(path)
        rows, columns = image.shape[:2]
        self.frame = (width, height)
        self.cover = covers((columns, rows), self.frame)
        left, top, right, bottom = motion.swept(self.cover)
        x, y = math.floor(left * columns), math.floor(top * rows)
        image = image[y : max(math.ceil(bottom * rows), y + 1), x : max(math.ceil(right * columns), x + 1)]
        self.corner = (x / columns, y / rows)
        self.kept = (image.shape[1] / columns, image.shape[0] / rows)
        # As fine as the closest view needs, no finer: the lens interpolates but does not average.
        zoom = max(motion.start.zoom, motion.end.zoom, 1.0)
        across, down = (
            max(2, round(side * zoom * kept / cover / 2) * 2)
            for side, kept, cover in zip(self.frame, self.kept, self.cover, strict=True)
        )
        method = cv2.INTER_AREA if across < image.shape[1] else cv2.INTER_CUBIC
        planes = convert(cv2.resize(image, (across, down), interpolation=method))
        # A rim, since the outermost pixels are interpolated half outside: cheaper than a border made at every frame.
        self.planes = Planes(*(cv2.copyMakeBorder(plane, RIM, RIM, RIM, RIM, cv2.BORDER_REPLICATE)
                               for plane in (planes.y, planes.u, planes.v)))  # fmt: skip

    def look(self, view: View) -> Planes:
        """The frame seen from `view`, which must lie on the move, bilinear between pixels."""
        view = inside(view, self.cover)
        centre = tuple((at - corner) / kept for at, corner, kept in
                       zip((view.x, view.y), self.corner, self.kept, strict=True))  # fmt: skip
        share = tuple(cover / view.zoom / kept for cover, kept in zip(self.cover, self.kept, strict=True))
        width, height = self.frame
        return Planes(
            _window(self.planes.y, centre, share, width, height),
            _window(self.planes.u, centre, share, width // 2, height // 2),
            _window(self.planes.v, centre, share, width // 2, height // 2),
        )


def _window(plane: Plane, centre: tuple[float, ...], share: tuple[float, ...], width: int, height: int) -> Plane:
    import cv2

    rows, columns = plane.shape[0] - 2 * RIM, plane.shape[1] - 2 * RIM
    step_x, step_y = columns * share[0] / width, rows * share[1] / height
    # Pixel centres: frame (i + ½) looks at plane (centre + (i + ½ − width / 2) · step) − ½.
    x = centre[0] * columns + (0.5 - width / 2) * step_x - 0.5 + RIM
    y = centre[1] * rows + (0.5 - height / 2) * step_y - 0.5 + RIM
    matrix = np.array([[step_x, 0, x], [0, step_y, y]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen: Plane = cv2.warpAffine(plane, matrix, (width, height), flags=flags)
    return seen


@dataclass(frozen=True, eq=False)
class Patch:
    """A transparent picture as premultiplied planes, ready to be laid over frames at even coordinates."""

    x: int
    y: int
    colour: tuple[Deep, Deep, Deep]
    alpha: tuple[Deep, Deep]

    @classmethod
    def of(cls, rgba: NDArray[np.uint8], x: int, y: int, width: int, height: int) -> "Patch | None":
        """From (rows, columns, 4) at (x, y), cut to the frame and to where it is not empty; None if nothing is left."""
        import cv2

        canvas = rgba[max(-y, 0) : max(height - y, 0), max(-x, 0) : max(width - x, 0)]
        x, y = max(x, 0), max(y, 0)
        rows, columns = np.flatnonzero(canvas[..., 3].any(1)), np.flatnonzero(canvas[..., 3].any(0))
        if not len(rows):
            return None
        canvas = canvas[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        x, y = x + int(columns[0]), y + int(rows[0])
        # Even edges, so that luma and chroma cover the same pixels.
        right, bottom = (x + canvas.shape[1]) % 2, (y + canvas.shape[0]) % 2
        canvas = np.pad(canvas, ((y % 2, bottom), (x % 2, right), (0, 0)))
        x, y = x - x % 2, y - y % 2
        # Premultiplied before halving, or the colour of empty pixels would bleed into the edges.
        alpha = canvas[..., 3]
        full = cv2.transform(np.ascontiguousarray(canvas[..., :3]), BT709).astype(np.float32) * alpha[..., None]
        half_size = (canvas.shape[1] // 2, canvas.shape[0] // 2)
        half = cv2.resize(full, half_size, interpolation=cv2.INTER_AREA).reshape(*half_size[::-1], 3)
        half_alpha = cv2.resize(alpha.astype(np.float32), half_size, interpolation=cv2.INTER_AREA)
        return cls(
            x, y, (full[..., 0].astype(np.uint16), half[..., 1].astype(np.uint16), half[..., 2].astype(np.uint16)),
            (alpha.astype(np.uint16), np.round(half_alpha).astype(np.uint16)))  # fmt: skip

    def copy(self) -> "Patch":
        """One whose pixels may be changed."""
        colour, alpha = tuple(plane.copy() for plane in self.colour), tuple(plane.copy() for plane in self.alpha)
        return Patch(self.x, self.y, colour, alpha)  # type: ignore[arg-type]

    def take(self, other: "Patch", box: tuple[float, float, float, float]) -> None:
        """Take over the pixels of `other`, which stands at the same place, inside a box of the frame."""
        left, top, right, bottom = (round(edge / 2) for edge in box)
        a, b = max(top - self.y // 2, 0), max(bottom - self.y // 2, 0)
        c, d = max(left - self.x // 2, 0), max(right - self.x // 2, 0)
        for mine, others, step in (
            (self.colour[0], other.colour[0], 2), (self.alpha[0], other.alpha[0], 2), (self.colour[1], other.colour[1], 1),
            (self.colour[2], other.colour[2], 1), (self.alpha[1], other.alpha[1], 1),
        ):  # fmt: skip
            part = np.s_[a * step : b * step, c * step : d * step]
            mine[part] = others[part]

    def lay_over(self, frame: Planes, strength: float = 1.0) -> None:
        """Blend into the frame's planes, in place; `strength` 0..1 fades it."""
        full, half = self.alpha
        for plane, colour, alpha, step in (
            (frame.y, self.colour[0], full, 1), (frame.u, self.colour[1], half, 2), (frame.v, self.colour[2], half, 2),
        ):  # fmt: skip
            rows, columns = alpha.shape
            band = plane[self.y // step : self.y // step + rows, self.x // step : self.x // step + columns]
            if strength < 1:
                fade = np.uint32(round(strength * 256))
                alpha = (alpha * fade >> 8).astype(np.uint16)
                colour = (colour * fade >> 8).astype(np.uint16)
            # (band · (255 − alpha) + colour · alpha) / 255, in sixteen bits.
            mixed = band * (255 - alpha)
            mixed += colour
            mixed += 127
            mixed //= 255
            band[:] = mixed
