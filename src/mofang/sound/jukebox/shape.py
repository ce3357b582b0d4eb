"""The shapes of the networks: what their configuration says and what follows from it. Needs no torch."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import Any, TypeVar

from mofang.models import own
from mofang.studio.errors import UserError

CODEC, PRIOR, JUKEBOX = "mofang-jukebox-codec", "mofang-jukebox-prior", "mofang-jukebox"
"""Kinds of model: the autoencoders, one prior, and all of them joined."""
BINS = 64
"""Steps in which a total length, a place in seconds and a share of the piece are told to a prior."""
LONGEST_TOLD = 600.0
"""Seconds at which the scales of length and place end."""
LYRIC_SYMBOLS = 257
"""Bytes of UTF-8, so that every language is spelled, and one that says nothing."""

S = TypeVar("S", "CodecShape", "PriorShape")


@dataclass(frozen=True)
class CodecShape:
    """Three (or fewer) separate autoencoders of mono sound at `rate` Hz, finest first.

    Level k makes a code of every prod(`strides[k]`) samples through convolutions of those strides, each followed by `depth`
    residual convolutions with dilations 1, `growth`, `growth`² … on `width` channels; its codebook has `codes` entries of
    `latent` numbers.
    """

    rate: int = 16_000
    strides: tuple[tuple[int, ...], ...] = ((8,), (8, 4), (8, 4, 4))
    width: int = 64
    depth: int = 4
    growth: int = 3
    latent: int = 64
    codes: int = 512

    def __post_init__(self) -> None:
        if not (8000 <= self.rate <= 48_000 and 1 <= len(self.strides) <= 4):
            raise ValueError("sound has 8,000 to 48,000 samples a second, and one to four levels")
        if any(not each or any(stride not in (2, 4, 8) for stride in each) or prod(each) > 4096 for each in self.strides):
            raise ValueError("strides are 2, 4 or 8, of at most 4,096 samples a code")
        if any(coarse % fine or coarse == fine for fine, coarse in zip(self.hops, self.hops[1:], strict=False)):
            raise ValueError("each level's hop is a multiple of the finer one's")
        if not (8 <= self.width <= 1024 and 1 <= self.depth <= 12 and 1 <= self.growth <= 4 and 4 <= self.latent <= 1024
                and 2 <= self.codes <= 16_384):  # fmt: skip
            raise ValueError("width is 8 to 1024, depth 1 to 12, growth 1 to 4, latent 4 to 1024, codes 2 to 16,384")

    @property
    def hops(self) -> tuple[int, ...]:
        """Samples a code of each level stands for."""
        return tuple(prod(each) for each in self.strides)

    @property
    def dilations(self) -> tuple[int, ...]:
        """Of the residual convolutions of a stage."""
        return tuple(self.growth**k for k in range(self.depth))

    def reach(self, level: int) -> int:
        """Samples on either side that a code of this level depends on, at most."""
        at, total = 1, 0
        for stride in self.strides[level]:
            total += at * stride
            at *= stride
            total += at * sum(self.dilations)
        return total + 2 * at

    def bits_per_second(self, level: int) -> float:
        """What a second of a level's codes costs, in bits."""
        return self.rate / self.hops[level] * (self.codes - 1).bit_length()

    def config(self) -> dict[str, Any]:
        """As `config.json` has it."""
        return {"model_type": CODEC, **asdict(self)}


@dataclass(frozen=True)
class PriorShape:
    """A causal transformer over the codes of one level: `context` codes at once, `layers` of `width` and `heads`.

    `codes` entries; `rate` codes a second; `styles` names what it knows; `lyrics` bytes of lyrics stand before the codes (0:
    none). An upsampler has `upper` codes a window of the level above it, each standing for context / upper of its own, and
    listens to them through `conditioner` dilated convolutions.
    """

    level: int
    codes: int
    rate: float
    styles: tuple[str, ...]
    context: int = 512
    layers: int = 4
    width: int = 256
    heads: int = 4
    lyrics: int = 0
    upper: int = 0
    conditioner: int = 4

    def __post_init__(self) -> None:
        if not (0 <= self.level <= 3 and 2 <= self.codes <= 16_384 and 0 < self.rate <= 48_000 and 1 <= len(self.styles) <= 1000):
            raise ValueError("a prior has a level 0 to 3, 2 to 16,384 codes and 1 to 1,000 styles")
        if not (16 <= self.context <= 16_384 and 1 <= self.layers <= 96 and 16 <= self.width <= 8192 and 0 <= self.lyrics <= 4096):
            raise ValueError("context is 16 to 16,384 codes, layers 1 to 96, width 16 to 8192, lyrics 0 to 4096")
        if self.heads < 1 or self.width % self.heads or self.width // self.heads % 2 or not 0 <= self.conditioner <= 16:
            raise ValueError("heads must divide the width into even parts; a conditioner has at most 16 layers")
        if self.upper and (self.upper < 1 or self.context % self.upper):
            raise ValueError("a window holds whole codes of the level above")

    @property
    def ratio(self) -> int:
        """Codes of this level in one of the level above; 1 at the top."""
        return self.context // self.upper if self.upper else 1

    @property
    def inner(self) -> int:
        """SwiGLU's width: 8/3 of `width`, in steps of 32."""
        return round(self.width * 8 / 3 / 32) * 32 or 32

    def config(self) -> dict[str, Any]:
        """As `config.json` has it."""
        return {"model_type": PRIOR, **asdict(self)}

    def style(self, name: str) -> int:
        """The number of a style. Raises `UserError` naming those there are."""
        if name not in self.styles:
            raise UserError(f"this model knows no style {name[:40]!r}; choose one of: {', '.join(self.styles)[:300]}")
        return self.styles.index(name)


def config_of(folder: Path, model_type: str, what: str) -> dict[str, Any]:
    """The configuration in a model's folder. Raises `UserError` if it is no `what` ("codec" or "prior")."""
    config = own.read_config(folder)
    if config["model_type"] != model_type:
        kind = config["model_type"][:40]
        raise UserError(f"{folder} is a model of kind {kind}, no {what}; train one: mofang jukebox train --kind {what}")
    return config


def read(kind: type[S], config: Mapping[str, Any]) -> S:
    """A shape from a configuration. Raises `UserError` if it describes none."""
    try:
        values = {name: config[name] for name in kind.__dataclass_fields__ if name in config}
        for name, value in values.items():
            if name == "strides":
                values[name] = tuple(tuple(int(stride) for stride in each) for each in value)
            elif name == "styles":
                values[name] = tuple(str(each)[:200] for each in value)
            elif type(value) is not int and not (name == "rate" and type(value) is float):
                raise ValueError(f"{name} is {str(value)[:40]!r}")
        return kind(**values)
    except (TypeError, ValueError) as error:
        raise UserError(f"the model's config.json describes no network of this kind ({error}); train or fetch it again") from error
