"""The storyboard: the film as a file that a person can read and change."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from mofang.image.engines.collage.scene import Mood, Place, Role, Scene, Season, Subject, Time, Weather
from mofang.studio.errors import UserError

Aspect = Literal["9:16", "16:9", "1:1"]
SIZES: dict[str, tuple[int, int]] = {"9:16": (1080, 1920), "16:9": (1920, 1080), "1:1": (1080, 1080)}
FPS = 30
VERSION = 1
MAX_SCENES = 600


@dataclass(frozen=True)
class Picture:
    """What a scene shows: a picture `file` (relative to the storyboard), a collage `scene` read from the words, or `words`
    for the film's picture engine."""

    scene: Scene | None = None
    file: str = ""
    seed: int = 0
    words: str = ""


@dataclass(frozen=True)
class Shot:
    """One scene of the film: the words spoken over one picture. Empty `voice` and `speed` 0 mean the film's own."""

    id: str
    text: str
    picture: Picture
    voice: str = ""
    speed: float = 0.0
    pause: float = 0.35
    transition: str = "crossfade"


@dataclass(frozen=True)
class Tune:
    """The film's own music: composed in a style, key and tempo by `model`, in `movements` of `bars` bars (0: as the film's
    length asks). The tempo is moved a little so that the last chord ends with the film."""

    style: str
    key: str
    tempo: float
    scale: str = ""
    mood: str = ""
    seed: int = 0
    movements: int = 0
    bars: int = 0
    model: str = "score"


@dataclass(frozen=True)
class Storyboard:
    """A whole film. `music` is a path relative to the storyboard, or empty; `score` is music made for it; `effects`: sounds around
    the scenes; `image_engine` paints pictures that have words (`sticker`, `diffusers:PATH`, `openai:MODEL`); `shots` are in
    order."""

    title: str
    lang: Literal["zh", "en"]
    shots: tuple[Shot, ...]
    aspect: Aspect = "9:16"
    voice: str = ""
    speed: float = 1.0
    style: str = ""
    music: str = ""
    author: str = ""
    seed: int = 0
    image_engine: str = ""
    score: Tune | None = None
    effects: bool = False
    notes: tuple[str, ...] = field(default=())

    def dumps(self) -> str:
        """The storyboard as JSON with one shot after another, made for editing by hand."""
        return json.dumps({"storyboard": VERSION, **_plain(asdict(self))}, ensure_ascii=False, indent=2) + "\n"

    def with_shots(self, shots: tuple[Shot, ...]) -> "Storyboard":
        """The same film with other shots."""
        return replace(self, shots=shots)


def _plain(value: Any) -> Any:
    """Without the parts that say nothing, so that the file holds only what an editor would look at."""
    if isinstance(value, Mapping):
        silent = {"speed": 0.0, "effects": False}
        return {
            key: _plain(inner)
            for key, inner in value.items()
            if inner not in (None, "", (), []) and silent.get(key) != inner
        }
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def is_storyboard(data: bytes) -> bool:
    """Whether a file holds a storyboard, whatever its name."""
    return data[:4096].lstrip().startswith(b"{") and b'"storyboard"' in data[:4096]


