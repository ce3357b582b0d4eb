"""Text to image made ready to train: the autoencoder of latents, and the flow that fills them from words."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mofang.image.captions import FILE, train_tokenizer
from mofang.image.data import Pictures
from mofang.image.export_flow import export_coder, export_flow
from mofang.image.nets.flow import PATCH, Flow, FlowShape
from mofang.image.nets.latent import FOLD, LatentAutoencoder, LatentShape
from mofang.image.train.decoder import DecoderSettings, DecoderTraining
from mofang.image.train.flow import FlowSettings, FlowTraining, Latents
from mofang.image.train.latent import CoderTraining, LatentSettings, LatentTraining
from mofang.image.train.ready import Options, Ready, based, check, parts, settled, weights_of
from mofang.models import own
from mofang.studio.atomic import atomic
from mofang.studio.errors import UserError

CODERS = {"nano": (64, 1), "micro": (128, 2), "small": (192, 2), "base": (320, 3)}
"""Channels at an eighth of the size, and blocks."""
FLOWS = {"nano": (128, 4, 2), "micro": (192, 6, 3), "small": (256, 8, 4), "base": (512, 12, 8)}
"""Width, layers, heads."""
NARROWEST = 16
"""Channels under which a block of the flow has nothing inside."""


def latent(data: Pictures, options: Options) -> Ready:
    """The autoencoder of latents."""
    _check_size(data)
    check("latent", options, LatentSettings, LatentShape)
    width, blocks = CODERS[options["dial"]]
    shape = settled(LatentShape, options, channels=data.channels, width=width, blocks=blocks)
    settings = settled(LatentSettings, options)
    train, val = parts(data)
    return _coder(LatentTraining(LatentAutoencoder(shape), train, val, settings), data, asdict(settings))


def _check_size(data: Pictures) -> None:
    if data.size % (FOLD * PATCH):
        raise UserError(f"a side of {data.size} pixels is no multiple of the {FOLD * PATCH} that two latents stand for; prepare the "
                        "pictures again with --size 128")  # fmt: skip


def decoder(data: Pictures, options: Options) -> Ready:
    """The autoencoder at `base` with a decoder that forgives."""
    missing = "a decoder learns on from an autoencoder's: train one (--kind latent), then give it as --base"
    given, folder = based("decoder", options, missing, DecoderSettings)
    coder, sha256 = open_coder(folder, data)
    settings = settled(DecoderSettings, given)
    train, val = parts(data)
    return _coder(DecoderTraining(coder, train, val, settings), data, {**asdict(settings), "base_sha256": sha256})


def _coder(experiment: CoderTraining, data: Pictures, settings: dict[str, Any]) -> Ready:
    shape = experiment.model.shape

    def export(folder: Path, weights: Mapping[str, Tensor]) -> None:
        made = LatentAutoencoder(shape)
        made.load_state_dict(dict(weights))
        export_coder(made, data.size, folder)

    return Ready(experiment, {**shape.config(), "size": data.size}, {**asdict(shape), **settings}, export, measure=False)


def flow(data: Pictures, options: Options) -> Ready:
    """The flow over the latents of the autoencoder at `base`, with a vocabulary of the dataset's captions."""
    _check_size(data)
    missing = "a flow fills the latents of an autoencoder: train one (--kind latent), then give it as --base"
    given, folder = based("flow", options, missing, FlowSettings, FlowShape)
    coder, sha256 = open_coder(folder, data)
    train, val = parts(data)
    captions = [text for line in train.lines for text in line["caption"].values()]
    if not any(captions):
        raise UserError("none of the pictures has a caption to learn words from; put NAME.txt beside each, or train a gan")
    tokenizer = train_tokenizer(captions)
    styles = sorted({line["style"] for line in train.lines if line.get("style")})
    latents = Latents(train, coder, styles)
    held_out = Latents(val, coder, styles, latents.scale)
    width, layers, heads = FLOWS[options["dial"]]
    shape = settled(FlowShape, given, vocabulary=tokenizer.get_vocab_size(), styles=len(styles), side=data.size // FOLD,
                    latent=coder.shape.latent, width=width, layers=layers, heads=heads)  # fmt: skip
    if shape.width < NARROWEST or shape.width % shape.heads:
        raise UserError(f"{shape.width} wide does not divide into {shape.heads} heads; give a --width from {NARROWEST} and --heads "
                        "that divide it")  # fmt: skip
    settings = settled(FlowSettings, given)
    experiment = FlowTraining(Flow(shape), coder, latents, held_out, tokenizer, settings)
    config = {**shape.config(), "size": data.size, "channels": data.channels, "style_names": styles,
              "mean": latents.scale[0].tolist(), "deviation": latents.scale[1].tolist()}  # fmt: skip

    def export(folder: Path, weights: Mapping[str, Tensor]) -> None:
        made = Flow(shape)
        made.load_state_dict(dict(weights))
        with atomic(folder / FILE) as temporary:
            tokenizer.save(str(temporary))
        export_flow(made, coder, latents.scale, folder)

    recipe = {**asdict(shape), **asdict(settings), "base_sha256": sha256}
    return Ready(experiment, config, recipe, export, measure=False)


def open_coder(folder: Path, data: Pictures) -> tuple[LatentAutoencoder, str]:
    """The autoencoder in a model's folder and the hash of its weights. Raises `UserError` if it is none for this dataset."""
    config = own.read_config(folder)
    if config["model_type"] != "mofang-latent":
        raise UserError(f"{folder} is a {config['model_type']}, no autoencoder; train one with --kind latent")
    if config.get("channels") != data.channels:
        raise UserError(f"{folder} knows pictures of {config.get('channels')} channels and the dataset has {data.channels}; "
                        "prepare it again with or without --alpha")  # fmt: skip
    try:
        sizes = {key: int(config[key]) for key in ("channels", "latent", "width", "blocks")}
        if not all(0 < size <= 4096 for size in sizes.values()):
            raise ValueError("no such network")
        with torch.device("meta"):  # Memory is taken once the weights prove to be of the size that the configuration claims.
            made = LatentAutoencoder(LatentShape(**sizes))
        made.load_state_dict(weights_of(folder), assign=True)
    except (KeyError, TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise UserError(f"{folder} holds weights of another network than its {own.CONFIG} says; take it whole") from error
    return made.eval(), str(own.read_card(folder).get("sha256", ""))
