"""GANs made ready to train: the modern one and DCGAN."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from mofang.image.data import Pictures
from mofang.image.export import export_gan, export_plain
from mofang.image.nets.dcgan import DcganDiscriminator, DcganGenerator, DcganShape
from mofang.image.nets.gan import Discriminator, GanShape, Generator
from mofang.image.train.adversarial import Adversarial, GanSettings
from mofang.image.train.ready import Options, Ready, check, settled
from mofang.studio.errors import UserError

WIDTHS = {"nano": (16, 128), "micro": (24, 192), "small": (32, 256), "base": (64, 512)}
"""Channels next to the picture, and at most."""


def gan(data: Pictures, options: Options) -> Ready:
    """The residual GAN. The dial sets its channels; the batch and learning rate fit minutes to hours on a processor."""
    check_size(data)
    check("gan", options, GanSettings, GanShape)
    width, widest = WIDTHS[options["dial"]]
    shape = settled(GanShape, options, size=data.size, channels=data.channels, width=width, widest=widest)
    settings = settled(GanSettings, options)
    generator = Generator(shape)
    experiment = Adversarial(generator, Discriminator(shape), shape.latent, data.split("train"), data.split("val"), settings)

    def export(folder: Path, weights: Mapping[str, Tensor]) -> None:
        ready = Generator(shape)
        ready.load_state_dict(dict(weights))
        export_gan(ready, folder)

    return Ready(experiment, shape.config(), {**asdict(shape), **asdict(settings)}, export)


def dcgan(data: Pictures, options: Options) -> Ready:
    """DCGAN with the paper's recipe: Adam(2e-4, 0.5), the non-saturating loss, no augmentation, no penalty."""
    check_size(data)
    check("dcgan", options, GanSettings, DcganShape)
    width = {"nano": 16, "micro": 32, "small": 64, "base": 128}[options["dial"]]
    shape = settled(DcganShape, options, size=data.size, channels=data.channels, width=width)
    settings = settled(GanSettings, options, batch=64, lr=2e-4, betas=(0.5, 0.999), loss="non-saturating", gamma=0.0,
                       augment="none", mirror=False)  # fmt: skip
    experiment = Adversarial(DcganGenerator(shape), DcganDiscriminator(shape), shape.latent, data.split("train"),
                             data.split("val"), settings)  # fmt: skip
    return Ready(experiment, shape.config(), {**asdict(shape), **asdict(settings)},
                 partial(_export_dcgan, shape))  # fmt: skip


def _export_dcgan(shape: DcganShape, folder: Path, weights: Mapping[str, Tensor]) -> None:
    ready = DcganGenerator(shape)
    ready.load_state_dict(dict(weights))
    export_plain(ready, torch.randn(2, shape.latent), folder)


def check_size(data: Pictures) -> None:
    """Raise `UserError` for pictures whose size is no power of two from 16."""
    if data.size < 16 or data.size & (data.size - 1):
        raise UserError(f"this network doubles its way up from 4 pixels, and {data.size} is no power of two from 16; prepare the "
                        "pictures again with --size 64")  # fmt: skip
