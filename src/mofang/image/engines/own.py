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

from mofang.image.captions import encode, load_tokenizer
from mofang.models import own
from mofang.models.formats.onnx import check_onnx
from mofang.models.session import answers, load
from mofang.studio.errors import UserError

MODEL_TYPE = "mofang-flow"
STEPS, GUIDANCE = 24, 3.0
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

    @cached_property
    def _graphs(self) -> dict[str, Any]:
        paths = {name: self.folder / f"{name}.onnx" for name in ("text", "flow", "decoder")}
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

    def paint(self, words: Sequence[str], styles: Sequence[int], seeds: Sequence[int], steps: int = STEPS,
              guidance: float = GUIDANCE, without: Sequence[str] = (), on_step: Callable[[float], None] = lambda share: None,
              ) -> NDArray[np.uint8]:  # fmt: skip
        """(N, size, size, channels) pictures of N captions, straight alpha; one seed gives one picture, in any batch.

        The equation is solved by Heun's method from noise (t = 1) to picture (t = 0) in `steps` steps, and led away by
        `guidance` from the captions in `without` (by default, from no caption at all: Ho & Salimans 2021).
        """
        assert len(words) == len(styles) == len(seeds), "a style and a seed for each caption"
        x = np.stack([np.random.default_rng(seed).standard_normal(self._grid, np.float32) for seed in seeds])
        velocity = self._velocity([*words, *(without or [""] * len(words))], [*styles, *styles], guidance)
        times = np.linspace(1, 0, steps + 1, dtype=np.float32)
        for k, (t, after) in enumerate(pairwise(times)):
            here = velocity(x, t)
            ahead = x + (after - t) * here
            # The last step has nowhere to look ahead to: at t = 0 there is no noise left to tell.
            x = ahead if after == 0 else x + (after - t) * 0.5 * (here + velocity(ahead, after))
            on_step((k + 1) / steps)
        made = self._answers("decoder", latents=x)[0]
        if made.shape != (len(x), self.channels, self.size, self.size):
            raise UserError(f"{self.folder / 'decoder.onnx'} is another model's; take the model's folder whole")
        return straight(made)

    def _answers(self, name: str, **inputs: Any) -> list[Any]:
        return answers(self._graphs[name], self.folder / f"{name}.onnx", **inputs)

    def _velocity(self, captions: Sequence[str], styles: Sequence[int], guidance: float) -> Callable[..., NDArray[np.float32]]:
        """The guided velocity; the first half of the captions is wanted, the second is not."""
        ids = encode(self._tokenizer, captions, self.words)
        features, whole = self._answers("text", words=ids)[:2]
        fixed = {"features": features, "whole": whole, "real": ids != 0, "style": np.array(styles, np.int64)}

        def velocity(x: NDArray[np.float32], t: float) -> NDArray[np.float32]:
            both = np.concatenate([x, x])
            given = {"noisy": both, "t": np.full(len(both), t, np.float32), **fixed}
            led, free = np.split(self._answers("flow", **given)[0], 2)
            guided: NDArray[np.float32] = free + guidance * (led - free)
            return guided

        return velocity


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
