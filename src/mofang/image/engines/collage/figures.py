"""Bodies for the glyphs that are only heads, so that a fox can stand in a meadow.

Icon sets draw most animals and people as a face. Here each gets a simple seated or standing body in its own colours.
"""

from dataclasses import dataclass
from typing import Literal

from mofang.image.engines.collage.colour import shift


@dataclass(frozen=True)
class Coat:
    """Fur, belly, and how the tail looks."""

    fur: str
    belly: str
    tail: Literal["bushy", "thin", "round", "none", "curl"] = "none"
    tip: str = ""


BEASTS = {
    "1F98A": Coat("#ef6a2c", "#fff3e6", "bushy", "#ffffff"), "1F431": Coat("#f5b52e", "#ffe7b0", "thin"),
    "1F408": Coat("#f5b52e", "#ffe7b0", "thin"), "1F436": Coat("#efc9a0", "#fff4e4", "thin"), "1F438": Coat("#8fc31f", "#e9f5b5"),
    "1F430": Coat("#cfd6db", "#ffffff", "round"), "1F43B": Coat("#8d5a4a", "#d7a887", "round"), "1F428": Coat("#9aa5ad", "#eef1f3", "round"),
    "1F43C": Coat("#3b3f45", "#ffffff", "round"), "1F42D": Coat("#a9b3bb", "#eef1f3", "thin"), "1F439": Coat("#e3a765", "#fff3df", "round"),
    "1F42F": Coat("#f59a1d", "#fff3e0", "thin"), "1F981": Coat("#e8a63c", "#fbe3b5", "thin"), "1F42E": Coat("#fff6ec", "#ffe3d0", "thin"),
    "1F437": Coat("#f7b5ad", "#ffdcd6", "curl"), "1F435": Coat("#a97b50", "#f2d3a8", "thin"), "1F43A": Coat("#a9adb3", "#eceff1", "bushy", "#eceff1"),
    "1F99D": Coat("#8b9096", "#dfe3e6", "bushy", "#4a4e54"), "1F434": Coat("#b9784a", "#e3b98f", "thin"), "1F984": Coat("#fbf2ff", "#f1dcf9", "bushy", "#d98be0"),
    "1F414": Coat("#f2f4f5", "#ffffff", "bushy"), "1F43B-200D-2744-FE0F": Coat("#eef3f6", "#ffffff", "round"), "1F432": Coat("#4caf50", "#fdd835", "thin"),
    "1F417": Coat("#7b5b4a", "#b8977f", "curl"), "1FACE": Coat("#7b5b4a", "#b8977f", "round"),
}  # fmt: skip

CLOTHES = ("#d9534f", "#3f7fbf", "#4f9d69", "#e0a030", "#8a63b8", "#d9788f", "#3c8d8a", "#c9703a")
HEADS = {"1F466", "1F467", "1F468", "1F469", "1F474", "1F475", "1F476", "1F9D1", "1F9D2", "1F9D3", "1F9D4", "1F471", "1F385",
         "1F936", "1F9D4-200D-2642-FE0F", "1F468-200D-1F9B3", "1F469-200D-1F9B3", "1F468-200D-1F9B1", "1F469-200D-1F9B1"}  # fmt: skip
SMALL = {"1F466", "1F467", "1F476", "1F9D2"}
SUITS = {"1F385": "#d32f2f", "1F936": "#d32f2f"}
# Those whose picture ends at the chest, and the colour their clothes go on in: people by themselves, …
ROLES = {
    "1F46E": "#2d4f9e", "1F934": "#3a6ea5", "1F478": "#c2588f", "1F9D9": "#4c5f9e", "1F9DA": "#7cb66b", "1F470": "#f7f4ef", "1F935": "#2f3640",
    "1F477": "#f2a93b", "1F482": "#c0392b", "1F575": "#8a6f52", "1F9B8": "#3f6fc4", "1F977": "#2f3640", "1F472": "#3b5f8a", "1F473": "#8f6a4a",
    "1F9D5": "#6f8fb5", "1F9DD": "#4f8f5f", "1F9DB": "#3a2b3f", "1F9D1-200D-1F384": "#d32f2f",
}  # fmt: skip
GOWNS = {"1F478", "1F9D9", "1F9DA", "1F470", "1F9D5"}
# … and by what they hold after the joiner.
TRADES = {
    "2695": "#eef3f6", "1F33E": "#3f7d4e", "1F3EB": "#6a4fa3", "1F393": "#39424e", "1F373": "#f6f7f8", "1F527": "#4a6fa5", "1F3A8": "#b0574f",
    "1F680": "#e8ecef", "1F692": "#d9822b", "1F52C": "#eef3f6", "1F4BB": "#5b7fa6", "1F4BC": "#39424e", "1F3A4": "#a5478a", "2696": "#2f3640",
    "2708": "#2d4f7e", "1F3ED": "#5f7f9e",
}  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """A body in a box 100 wide whose feet are at `height`; the head's glyph goes into `head` (x, y, size)."""

    markup: str
    height: float
    head: tuple[float, float, float]


