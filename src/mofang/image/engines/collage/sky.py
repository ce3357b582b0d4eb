"""What is above: the sky's light, sun and moon, stars, clouds, rainbows, and the weather in front of everything."""

from mofang.image.engines.collage.canvas import Canvas
from mofang.image.engines.collage.colour import mix, shift
from mofang.image.engines.collage.palette import Palette
from mofang.image.engines.collage.scene import Scene

SUNS = {"1F31E", "2600", "2600-FE0F", "1F305", "1F304", "1F307", "1F306", "1F31D"}
MOONS = {"1F315", "1F311", "1F312", "1F313", "1F314", "1F316", "1F317", "1F318", "1F319", "1F31A", "1F31B", "1F31C",
         "1F391"}  # fmt: skip
CRESCENTS = {"1F319", "1F312", "1F318", "1F31B", "1F31C"}
STARS = {"2B50", "1F31F", "2728", "1F30C", "1F320"}
CLOUDS = {"2601", "2601-FE0F", "26C5", "1F325", "1F325-FE0F", "1F324-FE0F", "1F326-FE0F"}
WEATHER = {"1F327-FE0F", "1F328-FE0F", "1F329-FE0F", "26C8-FE0F", "1F32B-FE0F", "1F32C-FE0F", "26A1", "2744-FE0F", "1F4A7",
           "2602-FE0F", "1F327", "1F328", "1F329", "26C8", "2744", "1F32B", "1F32C"}  # fmt: skip
RAINBOW = "1F308"
PAINTED = SUNS | MOONS | STARS | CLOUDS | WEATHER | {RAINBOW, "1F43E", "1FA9F"}
"""Glyphs that are not pasted: what the sky shows, windows (rooms have theirs), and the paw prints that stand for an animal."""


def paint_sky(canvas: Canvas, palette: Palette, scene: Scene, horizon: float) -> None:
    """The whole sky down to `horizon`, with what the scene's subjects put there."""
    fill = canvas.down((0, palette.zenith), (0.6, palette.middle), (1, palette.horizon))
    canvas.rect(0, 0, canvas.width, horizon + canvas.unit * 0.12, fill)
    asked = {subject.glyph for subject in scene.subjects}
    covered = scene.weather in ("rain", "storm", "snow", "fog", "cloudy")
    night = scene.time == "night"
    if night and (not covered or asked & STARS):
        _stars(canvas, horizon, 130 if asked & STARS else 70)
    right = canvas.random.random() < 0.6
    x = canvas.width * (0.74 if right else 0.27)
    if asked & MOONS or (night and not covered):
        size = canvas.unit * (0.13 if asked & MOONS else 0.075)
        _moon(canvas, x, horizon * 0.3, size, bool(asked & CRESCENTS), dark=night or scene.time == "dusk")
    elif asked & SUNS or not covered:
        low = scene.time in ("dawn", "dusk")
        size = canvas.unit * (0.1 if asked & SUNS or low else 0.065)
        y = horizon - size * 0.7 if low else horizon * 0.24
        _sun(canvas, x, y, size, low)
    if RAINBOW in asked:
        _rainbow(canvas, horizon)
    count = {"clear": 3, "wind": 5, "cloudy": 8, "rain": 7, "storm": 9, "snow": 6, "fog": 3}[scene.weather]
    count = max(count, 6) if asked & CLOUDS else count
    _clouds(canvas, palette, scene, horizon, count)


