"""Jukebox's VQ-VAE on raw sound (Dhariwal et al. 2020, arXiv 2005.00341, section 3 and figure 1).

One autoencoder a level, each on its own from the waveform: strided convolutions and residual dilated ones down to vectors, the
nearest entries of a codebook, and the mirror of that back up. The first stride is eight where the paper has three twos: the
same hop at a fifth of the work.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mofang.sound.jukebox.shape import CodecShape
from mofang.training.codebook import Codebook

SCALES = ((2048, 240, 1200), (1024, 120, 600), (512, 50, 240))
"""Size, hop and window of each spectrum that is compared (the paper's, section 3.2)."""


class Residual(nn.Module):
    """x + W₁ relu(W₃ relu(x)), the wide convolution dilated."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.wide = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.narrow = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, T) → the same shape."""
        out: Tensor = x + self.narrow(F.relu(self.wide(F.relu(x))))
        return out


class Autoencoder(nn.Module):
    """Sound (B, samples) ↔ codes (B, samples / hop) of one level."""

    def __init__(self, shape: CodecShape, level: int) -> None:
        super().__init__()
        strides, width, dilations = shape.strides[level], shape.width, shape.dilations
        self.latent = shape.latent
        down: list[nn.Module] = []
        for number, stride in enumerate(strides):
            down.append(nn.Conv1d(width if number else 1, width, 2 * stride, stride, stride // 2))
            down += [Residual(width, dilation) for dilation in dilations]
        self.encoder = nn.Sequential(*down, nn.Conv1d(width, shape.latent, 3, padding=1))
        up: list[nn.Module] = [nn.Conv1d(shape.latent, width, 3, padding=1)]
        for stride in reversed(strides):
            up += [Residual(width, dilation) for dilation in reversed(dilations)]
            up.append(nn.ConvTranspose1d(width, width, 2 * stride, stride, stride // 2))
        self.decoder = nn.Sequential(*up, nn.Conv1d(width, 1, 3, padding=1))
        self.codebook = Codebook(shape.codes, shape.latent, share=0.1)
        self.apply(_initialise)
        with torch.no_grad():  # Sound is about a tenth of full scale; inside, vectors have length one a channel.
            down[0].get_parameter("weight").mul_(10)
            self.decoder[-1].get_parameter("weight").mul_(0.1)

    def vectors(self, sound: Tensor) -> Tensor:
        """(B × codes, latent) before the codebook."""
        out: Tensor = self.encoder(sound[:, None]).float().transpose(1, 2).reshape(-1, self.latent)
        return out

    def forward(self, sound: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The sound again (B, samples), its codes (flat), the vectors that chose them, the commitment loss."""
        vectors = self.vectors(sound)
        chosen, codes, commitment = self.codebook(vectors)
        made = self.decoder(chosen.view(len(sound), -1, self.latent).transpose(1, 2))
        return made[:, 0].float(), codes, vectors, commitment


class CodecNet(nn.Module):
    """The autoencoders of every level, finest first. They share nothing: top codes of a hierarchy that shares collapse."""

    def __init__(self, shape: CodecShape) -> None:
        super().__init__()
        self.shape = shape
        self.levels = nn.ModuleList(Autoencoder(shape, level) for level in range(len(shape.strides)))

    def forward(self, sound: Tensor) -> list[Any]:
        """What `Autoencoder` gives, for each level."""
        return [level(sound) for level in self.levels]


def _initialise(module: nn.Module) -> None:
    """Keep the variance from layer to layer: of vectors that shrink, all choose one entry as soon as a bias moves."""
    if isinstance(module, nn.Conv1d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
    elif isinstance(module, nn.ConvTranspose1d):
        nn.init.normal_(module.weight, std=(2 * module.in_channels) ** -0.5)  # Two taps meet in every sample.
    if isinstance(module, nn.Conv1d | nn.ConvTranspose1d):
        assert module.bias is not None
        nn.init.zeros_(module.bias)
    if isinstance(module, Residual):
        nn.init.zeros_(module.narrow.weight)  # Each block starts as the identity, as the paper's do.


def spectral_loss(made: Tensor, sound: Tensor) -> Tensor:
    """How far the spectra of (B, samples) are apart, the mean over `SCALES`: spectral convergence ‖S − Ŝ‖ / ‖S‖ (the paper's
    L₂ of magnitudes, free of loudness) and the mean |ln S − ln Ŝ| (Yamamoto et al. 2020, arXiv 1910.11480, equations 4-6),
    which keeps the quiet upper bands that the first alone gives up."""
    total = made.new_zeros(())
    for size, hop, window in SCALES:
        shape = torch.hann_window(window, device=made.device)
        a, b = (torch.stft(each, size, hop, window, shape, return_complex=True, pad_mode="constant").abs() for each in (made, sound))
        convergence = (a - b).square().sum().add(1e-8).sqrt() / b.square().sum().add(1e-4).sqrt()
        total = total + convergence + F.l1_loss(a.add(1e-3).log(), b.add(1e-3).log())
    return total / len(SCALES)
