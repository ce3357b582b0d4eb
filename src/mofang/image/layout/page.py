"""A page: parts laid one over another, words last, and every one of them readable."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mofang.image.engines.collage.colour import mix
from mofang.image.layout.colours import READABLE, Rgb8, contrast, roles_from, settled, toward
from mofang.image.layout.faces import face
from mofang.image.layout.formats import Box, Format
from mofang.image.layout.legible import chosen, measured, opposite, veil_for, veiled
from mofang.image.layout.places import Arrangement, freest
from mofang.image.layout.qr import qr as qr_code
from mofang.image.layout.setting import Placed
from mofang.image.layout.sheet import Sheet
from mofang.image.layout.template import FIELDS, Part, Template
from mofang.studio.errors import UserError
from mofang.studio.typeset import Ink, draw, fit

LONGEST = 4000
"""Characters of words on one page."""


@dataclass
class Page:
    """A finished page, bleed included: (rows, columns, 3), the format it is for, and what there is to say of it.

    `contrasts` is the least contrast under the glyphs of each field; `missing` are characters no font has; `shortened`
    the fields that did not fit; `place` is where of the template's places the words stand.
    """

    image: Rgb8
    format: Format
    roles: dict[str, str]
    contrasts: dict[str, float] = field(default_factory=dict)
    missing: str = ""
    shortened: tuple[str, ...] = ()
    place: str = ""


def compose(
    template: Template, where: Format, words: Mapping[str, str], picture: Rgb8 | None = None, *, link: str = "", seed: int = 0,
    place: str = "",
) -> Page:  # fmt: skip
    """Lay out `words` (see `FIELDS`) and perhaps a picture (rows, columns, 3). `link` becomes a QR code.

    The seed picks among the template's palettes where no picture gives the colours, and its paper grain.
    `place` is one of the template's places for its words; else the one that covers least of the picture's subject.
    Raises `UserError` if there is nothing to set, or no such place.
    """
    words = {name: _clean(words.get(name, "")) for name in FIELDS}
    if not any(words.values()):
        raise UserError("there are no words to set; give --title, --text or both")
    if sum(map(len, words.values())) > LONGEST:
        raise UserError(f"a page holds {LONGEST:,} characters at most; split the text over several")
    own = template.palettes[seed % len(template.palettes)]
    roles = roles_from(picture) if picture is not None else settled(own)
    if template.keep:
        roles = {**roles, "accent": own["accent"], "ink": own["ink"]}
    page = _Canvas(where, roles, seed)
    kinds = {"": True, "picture": picture is not None, "plain": picture is None}
    ways = {name: [part for part in parts if kinds[part.when]] for name, parts in template.places(where.shape).items()}
    if place and place not in ways:
        names = ", ".join(ways)
        raise UserError(f"{template.name} has no place '{place[:30]}' on a page of that shape; choose one of: {names}")
    sheets = [Arrangement.of(name, parts, words, where, bool(link)) for name, parts in ways.items() if place in ("", name)]
    best = freest(sheets, where, picture)
    for part in best.parts:
        page.paint(part, picture, best.window, words)
        if part.kind == "stack":
            page.write(part, best.placed[id(part)])
    parts = best.parts
    if link:  # Last, so that no veil lies on it.
        page.code(next((part for part in parts if part.kind == "qr"), None), link)
    used = {item.field: item.face for part in parts for item in part.item}
    missing = "".join(face(used[name]).missing(text) for name, text in words.items() if name in used and text)
    return Page(page.image.round().clip(0, 255).astype(np.uint8), where, roles, page.contrasts,
                "".join(dict.fromkeys(missing)), tuple(dict.fromkeys(page.shortened)), best.name)  # fmt: skip


def _clean(text: str) -> str:
    """Text without what cannot be drawn: controls, halves of characters; `\\n` typed in a shell is a line break."""
    text = text.encode("utf-8", "ignore").decode().replace("\\n", "\n").replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(letter for letter in text if letter == "\n" or letter.isprintable()).strip()


class _Canvas:
    def __init__(self, where: Format, roles: dict[str, str], seed: int) -> None:
        self.where, self.roles, self.seed = where, roles, seed
        self.sheet = Sheet(where)
        self.image: NDArray[np.float32] = np.empty((*self.sheet.size[::-1], 3), np.float32)
        self.image[:] = _rgb(roles["paper"])
        self.contrasts: dict[str, float] = {}
        self.shortened: list[str] = []

    def colour(self, role: str) -> str:
        """A role's colour; an unknown role is the ink."""
        return self.roles.get(role, self.roles["ink"])

    # -- parts without words -------------------------------------------------------------------------------------------------

    def paint(self, part: Part, picture: Rgb8 | None, window: Box, words: Mapping[str, str]) -> None:
        """Fills, pictures (the `window` of one), frames, marks and seals."""
        shares = part.box(self.where.shape)
        unit = self.where.unit
        if part.kind == "fill":
            box = self.sheet.outside(shares)
            ground = np.empty((box[3], box[2], 3), np.float32)
            ground[:] = _rgb(self.colour(part.colour))
            if part.grain:
                noise = np.random.default_rng(self.seed).standard_normal((box[3], box[2], 1), np.float32)
                ground += noise * np.float32(255 * part.grain)
            self._lay(box, ground, _corners(box, part.radius * unit))
        elif part.kind == "picture":
            box = self.sheet.picture(part)
            pixels = _filled(picture, window, (box[2], box[3])) if picture is not None else self._backdrop(box)
            radius = box[2] / 2 if part.shape == "circle" else part.radius * unit
            self._lay(box, pixels.astype(np.float32), _corners(box, radius))
        elif part.kind == "frame":
            x, y, w, h = self.sheet.inside(shares)
            thick = max(round(part.thickness * unit), 1)
            for inset, line in ((0, thick * 2), (thick * 5, thick)):
                self._rule((x + inset, y + inset, w - 2 * inset, h - 2 * inset), line, self.colour(part.colour))
        elif part.kind == "mark":
            x, y, w, h = self.sheet.inside(shares)
            block = fit(part.text, face(part.face), round(h * 1.9), 12, 4 * w, 4 * h, 1, leading=1.0)
            ink = Image.fromarray(draw(block, Ink())[0][..., 3])
            mark = np.asarray(ink.crop(ink.getbbox()))
            self._ink(mark, x, y, self.colour(part.colour))
        elif part.kind == "seal":
            self._seal(part, words)

    def _backdrop(self, box: Box) -> NDArray[np.float32]:
        """In place of a picture: a slow change of the page's deep colour, and a sun."""
        y, x = np.mgrid[0 : box[3], 0 : box[2]].astype(np.float32)
        slope = (0.35 * x / box[2] + 0.65 * y / box[3])[..., None]
        low, high = _rgb(self.roles["deep"]), _rgb(mix(self.roles["deep"], self.roles["accent"], 0.55))
        ground = high + (low - high) * slope
        radius = 0.24 * min(box[2], box[3])
        far = np.hypot(x - 0.68 * box[2], y - 0.3 * box[3])
        disk = np.clip(radius - far + 0.5, 0, 1)[..., None]
        sun = _rgb(mix(self.roles["accent"], self.roles["paper"], 0.25))
        found: NDArray[np.float32] = ground + (sun - ground) * disk * np.float32(0.85)
        return found

    def _seal(self, part: Part, words: Mapping[str, str]) -> None:
        name = "".join(letter for letter in words["author"] if "\u4e00" <= letter <= "\u9fff")[-2:]
        if not name:
            return
        x, y, w, h = self.sheet.inside(part.box(self.where.shape))
        side = min(w, h)
        box = (x, y, side, side)
        stone = np.empty((side, side, 3), np.float32)
        stone[:] = _rgb(self.colour(part.colour))
        self._lay(box, stone, _corners(box, side * 0.1))
        size = round(side * (0.72 if len(name) == 1 else 0.44))
        block = fit("\n".join(name), face("serif-black"), size, 8, side, side, 2, leading=1.02)
        ink = Image.fromarray(draw(block, Ink())[0][..., 3])
        glyphs = np.asarray(ink.crop(ink.getbbox()))
        self._ink(glyphs, x + (side - glyphs.shape[1]) // 2, y + (side - glyphs.shape[0]) // 2, self.colour("paper"))

    def code(self, part: Part | None, link: str) -> None:
        """A QR code on a light card."""
        if part is None:
            raise UserError("this template has no place for a QR code; choose poster, quote, magazine, notes, event or book")
        x, y, w, h = self.sheet.place(part)
        modules = qr_code(link, min(w, h))
        side = len(modules)
        # Towards the page's corner.
        box = (x + w - side, y + h - side, side, side)
        card = np.full((side, side, 3), 255, np.float32)
        self._lay(box, card, _corners(box, side * 0.06))
        self._ink(modules, box[0], box[1], "#111111")

    # -- words ---------------------------------------------------------------------------------------------------------------

    def write(self, part: Part, placed: list[Placed]) -> None:
        """Words in colours that can be read where they stand; a veil under those that otherwise could not."""
        for each in placed:
            for bar in each.bars:
                self._lay(bar, np.broadcast_to(_rgb(self.colour(each.item.highlight)), (bar[3], bar[2], 3)), _corners(bar, 0))
        plain = [each for each in placed if not each.bars]
        auto = [each for each in plain if each.item.colour == "auto"]
        light, dark = mix(self.roles["paper"], "#ffffff", 0.5), self.roles["ink"]
        common = light
        # Dark words only on what is bright already: a picture suffers more from a light veil than from a dark one.
        if auto and all(measured(self._under(each), self._clipped(each), dark) >= READABLE * 0.7 for each in auto):
            common = dark
        texts = []
        for each in placed:
            colour = common if each.item.colour == "auto" else self.colour(each.item.colour)
            if each.bars:
                colour = _on(colour, self.colour(each.item.highlight), (light, dark))
            elif each.item.colour != "auto":
                colour = self._apart(each, colour, auto=bool(auto), common=common)
            texts.append((each, colour))
        veiling = [(each.mask, colour, each.x, each.y) for each, colour in texts if not each.bars and each.item.field != "rule"]
        veiling = [clip for clip in (self._clip(*one) for one in veiling) if clip]
        if veiling:
            shape = self._shape(part, placed)
            tint = opposite(veiling[0][1], self.roles)
            strength = veil_for(self.image.clip(0, 255).astype(np.uint8), shape, veiling, tint)
            if strength:
                self.image = veiled(self.image, shape, tint, strength)
                for each in placed:
                    for bar in each.bars:
                        self._lay(bar, np.broadcast_to(_rgb(self.colour(each.item.highlight)), (bar[3], bar[2], 3)), _corners(bar, 0))
        for each, colour in texts:
            if each.item.field not in ("rule", "figure"):
                value = measured(self._under(each), self._clipped(each), colour)
                self.contrasts[each.item.field] = round(min(value, self.contrasts.get(each.item.field, 21.0)), 2)
            if each.shortened:
                self.shortened.append(each.item.field)
            self._ink(each.mask, each.x, each.y, colour)

    def _apart(self, each: Placed, colour: str, auto: bool, common: str) -> str:
        """A fixed role, moved towards what can be read there; on a picture, an accent keeps to the side of its neighbours."""
        below = self._under(each)
        if not below.size or measured(below, self._clipped(each), colour) >= READABLE:
            return colour
        mean = "#{:02x}{:02x}{:02x}".format(*below.reshape(-1, 3).mean(0).round().astype(int))
        if auto:
            return mix(colour, common, 0.5)
        moved = toward(colour, mean, READABLE + 0.4)
        return moved if measured(below, self._clipped(each), moved) >= READABLE else chosen(
            below, self._clipped(each), (moved, self.roles["ink"], self.roles["paper"]))  # fmt: skip

    def _shape(self, part: Part, placed: list[Placed]) -> NDArray[np.float32]:
        """Where a veil lies: from an edge of the page to just past the words, or softly around them."""
        import cv2

        rows, columns = self.image.shape[:2]
        soft = self.where.unit * 3
        left, top = min(each.x for each in placed), min(each.y for each in placed)
        right = max(each.x + each.mask.shape[1] for each in placed)
        bottom = max(each.y + each.mask.shape[0] for each in placed)
        y, x = np.arange(rows, dtype=np.float32)[:, None], np.arange(columns, dtype=np.float32)[None]
        if part.veil == "bottom":
            edge = np.clip((y - top + 2.4 * soft) / (2.4 * soft), 0, 1)
        elif part.veil == "top":
            edge = np.clip((bottom + 1.6 * soft - y) / (1.6 * soft), 0, 1)
        elif part.veil == "left":
            edge = np.clip((right + 3 * soft - x) / (3 * soft), 0, 1)
        elif part.veil == "right":
            edge = np.clip((x - left + 3 * soft) / (3 * soft), 0, 1)
        else:
            small = np.zeros((rows // 8 + 1, columns // 8 + 1), np.float32)
            x0, y0, x1, y1 = (max(int(at / 8), 0) for at in (left - soft / 2, top - soft / 2, right + soft / 2, bottom + soft / 2))
            small[y0 : y1 + 1, x0 : x1 + 1] = 1
            small = cv2.GaussianBlur(small, (0, 0), max(soft / 32, 1))
            edge = np.clip(cv2.resize(small, (columns, rows), interpolation=cv2.INTER_LINEAR) * 1.25, 0, 1)
        smooth: NDArray[np.float32] = np.broadcast_to(edge * edge * (3 - 2 * edge), (rows, columns)).astype(np.float32)
        return smooth

    # -- pixels ----------------------------------------------------------------------------------------------------------------

    def _clip(self, mask: NDArray[np.uint8], colour: str, x: int, y: int) -> tuple[NDArray[np.uint8], str, int, int] | None:
        rows, columns = self.image.shape[:2]
        x0, y0 = max(x, 0), max(y, 0)
        inside = mask[y0 - y : max(rows - y, 0), x0 - x : max(columns - x, 0)]
        return (inside, colour, x0, y0) if inside.size else None

    def _clipped(self, each: Placed) -> NDArray[np.uint8]:
        found = self._clip(each.mask, "", each.x, each.y)
        return found[0] if found else np.zeros((1, 1), np.uint8)

    def _under(self, each: Placed) -> Rgb8:
        found = self._clip(each.mask, "", each.x, each.y)
        if not found:
            return np.zeros((1, 1, 3), np.uint8)
        mask, _, x, y = found
        below: Rgb8 = self.image[y : y + mask.shape[0], x : x + mask.shape[1]].clip(0, 255).astype(np.uint8)
        return below

    def _ink(self, mask: NDArray[np.uint8], x: int, y: int, colour: str) -> None:
        found = self._clip(mask, colour, x, y)
        if found:
            mask, _, x, y = found
            part = self.image[y : y + mask.shape[0], x : x + mask.shape[1]]
            part += (_rgb(colour) - part) * (mask[..., None].astype(np.float32) / 255)

    def _lay(self, box: Box, pixels: NDArray[np.float32], mask: NDArray[np.uint8] | None) -> None:
        x, y, w, h = box
        rows, columns = self.image.shape[:2]
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + w, columns), min(y + h, rows)
        if x0 >= x1 or y0 >= y1:
            return
        inside = np.s_[y0 - y : y1 - y, x0 - x : x1 - x]
        part = self.image[y0:y1, x0:x1]
        if mask is None:
            part[:] = pixels[inside]
        else:
            part += (pixels[inside] - part) * (mask[inside][..., None].astype(np.float32) / 255)

    def _rule(self, box: Box, thick: int, colour: str) -> None:
        x, y, w, h = box
        for each in ((x, y, w, thick), (x, y + h - thick, w, thick), (x, y, thick, h), (x + w - thick, y, thick, h)):
            self._lay(each, np.broadcast_to(_rgb(colour), (each[3], each[2], 3)), None)


def _filled(picture: Rgb8, window: Box, size: tuple[int, int]) -> Rgb8:
    import cv2

    x, y, width, height = window
    method = cv2.INTER_AREA if size[0] < width else cv2.INTER_CUBIC
    found: Rgb8 = cv2.resize(picture[y : y + height, x : x + width], size, interpolation=method)
    return found


def _rgb(colour: str) -> NDArray[np.float32]:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.float32)


def _on(colour: str, ground: str, others: tuple[str, ...]) -> str:
    return max((colour, *others), key=lambda each: (min(contrast(each, ground), READABLE), each == colour))


def _corners(box: Box, radius: float) -> NDArray[np.uint8] | None:
    """Coverage of a rectangle with round corners, antialiased; None for square ones."""
    if radius < 1:
        return None
    scale = 3
    image = Image.new("L", (box[2] * scale, box[3] * scale), 0)
    ImageDraw.Draw(image).rounded_rectangle((0, 0, box[2] * scale - 1, box[3] * scale - 1), radius * scale, fill=255)
    return np.asarray(image.resize((box[2], box[3]), Image.Resampling.BOX))
