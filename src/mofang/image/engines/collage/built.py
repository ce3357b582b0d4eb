"""What people build: houses and streets outside, rooms inside."""

from mofang.image.engines.collage.canvas import Canvas
from mofang.image.engines.collage.colour import mix, shift
from mofang.image.engines.collage.palette import Palette

WALLS = ("#f2e3c9", "#e8c9a4", "#d9dfe6", "#f3d2b8", "#cfe0d4", "#e6b9a0")
ROOFS = ("#b5533c", "#8a4a3f", "#4f6478", "#6b4a5e", "#a5623a")
GLOW = "#ffd98a"


def house(canvas: Canvas, palette: Palette, x: float, foot: float, width: float, depth: float, eastern: bool) -> None:
    """A small house: wall, roof (curved eaves if `eastern`), door, windows that glow at night."""
    rng = canvas.random
    height = width * rng.uniform(0.62, 0.8)
    wall = palette.lit("#efe6d6" if eastern else rng.choice(WALLS), depth)
    roof = palette.lit("#4c5866" if eastern else rng.choice(ROOFS), depth)
    canvas.rect(x - width / 2, foot - height, width, height, canvas.down((0, wall), (1, shift(wall, -0.06))))
    top, eave, rise = foot - height, width * 0.14, width * 0.42
    if eastern:
        canvas.path(f"M{x - width / 2 - eave:.1f} {top + width * 0.03:.1f}q{width * 0.24:.1f} {-width * 0.06:.1f} {width * 0.3:.1f} {-rise:.1f}"
                    f"h{width * 0.4 + 2 * eave - width * 0.02:.1f}q{width * 0.06:.1f} {rise - width * 0.06:.1f} {width * 0.3:.1f} {rise:.1f}Z", roof)  # fmt: skip
        canvas.path(f"M{x - width * 0.33:.1f} {top - rise + width * 0.03:.1f}h{width * 0.66:.1f}", stroke=shift(roof, -0.08), thick=width * 0.05)
    else:
        canvas.polygon([(x - width / 2 - eave, top), (x, top - rise), (x + width / 2 + eave, top)], roof)
        canvas.polygon([(x, top - rise), (x + width / 2 + eave, top), (x + width * 0.2, top)], shift(roof, -0.06), 0.6)
        if rng.random() < 0.6:
            canvas.rect(x + width * 0.2, top - rise * 0.95, width * 0.12, rise * 0.6, shift(roof, -0.03))
    pane = GLOW if palette.dark else palette.lit("#bfe0ee", depth)
    for side in (-1, 1):
        canvas.rect(x + side * width * 0.27 - width * 0.1, foot - height * 0.7, width * 0.2, height * 0.3, pane, radius=width * 0.02)
        canvas.path(f"M{x + side * width * 0.27:.1f} {foot - height * 0.7:.1f}v{height * 0.3:.1f}", stroke=wall, thick=width * 0.018)
    canvas.rect(x - width * 0.09, foot - height * 0.5, width * 0.18, height * 0.5, palette.lit("#7a4b34", depth), radius=width * 0.03)
    if palette.dark:
        canvas.ellipse(x, foot - height * 0.4, width * 0.8, height * 0.8, canvas.glow((0, GLOW, 0.28), (1, GLOW, 0)))


def street(canvas: Canvas, palette: Palette, foot: float, size: float, depth: float, eastern: bool) -> None:
    """Houses side by side over the whole width."""
    x = -size * 0.3
    while x < canvas.width + size:
        width = size * canvas.random.uniform(0.75, 1.15)
        house(canvas, palette, x + width / 2, foot + canvas.unit * canvas.random.uniform(-0.01, 0.015), width, depth, eastern)
        x += width * canvas.random.uniform(1.05, 1.5)


