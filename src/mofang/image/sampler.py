"""Pictures out of a model of one's own, without torch: its ONNX graphs run by onnxruntime."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.models import own
from mofang.models.formats.onnx import check_onnx
from mofang.models.session import answers, load
from mofang.studio.errors import UserError
from mofang.studio.library import file_hash

GRAPH, MAPPING, PRIOR = "model.onnx", "mapping.onnx", "prior.onnx"
FAMILY = ("mofang-gan", "mofang-dcgan", "mofang-vae", "mofang-vqvae")
BATCH = 16
MOST = 65_536
"""Largest number a configuration may have."""

Floats = NDArray[np.float32]
Pictures = NDArray[np.uint8]


class Sampler:
    """A model, opened. `size` pixels a side, `channels` 3 or 4 (straight alpha), `latent` numbers of noise a picture."""

    def __init__(self, folder: Path) -> None:
        """Open the model in `folder` (see `mofang.models.own.find`). Raises `UserError` for another kind, or damage."""
        self.folder, self.config = folder, own.read_config(folder)
        self.kind = str(self.config["model_type"])[:40]
        if self.kind not in FAMILY:
            raise UserError(f"{folder} is a {self.kind}, which makes no pictures from seeds; give one of `mofang image train`")
        self.size, self.channels, self.latent = (self._number(key) for key in ("size", "channels", "latent"))
        self._mapping = self._prior = None
        takes = self.latent
        if self.kind == "mofang-gan":
            self._mapping = self._session(MAPPING, ("z", "truncation"), takes)
        elif self.kind == "mofang-vqvae":
            takes = self._number("places")
            self._prior = self._session(PRIOR, ("codes", "place"), takes)
        self._graph = self._session(GRAPH, ("latents",), takes)

    def _number(self, key: str) -> int:
        value = self.config.get(key)
        if type(value) is not int or not 0 < value <= MOST:
            raise UserError(f"{self.folder / own.CONFIG} has no {key} that makes sense; train or fetch the model again")
        return value

    @property
    def key(self) -> str:
        """What a recipe says of the model."""
        name = self.folder.parent.name if self.folder.name == "model" else self.folder.name
        return f"{name}@{file_hash(self.folder / GRAPH)[:16]}"

    @property
    def levels(self) -> int:
        """Levels that latents steer by themselves, the coarsest first; 1 where there are none."""
        return int(self._graph.get_inputs()[0].shape[1]) if self._mapping else 1

    def _session(self, name: str, inputs: tuple[str, ...], takes: int) -> Any:
        """A graph of the model's, if its inputs have these names and the first ends in so many numbers."""
        path = self.folder / name
        if not path.is_file():
            raise UserError(f"{self.folder} has no {name}; train the model again or take its folder whole")
        check_onnx(path)
        session = load(path, min(os.cpu_count() or 1, 8))
        found = session.get_inputs()
        named = tuple(each.name for each in found)
        if named != inputs or list(found[0].shape[-1:]) != [takes] or len(session.get_outputs()) != 1:
            raise self._another(name)
        return session

    def _another(self, name: str) -> UserError:
        return UserError(f"{self.folder / name} is not of the network its {own.CONFIG} says; take the model's folder whole")

    def noise(self, seeds: Sequence[int]) -> Floats:
        """(N, latent) of the normal distribution, a row for each seed."""
        rows = [np.random.default_rng(seed).standard_normal(self.latent, np.float32) for seed in seeds]
        return np.stack(rows)

    def latents(self, noise: Floats, truncation: float = 1.0) -> Floats:
        """What steers the picture, from noise (N, latent): (N, levels, latent) of a GAN, else the noise, scaled.

        `truncation` 1 leaves all variety, 0 gives the mean picture.
        """
        if self._mapping is None:
            return noise * np.float32(truncation)
        (w,) = answers(self._mapping, self.folder / MAPPING, z=noise, truncation=np.array(truncation, np.float32))
        if w.shape != noise.shape:
            raise self._another(MAPPING)
        return np.repeat(w[:, None], self.levels, 1)

    def pictures(self, latents: Floats) -> Pictures:
        """(N, size, size, channels) of latents, alpha straight."""
        made = [self._painted(latents[start : start + BATCH]) for start in range(0, len(latents), BATCH)]
        return np.concatenate(made)

    def sample(self, seeds: Sequence[int], truncation: float = 1.0) -> Pictures:
        """A picture for each seed."""
        if self._prior is not None:
            return self.pictures(self._codes(self._prior, seeds, truncation))
        return self.pictures(self.latents(self.noise(seeds), truncation))

    def _painted(self, latents: Floats) -> Pictures:
        (out,) = answers(self._graph, self.folder / GRAPH, latents=latents)
        if out.shape != (len(latents), self.channels, self.size, self.size):
            raise self._another(GRAPH)
        return to_bytes(out)

    def _codes(self, prior: Any, seeds: Sequence[int], temperature: float) -> Any:
        """Codes (N, places) drawn one after another from the prior, each seed with numbers of its own."""
        places = self._number("places")
        codes = np.zeros((len(seeds), places), np.int64)
        drawn = np.stack([np.random.default_rng(seed).random(places) for seed in seeds])
        for place in range(places):
            (logits,) = answers(prior, self.folder / PRIOR, codes=codes, place=np.array(place, np.int64))
            if logits.ndim != 2 or len(logits) != len(codes) or not logits.shape[1]:
                raise self._another(PRIOR)
            scaled = logits.astype(np.float64) / max(temperature, 1e-3)
            shares = np.exp(scaled - scaled.max(1, keepdims=True)).cumsum(1)
            codes[:, place] = (shares < drawn[:, place : place + 1] * shares[:, -1:]).sum(1)
        return codes


def to_bytes(pictures: Floats) -> Pictures:
    """(N, 3 or 4, H, W) in -1..1, premultiplied, as (N, H, W, C) bytes with straight alpha."""
    x = np.clip(pictures / 2 + 0.5, 0, 1).transpose(0, 2, 3, 1)
    if x.shape[-1] == 4:
        x[..., :3] = np.clip(x[..., :3] / np.maximum(x[..., 3:], 1e-3), 0, 1)
    out: Pictures = np.rint(x * 255).astype(np.uint8)
    return out


def slerp(a: Floats, b: Floats, share: float) -> Floats:
    """From a to b along the sphere: between two samples of a normal distribution, the straight line leaves where samples lie."""
    angle = np.arccos(np.clip((a * b).sum() / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-9), -1, 1))
    if angle < 1e-4:
        return (1 - share) * a + share * b
    out: Floats = ((np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)).astype(np.float32)
    return out
