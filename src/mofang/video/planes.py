"""Frames as 4:2:0 planes: pictures are converted to the film's colour once, not at every frame."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mofang.studio.errors import UserError
from mofang.video.motion import REACH, View

Plane = NDArray[np.uint8]
BLACK = (16, 128, 128)
"""Video black in limited range."""

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
    """A picture ready to be looked at from any `View` of its middle part."""

    def __init__(self, path: Path, width: int, height: int) -> None:
        import cv2

        image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        if image is None:
            raise UserError(f"{path.name} is not a picture that can be read; replace it in the storyboard")
        # The largest part of the picture with the film's shape, a little finer than its closest view needs.
        scale = max(width / image.shape[1], height / image.shape[0])
        reach = min(max(1 / scale, 1.0), REACH)
        columns, rows = (round(side * reach / 2) * 2 for side in (width, height))
        grown = max(columns / image.shape[1], rows / image.shape[0])
        size = (max(columns, round(image.shape[1] * grown)), max(rows, round(image.shape[0] * grown)))
        method = cv2.INTER_AREA if grown < 1 else cv2.INTER_CUBIC
        image = cv2.resize(image, size, interpolation=method)
        left, top = (size[0] - columns) // 2, (size[1] - rows) // 2
        self.size = (width, height)
        self.planes = convert(np.ascontiguousarray(image[top : top + rows, left : left + columns]))

    def look(self, view: View) -> Planes:
        """The frame seen from `view`, bilinear between pixels to a thirty-second of one."""
        width, height = self.size
        return Planes(
            _window(self.planes.y, view, width, height),
            _window(self.planes.u, view, width // 2, height // 2),
            _window(self.planes.v, view, width // 2, height // 2),
        )


def _window(plane: Plane, view: View, width: int, height: int) -> Plane:
    import cv2

    rows, columns = plane.shape
    step = columns / width / view.zoom
    # Pixel centres: frame (i + ½) looks at plane (centre + (i + ½ − width / 2) · step) − ½.
    x = view.x * columns + (0.5 - width / 2) * step - 0.5
    y = view.y * rows + (0.5 - height / 2) * step - 0.5
    matrix = np.array([[step, 0, x], [0, step, y]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen: Plane = cv2.warpAffine(plane, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return seen


@dataclass(frozen=True)
class Patch:
    """A transparent picture as planes, ready to be laid over frames at even coordinates."""

    x: int
    y: int
    colour: tuple[NDArray[np.uint16], NDArray[np.uint16], NDArray[np.uint16]]
    alpha: tuple[NDArray[np.uint16], NDArray[np.uint16]]

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
        half = cv2.resize(full, half_size, interpolation=cv2.INTER_AREA)
        half_alpha = cv2.resize(alpha.astype(np.float32), half_size, interpolation=cv2.INTER_AREA)
        return cls(
            x, y, (full[..., 0].astype(np.uint16), half[..., 1].astype(np.uint16), half[..., 2].astype(np.uint16)),
            (alpha.astype(np.uint16), np.round(half_alpha).astype(np.uint16)))  # fmt: skip

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
