"""The kinds of picture models, and where each is made ready: `module:function` of (dataset, options) → `Ready`."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mofang.image.data import Pictures
    from mofang.image.train.ready import Options, Ready

KINDS = {
    "gan": "mofang.image.train.make_gan:gan",
    "dcgan": "mofang.image.train.make_gan:dcgan",
    "vae": "mofang.image.train.make_coder:vae",
    "vqvae": "mofang.image.train.make_coder:vqvae",
    "latent": "mofang.image.train.make_flow:latent",
    "decoder": "mofang.image.train.make_flow:decoder",
    "flow": "mofang.image.train.make_flow:flow",
    "chooser": "mofang.image.train.make_chooser:chooser",
    "enlarge": "mofang.image.train.make_restore:enlarge",
    "repair": "mofang.image.train.make_restore:repair",
}

DIALS = ("nano", "micro", "small", "base")


def ready(kind: str, data: "Pictures", options: "Options") -> "Ready":
    """The model of a kind, about to be trained on `data`. Raises `UserError` for options it does not have."""
    module, name = KINDS[kind].split(":")
    made: Ready = getattr(import_module(module), name)(data, options)
    return made
