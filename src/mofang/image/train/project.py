"""The latent of a picture: what a generator comes nearest to it with.

Abdal et al. 2019, "Image2StyleGAN" (arXiv 1904.03189): descend the difference between the picture and what the generator
makes, in the extended space, a latent for each level. The difference is of colours at several scales, since pixels alone
see no shapes: an average pyramid (Burt & Adelson 1983).
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from mofang.image.nets.dcgan import DcganGenerator, DcganShape
from mofang.image.nets.gan import GanShape, Generator
from mofang.image.nets.latent import premultiplied
from mofang.image.nets.vae import Vae, VaeShape
from mofang.image.sampler import Sampler, to_bytes
from mofang.image.train.ready import settled
from mofang.models import own
from mofang.studio.errors import UserError
from mofang.studio.progress import Progress, silent

STARTS = 256
"""Random latents tried first."""


def project(sampler: Sampler, picture: NDArray[np.uint8], steps: int = 300, seed: int = 0,
            progress: Progress = silent) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:  # fmt: skip
    """What the model makes nearest to a picture (size, size, channels), and its latents as `Sampler.pictures` takes them.

    Raises `UserError` for a model whose latents are codes.
    """
    network = _network(sampler)
    target = premultiplied(torch.from_numpy(picture[None]))
    noise = sampler.noise(range(seed, seed + STARTS))
    starts = torch.from_numpy(sampler.latents(noise))
    with torch.no_grad():
        nearest = torch.stack([_difference(network(part), target) for part in torch.split(starts, 1)]).argmin()
    latent = starts[nearest : nearest + 1].clone().requires_grad_()
    best, least = latent.detach().clone(), float("inf")
    descent = torch.optim.Adam([latent], 0.05)
    for step in range(steps):
        progress(step / steps, f"{step}")
        descent.param_groups[0]["lr"] = 0.05 * min(1.0, 2 * (1 - step / steps))
        descent.zero_grad()
        loss = _difference(network(latent), target)
        loss.backward()  # type: ignore[no-untyped-call]
        if float(loss.detach()) < least:
            best, least = latent.detach().clone(), float(loss.detach())
        descent.step()
    with torch.no_grad():
        made = to_bytes(network(best).numpy())[0]
    return made, best.numpy()


def _difference(made: Tensor, target: Tensor) -> Tensor:
    total = made.new_zeros(())
    while True:
        total = total + F.l1_loss(made, target)
        if made.size(-1) <= 4:
            return total
        made, target = F.avg_pool2d(made, 2), F.avg_pool2d(target, 2)


class _Levels(nn.Module):
    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, latents: Tensor) -> Tensor:
        return self.generator.synthesis(latents)


def _network(sampler: Sampler) -> nn.Module:
    """The generator with its weights, from latents as the sampler gives them."""
    tensors = {name: torch.from_numpy(value) for name, value in own.read_tensors(Path(sampler.folder)).items()}
    with torch.device("meta"):  # A configuration that lies would ask for any amount of memory.
        shapes = {name: value.shape for name, value in _built(sampler)[0].state_dict().items() if value.is_floating_point()}
    if shapes != {name: value.shape for name, value in tensors.items()}:
        raise UserError(f"{sampler.folder} holds weights of another network than its {own.CONFIG} says; take it whole")
    whole, network = _built(sampler)
    whole.load_state_dict(tensors, strict=False)
    return network.eval().requires_grad_(False)


def _built(sampler: Sampler) -> tuple[nn.Module, nn.Module]:
    """The whole network of the configuration, and the part that makes pictures of latents."""
    config = sampler.config
    whole: nn.Module
    if sampler.kind == "mofang-gan":
        whole = Generator(settled(GanShape, config))
        network: nn.Module = _Levels(whole)
    elif sampler.kind == "mofang-dcgan":
        network = whole = DcganGenerator(settled(DcganShape, config))
    elif sampler.kind == "mofang-vae":
        whole = Vae(settled(VaeShape, config))
        network = whole.decoder
    else:
        raise UserError("a VQ-VAE has codes, which cannot be descended; train one with --kind gan or vae")
    return whole, network
