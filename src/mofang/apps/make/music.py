"""The film's own music: chosen by its scenes, composed once, played to the film's length to the sample.

How long a film is comes from its voices; how long a piece is from its bars and tempo. The bars are the number whose tempo lies
nearest the style's own, and the tempo then moves a few per cent. While the storyboard's bars still fit, other words change only
the playing. A long film's music is a rondo: the first movement comes again between others in neighbouring keys.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import numpy as np

from mofang import models
from mofang.apps import compose as composing
from mofang.apps.make import soundtrack
from mofang.apps.make.storyboard import Storyboard, Tune
from mofang.image.engines.collage.read import read_story
from mofang.image.engines.collage.scene import Mood
from mofang.models import own
from mofang.sound import pcm
from mofang.sound.music import band, compose, midi
from mofang.sound.music.score import GRID, Key, Note, Score, Track, key_named
from mofang.studio import Made, Making, Recipe, Studio, UserError
from mofang.studio.credit import Credit
from mofang.studio.library import file_hash

ENGINE, VERSION = "band", "1"
MODEL = "score"
MINOR = ("sad", "lonely", "mysterious", "tense")
PACE = {"calm": 0.9, "joyful": 1.12, "warm": 0.95, "sad": 0.82, "tense": 1.1, "mysterious": 0.88, "festive": 1.18, "lonely": 0.85}
"""Tempo of a mood, where the style's own is 1."""
STYLES = {
    "calm": ("folk-de", "chorale"), "warm": ("folk-de", "irish"), "joyful": ("irish", "fiddle"), "festive": ("fiddle", "ragtime"),
    "sad": ("chorale", "folk-de"), "lonely": ("folk-de", "chorale"), "mysterious": ("chorale",), "tense": ("chorale", "fiddle"),
}  # fmt: skip
"""The styles that suit a mood, best first. A Chinese film has Chinese folk music if the model knows it."""
FEELINGS = {"calm": "calm", "joyful": "lively", "warm": "bright", "sad": "sad", "tense": "restless", "mysterious": "solemn",
            "festive": "lively", "lonely": "sad"}  # fmt: skip
"""A scene's mood in the words the model of scores knows."""
LONGEST_MOVEMENT = 32
STRETCH = 0.15
"""Share by which the tempo may leave the storyboard's before other bars are counted."""
WORDS = ("style", "mood", "key", "tempo", "seed", "model")


def is_file(asked: str) -> bool:
    """Whether a wish for music names a file, and is no word, wish for a score, or model."""
    return bool(asked) and not soundtrack.is_asked(asked) and asked not in ("none", MODEL) and asked.partition("=")[0] not in WORDS


def scored(board: Storyboard, asked: str, studio: Path) -> Storyboard:
    """The storyboard with the music that was asked for: `score`, `none`, `style=…,mood=…`, `transformers:…`; nothing asked: a
    score if a model that composes and a player are here. Raises `UserError`."""
    if soundtrack.is_asked(asked):
        soundtrack.check(asked)
        return replace(board, music=asked, score=None)
    if asked == "none" or is_file(asked) or (not asked and not _ready(studio)):
        return replace(board, score=None)
    wishes = _wishes(asked)
    folder = own.find(wishes.get("model", MODEL), studio)
    known = compose.styles(folder)
    mood = wishes.get("mood") or mood_of(board)
    if mood not in get_args(Mood):
        raise UserError(f"there is no mood '{mood[:30]}'; take one of {', '.join(get_args(Mood))}")
    style = wishes.get("style") or _style(board.lang, mood, known)
    if style not in known:
        raise UserError(f"the model has not learned '{style[:30]}'; it knows {', '.join(known) or 'no style'}")
    manner = compose.MANNERS[style]
    try:
        key = key_named(wishes["key"]) if "key" in wishes else Key(manner.key.fifths, mood in MINOR)
        tempo, seed = float(wishes.get("tempo", round(manner.tempo * PACE[mood]))), int(wishes.get("seed", board.seed))
    except ValueError as error:
        raise UserError(f"the music's {error}; write it as style=irish,key=Em,tempo=90,seed=1") from error
    if not 30 <= tempo <= 250 or not 0 <= seed < 2**31:
        raise UserError("the music's tempo must be from 30 to 250, its seed from 0 on; change them")
    scale = "pentatonic" if board.lang == "zh" else manner.scale
    return replace(board, score=Tune(style, key.name, tempo, scale, mood, seed, model=wishes.get("model", MODEL)))


def _ready(studio: Path) -> bool:
    """Whether music can be made: a model that composes, the player, its SoundFont."""
    if find_spec("tinysoundfont") is None or not models.installed(band.SOUNDFONT):
        return False
    try:
        return bool(compose.styles(own.find(MODEL, studio)))
    except UserError:
        return False


def _wishes(asked: str) -> dict[str, str]:
    if asked in ("", MODEL):
        return {}
    pairs = [pair.partition("=") for pair in asked.replace("，", ",").split(",")]
    if wrong := next((name for name, _, value in pairs if name.strip() not in WORDS or not value.strip()), None):
        raise UserError(f"'{wrong[:30]}' says nothing about music; write {'=…,'.join(WORDS)}=…")
    return {name.strip(): value.strip() for name, _, value in pairs}


