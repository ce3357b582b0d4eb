"""Second stage: the storyboard. Passages become shots, and the words say what each picture shows."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args

from mofang.apps.make.music import is_file
from mofang.apps.make.script import Lang, Script
from mofang.apps.make.storyboard import MAX_SCENES, SIZES, Picture, Shot, Storyboard
from mofang.image.engines.collage.art import STYLES
from mofang.image.engines.collage.read import read_story
from mofang.image.engines.folder import pictures_in
from mofang.sound import default_voice
from mofang.sound import voice as find_voice
from mofang.studio.errors import UserError

PAUSE = 0.35
BREATH = 0.7
"""Seconds of rest after a shot, and after the last one before the credits."""


@dataclass(frozen=True)
class Wishes:
    """What the creator asks for on the command line; what is left empty comes from the text's front matter or defaults."""

    title: str = ""
    author: str = ""
    voice: str = ""
    aspect: str = ""
    style: str = ""
    music: str = ""
    speed: float = 0.0
    seed: int | None = None
    pictures: Path | None = None
    image_engine: str = ""
    effects: bool | None = None

    def over(self, front: Mapping[str, str]) -> "Wishes":
        """These wishes, with the gaps filled from front matter. Raises `UserError` for front matter that makes no sense."""
        known: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in ("title", "author", "voice", "aspect", "style", "music", "image_engine"):
            known[name] = known[name] or front.get(name, "")
        try:
            known["speed"] = known["speed"] or float(front.get("speed", 0) or 0)
            known["seed"] = int(front["seed"]) if known["seed"] is None and "seed" in front else known["seed"]
        except ValueError as error:
            raise UserError(
                "the text's front matter has a speed or seed that is no number; write it as speed: 1.1"
            ) from error
        return Wishes(**known)


def board(script: Script, wishes: Wishes, base: Path) -> Storyboard:
    """The storyboard of a script. `base` is the folder that relative paths in wishes start from.

    Raises `UserError` for an unknown voice, style or aspect, missing music, or a text of too many scenes.
    """
    wanted = wishes.over(dict(script.front))
    aspect = (wanted.aspect or "9:16").replace("：", ":")
    if aspect not in SIZES:
        raise UserError(f"there is no aspect '{aspect[:20]}'; choose one of: {', '.join(SIZES)}")
    if wanted.style and wanted.style not in STYLES:
        raise UserError(f"there is no art style '{wanted.style[:30]}'; choose one of: {', '.join(STYLES)}")
    if len(script.said) > MAX_SCENES:
        raise UserError(
            f"the text makes {len(script.said)} scenes, one film takes {MAX_SCENES}; give it chapter by chapter"
        )
    lang = script.lang
    name = find_voice(wanted.voice).name if wanted.voice else default_voice(lang).name
    seed = wanted.seed or 0
    shots = tuple(
        Shot(f"s{number:02d}", said.text, picture, pause=PAUSE)
        for number, (said, picture) in enumerate(
            zip(script.said, _pictures(script, wanted, lang, base, seed), strict=True), 1
        )
    )
    last = replace(shots[-1], pause=BREATH)
    return Storyboard(
        title=wanted.title or script.title, lang=lang, shots=(*shots[:-1], last), aspect=aspect, voice=name,  # type: ignore[arg-type]
        speed=wanted.speed or 1.0, style=wanted.style or get_default_style(), music=_music(wanted.music, base),
        author=wanted.author or script.author, seed=seed, image_engine=_engine(wanted.image_engine), notes=script.notes,
        effects=bool(wanted.effects),
    )  # fmt: skip


def get_default_style() -> str:
    """The art style of films that ask for none."""
    from mofang.image.engines.collage.art import DEFAULT

    return DEFAULT


def _pictures(script: Script, wanted: Wishes, lang: Lang, base: Path, seed: int) -> list[Picture]:
    if wanted.pictures:
        own = pictures_in(base / wanted.pictures)
        # Fewer pictures than passages: each stays for its share of the script, in order.
        count = len(script.said)
        return [
            Picture(file=str(own[min(i * len(own) // count, len(own) - 1)].resolve()), seed=seed) for i in range(count)
        ]
    if _engine(wanted.image_engine):
        return [Picture(file=str(said.picture or ""), seed=seed, words="" if said.picture else said.text) for said in script.said]
    scenes = read_story([said.text for said in script.said], lang)
    return [
        Picture(file=str(said.picture), seed=seed) if said.picture else Picture(scene=scene, seed=seed)
        for said, scene in zip(script.said, scenes, strict=True)
    ]


def _engine(name: str) -> str:
    """The film's picture engine if it is another than the collage. Raises `UserError` for one there is not."""
    from mofang.image.engines import ENGINES

    if name and name.partition(":")[0] not in ENGINES:
        raise UserError(f"there is no picture engine '{name[:40]}'; use one of: {', '.join(ENGINES)} (as diffusers:PATH)")
    return "" if name == "collage" else name


def _music(name: str, base: Path) -> str:
    if not is_file(name):
        return ""
    path = (base / Path(name).expanduser()).resolve()
    if not path.is_file():
        raise UserError(f"there is no music file {name}; check --music, or leave it out")
    return str(path)


assert set(SIZES) == set(get_args(Storyboard.__annotations__["aspect"])), "sizes and aspects belong together"
