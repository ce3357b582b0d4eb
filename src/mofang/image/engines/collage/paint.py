"""From a scene to a picture: backdrop, subjects, light and grain.

Two rasterisers share the work. Our own shapes are plain SVG, which Skia draws twenty times faster than resvg; the art sets
use corners of SVG that Skia gets wrong, so resvg draws each glyph at the size it is needed.
"""

import hashlib
import json
import zlib
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.image.engines.collage.art import DEFAULT, STYLES, Art, Drawing, open_art
from mofang.image.engines.collage.canvas import Canvas, Nested
from mofang.image.engines.collage.figures import figure
from mofang.image.engines.collage.layout import Placed, place
from mofang.image.engines.collage.palette import Palette
from mofang.image.engines.collage.places import Stage, paint_place
from mofang.image.engines.collage.scene import Scene
from mofang.image.engines.collage.sky import paint_weather
from mofang.studio.credit import Credit

VERSION = "1"
"""Raise when the same scene would give other pixels."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Painting:
    """A finished picture: (rows, columns, 3) pixels, where its subject is (shares of the picture), whose art is in it."""

    image: NDArray[np.uint8]
    focus: Box
    credits: tuple[Credit, ...]
    svg: str


def paint(scene: Scene, size: tuple[int, int], *, style: str = DEFAULT, seed: int = 0) -> Painting:
    """Paint a scene at `size` (width, height) in pixels. The same arguments give the same bytes.

    `style` is an art set: noto, fluent, twemoji, openmoji. Raises `UserError` for an unknown one.
    """
    canvas, focus, credits = compose(scene, size, style=style, seed=seed)
    return Painting(_grain(render(canvas), seed), focus, credits, canvas.svg())


def compose(scene: Scene, size: tuple[int, int], *, style: str = DEFAULT, seed: int = 0) -> tuple[Canvas, Box, tuple[Credit, ...]]:
    """The picture's shapes in order, its focus box and credits."""
    art = open_art(style)
    # The place is drawn from its own seed: scenes of one story in one place look like that place.
    setting = json.dumps([seed, scene.place, scene.season], sort_keys=True)
    canvas = Canvas(*size, seed=zlib.crc32(setting.encode()))
    palette = Palette.of(scene)
    stage = paint_place(canvas, palette, scene)
    canvas.random.seed(zlib.crc32(json.dumps([seed, asdict(scene)], sort_keys=True).encode()))
    placed = place(canvas, stage, scene.subjects)
    credits = {art.credit}
    for item in placed:
        credits |= _draw(canvas, palette, stage, item, art, seed)
    if stage.front and any(item.floating for item in placed):
        stage.front()
    _tint(canvas, palette, scene, stage)
    if not stage.indoors and scene.place not in ("space", "underwater", "plain"):
        paint_weather(canvas, palette, scene)
    return canvas, _focus(canvas, placed, stage), tuple(sorted(credits))


def _draw(canvas: Canvas, palette: Palette, stage: Stage, item: Placed, art: Art, seed: int) -> set[Credit]:
    drawing, credit = _find(item.glyph, art)
    if drawing is None:
        return set()
    # One person wears one colour all through a film.
    clothes = int(hashlib.sha256(f"{seed}{item.word}".encode()).hexdigest()[:6], 16)
    body = figure(item.glyph, clothes)
    height = item.height
    if not item.air and not item.floating:
        width = height * (0.42 if body else 0.44)
        canvas.ellipse(item.x, item.y - height * 0.01, width, height * 0.07, canvas.glow((0, "#0b1020", 0.42), (0.6, "#0b1020", 0.22), (1, "#0b1020", 0)))
    elif item.floating and not stage.afloat:
        canvas.ellipse(item.x, item.y, height * 0.55, height * 0.06, palette.lit("#ffffff"), 0.4)
    if palette.dark and item.hero:
        canvas.ellipse(item.x, item.y - height * 0.5, height * 0.85, height * 0.85, canvas.glow((0, "#ffe9b8", 0.34), (1, "#ffe9b8", 0)))
    if body:
        scale = height / body.height
        left, top = item.x - 50 * scale, item.y - height
        canvas.add(f'<g transform="translate({left:.2f} {top:.2f}) scale({scale:.4f})">{body.markup}</g>')
        x, y, side = body.head
        _nest(canvas, drawing, left + x * scale, top + y * scale, side * scale)
    else:
        sink = height * (0.2 if item.floating and stage.front else 0.04)
        _nest(canvas, drawing, item.x - height / 2, item.y - height + sink, height)
    return {credit}


