"""How well a picture fits words: two encoders into one space (CLIP: Radford et al. 2021, arXiv 2103.00020).

The words come as what a text-to-image model's own text encoder made of them, so that whatever it can be asked for can be
judged. The picture goes through a residual network (He et al. 2016, arXiv 1512.03385) small enough to look at many.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class ChooserShape:
    """`caption`: features of a caption; `width`: channels at half the picture's size; `space`: of the common space."""

    caption: int = 256
    width: int = 48
    space: int = 256


class Block(nn.Module):
    """x + conv(relu(conv(x))), normalised over the batch. (B, C, H, W) → the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.one, self.two = convolution(width, width), convolution(width, width)
        nn.init.zeros_(self.two[1].weight)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.two(F.relu(self.one(x))))


def convolution(before: int, after: int, stride: int = 1) -> nn.Sequential:
    """3×3 and batch normalisation."""
    return nn.Sequential(nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after))


class Chooser(nn.Module):
    """Pictures (B, 3, S, S) in -1..1 on white, and features of captions, as unit vectors (B, space) of one space."""

    def __init__(self, shape: ChooserShape) -> None:
        super().__init__()
        self.shape = shape
        widths = [shape.width * 2**power for power in range(4)]
        stages: list[nn.Module] = []
        for before, after in zip([3, *widths], widths, strict=False):
            stages += [convolution(before, after, 2), nn.ReLU()]
            if after != widths[-1]:
                stages.append(Block(after))
        self.picture = nn.Sequential(*stages, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.2),
                                     nn.Linear(4 * widths[-1], shape.space))  # fmt: skip
        self.text = nn.Sequential(nn.Linear(shape.caption, 2 * shape.space), nn.SiLU(), nn.Dropout(0.2),
                                  nn.Linear(2 * shape.space, shape.space))  # fmt: skip
        self.sharpness = nn.Parameter(torch.tensor(3.0))

    def seen(self, pictures: Tensor) -> Tensor:
        """Of pictures."""
        return F.normalize(self.picture(pictures).float(), dim=1)

    def read(self, whole: Tensor) -> Tensor:
        """Of captions' features (N, caption)."""
        return F.normalize(self.text(whole).float(), dim=1)

    def forward(self, pictures: Tensor, whole: Tensor) -> Tensor:
        """Logits (B, N): how well each picture fits each caption."""
        return self.sharpness.exp() * self.seen(pictures) @ self.read(whole).T
