"""The same random changes to real and generated pictures, so that the discriminator of a small set does not learn it by heart.

Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training" (arXiv 2006.10738): colour, translation,
cutout. Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data" (arXiv 2006.06676): each picture
is changed with probability p, and p follows how much the discriminator overfits, here by its answers to held-out pictures
(their equation 1, r_v): a difference of answers means the same for every loss, the relativistic one too.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SHIFT, HOLE = 1 / 8, 1 / 2
"""Shares of a side: the farthest translation, and a side of what cutout hides."""


def augment(pictures: Tensor, p: float) -> Tensor:
    """Pictures (B, 3 or 4, H, W) in -1..1; each of the three changes happens to each with probability `p`."""
    if p <= 0:
        return pictures
    return cutout(translate(colour(pictures, p), p), p)


def _chosen(pictures: Tensor, p: float) -> Tensor:
    return (torch.rand(pictures.size(0), 1, 1, 1) < p).to(pictures)


def colour(pictures: Tensor, p: float) -> Tensor:
    """Brightness (±0.5), saturation (0..2 times) and contrast (0.5..1.5 times); alpha stays."""
    rgb, alpha = pictures[:, :3], pictures[:, 3:]
    on = _chosen(pictures, p)
    brightness, saturation, contrast = (torch.rand(pictures.size(0), 1, 1, 1).to(pictures) for _ in range(3))
    x = rgb + on * (brightness - 0.5)
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * (1 + on * (2 * saturation - 1))
    mean = x.mean((1, 2, 3), keepdim=True)
    x = mean + (x - mean) * (1 + on * (contrast - 0.5))
    return torch.cat([x, alpha], 1) if alpha.size(1) else x


def translate(pictures: Tensor, p: float) -> Tensor:
    """Shifted by up to an eighth each way; what comes in at the border continues it."""
    most = round(pictures.size(-1) * SHIFT)
    on = (torch.rand(pictures.size(0)) < p).int()
    moves = (torch.randint(-most, most + 1, (pictures.size(0), 2)) * on[:, None] + most).tolist()
    size = pictures.size(-1)
    padded = F.pad(pictures, (most, most, most, most), "replicate")
    return torch.stack([each[:, y : y + size, x : x + size] for each, (y, x) in zip(padded, moves, strict=True)])


def cutout(pictures: Tensor, p: float) -> Tensor:
    """A square of half the side, anywhere, made grey (0)."""
    size = pictures.size(-1)
    half = size * HOLE / 2
    middle = torch.rand(pictures.size(0), 2) * size
    place = torch.arange(size) + 0.5
    inside = (place[None] - middle[:, :1]).abs() < half, (place[None] - middle[:, 1:]).abs() < half
    hidden = (inside[0][:, None, :, None] & inside[1][:, None, None, :]).to(pictures) * _chosen(pictures, p)
    return pictures * (1 - hidden)


class Strength(nn.Module):
    """The probability p, remembered with the run. `follow` moves it so that r_v stays near `target`."""

    p: Tensor
    overfit: Tensor

    def __init__(self, p: float, adaptive: bool, target: float = 0.5, speed: float = 0.02, most: float = 0.9) -> None:
        super().__init__()
        self.adaptive, self.target, self.speed, self.most = adaptive, target, speed, most
        self.register_buffer("p", torch.tensor(p))
        self.register_buffer("overfit", torch.tensor(0.0))

    def follow(self, train: float, held_out: float, generated: float) -> None:
        """Take in the mean answers to three kinds of pictures: r_v = (train − held out) / (train − generated) is 0 if
        held-out pictures convince like training pictures, 1 if no more than generated ones."""
        gap = train - generated
        found = min(max((train - held_out) / gap, 0.0), 1.0) if gap > 1e-6 else 0.0
        self.overfit.lerp_(torch.tensor(found), 0.2)
        if self.adaptive:
            self.p.add_(self.speed if self.overfit > self.target else -self.speed).clamp_(0, self.most)