def mood_of(board: Storyboard) -> str:
    """The commonest mood of the scenes that has one; calm only where nothing else is felt."""
    scenes = [shot.picture.scene for shot in board.shots]
    read = [scene for scene in scenes if scene] or read_story([shot.text for shot in board.shots], board.lang)
    counts = Counter(scene.mood for scene in read if scene.mood != "calm")
    mood, times = max(counts.items(), key=lambda pair: pair[1], default=("calm", 0))
    return mood if times * 4 >= len(read) else "calm"


def _style(lang: str, mood: str, known: Sequence[str]) -> str:
    wanted = (*(("folk-zh",) if lang == "zh" else ()), *STYLES[mood], *known)
    return next((style for style in wanted if style in known), "")


def fitted(tune: Tune, seconds: float) -> Tune:
    """The tune with as many movements and bars as a film of so many seconds takes at about its tempo."""
    bar = _bar(tune)
    natural = max(1.0, _room(seconds) * tune.tempo / 60 / bar)
    if tune.bars and abs(tune.bars * max(1, tune.movements) / natural - 1) <= STRETCH:
        return replace(tune, movements=max(1, tune.movements))
    movements = int(-(-natural // LONGEST_MOVEMENT))
    each = natural / movements
    # Four phrases make a form; a piece too short for one has the bars it has time for.
    bars = round(each / 4) * 4 if each >= 6 else round(each)
    return replace(tune, movements=movements, bars=max(1, bars))


def _bar(tune: Tune) -> float:
    """Quarter notes a bar of the style. Raises `UserError` for one that an edited storyboard made up."""
    if tune.style not in compose.MANNERS:
        raise UserError(f"the storyboard's score has style '{tune.style[:30]}'; take one of {', '.join(compose.MANNERS)}")
    return compose.MANNERS[tune.style].metre.bar / GRID


def _room(seconds: float) -> float:
    """Seconds of notes in a film: the last chord rings on into its end. Past what a band plays, music is looped."""
    return max(1.0, min(seconds, band.LONGEST) - band.TAIL)


def played(studio: Studio, tune: Tune, seconds: float, whose: tuple[Credit, ...]) -> tuple[Making, ...]:
    """The movements that were composed, and last their playing, as long as the film. Raises `UserError`."""
    try:
        key = key_named(tune.key)
    except ValueError as error:
        raise UserError(f"the storyboard's score: {error}") from error
    movements = []
    for number in range(tune.movements):
        # A B A C A …: what comes between the returns is a fifth higher, then a fourth.
        between = (number + 1) // 2 if number % 2 else 0
        shift = 0 if not between else 7 if between % 2 else 5
        wish = compose.Wish(tune.style, tune.bars, key.transposed(shift), tempo=tune.tempo, scale=tune.scale, seed=tune.seed + between,
                            mood=FEELINGS.get(tune.mood, ""))  # fmt: skip
        movements.append(composing.piece(studio, composing.Order(wish, tune.model)))
    recipe = Recipe(ENGINE, VERSION, models.card(band.SOUNDFONT).key, params={"seconds": round(seconds, 5), "bars": tune.bars},
                    parents=tuple(making.asset.id for making in movements))  # fmt: skip
    making = studio.make(recipe, ".wav", lambda target: produce(studio, recipe, target, whose))
    return *{each.asset.id: each for each in movements}.values(), making


def produce(studio: Studio, recipe: Recipe, target: Path, whose: tuple[Credit, ...] = ()) -> Made:
    """Play the movements of a recipe one after another in its time. Raises `UserError` if one of them is gone."""
    seconds = float(recipe.params["seconds"])
    whole = joined([midi.read(studio.asset(parent).path) for parent in recipe.parents], int(recipe.params["bars"]))
    whole = replace(whole, tempo=whole.end / GRID * 60 / _room(seconds))
    sound = band.play(whole)
    if seconds <= band.LONGEST:
        length = round(seconds * band.RATE)
        sound = np.pad(sound, ((0, max(0, length - len(sound))), (0, 0)))[:length]
    pcm.write_wav(target, sound, band.RATE)
    return Made(whose, {"seconds": seconds, "tempo": round(whole.tempo, 3)})


def joined(scores: Sequence[Score], bars: int) -> Score:
    """Movements of so many bars each, one after another; instruments go on where they are the same."""
    notes: dict[tuple[int, int], list[Note]] = {}
    for number, score in enumerate(scores):
        seen: Counter[int] = Counter()
        for track in score.tracks:
            seat = (track.program, seen[track.program])
            seen[track.program] += 1
            shift = number * bars * score.metre.bar
            notes.setdefault(seat, []).extend(note._replace(start=note.start + shift) for note in track.notes)
    tracks = tuple(Track(tuple(sorted(played)), program) for (program, _), played in notes.items())
    return replace(scores[0], tracks=tracks)


def credits(studio: Studio, tune: Tune) -> tuple[Credit, ...]:
    """Whose model composes and whose instruments play."""
    folder = own.find(tune.model, studio.folder)
    card = own.read_card(folder)
    mark = file_hash(folder / own.WEIGHTS)[:12]
    maker = Credit(str(card.get("title") or folder.name), f"Mofang {mark}", str(card.get("licence") or "LicenseRef-own"))
    return maker, models.card(band.SOUNDFONT).credit