def _stars(canvas: Canvas, horizon: float, count: int) -> None:
    for _ in range(count):
        x, y = canvas.random.uniform(0, canvas.width), canvas.random.uniform(0, horizon * 0.92)
        radius = canvas.unit * canvas.random.choice((0.0011, 0.0014, 0.002, 0.0027))
        canvas.ellipse(x, y, radius, radius, "#fff6dc", canvas.random.uniform(0.45, 1) * (1 - 0.5 * y / horizon))
    for _ in range(5):
        x, y, s = canvas.random.uniform(0, canvas.width), canvas.random.uniform(0, horizon * 0.6), canvas.unit * 0.012
        canvas.path(f"M{x:.1f} {y - s:.1f}Q{x:.1f} {y:.1f} {x + s:.1f} {y:.1f}Q{x:.1f} {y:.1f} {x:.1f} {y + s:.1f}"
                    f"Q{x:.1f} {y:.1f} {x - s:.1f} {y:.1f}Q{x:.1f} {y:.1f} {x:.1f} {y - s:.1f}Z", "#fffbe8", opacity=0.9)  # fmt: skip


def _moon(canvas: Canvas, x: float, y: float, size: float, crescent: bool, dark: bool) -> None:
    canvas.ellipse(x, y, size * 3.4, size * 3.4, canvas.glow((0, "#fff3c9", 0.55 if dark else 0.3), (1, "#fff3c9", 0)))
    face = canvas.down((0, "#fffdf0"), (1, "#f6e3ab"))
    if crescent:
        canvas.path(f"M{x + size * 0.35:.1f} {y - size * 0.94:.1f}A{size:.1f} {size:.1f} 0 1 0 {x + size * 0.35:.1f} "
                    f"{y + size * 0.94:.1f}A{size * 0.78:.1f} {size * 0.98:.1f} 0 1 1 {x + size * 0.35:.1f} "
                    f"{y - size * 0.94:.1f}Z", face)  # fmt: skip
        return
    canvas.ellipse(x, y, size, size, face)
    for dx, dy, radius in ((-0.35, -0.2, 0.2), (0.25, 0.3, 0.26), (0.35, -0.4, 0.12), (-0.2, 0.5, 0.13), (-0.6, 0.2, 0.1)):
        canvas.ellipse(x + dx * size, y + dy * size, radius * size, radius * size * 0.9, "#e6cf93", 0.42)


def _sun(canvas: Canvas, x: float, y: float, size: float, low: bool) -> None:
    warm = "#ff9d57" if low else "#fff1b0"
    canvas.ellipse(x, y, size * 4.6, size * 4.6, canvas.glow((0, warm, 0.75), (0.4, warm, 0.25), (1, warm, 0)))
    canvas.ellipse(x, y, size, size, canvas.down((0, "#fff3bd"), (1, "#ffb45e" if low else "#ffdc6b")))


def _rainbow(canvas: Canvas, horizon: float) -> None:
    middle, radius = canvas.width * 0.5, canvas.width * 0.62
    for band, colour in enumerate(("#f25c54", "#f7924a", "#f9dc5c", "#6bc46d", "#4d9de0", "#7c6fd0")):
        r = radius - band * canvas.unit * 0.021
        canvas.path(f"M{middle - r:.1f} {horizon:.1f}A{r:.1f} {r * 0.82:.1f} 0 0 1 {middle + r:.1f} {horizon:.1f}",
                    stroke=colour, thick=canvas.unit * 0.022, opacity=0.5)  # fmt: skip


def _clouds(canvas: Canvas, palette: Palette, scene: Scene, horizon: float, count: int) -> None:
    heavy = scene.weather in ("rain", "storm", "cloudy", "snow")
    base = {"night": "#5c6a9f", "dusk": "#ffd0bd", "dawn": "#fff0ea", "day": "#ffffff"}[scene.time]
    if heavy:
        base = mix(base, palette.middle, 0.35)
    for number in range(count):
        x = canvas.width * ((number + canvas.random.random()) / count)
        y = horizon * canvas.random.uniform(0.08, 0.62)
        size = canvas.unit * canvas.random.uniform(0.07, 0.15) * (1.5 if heavy else 1)
        opacity = (0.85 if heavy else 0.78) * (0.5 if scene.time == "night" and not heavy else 1)
        cloud(canvas, x, y, size, base, shift(base, -0.07), opacity)


