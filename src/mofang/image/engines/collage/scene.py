"""What a passage asks to see: the contract between reading a passage and painting it."""

from dataclasses import dataclass
from typing import Literal

Place = Literal["meadow", "hills", "mountains", "sea", "beach", "river", "lake", "waterfall", "forest", "bamboo", "desert",
                "snowfield", "farm", "garden", "village", "town", "city", "road", "bridge", "market", "temple", "room",
                "bedroom", "kitchen", "school", "library", "office", "stage", "space", "underwater", "cave", "sky", "plain"]
Time = Literal["dawn", "day", "dusk", "night"]
Season = Literal["spring", "summer", "autumn", "winter"]
Weather = Literal["clear", "cloudy", "rain", "snow", "storm", "fog", "wind"]
Mood = Literal["calm", "joyful", "warm", "sad", "tense", "mysterious", "festive", "lonely"]
Role = Literal["hero", "support", "prop", "sky"]


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to draw.

    `glyph` is the emoji's hexcode as in emojibase (`1F98A`); `word` the word of the passage that called for it;
    `count` how many are drawn, 1..9; `role` where it belongs: hero in front, support beside, prop small, sky above.
    """

    glyph: str
    word: str
    count: int
    role: Role


@dataclass(frozen=True, slots=True)
class Scene:
    """A passage as a picture: where, when, in what weather and mood, and who is there (most important first)."""

    place: Place
    time: Time
    season: Season | None
    weather: Weather
    mood: Mood
    subjects: tuple[Subject, ...]
