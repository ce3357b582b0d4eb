"""DCGAN, as in the paper.

Radford et al. 2015, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks" (arXiv
1511.06434), section 3 and figure 1: fractionally strided convolutions up from 4×4, batch normalisation in both networks
(not at the generator's output nor the discriminator's input), rectifiers and tanh, leaky rectifiers, weights from N(0, 0.02).
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class DcganShape:
    """`size` pixels a side (a power of two from 16), `channels` of a picture, `width` channels of the layer next to the
    picture (the paper's 128, half of it common), `latent` numbers of z (the paper's 100)."""

    size: int = 64
    channels: int = 3
    width: int = 64
    latent: int = 100

    def config(self) -> dict[str, Any]:
        """As a model's `config.json`."""
        return {"model_type": "mofang-dcgan", **asdict(self)}

    @property
    def doublings(self) -> int:
        """How often 4 is doubled to the size."""
        return (self.size // 4).bit_length() - 1


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1, 0.02)
        nn.init.zeros_(module.bias)


class DcganGenerator(nn.Module):
    """z (B, latent) → pictures (B, channels, size, size) in -1..1."""

    def __init__(self, shape: DcganShape) -> None:
        super().__init__()
        self.shape = shape
        width = shape.width << (shape.doublings - 1)
        layers: list[nn.Module] = [nn.ConvTranspose2d(shape.latent, width, 4, bias=False), nn.BatchNorm2d(width), nn.ReLU(True)]
        for _ in range(shape.doublings - 1):
            layers += [nn.ConvTranspose2d(width, width // 2, 4, 2, 1, bias=False), nn.BatchNorm2d(width // 2), nn.ReLU(True)]
            width //= 2
        layers += [nn.ConvTranspose2d(width, shape.channels, 4, 2, 1, bias=False), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.apply(_initialise)

    def forward(self, z: Tensor) -> Tensor:
        pictures: Tensor = self.layers(z[:, :, None, None])
        return pictures


class DcganDiscriminator(nn.Module):
    """Pictures (B, channels, size, size) → logits (B,)."""

    def __init__(self, shape: DcganShape) -> None:
        super().__init__()
        width = shape.width
        layers: list[nn.Module] = [nn.Conv2d(shape.channels, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
        for _ in range(shape.doublings - 1):
            layers += [nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * width), nn.LeakyReLU(0.2, True)]
            width *= 2
        layers += [nn.Conv2d(width, 1, 4, bias=False)]
        self.layers = nn.Sequential(*layers)
        self.apply(_initialise)

    def forward(self, pictures: Tensor) -> Tensor:
        return torch.flatten(self.layers(pictures)).float()
