"""The open fonts pages are set in, each with a second one behind it for what it lacks."""

from functools import cache

from mofang import models
from mofang.studio.credit import Credit
from mofang.studio.typeset import Typeface

FACES = {
    "sans": ("font-noto-sans-sc", "regular"),
    "sans-bold": ("font-noto-sans-sc", "bold"),
    "sans-black": ("font-noto-sans-sc", "black"),
    "serif": ("font-noto-serif-sc", "regular"),
    "serif-bold": ("font-noto-serif-sc", "bold"),
    "serif-black": ("font-noto-serif-sc", "black"),
    "kai": ("font-lxgw-wenkai", "regular"),
    "kai-bold": ("font-lxgw-wenkai", "bold"),
    "brush": ("font-ma-shan-zheng", "regular"),
}
"""Name in templates → the font's card and the role of its file."""
BEHIND = ("font-lxgw-wenkai", "regular")
"""Asked last: of these fonts it knows the most characters."""


@cache
def face(name: str) -> Typeface:
    """The typeface of that name, fetched if it is not here yet. Raises `UserError`."""
    weight = name.rpartition("-")[2]
    bolder = ("font-noto-sans-sc", weight if weight in ("bold", "black") else "regular")
    chain = dict.fromkeys((FACES[name], bolder, BEHIND))
    return Typeface(tuple(models.ensure(card).file(role) for card, role in chain))


def credit(name: str) -> Credit:
    """Whose font it is."""
    return models.card(FACES[name][0]).credit
