"""A page's own measures: where shares of it lie in pixels of the whole sheet, bleed included."""

from dataclasses import dataclass

from mofang.image.layout.formats import Box, Format
from mofang.image.layout.template import Part, Shares


@dataclass(frozen=True)
class Sheet:
    """The sheet of a format."""

    where: Format

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, bleed included."""
        width, height = self.where.size
        return width + 2 * self.where.bleed, height + 2 * self.where.bleed

    def inside(self, shares: Shares) -> Box:
        """A box of the safe area."""
        left, top, width, height = self.where.safe_box
        x, y, w, h = shares
        bleed = self.where.bleed
        return bleed + round(left + x * width), bleed + round(top + y * height), round(w * width), round(h * height)

    def place(self, part: Part) -> Box:
        """Where a stack or code stands: a box of the safe area, or of the page, moved and cut so that it is safe."""
        shares = part.box(self.where.shape)
        if part.of == "safe":
            return self.inside(shares)
        left, top, width, height = self.inside((0, 0, 1, 1))
        page_x, page_y = self.where.size
        wide, high = min(round(shares[2] * page_x), width), min(round(shares[3] * page_y), height)
        x0, y0 = self.where.bleed + round(shares[0] * page_x), self.where.bleed + round(shares[1] * page_y)
        x, y = max(x0, left), max(y0, top)
        # What the frame takes at the start is lost; at the end the box moves before it is cut.
        wide, high = wide - (x - x0), high - (y - y0)
        x, y = min(x, left + width - min(wide, width // 8)), min(y, top + height - min(high, height // 8))
        return x, y, min(wide, left + width - x), min(high, top + height - y)

    def outside(self, shares: Shares) -> Box:
        """A box of the page, over the bleed where it reaches the edge."""
        (width, height), bleed = self.where.size, self.where.bleed
        x, y, w, h = shares
        left = 0 if x <= 0 else bleed + round(x * width)
        top = 0 if y <= 0 else bleed + round(y * height)
        right = width + 2 * bleed if x + w >= 1 else bleed + round((x + w) * width)
        bottom = height + 2 * bleed if y + h >= 1 else bleed + round((y + h) * height)
        return left, top, right - left, bottom - top

    def picture(self, part: Part) -> Box:
        """Where a picture stands; a round one in the middle of its box."""
        x, y, w, h = self.outside(part.box(self.where.shape))
        if part.shape == "rect":
            return x, y, w, h
        side = min(w, h)
        return x + (w - side) // 2, y + (h - side) // 2, side, side