def skyline(canvas: Canvas, palette: Palette, foot: float, height: float, depth: float) -> None:
    """Towers with rows of windows, some lit at night."""
    rng = canvas.random
    x = -canvas.unit * 0.05
    while x < canvas.width:
        width, tall = canvas.unit * rng.uniform(0.09, 0.19), height * rng.uniform(0.45, 1.0)
        wall = palette.lit(rng.choice(("#8fa6bd", "#a9b8c6", "#7c93ad", "#b6a99c", "#94a8a3")), depth)
        canvas.rect(x, foot - tall, width, tall + 4, canvas.down((0, wall), (1, mix(wall, palette.haze, 0.35))))
        if rng.random() < 0.35:
            canvas.rect(x + width * 0.45, foot - tall - canvas.unit * 0.05, width * 0.06, canvas.unit * 0.05, wall)
        columns, step = max(2, int(width / (canvas.unit * 0.032))), canvas.unit * 0.042
        lit = dim = ""
        for row in range(int(tall / step) - 1):
            for column in range(columns):
                wx = x + width * (column + 0.28) / columns
                wy = foot - tall + step * (row + 0.5)
                mark = f"M{wx:.0f} {wy:.0f}h{width / columns * 0.45:.0f}v{step * 0.5:.0f}h{-width / columns * 0.45:.0f}Z"
                if palette.dark and rng.random() < 0.42:
                    lit += mark
                else:
                    dim += mark
        canvas.path(dim, shift(wall, -0.07 if palette.dark else 0.07), opacity=0.8)
        canvas.path(lit, GLOW, opacity=0.9)
        x += width * rng.uniform(0.95, 1.25)


def temple(canvas: Canvas, palette: Palette, x: float, foot: float, width: float, depth: float) -> None:
    """A hall with red pillars and two tiers of upswept roofs on a stone terrace."""
    height = width * 0.36
    stone, red, roof = palette.lit("#d8d3c8", depth), palette.lit("#b23a2e", depth), palette.lit("#3f5f63", depth)
    canvas.rect(x - width * 0.6, foot - height * 0.2, width * 1.2, height * 0.2, stone)
    canvas.rect(x - width * 0.52, foot - height * 0.3, width * 1.04, height * 0.1, shift(stone, 0.03))
    canvas.rect(x - width * 0.42, foot - height, width * 0.84, height * 0.72, palette.lit("#e9c99b", depth))
    for pillar in range(6):
        canvas.rect(x - width * 0.42 + width * 0.84 * pillar / 5 - width * 0.02, foot - height, width * 0.04, height * 0.72, red)
    for tier, (half, base, rise) in enumerate(((0.62, height, 0.16), (0.44, height + width * 0.22, 0.15))):
        y = foot - base
        if tier:
            canvas.rect(x - width * half * 0.6, y - width * 0.01, width * half * 1.2, width * 0.1, red)
        d = (f"M{x - width * half:.1f} {y - width * 0.03:.1f}Q{x - width * half * 0.7:.1f} {y - width * 0.02:.1f} {x - width * half * 0.55:.1f} "
             f"{y - width * rise:.1f}H{x + width * half * 0.55:.1f}Q{x + width * half * 0.7:.1f} {y - width * 0.02:.1f} {x + width * half:.1f} "
             f"{y - width * 0.03:.1f}Q{x:.1f} {y + width * 0.05:.1f} {x - width * half:.1f} {y - width * 0.03:.1f}Z")  # fmt: skip
        canvas.path(d, canvas.down((0, shift(roof, 0.05)), (1, shift(roof, -0.05))))
        canvas.path(f"M{x - width * half * 0.55:.1f} {y - width * rise:.1f}H{x + width * half * 0.55:.1f}", stroke=palette.lit("#c9a24b", depth),
                    thick=width * 0.022)  # fmt: skip


def bridge(canvas: Canvas, palette: Palette, y: float) -> None:
    """A stone arch over water, from side to side."""
    width, rise = canvas.width, canvas.unit * 0.16
    stone = palette.lit("#c9c2b4")
    canvas.path(f"M-5 {y + rise:.1f}Q{width / 2:.1f} {y - rise * 1.2:.1f} {width + 5:.1f} {y + rise:.1f}V{y + rise * 1.7:.1f}H{width * 0.78:.1f}"
                f"Q{width / 2:.1f} {y + rise * 0.1:.1f} {width * 0.22:.1f} {y + rise * 1.7:.1f}H-5Z", canvas.down((0, shift(stone, 0.04)), (1, shift(stone, -0.1))))  # fmt: skip
    for post in range(11):
        t = post / 10
        x = width * t
        top = (1 - t) ** 2 * (y + rise) + 2 * t * (1 - t) * (y - rise * 1.2) + t * t * (y + rise)
        canvas.rect(x - canvas.unit * 0.008, top - canvas.unit * 0.055, canvas.unit * 0.016, canvas.unit * 0.06, shift(stone, 0.03))
    canvas.path(f"M-5 {y + rise - canvas.unit * 0.045:.1f}Q{width / 2:.1f} {y - rise * 1.2 - canvas.unit * 0.045:.1f} {width + 5:.1f} "
                f"{y + rise - canvas.unit * 0.045:.1f}", stroke=shift(stone, 0.05), thick=canvas.unit * 0.014)  # fmt: skip


