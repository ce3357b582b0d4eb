"""New music: codes drawn from the top down, window by window (Jukebox, section 4.5)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mofang.models import own
from mofang.sound.jukebox import conditions
from mofang.sound.jukebox import shape as shapes
from mofang.sound.jukebox.codec import Codec, Codes, Floats
from mofang.sound.jukebox.network import Prior, Told
from mofang.sound.sampling import nucleus
from mofang.studio.errors import UserError
from mofang.studio.progress import Progress, silent

LONGEST = 600.0
"""Seconds of a piece at most."""


@dataclass(frozen=True)
class Wish:
    """What is wanted: the style, how many seconds in all (a given beginning included), the words sung, the luck of the draw."""

    style: str
    seconds: float
    lyrics: str = ""
    seed: int = 0
    temperature: float = 0.95
    top_p: float = 0.98


@dataclass(frozen=True, eq=False)
class Jukebox:
    """A codec and priors by level: from the top down to the finest that has one."""

    codec: Codec
    priors: tuple[Prior, ...]

    @classmethod
    def open(cls, folder: Path) -> "Jukebox":
        """The model that `join` wrote. Raises `UserError`."""
        config = own.read_config(folder)
        if config["model_type"] != shapes.JUKEBOX:
            raise UserError(f"{folder} is a model of kind {config['model_type']}; join a codec and its priors: mofang jukebox join")
        if not isinstance(config.get("codec"), dict) or not isinstance(config.get("priors"), list) or len(config["priors"]) > 4:
            raise UserError(f"{folder}'s {own.CONFIG} describes no jukebox; join or fetch it again")
        tensors = own.read_tensors(folder)

        def part(name: str) -> dict[str, Floats]:
            return {key.removeprefix(name): value for key, value in tensors.items() if key.startswith(name)}

        priors = [Prior.read(each, part(f"prior{number}."), folder) for number, each in enumerate(config["priors"])]
        return cls(Codec.read(config["codec"], part("codec."), folder), fitting(config["codec"], priors))


def fitting(codec: dict[str, object], priors: Sequence[Prior]) -> tuple[Prior, ...]:
    """The priors, top first. Raises `UserError` unless they are of the top level of a codec and those right below it."""
    shape = shapes.read(shapes.CodecShape, codec)
    ordered = tuple(sorted(priors, key=lambda prior: -prior.shape.level))
    top = len(shape.strides) - 1
    if not ordered or [prior.shape.level for prior in ordered] != list(range(top, top - len(ordered), -1)):
        raise UserError(f"a jukebox needs one prior for level {top} of its codec, and then for those below it without a gap")
    for prior in ordered:
        level, told = prior.shape.level, prior.shape
        ratio = shape.hops[level + 1] // shape.hops[level] if level < top else 1
        if told.codes != shape.codes or told.ratio != ratio or told.rate != shape.rate / shape.hops[level]:
            raise UserError(f"the prior of level {level} was trained on the codes of another codec; train it with this one")
    return ordered


def sample(jukebox: Jukebox, wish: Wish, beginning: Floats | None = None, progress: Progress = silent) -> Floats:
    """Sound (n,) at the codec's rate, `wish.seconds` long; after `beginning` (samples at that rate), which is kept as it is.

    The same wish makes the same sound. Raises `UserError` for a style or a length that is none, or a beginning that leaves
    nothing to add.
    """
    shape, levels = jukebox.codec.shape, [prior.shape.level for prior in jukebox.priors]
    given = np.zeros(0, np.float32) if beginning is None else beginning
    if not 0 < wish.seconds <= LONGEST:
        raise UserError(f"a piece lasts up to {LONGEST:.0f} seconds, not {wish.seconds:g}; give --seconds 20")
    if len(given) >= wish.seconds * shape.rate:
        raise UserError(f"the beginning alone lasts {len(given) / shape.rate:.1f} s; ask for more --seconds than that")
    hop = shape.hops[-1]
    total = max(1, round(wish.seconds * shape.rate / hop))
    work = sum(total * hop // shape.hops[level] for level in levels)
    codes: Codes | None = None
    done = 0
    for prior in jukebox.priors:
        level = prior.shape.level
        # Whole codes of the top: every level then knows the same beginning.
        known = jukebox.codec.encode(given[: len(given) // hop * hop], level)
        count = total * hop // shape.hops[level]
        rng = np.random.default_rng((wish.seed, level))

        def heard(made: int, level: int = level, done: int = done) -> None:
            progress((done + made) / work, f"level {level}")

        codes = _level(prior, known, count, codes, wish, rng, heard)
        done += count
    assert codes is not None
    made = jukebox.codec.decode(codes, levels[-1])
    return joined(given, made)


def joined(given: Floats, made: Floats, blend: int = 256) -> Floats:
    """What was given, then what was made from there on, the last `blend` samples given turning into the made ones."""
    if not len(given):
        return made
    whole = made.copy()
    whole[: len(given)] = given[: len(whole)]
    size = min(blend, len(given), len(made))
    slope = np.linspace(0, 1, size, dtype=np.float32)
    end = len(given)
    whole[end - size : end] = given[end - size : end] * (1 - slope) + made[end - size : end] * slope
    return whole


def _level(prior: Prior, known: Codes, count: int, upper: Codes | None, wish: Wish, rng: np.random.Generator,
           heard: Callable[[int], None]) -> Codes:  # fmt: skip
    """`count` codes of one level, the `known` first, told those of the level above. `heard` learns how many there are."""
    shape, codes = prior.shape, np.zeros(count, np.int64)
    codes[: len(known)] = known[:count]
    at = min(len(known), count)
    ratio = shape.ratio
    while at < count:
        # A window that begins half a context back: what is new has always heard at least that much.
        start = max(0, at - shape.context // 2) // ratio * ratio
        end = min(start + shape.context, count)
        prior.begin(window_told(prior, start, count, upper, shape.style(wish.style), wish.lyrics))
        logits = prior.feed(codes[start:at])
        while at < end:
            codes[at] = nucleus(logits, rng, wish.temperature, wish.top_p)
            at += 1
            if at < end:
                logits = prior.feed(codes[at - 1 : at])
        heard(at)
    return codes


def window_told(prior: Prior, start: int, total: int, upper: Codes | None, style: int, words: str) -> Told:
    """What a window from code `start` of `total` is told."""
    shape = prior.shape
    part = None
    if shape.upper:
        assert upper is not None
        part = np.zeros(shape.upper, np.int64)
        have = upper[start // shape.ratio : start // shape.ratio + shape.upper]
        part[: len(have)] = have
    sung = conditions.lyrics(words, start, shape.context, total, shape.lyrics) if shape.lyrics else None
    return Told(style, conditions.times(start, shape.context, total, shape.rate), sung, part)