def cloud(canvas: Canvas, x: float, y: float, size: float, light: str, shade: str, opacity: float) -> None:
    """A flat-bottomed cloud of overlapping rounds, `size` being about half its width."""
    rng = canvas.random
    lumps = [(-0.62, 0.0, 0.3), (0.6, 0.02, 0.32), (-0.24, -0.2, 0.42), (0.24, -0.14, 0.36)]
    if rng.random() < 0.5:
        lumps = [(-dx, dy, radius) for dx, dy, radius in lumps]
    rounds = [(x + dx * size * rng.uniform(0.9, 1.1), y + dy * size, radius * size * rng.uniform(0.88, 1.12)) for dx, dy, radius in lumps]
    for tone, drop in ((shade, size * 0.05), (light, 0.0)):
        parts = "".join(f'<circle cx="{cx:.1f}" cy="{cy + drop:.1f}" r="{radius:.1f}"/>' for cx, cy, radius in rounds)
        base = f'<rect x="{x - size:.1f}" y="{y - size * 0.12 + drop:.1f}" width="{2 * size:.1f}" height="{size * 0.42:.1f}" rx="{size * 0.21:.1f}"/>'
        canvas.add(f'<g fill="{tone}" opacity="{opacity * (0.55 if drop else 1):.2f}">{parts}{base}</g>')


def paint_weather(canvas: Canvas, palette: Palette, scene: Scene) -> None:
    """Rain, snow, fog, wind and lightning, in front of everything."""
    width, height, unit, rng = canvas.width, canvas.height, canvas.unit, canvas.random
    if scene.weather in ("rain", "storm"):
        slant = 0.28 if scene.weather == "storm" else 0.12
        d = ""
        for _ in range(170 if scene.weather == "storm" else 110):
            x, y, length = rng.uniform(-0.1, 1.1) * width, rng.uniform(0, height), unit * rng.uniform(0.03, 0.075)
            d += f"M{x:.0f} {y:.0f}l{-length * slant:.1f} {length:.1f}"
        canvas.path(d, stroke="#e4eefb", thick=unit * 0.0022, opacity=0.5)
    if scene.weather == "storm":
        x, y = width * rng.uniform(0.2, 0.8), 0.0
        d = f"M{x:.0f} 0"
        while y < height * 0.42:
            x, y = x + unit * rng.uniform(-0.06, 0.06), y + unit * rng.uniform(0.04, 0.09)
            d += f"L{x:.0f} {y:.0f}"
        canvas.path(d, stroke="#fff7d1", thick=unit * 0.012, opacity=0.25)
        canvas.path(d, stroke="#fffbe9", thick=unit * 0.004, opacity=0.95)
    if scene.weather == "snow":
        for _ in range(150):
            radius = unit * rng.choice((0.002, 0.003, 0.0045, 0.007))
            canvas.ellipse(rng.uniform(0, width), rng.uniform(0, height), radius, radius, "#ffffff", rng.uniform(0.5, 0.95))
    if scene.weather == "fog":
        for _ in range(6):
            y = height * rng.uniform(0.3, 0.8)
            mist = canvas.glow((0, palette.horizon, 0.75), (1, palette.horizon, 0))
            canvas.ellipse(width * rng.uniform(0, 1), y, width * 0.8, height * 0.06, mist)
    if scene.weather == "wind":
        for _ in range(5):
            x, y, length = width * rng.uniform(-0.1, 0.6), height * rng.uniform(0.12, 0.6), width * rng.uniform(0.25, 0.5)
            curl = unit * 0.03
            canvas.path(f"M{x:.0f} {y:.0f}q{length / 2:.0f} {-curl:.0f} {length:.0f} 0q{curl * 1.4:.0f} {curl:.0f} 0 {curl * 1.2:.0f}",
                        stroke="#ffffff", thick=unit * 0.004, opacity=0.55)  # fmt: skip