def figure(hexcode: str, seed: int) -> Figure | None:
    """The body of a head glyph, or None for a glyph that needs none. Clothes come from `seed`."""
    code = hexcode.upper()
    if code in BEASTS:
        return _beast(BEASTS[code])
    if code in HEADS:
        return _person(SUITS.get(code, CLOTHES[seed % len(CLOTHES)]), code in SMALL, skirt=code in ("1F467", "1F469", "1F475") and seed % 3 != 0)
    parts = code.split("-")
    if parts[0] in ROLES:
        return _person(ROLES[parts[0]], small=False, skirt=parts[0] in GOWNS, bust=True)
    if parts[0] in ("1F468", "1F469", "1F9D1"):
        trade = next((TRADES[part] for part in parts[1:] if part in TRADES), None)
        return _person(trade, small=False, skirt=False, bust=True) if trade else None
    return None


def _beast(coat: Coat) -> Figure:
    fur, dark, belly = coat.fur, shift(coat.fur, -0.06), coat.belly
    tails = {
        "bushy": f'<path d="M66 128Q104 132 108 96Q110 78 98 74Q100 96 84 104Q70 112 64 116Z" fill="{dark}"/>'
                 f'<path d="M98 74Q108 78 108.5 92Q102 96 97 91Q100 84 98 74Z" fill="{coat.tip or fur}"/>',
        "thin": f'<path d="M70 128Q104 128 100 96Q99 88 104 84" fill="none" stroke="{dark}" stroke-width="7" stroke-linecap="round"/>',
        "round": f'<circle cx="77" cy="126" r="10" fill="{belly}"/>',
        "curl": f'<path d="M74 122q14 0 12 -9t-10 -2q2 8 14 4" fill="none" stroke="{dark}" stroke-width="4" stroke-linecap="round"/>',
        "none": "",
    }  # fmt: skip
    body = (
        tails[coat.tail]
        + f'<path d="M28 142Q18 108 34 84Q50 72 66 84Q82 108 72 142Z" fill="{fur}"/>'
        + f'<path d="M38 142Q33 112 50 98Q67 112 62 142Z" fill="{belly}"/>'
        + f'<path d="M30 96Q22 118 33 132" fill="none" stroke="{dark}" stroke-width="9" stroke-linecap="round"/>'
        + f'<path d="M70 96Q78 118 67 132" fill="none" stroke="{dark}" stroke-width="9" stroke-linecap="round"/>'
        + f'<ellipse cx="35" cy="143" rx="15" ry="8" fill="{dark}"/><ellipse cx="65" cy="143" rx="15" ry="8" fill="{dark}"/>'
    )
    return Figure(body, 150, (10, 8, 80))


def _person(cloth: str, small: bool, skirt: bool, bust: bool = False) -> Figure:
    dark, skin, legs = shift(cloth, -0.07), "#f2c79b", "#4a5568"
    hem = 156 if small else 172
    foot = hem + (22 if small else 30)
    lower = (
        f'<path d="M32 78H68L82 {hem}Q50 {hem + 8} 18 {hem}Z" fill="{cloth}"/><path d="M50 80L82 {hem}Q66 {hem + 6} 50 {hem + 5}Z" fill="{dark}" opacity=".35"/>'
        f'<path d="M41 {hem}V{foot - 4}M59 {hem}V{foot - 4}" stroke="{skin}" stroke-width="8"/>'
        if skirt
        else f'<path d="M36 {hem - 34}V{foot - 4}M64 {hem - 34}V{foot - 4}" stroke="{legs}" stroke-width="19"/>'
        f'<path d="M27 80Q50 70 73 80L76 {hem - 24}Q50 {hem - 17} 24 {hem - 24}Z" fill="{cloth}"/>'
        f'<path d="M50 76Q64 75 73 80L76 {hem - 24}Q63 {hem - 20} 50 {hem - 20}Z" fill="{dark}" opacity=".35"/>'
    )
    elbow = 112 if small else 120
    arms = (
        f'<path d="M31 88Q16 {elbow - 12} 19 {elbow + 8}" fill="none" stroke="{dark}" stroke-width="12" stroke-linecap="round"/>'
        f'<path d="M69 88Q84 {elbow - 12} 81 {elbow + 8}" fill="none" stroke="{dark}" stroke-width="12" stroke-linecap="round"/>'
        f'<circle cx="19" cy="{elbow + 14}" r="6.5" fill="{skin}"/><circle cx="81" cy="{elbow + 14}" r="6.5" fill="{skin}"/>'
    )
    shoes = f'<ellipse cx="37" cy="{foot - 2}" rx="12" ry="6" fill="#5a4034"/><ellipse cx="63" cy="{foot - 2}" rx="12" ry="6" fill="#5a4034"/>'
    # A bust brings its own neck and shoulders, and is a little larger than a bare head.
    neck = "" if bust else f'<path d="M43 66h14v16h-14Z" fill="{skin}"/>'
    return Figure(neck + lower + arms + shoes, foot + 3, (8, 2, 84) if bust else (14, 2, 72))
