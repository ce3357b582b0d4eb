"""Autoencoders made ready to train: VAE and VQ-VAE."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from mofang.image.data import Pictures
from mofang.image.export import export_plain, export_vqvae
from mofang.image.nets.vae import Vae, VaeShape
from mofang.image.nets.vqvae import FOLD, VqShape, VqVae
from mofang.image.train.make_gan import check_size
from mofang.image.train.ready import Options, Ready, check, settled
from mofang.image.train.reconstruct import CoderSettings, VaeTraining, VqTraining
from mofang.studio.errors import UserError


def vae(data: Pictures, options: Options) -> Ready:
    """The VAE; the dial sets its channels."""
    check_size(data)
    check("vae", options, CoderSettings, VaeShape)
    width, widest = {"nano": (16, 64), "micro": (24, 128), "small": (32, 256), "base": (64, 512)}[options["dial"]]
    shape = settled(VaeShape, options, size=data.size, channels=data.channels, width=width, widest=widest)
    settings = settled(CoderSettings, options)
    experiment = VaeTraining(Vae(shape), data.split("train"), data.split("val"), settings)

    def export(folder: Path, weights: Mapping[str, Tensor]) -> None:
        ready = Vae(shape)
        ready.load_state_dict(dict(weights))
        export_plain(ready.decoder, torch.randn(2, shape.latent), folder)

    return Ready(experiment, shape.config(), {**asdict(shape), **asdict(settings)}, export)


def vqvae(data: Pictures, options: Options) -> Ready:
    """The VQ-VAE with its prior; the dial sets the channels of both."""
    if data.size % FOLD:
        raise UserError(f"a VQ-VAE needs a multiple of {FOLD} pixels a side, and {data.folder} has {data.size}; prepare it again")
    check("vqvae", options, CoderSettings, VqShape)
    width, prior = {"nano": (32, 64), "micro": (64, 96), "small": (128, 128), "base": (256, 256)}[options["dial"]]
    shape = settled(VqShape, options, size=data.size, channels=data.channels, width=width, prior=prior)
    settings = settled(CoderSettings, options)
    experiment = VqTraining(VqVae(shape), data.split("train"), data.split("val"), settings)

    def export(folder: Path, weights: Mapping[str, Tensor]) -> None:
        ready = VqVae(shape)
        ready.load_state_dict(dict(weights))
        export_vqvae(ready, folder)

    return Ready(experiment, shape.config(), {**asdict(shape), **asdict(settings)}, export)