def stalls(canvas: Canvas, palette: Palette, foot: float) -> None:
    """Market stalls with striped awnings and crates of fruit."""
    size = canvas.unit * 0.36
    for number, share in enumerate((0.12, 0.5, 0.88)):
        x, y = canvas.width * share, foot - canvas.unit * (0.04 if number == 1 else 0)
        canvas.rect(x - size * 0.42, y - size * 0.34, size * 0.84, size * 0.34, palette.lit("#a9744c", 0.15))
        for side in (-1, 1):
            canvas.rect(x + side * size * 0.4 - size * 0.015, y - size * 0.9, size * 0.03, size * 0.9, palette.lit("#8a5a3a", 0.1))
        colour = ("#e4572e", "#2e86ab", "#4f9d69")[number]
        for stripe in range(6):
            fill = palette.lit(colour if stripe % 2 == 0 else "#fff6e9", 0.1)
            a = x - size * 0.5 + size * stripe / 6
            canvas.path(f"M{a + size * 0.02:.1f} {y - size * 1.05:.1f}h{size / 6:.1f}l{size * 0.01:.1f} {size * 0.2:.1f}"
                        f"q{-size / 12:.1f} {size * 0.1:.1f} {-size / 6 - size * 0.01:.1f} 0Z", fill)  # fmt: skip
        for fruit in range(9):
            fx = x - size * 0.34 + size * 0.085 * fruit
            canvas.ellipse(fx, y - size * 0.36 - size * 0.03 * (fruit % 2), size * 0.045, size * 0.045,
                           palette.lit(("#e63946", "#f4a261", "#8ab17d", "#e9c46a")[(fruit + number) % 4], 0.05))  # fmt: skip


def room(canvas: Canvas, palette: Palette, floor: float, wall: str, boards: str) -> None:
    """Four walls: a papered wall, a skirting board, a wooden floor in perspective."""
    top = shift(wall, -0.24, 0.8) if palette.dark else wall
    canvas.rect(0, 0, canvas.width, floor, canvas.down((0, shift(top, -0.05)), (0.7, top), (1, shift(top, 0.03))))
    ground = shift(boards, -0.2) if palette.dark else boards
    canvas.rect(0, floor, canvas.width, canvas.height - floor, canvas.down((0, shift(ground, 0.04)), (1, shift(ground, -0.1))))
    d = ""
    for number in range(-8, 9):
        d += f"M{canvas.width / 2 + number * canvas.width * 0.1:.1f} {floor:.1f}L{canvas.width / 2 + number * canvas.width * 0.32:.1f} {canvas.height}"
    canvas.path(d, stroke=shift(ground, -0.07), thick=canvas.unit * 0.003, opacity=0.7)
    canvas.rect(0, floor - canvas.unit * 0.018, canvas.width, canvas.unit * 0.022, shift(top, 0.1))


