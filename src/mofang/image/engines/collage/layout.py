"""Where the subjects of a scene stand, and how large they are beside one another."""

from dataclasses import dataclass

from mofang.image.engines.collage.canvas import Canvas
from mofang.image.engines.collage.figures import BEASTS, HEADS, SMALL
from mofang.image.engines.collage.glyphs import glyphs
from mofang.image.engines.collage.places import AFLOAT, Stage
from mofang.image.engines.collage.scene import Subject
from mofang.image.engines.collage.sky import PAINTED

KIND_SIZE = {"person": 1.0, "animal": 0.6, "plant": 0.8, "food": 0.36, "building": 1.7, "land": 1.7, "vehicle": 1.25,
             "aircraft": 0.7, "sky": 0.5, "thing": 0.34}  # fmt: skip
# Height beside a grown person, for what its kind says wrongly.
SIZES = {
    "1F418": 1.6, "1F992": 2.1, "1F40B": 1.9, "1F433": 1.9, "1F988": 1.2, "1F42C": 0.9, "1F40E": 1.15, "1F404": 1.05, "1F42A": 1.3, "1F42B": 1.3,
    "1F405": 0.9, "1F406": 0.85, "1F98C": 1.15, "1F98D": 1.1, "1F98F": 1.1, "1F99B": 1.1, "1F995": 2.4, "1F996": 2.4, "1F409": 1.8, "1F432": 1.0,
    "1F99A": 0.6, "1F9A2": 0.55, "1F985": 0.55, "1F989": 0.5, "1F426": 0.32, "1F54A": 0.36, "1F986": 0.4, "1F425": 0.24, "1F424": 0.24,
    "1F423": 0.28, "1F427": 0.5, "1F413": 0.45, "1F414": 0.5, "1F41D": 0.2, "1F98B": 0.24, "1F41E": 0.18, "1F41B": 0.22, "1F41C": 0.18, "1F997": 0.2,
    "1F577": 0.2, "1F40C": 0.24, "1FAB2": 0.2, "1F987": 0.35, "1F41F": 0.4, "1F420": 0.36, "1F421": 0.4, "1F419": 0.6, "1F980": 0.36,
    "1F422": 0.42, "1F40D": 0.5, "1F438": 0.42, "1F42D": 0.36, "1F439": 0.34, "1F400": 0.3, "1F401": 0.28, "1F43F": 0.34, "1F994": 0.32, "1F430": 0.48,
    "1F407": 0.42, "1F43B": 0.95, "1F981": 0.8, "1F42F": 0.8, "1F332": 1.6, "1F333": 1.6, "1F334": 1.8, "1F38B": 1.5, "1F384": 1.5, "1F331": 0.3,
    "1F339": 0.34, "1F337": 0.32, "1F33A": 0.34, "1F33B": 0.55, "1F33C": 0.3, "1F338": 0.32, "1F490": 0.36, "1F344": 0.3, "1F340": 0.24, "1F341": 0.28,
    "1F33E": 0.6, "1F335": 0.9, "1F6B2": 0.75, "1F697": 0.95, "1F680": 1.5, "1F682": 1.3, "1F6F6": 0.7, "26F5": 1.6, "1F6A3": 0.85, "1F6A2": 2.0,
    "1F3EE": 0.4, "1F6CF": 0.9, "1FA91": 0.6, "1F6AA": 1.1, "1F3AA": 1.9, "1F5FB": 2.2, "1F3D4": 2.2, "26F0": 2.2, "1F6D6": 1.5, "1F3E0": 1.8,
    "1F3E1": 1.8, "1F3F0": 2.4, "1F5FC": 2.6, "1F6D9": 2.5, "1F3EF": 2.3, "26E9": 1.7, "1F5FD": 2.4, "26F2": 1.2, "26FA": 1.1, "1F3A1": 2.2, "1F54C": 2.2, "26EA": 2.0,
    "1F9F8": 0.4, "1F916": 0.9, "26C4": 0.8, "2603": 0.8, "1F383": 0.4, "1F525": 0.4, "1F56F": 0.36, "1FA94": 0.3,
}  # fmt: skip
AIRBORNE = {"1F426", "1F54A", "1F985", "1F987", "1F98B", "1F41D", "1F99F", "1F681", "2708", "1F6E9", "1F680", "1F388", "1FA81",
            "1F6F8", "1FA82", "1F47C", "1F9DA", "1F4AB", "1F4AD", "1F4AC", "1F3B5", "1F3B6", "1F4A1", "1F514", "2764", "1F496", "1F499", "1FA77", "1F90D",
            "1F49B", "1F49A", "1F9E1", "1F4A4", "1F386", "1F387", "1F38A", "1F389", "1F343", "1F341", "1F342", "1F6F0", "1F9A9", "1F426-200D-2B1B"}  # fmt: skip
