"""A checkpoint in diffusers' folders as one file in the layout of the first Stable Diffusion (CompVis latent-diffusion)."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

RESNET = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
          "conv2": "out_layers.3", "conv_shortcut": "skip_connection"}  # fmt: skip
ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def unet_places(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Where each part of a U-Net stands: its name in diffusers, its name in the one file."""
    layers, blocks = config["layers_per_block"], len(config["down_block_types"])
    yield from (("conv_in", "input_blocks.0.0"),
                ("time_embedding.linear_1", "time_embed.0"), ("time_embedding.linear_2", "time_embed.2"),
                ("mid_block.resnets.0", "middle_block.0"), ("mid_block.attentions.0", "middle_block.1"),
                ("mid_block.resnets.1", "middle_block.2"), ("conv_norm_out", "out.0"), ("conv_out", "out.2"))  # fmt: skip
    for block in range(blocks):
        first, last = 1 + block * (layers + 1), (block + 1) * (layers + 1)
        for layer in range(layers):
            yield f"down_blocks.{block}.resnets.{layer}", f"input_blocks.{first + layer}.0"
            yield f"down_blocks.{block}.attentions.{layer}", f"input_blocks.{first + layer}.1"
        yield f"down_blocks.{block}.downsamplers.0.conv", f"input_blocks.{last}.0.op"
        for layer in range(layers + 1):
            at = block * (layers + 1) + layer
            yield f"up_blocks.{block}.resnets.{layer}", f"output_blocks.{at}.0"
            yield f"up_blocks.{block}.attentions.{layer}", f"output_blocks.{at}.1"
        after = 2 if "CrossAttn" in config["up_block_types"][block] else 1
        yield f"up_blocks.{block}.upsamplers.0.conv", f"output_blocks.{(block + 1) * (layers + 1) - 1}.{after}.conv"


def unet_name(name: str, places: dict[str, str]) -> str:
    part = max((each for each in places if name.startswith(each + ".")), key=len)
    rest = name[len(part) + 1 :]
    if ".resnets." in part:
        inner, _, kind = rest.rpartition(".")
        rest = f"{RESNET[inner]}.{kind}"
    return f"model.diffusion_model.{places[part]}.{rest}"


def vae_name(name: str, blocks: int) -> str:
    name = re.sub(r"down_blocks\.(\d+)\.resnets", r"down.\1.block", name)
    name = re.sub(r"up_blocks\.(\d+)\.resnets", lambda found: f"up.{blocks - 1 - int(found[1])}.block", name)
    name = re.sub(r"down_blocks\.(\d+)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"up_blocks\.(\d+)\.upsamplers\.0", lambda found: f"up.{blocks - 1 - int(found[1])}.upsample", name)
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda found: f"mid.block_{int(found[1]) + 1}", name)
    if "mid_block.attentions.0" in name:
        before, _, rest = name.partition("mid_block.attentions.0.")
        inner, _, kind = rest.rpartition(".")
        name = f"{before}mid.attn_1.{ATTENTION[inner]}.{kind}"
    return "first_stage_model." + name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")


def single_file(folder: Path, path: Path) -> Path:
    """Write the U-Net, the autoencoder and the text encoder of an SD 1.5 folder into one file."""
    config = json.loads((folder / "unet" / "config.json").read_text())
    places = dict(unet_places(config))
    weights = {}
    for name, tensor in load_file(folder / "unet" / "diffusion_pytorch_model.safetensors").items():
        weights[unet_name(name, places)] = tensor
    blocks = len(json.loads((folder / "vae" / "config.json").read_text())["down_block_types"])
    for name, tensor in load_file(folder / "vae" / "diffusion_pytorch_model.safetensors").items():
        new = vae_name(name, blocks)
        # There the autoencoder's attention is made of convolutions of one pixel.
        weights[new] = tensor[..., None, None] if ".attn_1." in new and ".norm." not in new and tensor.ndim == 2 else tensor
    for name, tensor in load_file(folder / "text_encoder" / "model.safetensors").items():
        weights[f"cond_stage_model.transformer.text_model.{name.removeprefix('text_model.')}"] = tensor
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, path)
    return path


def settings_of(folder: Path, target: Path) -> Path:
    """The folder without its weights: what a single file is described by."""
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".safetensors":
            place = target / path.relative_to(folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    return target
