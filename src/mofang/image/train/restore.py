"""Training the network that enlarges: sharp pictures made small as cameras and programs do, and back."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from mofang.image.data import Split
from mofang.image.nets.restore import Restore
from mofang.image.train.crops import crops
from mofang.image.train.grid import save_grid
from mofang.training import distributed
from mofang.training.precision import Precision, autocast, device
from mofang.training.update import update


@dataclass(frozen=True)
class RestoreSettings:
    """A step sees `batch` parts of `side`×`side` pixels of small pictures; factors take turns."""

    batch: int = 16
    side: int = 40
    lr: float = 1.5e-3
    clip: float = 1.0
    precision: Precision = "auto"
    seed: int = 0


class RestoreTraining:
    """An `Experiment`: small pictures enlarged, held against what they were."""

    def __init__(self, model: Restore, pictures: Split, held_out: Split, settings: RestoreSettings) -> None:
        self.device, self.settings = device(), settings
        self.model = model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.pictures, self.held_out = pictures, held_out
        self.modules: dict[str, nn.Module] = {"model": self.model}
        self.optimizers: dict[str, Optimizer] = {
            "adamw": torch.optim.AdamW(model.parameters(), settings.lr, (0.9, 0.99), weight_decay=1e-3, fused=True)
        }

    @property
    def tokens_per_step(self) -> int:
        """Parts of pictures of one step over all processes."""
        return self.settings.batch

    def step(self, step: int) -> dict[str, float]:
        """One update on batch number `step`."""
        self.model.train()
        factors = self.model.shape.factors
        rng = np.random.default_rng((self.settings.seed, step))
        factor = factors[step % len(factors)]
        side = min(self.settings.side * factor, self.pictures.size // factor * factor)
        large = crops(self.pictures, self.settings.batch, side, rng)
        small = np.stack([reduced(part, factor, rng.random() < 0.6) for part in large])
        mine = slice(distributed.rank(), None, distributed.world())
        loss, norm = update(self._loss(small[mine], large[mine], factor), 1, self.optimizers.values(), self.settings.clip)
        return {"loss": loss, "norm": norm}

    def _loss(self, small: NDArray[np.uint8], large: NDArray[np.uint8], factor: int) -> Iterator[Tensor]:
        pictures, wanted = self._tensor(small), self._tensor(large)
        with autocast(self.device, self.settings.precision):
            again = self.model(pictures, factor)
        yield (again.float() - wanted).abs().mean()

    def _tensor(self, pictures: NDArray[np.uint8]) -> Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(pictures)).to(self.device).permute(0, 3, 1, 2).float() / 255
        return tensor.contiguous(memory_format=torch.channels_last)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Of up to 64 held-out pictures: mean absolute error over the factors, and the signal-to-noise ratio (dB) of each."""
        self.model.eval()
        losses, found = [], {}
        for factor in self.model.shape.factors:
            squares = []
            for picture in self.held_out.take(np.arange(0, len(self.held_out), max(len(self.held_out) // 64, 1))):
                side = self.held_out.size // factor * factor
                large = picture[:side, :side, :3]
                again = self.enlarged(reduced(large, factor, True)[None], factor)
                error = again - self._tensor(large[None])
                losses.append(float(error.abs().mean()))
                squares.append(float(error.square().mean()))
            found[f"psnr{factor}"] = float(np.mean(-10 * np.log10(np.maximum(squares, 1e-10))))
        return {"loss": float(np.mean(losses)), **found}

    def enlarged(self, small: NDArray[np.uint8], factor: int) -> Tensor:
        """(B, 3, r·H, r·W) in 0..1 of pictures (B, H, W, 3)."""
        with autocast(self.device, self.settings.precision):
            return self.model(self._tensor(small), factor).float().clamp(0, 1)  # type: ignore[no-any-return]

    @torch.no_grad()
    def samples(self, folder: Path, step: int) -> str:
        """Held-out pictures enlarged by the last factor, above what they were."""
        self.model.eval()
        factor = self.model.shape.factors[-1]
        side = self.held_out.size // factor * factor
        large = self.held_out.take(np.arange(min(8, len(self.held_out))))[:, :side, :side, :3]
        again = self.enlarged(np.stack([reduced(each, factor, True) for each in large]), factor)
        both = torch.cat([again, self._tensor(large)]) * 2 - 1
        return save_grid(both.cpu().numpy(), folder / f"{step:07}.png", columns=8).name


def reduced(picture: NDArray[np.uint8], factor: int, area: bool) -> NDArray[np.uint8]:
    """(rows / factor, columns / factor, 3): the mean of blocks, or a bicubic filter as wide as a block."""
    import cv2
    from PIL import Image

    size = (picture.shape[1] // factor, picture.shape[0] // factor)
    if area:
        return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)  # type: ignore[no-any-return]
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))