def _find(hexcode: str, art: Art) -> tuple[Drawing | None, Credit]:
    """The glyph in the film's style, or in the next set that may stand in for it."""
    if drawing := art.drawing(hexcode):
        return drawing, art.credit
    for style in ("noto", "fluent"):
        if style != art.style and style in STYLES and (drawing := open_art(style).drawing(hexcode)):
            return drawing, open_art(style).credit
    return None, art.credit


def _nest(canvas: Canvas, drawing: Drawing, x: float, y: float, side: float) -> None:
    canvas.nest(Nested(drawing.body, (drawing.width, drawing.height), x, y, side))


def _tint(canvas: Canvas, palette: Palette, scene: Scene, stage: Stage) -> None:
    """The hour's light over the pasted art, so that it belongs to the picture, and darker edges that hold the eye."""
    if scene.place in ("space", "underwater", "plain", "stage"):
        return
    veil = {"night": ("#101a52", 0.26), "dusk": ("#d8674e", 0.13), "dawn": ("#ffb48f", 0.1), "day": ("#ffffff", 0.0)}[scene.time]
    if veil[1]:
        # Thin over the sky, whose moon and stars are lights themselves.
        strength = veil[1] * (0.6 if stage.indoors else 1)
        fall = canvas.down((0, veil[0], strength * 0.1), (0.4, veil[0], strength * 0.3), (0.6, veil[0], strength), (1, veil[0], strength))
        canvas.rect(0, 0, canvas.width, canvas.height, fall)
    edge = canvas.define('<radialGradient id="{id}" cx="0.5" cy="0.5" r="0.75"><stop offset="0.62" stop-color="#0a0d1e" stop-opacity="0"/>'
                         '<stop offset="1" stop-color="#0a0d1e" stop-opacity="0.3"/></radialGradient>')  # fmt: skip
    canvas.rect(0, 0, canvas.width, canvas.height, edge)


def _focus(canvas: Canvas, placed: list[Placed], stage: Stage) -> Box:
    heroes = [item for item in placed if item.hero]
    if not heroes:
        return 0.25, 0.15, 0.5, 0.4
    left = min(item.x - item.height / 2 for item in heroes) / canvas.width
    right = max(item.x + item.height / 2 for item in heroes) / canvas.width
    top = min(item.y - item.height for item in heroes) / canvas.height
    bottom = max(item.y for item in heroes) / canvas.height
    left, top, right, bottom = (min(max(side, 0.0), 1.0) for side in (left, top, right, bottom))
    return left, top, right - left, bottom - top


def render(canvas: Canvas) -> NDArray[np.uint8]:
    """Rasterise: (rows, columns, 3)."""
    import skia

    pixels = np.zeros((canvas.height, canvas.width, 4), np.uint8)
    surface: Any = skia.Surface(pixels, colorType=skia.ColorType.kRGBA_8888_ColorType)
    target = surface.getCanvas()
    for layer in canvas.layers():
        if isinstance(layer, Nested):
            side = max(round(layer.side), 1)
            picture = skia.Image.fromarray(_glyph(layer.svg(at_origin=True)), colorType=skia.ColorType.kRGBA_8888_ColorType)
            target.drawImageRect(picture, skia.Rect.MakeXYWH(layer.x, layer.y, side, side), skia.SamplingOptions(skia.FilterMode.kLinear))
        else:
            # Copied: the stream does not keep the bytes alive.
            document = skia.SVGDOM.MakeFromStream(skia.MemoryStream(layer.encode(), True))
            document.setContainerSize(skia.Size(canvas.width, canvas.height))
            document.render(target)
    surface.flushAndSubmit()
    rgb: NDArray[np.uint8] = np.ascontiguousarray(pixels[..., :3])
    return rgb


@lru_cache(maxsize=64)
def _glyph(svg: str) -> NDArray[np.uint8]:
    """One piece of art: (rows, columns, 4), straight alpha."""
    import cv2
    import resvg_py

    data: Any = resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True)
    image = cv2.imdecode(np.frombuffer(bytes(data), np.uint8), cv2.IMREAD_UNCHANGED)
    rgba: NDArray[np.uint8] = cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA)
    return rgba


def _grain(image: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """The faintest paper grain: it also keeps the sky's gradients from banding once the film is compressed."""
    tile = np.random.default_rng(seed).integers(-2, 3, (256, 256, 1), dtype=np.int16)
    rows, columns = image.shape[:2]
    grain = np.tile(tile, (-(-rows // 256), -(-columns // 256), 1))[:rows, :columns]
    grown: NDArray[np.uint8] = np.clip(image.astype(np.int16) + grain, 0, 255).astype(np.uint8)
    return grown
