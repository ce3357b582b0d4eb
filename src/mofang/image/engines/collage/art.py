"""Openly licensed vector art by emoji code, and whose it is."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from mofang import models
from mofang.studio.credit import Credit
from mofang.studio.errors import UserError

STYLES = {"noto": "art-noto", "fluent": "art-fluent-flat", "twemoji": "art-twemoji", "openmoji": "art-openmoji"}
DEFAULT = "noto"
# A skin a storybook might have, instead of the yellow of icons (Unicode TR51, Fitzpatrick type 1-2), with dark hair.
SKIN = "1f3fb"


@dataclass(frozen=True)
class Drawing:
    """One glyph's SVG body in a box of `width` by `height`, to be nested in a scene."""

    body: str
    width: float
    height: float


class Art:
    """One art set, opened."""

    def __init__(self, style: str) -> None:
        if style not in STYLES:
            raise UserError(f"there is no art style '{style[:30]}'; choose one of: {', '.join(STYLES)}")
        model = models.ensure(STYLES[style])
        self.style, self.card = style, model.card
        self._icons, self._names = _load(model.file("icons")), _load(model.file("chars"))

    @property
    def credit(self) -> Credit:
        """The set's attribution."""
        return self.card.credit

    def drawing(self, hexcode: str) -> Drawing | None:
        """The glyph of an emojibase hexcode, or None if this set does not draw it."""
        for key in spellings(hexcode):
            if name := self._names.get(key):
                icon = self._icons["icons"].get(name)
                while icon is None and name in self._icons.get("aliases", {}):
                    name = self._icons["aliases"][name]["parent"]
                    icon = self._icons["icons"].get(name)
                if icon:
                    width = icon.get("width", self._icons.get("width", 16))
                    height = icon.get("height", self._icons.get("height", 16))
                    return Drawing(icon["body"], width, height)
        return None


def spellings(hexcode: str) -> list[str]:
    """The ways a set may spell an emoji: with a skin tone where people have one, with and without variation selectors."""
    codes = [code for code in hexcode.lower().split("-") if code != "fe0f"]
    plain = "-".join(codes)
    toned = "-".join([codes[0], SKIN, *codes[1:]])
    return [toned, toned + "-fe0f", hexcode.lower(), plain, plain + "-fe0f"]


@lru_cache(maxsize=8)
def _load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded


@lru_cache(maxsize=4)
def open_art(style: str) -> Art:
    """The set of that style; opened once. Raises `UserError` for an unknown style or art that cannot be had."""
    return Art(style)