def load(path: Path) -> Storyboard:
    """Read a storyboard somebody may have edited. Raises `UserError` naming the place that is wrong."""
    try:
        return loads(path.read_text("utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {path}: {error}; a storyboard is a UTF-8 JSON file") from error


def loads(text: str, name: str = "storyboard") -> Storyboard:
    """Parse a storyboard's JSON."""
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "it is nested too deep"
        raise UserError(
            f"{name} is not valid JSON ({where}): mend it, or delete it and make the film from its text"
        ) from error
    reader = _Reader(value, name)
    if reader.take("storyboard", int, 0) != VERSION:
        raise UserError(f"{name} is not a storyboard of version {VERSION}; make the film again from its text")
    shots = tuple(_shot(shot) for shot in reader.each("shots"))
    if not 0 < len(shots) <= MAX_SCENES:
        raise UserError(f"{name}: 'shots' must hold 1 to {MAX_SCENES} scenes, not {len(shots)}")
    if len({shot.id for shot in shots}) != len(shots):
        raise UserError(f"{name}: two shots have the same id; give each its own")
    board = Storyboard(
        title=reader.take("title", str, ""),
        lang=reader.choice("lang", ("zh", "en")),
        shots=shots,
        aspect=reader.choice("aspect", get_args(Aspect), "9:16"),
        voice=reader.take("voice", str, ""),
        speed=reader.between("speed", 0.5, 2.0, 1.0),
        style=reader.take("style", str, ""),
        music=reader.take("music", str, ""),
        author=reader.take("author", str, ""),
        seed=reader.take("seed", int, 0),
        image_engine=reader.take("image_engine", str, ""),
        score=_tune(reader.inner("score")) if reader.has("score") else None,
        effects=reader.take("effects", bool, False),
        notes=tuple(str(note) for note in reader.take("notes", list, [])),
    )
    reader.done()
    return board


def _tune(reader: "_Reader") -> Tune:
    tune = Tune(
        style=reader.take("style", str),
        key=reader.take("key", str),
        tempo=reader.between("tempo", 30.0, 250.0, 90.0),
        scale=reader.take("scale", str, ""),
        mood=reader.take("mood", str, ""),
        seed=int(reader.between("seed", 0, 2**31 - 1, 0)),
        movements=int(reader.between("movements", 1, 64, 0)),
        bars=int(reader.between("bars", 1, 64, 0)),
        model=reader.take("model", str, "score"),
    )
    reader.done()
    return tune


def _shot(reader: "_Reader") -> Shot:
    picture = reader.inner("picture")
    shot = Shot(
        id=reader.take("id", str),
        text=reader.take("text", str),
        picture=Picture(
            _scene(picture.inner("scene")) if picture.has("scene") else None,
            picture.take("file", str, ""),
            picture.take("seed", int, 0),
            picture.take("words", str, ""),
        ),
        voice=reader.take("voice", str, ""),
        speed=reader.between("speed", 0.5, 2.0, 0.0) if reader.has("speed") else 0.0,
        pause=reader.between("pause", 0.0, 10.0, 0.35),
        transition=reader.take("transition", str, "crossfade"),
    )
    picture.done()
    reader.done()
    if not shot.text.strip():
        raise UserError(f"{reader.path}.text is empty: write what is said, or delete the shot")
    if shot.picture.scene is None and not shot.picture.file and not shot.picture.words.strip():
        raise UserError(f"{reader.path}.picture needs a 'scene', a 'file' or 'words'")
    return shot


def scene_from(value: Any) -> Scene:
    """A scene from its JSON, as recipes keep it. Raises `UserError` if it is none."""
    return _scene(_Reader(value, "scene"))


def _scene(reader: "_Reader") -> Scene:
    def subject(inner: "_Reader") -> Subject:
        one = Subject(
            inner.take("glyph", str),
            inner.take("word", str, ""),
            int(inner.between("count", 1, 9, 1)),
            inner.choice("role", get_args(Role), "support"),
        )
        inner.done()
        return one

    scene = Scene(
        place=reader.choice("place", get_args(Place), "plain"),
        time=reader.choice("time", get_args(Time), "day"),
        season=reader.choice("season", get_args(Season)) if reader.has("season") else None,
        weather=reader.choice("weather", get_args(Weather), "clear"),
        mood=reader.choice("mood", get_args(Mood), "calm"),
        subjects=tuple(subject(inner) for inner in reader.each("subjects", required=False)),
    )
    reader.done()
    return scene


class _Reader:
    """Takes typed values out of a JSON object and knows where in the file it stands when one is wrong."""

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise UserError(f"{path} must be an object in braces")
        self.value, self.path, self._seen = value, path, set[str]()

    def has(self, key: str) -> bool:
        return self.value.get(key) is not None

    def take(self, key: str, kind: type, default: Any = None) -> Any:
        self._seen.add(key)
        value = self.value.get(key, default)
        if value is None:
            raise UserError(f"{self.path}.{key} is missing")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise UserError(f"{self.path}.{key} must be {_KINDS[kind]}, not {json.dumps(value)[:40]}")
        if kind is str:
            # JSON can spell half a character; nothing further on could write it to a file.
            return str(value).encode("utf-8", "replace").decode("utf-8")
        return value

    def choice(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> Any:
        value = self.take(key, str, default)
        if value not in allowed:
            raise UserError(f"{self.path}.{key} is '{value[:40]}'; choose one of: {', '.join(allowed)}")
        return value

    def between(self, key: str, low: float, high: float, default: float) -> float:
        value = self.take(key, int | float, default)  # type: ignore[arg-type]
        if value != default and not low <= value <= high:
            raise UserError(f"{self.path}.{key} is {value}; it must be from {low} to {high}")
        return float(value)

    def inner(self, key: str) -> "_Reader":
        return _Reader(self.take(key, dict), f"{self.path}.{key}")

    def each(self, key: str, required: bool = True) -> list["_Reader"]:
        values = self.take(key, list, None if required else [])
        return [_Reader(value, f"{self.path}.{key}[{number}]") for number, value in enumerate(values)]

    def done(self) -> None:
        if unknown := sorted(set(self.value) - self._seen):
            raise UserError(f"{self.path} has '{unknown[0][:40]}', which means nothing here; check the spelling")


_KINDS: dict[Any, str] = {
    str: "text in quotes",
    int: "a whole number",
    bool: "true or false",
    list: "a list in brackets",
    dict: "an object in braces",
    int | float: "a number",
}