PERCHED = {"1F989"}


@dataclass(frozen=True)
class Placed:
    """One drawn thing: its glyph, where its feet are (x, y), its height, and whether it hangs in the air or floats."""

    glyph: str
    word: str
    x: float
    y: float
    height: float
    air: bool = False
    floating: bool = False
    hero: bool = False


def place(canvas: Canvas, stage: Stage, subjects: tuple[Subject, ...]) -> list[Placed]:
    """Everything that is not painted as sky or backdrop, from the furthest to the nearest."""
    solid = [subject for subject in subjects if subject.glyph not in PAINTED]
    if not solid:
        return []
    solid.sort(key=lambda subject: {"hero": 0, "support": 1, "sky": 2, "prop": 3}[subject.role])
    hero, rest = solid[0], solid[1:]
    placed = _hero(canvas, stage, hero)
    scale = placed[0].height / _size(hero.glyph)
    sides = [-1, 1] if canvas.random.random() < 0.5 else [1, -1]
    counts = {"back": 0, "front": 0, "air": 0}
    for subject in rest:
        if stage.free:
            placed += _around(canvas, stage, subject, sum(counts.values()))
            counts["front"] += 1
            continue
        row = _row(subject, stage)
        # What stands in front begins on the other side from what stands behind.
        side = sides[(counts[row] + (row == "front")) % 2]
        placed += _beside(canvas, stage, subject, row, side, counts[row] // 2, scale)
        counts[row] += 1
    return sorted(placed, key=lambda item: (item.air, item.y))


def _around(canvas: Canvas, stage: Stage, subject: Subject, number: int) -> list[Placed]:
    """On a page: alike in size, to the hero's sides and above."""
    spots = ((-1, 0.12), (1, 0.12), (-1, 0.62), (1, 0.62), (0, 0.86), (-1, 1.0))
    side, lift = spots[number % len(spots)]
    tall = canvas.height > canvas.width
    height = canvas.unit * (0.22 if tall else 0.26)
    reach = canvas.width * 0.36 if tall else canvas.unit * 0.62
    y = stage.ground - canvas.unit * lift * (0.8 if tall else 0.5)
    x = canvas.width / 2 + side * reach
    return [Placed(subject.glyph, subject.word, x, y, height, air=True)]


def _size(glyph: str) -> float:
    kind = glyphs()[glyph].kind if glyph in glyphs() else "thing"
    size = SIZES.get(glyph, KIND_SIZE.get(kind, 0.5))
    if glyph in SMALL:
        return 0.74
    if glyph in glyphs() and glyphs()[glyph].subgroup == "plant-flower" and glyph not in SIZES:
        return 0.3
    # A body under the head makes the figure taller than the glyph alone.
    return size * 1.15 if glyph in BEASTS and glyph not in SIZES else size


def _row(subject: Subject, stage: Stage) -> str:
    if subject.glyph in AIRBORNE | PERCHED or subject.role == "sky":
        return "air"
    big = _size(subject.glyph) >= 0.95 and subject.glyph not in HEADS
    return "back" if big or subject.role == "support" else "front"


def _hero(canvas: Canvas, stage: Stage, hero: Subject) -> list[Placed]:
    """In the middle third, as large as the picture allows; several share the space."""
    unit = canvas.unit
    tall = canvas.height > canvas.width * 1.2
    size = _size(hero.glyph)
    share = 0.6 if tall else 0.54
    # Big things are drawn larger than small ones, but a ladybird that is the hero is no dot.
    height = unit * share * min(max(size, 0.62), 1.7) ** 0.42
    air = hero.glyph in AIRBORNE or hero.role == "sky" or stage.free
    floating = hero.glyph in AFLOAT and stage.wet
    middle = canvas.width * (0.5 + canvas.random.uniform(-0.04, 0.04))
    y = stage.ground if not air else stage.ground - unit * (0.04 if stage.free else 0.24)
    if stage.wet and not stage.afloat and hero.glyph in AFLOAT:
        y = stage.back + unit * 0.09
    count = min(hero.count, 9)
    if count == 1:
        return [Placed(hero.glyph, hero.word, middle, y, height, air, floating, hero=True)]
    each = height * max(0.34, 1.12 / count**0.62)
    return [
        Placed(hero.glyph, hero.word, x, y - dy, each * canvas.random.uniform(0.92, 1.06), air, floating, hero=True)
        for x, dy in _cluster(canvas, count, middle, each, air)
    ]


def _cluster(canvas: Canvas, count: int, middle: float, height: float, air: bool) -> list[tuple[float, float]]:
    """Places (x, how far back) of `count` alike things: one row up to three, then two, a little uneven."""
    step = min(height * 0.92, canvas.width * 0.84 / min(count, 5))
    rows = [count] if count <= 3 else [count // 2, count - count // 2]
    spots = []
    for number, row in enumerate(rows):
        back = (len(rows) - 1 - number) * height * (0.95 if air else 0.42)
        for k in range(row):
            x = middle + (k - (row - 1) / 2) * step + canvas.random.uniform(-0.06, 0.06) * step
            spots.append((x, back + canvas.random.uniform(0, 0.3 if air else 0.06) * height))
    return spots


def _beside(canvas: Canvas, stage: Stage, subject: Subject, row: str, side: int, rank: int, scale: float) -> list[Placed]:
    unit, width = canvas.unit, canvas.width
    size = _size(subject.glyph)
    height = min(max(size**0.85 * scale, unit * 0.11), unit * (0.62 if row == "back" else 0.34))
    floating = subject.glyph in AFLOAT and stage.wet
    air = row == "air"
    if air:
        height = min(max(height, unit * 0.13), unit * 0.26)
        x = width * (0.5 + side * (0.3 - 0.1 * rank))
        y = stage.back - unit * (0.12 + 0.16 * rank) - canvas.random.uniform(0, 0.08) * unit
        y = max(y, unit * 0.3 + height)
    elif row == "back":
        # Further off: higher in the picture and smaller.
        depth = 0.55 if size >= 1.4 else 0.35
        height *= 1 - 0.25 * depth
        x = width * (0.5 + side * (0.35 - 0.16 * rank))
        y = stage.ground + (stage.back - stage.ground) * depth
        if floating and not stage.afloat:
            y = stage.back + unit * 0.05
    else:
        x = width * (0.5 + side * (0.27 + 0.1 * rank)) if rank < 2 else width * (0.5 + side * 0.12)
        y = stage.ground + unit * (0.035 + 0.02 * rank)
    x = min(max(x, height * 0.45), width - height * 0.45)
    count = min(subject.count, 7)
    if count == 1:
        return [Placed(subject.glyph, subject.word, x, y, height, air, floating)]
    each = height * max(0.5, 1.1 / count**0.4)
    return [Placed(subject.glyph, subject.word, min(max(px, each * 0.4), width - each * 0.4), y - dy, each, air, floating)
            for px, dy in _cluster(canvas, count, x, each * 0.8, air)]  # fmt: skip
