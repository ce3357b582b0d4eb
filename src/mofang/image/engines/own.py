"""Words to pictures with a text-to-image model that Mofang trained, without torch.

>>> painter = Painter(own.find("sticker"))
>>> pictures = painter.paint(["一只狐狸"], [painter.style("3d")], seeds=[7])     # (1, 128, 128, 4), straight alpha
"""

import os
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.image.captions import FILE, encode, load_tokenizer
from mofang.models import own
from mofang.models.formats.onnx import check_onnx
from mofang.models.session import answers, load
from mofang.studio.errors import UserError

MODEL_TYPE = "mofang-flow"
GRAPHS = ("text", "flow", "decoder")
CHOOSER = "chooser.onnx"
"""Of a model that looks at what it painted (see `image.train.chooser`)."""
STEPS, GUIDANCE = 10, 3.0
CANDIDATES = 10
"""Pictures painted for one that is wanted, where a chooser is there."""
SIDE = 64
"""Pixels a side of the pictures that a chooser sees."""
HAZE = 0.04
"""How far from 0 and 1 a decoder leaves the alpha of what is clear and what is solid."""


class Painter:
    """A model's folder, its graphs opened when they are first needed. `size` pixels a side, `channels` 3 or 4."""

    def __init__(self, folder: Path, threads: int = 0) -> None:
        self.folder = folder
        self.threads = threads or min(os.cpu_count() or 1, 8)
        config = own.read_config(folder)
        if config["model_type"] != MODEL_TYPE:
            raise UserError(f"{folder.name} paints nothing from words: it is a {config['model_type'][:40]}; give a model of "
                            "mofang image train --kind flow")  # fmt: skip
        try:
            self.size, self.channels = int(config["size"]), int(config["channels"])
            self.words, self.styles = int(config["words"]), [str(name) for name in config["style_names"]]
            self._grid = int(config["latent"]), int(config["side"]), int(config["side"])
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{folder / own.CONFIG} is damaged; take the model's folder whole") from error
        if not (8 <= self.size <= 1024 and self.channels in (3, 4) and 1 <= self.words <= 1024 and self._grid[1] * 8 == self.size):
            raise UserError(f"{folder / own.CONFIG} makes no sense; take the model's folder whole")

    @cached_property
    def _tokenizer(self) -> Any:
        return load_tokenizer(self.folder)

    @property
    def files(self) -> tuple[str, ...]:
        """What painting needs of the folder."""
        return own.CONFIG, FILE, *(f"{name}.onnx" for name in GRAPHS)

    @property
    def chooses(self) -> bool:
        """Whether it can tell which of its pictures fits the words best."""
        return (self.folder / CHOOSER).is_file()

    @cached_property
    def _graphs(self) -> dict[str, Any]:
        names = [*GRAPHS, *(["chooser"] if self.chooses else [])]
        paths = {name: self.folder / f"{name}.onnx" for name in names}
        for path in paths.values():
            check_onnx(path)
        return {name: load(path, self.threads) for name, path in paths.items()}

    def style(self, name: str) -> int:
        """The number of a style; the empty name is any. Raises `UserError` naming those there are."""
        if not name:
            return len(self.styles)
        if name not in self.styles:
            raise UserError(f"{self.folder.name} knows no style {name!r}; choose one of: {', '.join(self.styles)}")
        return self.styles.index(name)

    def unread(self, words: str) -> int:
        """How many tokens of `words` are beyond what the model reads."""
        return max(0, len(self._tokenizer.encode(words).ids) - self.words)

    def paint(self, words: Sequence[str], styles: Sequence[int], seeds: Sequence[Any], steps: int = STEPS,
              guidance: float = GUIDANCE, without: Sequence[str] = (), on_step: Callable[[float], None] = lambda share: None,
              ) -> NDArray[np.uint8]:  # fmt: skip
        """(N, size, size, channels) pictures of N captions, straight alpha; one seed gives one picture, in any batch.

        The equation is `solved` in `steps` steps, led away by `guidance` from the captions in `without` (by default, from no
        caption at all: Ho & Salimans 2021).
        """
        assert len(words) == len(styles) == len(seeds), "a style and a seed for each caption"
        x = np.stack([np.random.default_rng(seed).standard_normal(self._grid, np.float32) for seed in seeds])
        velocity = self._velocity([*words, *(without or [""] * len(words))], [*styles, *styles], guidance)
        x = solved(x, velocity, steps, on_step)
        made = self._answers("decoder", latents=x)[0]
        if made.shape != (len(x), self.channels, self.size, self.size):
            raise UserError(f"{self.folder / 'decoder.onnx'} is another model's; take the model's folder whole")
        return straight(made)

    def best(self, words: Sequence[str], styles: Sequence[int], seeds: Sequence[int], candidates: int = CANDIDATES, steps: int = STEPS,
             guidance: float = GUIDANCE, without: Sequence[str] = (), on_step: Callable[[float], None] = lambda share: None,
             ) -> NDArray[np.uint8]:  # fmt: skip
        """As `paint`, but of each caption the one of so many candidates that fits its words best.

        The first candidate of a seed is the picture that `paint` makes of it. A model without a chooser paints that one.
        """
        if not self.chooses or candidates == 1:
            return self.paint(words, styles, seeds, steps, guidance, without, on_step)

        def each(values: Sequence[Any]) -> list[Any]:
            return [value for value in values for _ in range(candidates)]

        tries = [seed if k == 0 else [seed, k] for seed in seeds for k in range(candidates)]
        made = self.paint(each(words), each(styles), tries, steps, guidance, each(without), on_step)
        fit = self._fit(made, np.repeat(self.read(words)[1], candidates, 0)).reshape(len(words), candidates)
        found: NDArray[np.uint8] = made[np.arange(len(words)) * candidates + fit.argmax(1)]
        return found

    def fit(self, pictures: NDArray[np.uint8], words: Sequence[str]) -> NDArray[np.float32]:
        """(N): how well each of N pictures (straight alpha) fits its caption rather than others, higher is better."""
        return self._fit(pictures, self.read(words)[1])

    def _fit(self, pictures: NDArray[np.uint8], whole: NDArray[np.float32]) -> NDArray[np.float32]:
        fit: NDArray[np.float32] = self._answers("chooser", pictures=small_on_white(pictures, SIDE), whole=whole)[0]
        return fit

    def read(self, words: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
        """Features of each word (N, words, D) and of the whole (N, D) of N captions, and which words there are."""
        ids = encode(self._tokenizer, words, self.words)
        features, whole = self._answers("text", words=ids)[:2]
        return features, whole, ids != 0

    def _answers(self, name: str, **inputs: Any) -> list[Any]:
        return answers(self._graphs[name], self.folder / f"{name}.onnx", **inputs)

    def _velocity(self, captions: Sequence[str], styles: Sequence[int], guidance: float) -> Callable[..., NDArray[np.float32]]:
        """The guided velocity; the first half of the captions is wanted, the second is not."""
        features, whole, real = self.read(captions)
        fixed = {"features": features, "whole": whole, "real": real, "style": np.array(styles, np.int64)}

        def velocity(x: NDArray[np.float32], t: float) -> NDArray[np.float32]:
            both = np.concatenate([x, x])
            given = {"noisy": both, "t": np.full(len(both), t, np.float32), **fixed}
            led, free = np.split(self._answers("flow", **given)[0], 2)
            guided: NDArray[np.float32] = free + guidance * (led - free)
            return guided

        return velocity


def solved(x: Any, velocity: Callable[[Any, float], Any], steps: int, on_step: Callable[[float], None] = lambda share: None) -> Any:
    """From noise (t = 1) to latents (t = 0) by the two-step Adams–Bashforth method, each step one look at the network.

    `x` and what `velocity` of it and t gives are arrays or tensors alike.
    """
    before = None
    for k, (t, after) in enumerate(pairwise(np.linspace(1, 0, steps + 1, dtype=np.float32).tolist())):
        here = velocity(x, t)
        x = x + (after - t) * (here if before is None else 1.5 * here - 0.5 * before)
        before = here
        on_step((k + 1) / steps)
    return x


def small_on_white(pictures: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """(N, S, S, 3 or 4) bytes, straight alpha → (N, 3, side, side) in -1..1, as a chooser sees them."""
    import cv2

    x = pictures.astype(np.float32) / 255
    if x.shape[3] == 4:
        x = x[..., :3] * x[..., 3:] + 1 - x[..., 3:]
    small = np.stack([cv2.resize(one, (side, side), interpolation=cv2.INTER_AREA) for one in x])
    out: NDArray[np.float32] = np.ascontiguousarray(small.transpose(0, 3, 1, 2), np.float32) * 2 - 1
    return out


def straight(pictures: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(N, C, H, W) in 0..1, alpha premultiplied → (N, H, W, C) bytes with straight alpha."""
    x = pictures.transpose(0, 2, 3, 1)
    if x.shape[3] == 4:
        alpha = x[..., 3:]
        # What is all but nothing or all but whole was meant so.
        clean = np.clip((alpha - HAZE) / (1 - 2 * HAZE), 0, 1)
        x = np.concatenate([np.minimum(x[..., :3] / np.maximum(alpha, 1 / 255), 1) * (clean > 0), clean], 3)
    whole: NDArray[np.uint8] = np.rint(x * 255).astype(np.uint8)
    return whole
