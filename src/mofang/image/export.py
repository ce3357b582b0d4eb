"""Trained networks as ONNX graphs, so that making pictures needs no torch.

A model's folder then has `model.onnx` (latents → pictures (N, channels, size, size) in about -1..1, alpha premultiplied)
and, where latents have a space of their own, `mapping.onnx` (z, truncation → latents of one level), or, where they are
codes, `prior.onnx` (codes, place → logits of the code at that place).
"""

import contextlib
import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from mofang.image.nets.gan import Generator
from mofang.image.nets.vqvae import VqVae
from mofang.studio.atomic import atomic

GRAPH, MAPPING, PRIOR = "model.onnx", "mapping.onnx", "prior.onnx"
OPSET = 17
SEEN = 4096
"""Latents over which the mean is taken that truncation leads to."""


def to_onnx(network: nn.Module, example: tuple[Tensor, ...], path: Path, inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """Write a network as ONNX; the first dimension of every input (but of numbers) and output is free."""
    free = {name: {0: "n"} for name, tensor in zip(inputs, example, strict=False) if tensor.ndim}
    free |= {name: {0: "n"} for name in outputs}
    network = network.eval().cpu()
    with atomic(path, suffix=".onnx") as temporary, warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        # The older of torch's two exporters: it needs no further package, and these networks hold nothing new.
        warnings.simplefilter("ignore")
        torch.onnx.export(network, example, str(temporary), dynamo=False, opset_version=OPSET, input_names=list(inputs),
                          output_names=list(outputs), dynamic_axes=free)  # fmt: skip


def export_plain(network: nn.Module, latents: Tensor, folder: Path) -> None:
    """`model.onnx` of a network that takes latents and gives pictures."""
    to_onnx(network.to(memory_format=torch.contiguous_format), (latents,), folder / GRAPH, ["latents"], ["pictures"])  # type: ignore[call-overload]


def export_gan(generator: Generator, folder: Path) -> None:
    """`mapping.onnx` and `model.onnx`, whose latents are (N, levels, latent)."""
    generator = generator.to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
    with torch.no_grad():
        noise = torch.randn(SEEN, generator.shape.latent, generator=torch.Generator().manual_seed(0))
        mean = generator.mapping(noise).mean(0)
    z = torch.randn(2, generator.shape.latent)
    to_onnx(_Truncated(generator, mean), (z, torch.tensor(1.0)), folder / MAPPING, ["z", "truncation"], ["latents"])
    export_plain(_Synthesis(generator), z[:, None].repeat(1, generator.levels, 1), folder)


class _Truncated(nn.Module):
    """w̄ + ψ (w − w̄): nearer to the mean there is less variety and fewer failures (Karras et al. 2019, appendix B)."""

    def __init__(self, generator: Generator, mean: Tensor) -> None:
        super().__init__()
        self.mapping, self.mean = generator.mapping, mean

    def forward(self, z: Tensor, truncation: Tensor) -> Tensor:
        w: Tensor = self.mean + truncation * (self.mapping(z) - self.mean)
        return w


class _Synthesis(nn.Module):
    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, latents: Tensor) -> Tensor:
        return self.generator.synthesis(latents)


def export_vqvae(model: VqVae, folder: Path) -> None:
    """`prior.onnx`, and `model.onnx` whose latents are codes (N, places)."""
    model = model.to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
    codes = torch.zeros(2, model.shape.places, dtype=torch.long)
    to_onnx(_NextCode(model), (codes, torch.tensor(0)), folder / PRIOR, ["codes", "place"], ["logits"])
    export_plain(_FromCodes(model), codes, folder)


class _NextCode(nn.Module):
    def __init__(self, model: VqVae) -> None:
        super().__init__()
        self.prior = model.prior

    def forward(self, codes: Tensor, place: Tensor) -> Tensor:
        logits: Tensor = self.prior(codes).index_select(1, place.reshape(1)).squeeze(1)
        return logits


class _FromCodes(nn.Module):
    def __init__(self, model: VqVae) -> None:
        super().__init__()
        self.model = model

    def forward(self, codes: Tensor) -> Tensor:
        return self.model.decode(codes)
