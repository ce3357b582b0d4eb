"""A trained text-to-image model as ONNX graphs.

`text.onnx` (words → features, whole), `flow.onnx` (one velocity) and `decoder.onnx` (latents → pictures (N, channels, H, W)
in 0..1, alpha premultiplied). Weights are kept as float16, which halves the files and which the runtime unfolds as it
loads; sums are float32.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from mofang.image.export import to_onnx
from mofang.image.nets.flow import Flow
from mofang.image.nets.latent import LatentAutoencoder
from mofang.models.formats.halves import halved

TEXT, FLOW, DECODER = "text.onnx", "flow.onnx", "decoder.onnx"


class _Decoder(nn.Module):
    """Normalised latents → pictures in 0..1."""

    def __init__(self, coder: LatentAutoencoder, scale: tuple[Tensor, Tensor]) -> None:
        super().__init__()
        self.coder = coder
        self.mean, self.deviation = scale[0][:, None, None], scale[1][:, None, None]

    def forward(self, latents: Tensor) -> Tensor:
        pictures = self.coder.decode(latents * self.deviation + self.mean)
        return (pictures / 2 + 0.5).clamp(0, 1)


class _Velocity(nn.Module):
    def __init__(self, flow: Flow) -> None:
        super().__init__()
        self.flow = flow

    def forward(self, noisy: Tensor, t: Tensor, features: Tensor, whole: Tensor, real: Tensor, style: Tensor) -> Tensor:
        return self.flow.velocity(noisy, t, features, whole, real, style)


def export_coder(coder: LatentAutoencoder, size: int, folder: Path) -> None:
    """`decoder.onnx` of an autoencoder for pictures of `size` pixels a side, its latents as they are."""
    shape = coder.shape
    scale = torch.zeros(shape.latent), torch.ones(shape.latent)
    _decoder(coder, scale, size // 8, folder)


def export_flow(flow: Flow, coder: LatentAutoencoder, scale: tuple[Tensor, Tensor], folder: Path) -> None:
    """All three graphs. `scale`: what the latents were normalised by, mean and deviation of each channel."""
    shape = flow.shape
    words = functional.pad(torch.tensor([[3, 4, 0], [5, 6, 7]]), (0, shape.words - 3))  # Cut, if it reads fewer.
    to_onnx(flow.captions, (words,), folder / TEXT, ["words"], ["features", "whole"])
    features, whole = flow.captions(words)
    noisy = torch.randn(2, shape.latent, shape.side, shape.side)
    example = (noisy, torch.tensor([0.5, 0.7]), features.detach(), whole.detach(), words != 0, torch.tensor([0, shape.styles]))
    to_onnx(_Velocity(flow), example, folder / FLOW, ["noisy", "t", "features", "whole", "real", "style"], ["velocity"])
    _decoder(coder, scale, shape.side, folder)
    for name in (TEXT, FLOW):
        halved(folder / name)


def _decoder(coder: LatentAutoencoder, scale: tuple[Tensor, Tensor], side: int, folder: Path) -> None:
    made = _Decoder(coder.to(memory_format=torch.contiguous_format), scale)  # type: ignore[call-overload]
    to_onnx(made, (torch.randn(2, coder.shape.latent, side, side),), folder / DECODER, ["latents"], ["pictures"])
    halved(folder / DECODER)
