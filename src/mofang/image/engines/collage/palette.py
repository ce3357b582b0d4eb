"""The light of a scene: what time, season, weather and mood do to every colour in it."""

from dataclasses import dataclass

from mofang.image.engines.collage.colour import mix, shift, under
from mofang.image.engines.collage.scene import Mood, Scene, Season

# Sky from zenith to horizon, the light that falls, and the colour of far haze.
SKIES = {
    "dawn": ("#7ba6d8", "#f4b9a8", "#ffe3c2", "#ffe9dd", "#f7cdb8"),
    "day": ("#4fa3e3", "#9fd3f4", "#e3f4fb", "#ffffff", "#d3ebf5"),
    "dusk": ("#4a4e8f", "#e0796f", "#ffc27a", "#ffc79b", "#eb9a80"),
    "night": ("#0d1648", "#1f3276", "#4a66ad", "#7f93cc", "#3d5496"),
}
GROUNDS: dict[Season | None, tuple[str, str]] = {
    "spring": ("#8fcf6a", "#4f9f55"),
    "summer": ("#79bd57", "#2f8a4c"),
    "autumn": ("#dfae4e", "#b5762f"),
    "winter": ("#f1f6fb", "#bfd3e6"),
    None: ("#86c463", "#3f9452"),
}
LEAVES: dict[Season | None, tuple[str, ...]] = {
    "spring": ("#8ed06b", "#f7b7cf", "#6fbf62"),
    "summer": ("#3f9d55", "#57b05c", "#2f8550"),
    "autumn": ("#e2863b", "#d95f3b", "#eab345", "#c9762f"),
    "winter": ("#dfeaf4", "#b9cfe2", "#8fb0c8"),
    None: ("#4fa85b", "#68b963", "#3a9156"),
}
MOODS: dict[Mood, tuple[float, float]] = {
    # lightness added, chroma multiplied
    "calm": (0.0, 0.96), "joyful": (0.02, 1.14), "warm": (0.01, 1.06), "sad": (-0.04, 0.66), "tense": (-0.06, 0.86),
    "mysterious": (-0.04, 0.92), "festive": (0.01, 1.2), "lonely": (-0.02, 0.74),
}  # fmt: skip


@dataclass(frozen=True)
class Palette:
    """Colours of one scene. `lit` gives a thing's own colour under this light, hazier with depth 0..1."""

    zenith: str
    middle: str
    horizon: str
    lamp: str
    haze: str
    grass: str
    grass_dark: str
    leaves: tuple[str, ...]
    dark: bool
    lightness: float
    chroma: float

    @classmethod
    def of(cls, scene: Scene) -> "Palette":
        """The palette that time, weather, season and mood make together."""
        zenith, middle, horizon, lamp, haze = SKIES[scene.time]
        grey = {"cloudy": 0.45, "rain": 0.7, "snow": 0.5, "storm": 0.85, "fog": 0.6}.get(scene.weather, 0.0)
        cloud = {"night": "#2a3358", "dusk": "#8a7488", "dawn": "#b9b3bd", "day": "#b3c1cc"}[scene.time]
        if scene.weather == "storm":
            cloud = mix(cloud, "#2c3346", 0.6)
        zenith, middle = mix(zenith, shift(cloud, -0.08), grey), mix(middle, cloud, grey)
        horizon, haze = mix(horizon, shift(cloud, 0.06), grey * 0.8), mix(haze, cloud, grey * 0.8)
        lamp = mix(lamp, under(lamp, "#b9c3d2"), grey)
        season = "winter" if scene.weather == "snow" else scene.season
        light, dark = GROUNDS[season]
        lightness, chroma = MOODS[scene.mood]
        if scene.weather in ("rain", "storm", "fog"):
            chroma *= 0.85

        def toned(colour: str) -> str:
            return shift(colour, lightness, chroma)

        return cls(toned(zenith), toned(middle), toned(horizon), lamp, toned(haze), light, dark, LEAVES[season],
                   scene.time == "night", lightness, chroma)  # fmt: skip

    def lit(self, colour: str, depth: float = 0.0) -> str:
        """`colour` under this light, mixed towards the haze with depth."""
        fallen = shift(under(colour, self.lamp), self.lightness, self.chroma)
        # At night the eye sees blue before it sees brown (the Purkinje shift): warm ground must not turn to mud.
        fallen = mix(fallen, "#25509a", 0.45) if self.dark else fallen
        return mix(fallen, self.haze, min(depth, 1.0) * 0.85)