def window(canvas: Canvas, palette: Palette, x: float, y: float, width: float, height: float, curtain: str) -> None:
    """A window with the time of day in it, its frame and curtains."""
    canvas.rect(x, y, width, height, canvas.down((0, palette.zenith), (1, palette.horizon)))
    if palette.dark:
        moon = width * 0.12
        canvas.ellipse(x + width * 0.68, y + height * 0.28, moon * 2.4, moon * 2.4, canvas.glow((0, "#fff3c9", 0.6), (1, "#fff3c9", 0)))
        canvas.ellipse(x + width * 0.68, y + height * 0.28, moon, moon, "#fdf3cf")
    else:
        canvas.path(f"M{x:.1f} {y + height * 0.8:.1f}q{width * 0.25:.1f} {-height * 0.16:.1f} {width * 0.5:.1f} {-height * 0.04:.1f}"
                    f"t{width * 0.5:.1f} {-height * 0.04:.1f}V{y + height:.1f}H{x:.1f}Z", palette.lit(palette.grass, 0.3))  # fmt: skip
    frame = "#8a6a52" if palette.dark else "#fdf8ef"
    canvas.path(f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h{-width:.1f}ZM{x + width / 2:.1f} {y:.1f}v{height:.1f}M{x:.1f} {y + height * 0.5:.1f}h{width:.1f}",
                stroke=frame, thick=canvas.unit * 0.016)  # fmt: skip
    cloth = shift(curtain, -0.16) if palette.dark else curtain
    for side in (0, 1):
        a = x - width * 0.12 if side == 0 else x + width * 1.12
        s = 1 if side == 0 else -1
        canvas.path(f"M{a:.1f} {y - height * 0.08:.1f}h{s * width * 0.34:.1f}q{-s * width * 0.02:.1f} {height * 0.6:.1f} {-s * width * 0.2:.1f} {height * 1.16:.1f}"
                    f"h{-s * width * 0.14:.1f}Z", canvas.down((0, shift(cloth, 0.03)), (1, shift(cloth, -0.05))), opacity=0.96)  # fmt: skip
    canvas.rect(x - width * 0.18, y - height * 0.11, width * 1.36, canvas.unit * 0.014, "#8a5f42", radius=4)


def shelf(canvas: Canvas, palette: Palette, x: float, y: float, width: float, height: float, rows: int) -> None:
    """A bookcase full of books."""
    wood = shift("#8a5a3c", -0.12) if palette.dark else "#9c6a47"
    canvas.rect(x, y, width, height, wood, radius=canvas.unit * 0.006)
    step = height / rows
    for row in range(rows):
        canvas.rect(x + width * 0.03, y + step * row + step * 0.08, width * 0.94, step * 0.84, shift(wood, -0.12))
        bx = x + width * 0.05
        while bx < x + width * 0.9:
            thick, tall = width * canvas.random.uniform(0.035, 0.07), step * canvas.random.uniform(0.5, 0.74)
            colour = canvas.random.choice(("#c8553d", "#e0a458", "#588157", "#3d5a80", "#8e7dbe", "#e8d6b3", "#7a4069"))
            colour = shift(colour, -0.12) if palette.dark else colour
            canvas.rect(bx, y + step * (row + 0.92) - tall, thick, tall, colour, radius=2)
            bx += thick * 1.08


def table(canvas: Canvas, palette: Palette, top: float, cloth: str) -> None:
    """A table across the foreground, seen from a little above."""
    colour = shift(cloth, -0.16) if palette.dark else cloth
    canvas.path(f"M{-canvas.width * 0.05:.1f} {top + canvas.unit * 0.14:.1f}L{canvas.width * 0.08:.1f} {top:.1f}H{canvas.width * 0.92:.1f}"
                f"L{canvas.width * 1.05:.1f} {top + canvas.unit * 0.14:.1f}Z", canvas.down((0, shift(colour, 0.06)), (1, colour)))  # fmt: skip
    canvas.rect(-5, top + canvas.unit * 0.14, canvas.width + 10, canvas.height, canvas.down((0, shift(colour, -0.06)), (1, shift(colour, -0.16))))


def lamp(canvas: Canvas, x: float, length: float) -> None:
    """A hanging lamp and the light it throws."""
    size = canvas.unit * 0.07
    canvas.path(f"M{x:.1f} 0V{length:.1f}", stroke="#5a4636", thick=canvas.unit * 0.004)
    canvas.polygon([(x - size * 0.4, length), (x + size * 0.4, length), (x + size, length + size), (x - size, length + size)], "#d9793f")
    canvas.ellipse(x, length + size, size * 0.9, size * 0.18, "#fff1c4")
    canvas.ellipse(x, length + size * 2.2, canvas.unit * 0.55, canvas.unit * 0.5, canvas.glow((0, "#ffe2a0", 0.5), (1, "#ffe2a0", 0)))
