"""The networks that enlarge and that repair, ready for `learn`."""

import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from mofang.image.data import Pictures
from mofang.image.nets.repair import MAPS, Repair, RepairShape
from mofang.image.nets.restore import Restore, RestoreShape
from mofang.image.train.ready import Options, Ready, check, settled
from mofang.image.train.repair import RepairSettings, RepairTraining
from mofang.image.train.restore import RestoreSettings, RestoreTraining
from mofang.studio.atomic import atomic
from mofang.studio.errors import UserError

WIDTHS = {"nano": (24, 2), "micro": (32, 4), "small": (48, 4), "base": (64, 8)}
"""Dial → width and blocks."""


def enlarge(data: Pictures, options: Options) -> Ready:
    """`--kind enlarge`: sharp pictures in, a network that enlarges by two and four out. Raises `UserError`."""
    check("network that enlarges", options, RestoreShape, RestoreSettings)
    width, blocks = WIDTHS[options["dial"]]
    shape = settled(RestoreShape, options, width=width, blocks=blocks)
    settings = settled(RestoreSettings, options)
    if data.size < 4 * 16:
        raise UserError(f"pictures of {data.size} pixels are too small to learn from; prepare them with --size 128")
    experiment = RestoreTraining(Restore(shape), data.split("train"), data.split("val"), settings)

    def export(folder: Path, weights: Mapping[str, Tensor]) -> None:
        export_restore(shape, weights, folder)

    told = {**asdict(shape), "factors": list(shape.factors), **asdict(settings)}
    return Ready(experiment, shape.config(), told, export, measure=False)


def repair(data: Pictures, options: Options) -> Ready:
    """`--kind repair`: clean pictures in, a network that fills holes and takes out noise and JPEG's traces. Raises `UserError`."""
    check("network that repairs", options, RepairShape, RepairSettings)
    width, blocks = WIDTHS[options["dial"]]
    shape = settled(RepairShape, options, width=width, blocks=max(blocks // 2, 1))
    settings = settled(RepairSettings, options)
    if data.size < 64:
        raise UserError(f"pictures of {data.size} pixels are too small to learn from; prepare them with --size 128")
    experiment = RepairTraining(Repair(shape), data.split("train"), data.split("val"), settings)

    def export(folder: Path, weights: Mapping[str, Tensor]) -> None:
        export_repair(shape, weights, folder)

    return Ready(experiment, shape.config(), {**asdict(shape), **asdict(settings)}, export, measure=False)


def export_restore(shape: RestoreShape, weights: Mapping[str, Tensor], folder: Path) -> None:
    """`x2.onnx`, `x4.onnx` …: pictures (N, 3, rows, columns) in 0..1 to larger ones."""
    network = Restore(shape)
    network.load_state_dict(dict(weights))
    for factor in shape.factors:
        _export(_At(network, factor), {"pictures": torch.rand(1, 3, 24, 32)}, "larger", folder / f"x{factor}.onnx")


def export_repair(shape: RepairShape, weights: Mapping[str, Tensor], folder: Path) -> None:
    """`model.onnx`: pictures and maps (N, 3, rows, columns) to pictures; sides are multiples of eight."""
    network = Repair(shape)
    network.load_state_dict(dict(weights))
    inputs = {"pictures": torch.rand(1, 3, 32, 48), "maps": torch.rand(1, MAPS, 32, 48)}
    _export(network, inputs, "repaired", folder / "model.onnx")


def _export(network: nn.Module, inputs: dict[str, Tensor], output: str, target: Path) -> None:
    """A graph whose batch and sides are free."""
    free = {0: "n", 2: "rows", 3: "columns"}
    with atomic(target, suffix=".onnx") as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of torch's two exporters the older one, which needs no further package.
        torch.onnx.export(network.eval(), tuple(inputs.values()), str(temporary), dynamo=False, opset_version=17,
                          input_names=list(inputs), output_names=[output],
                          dynamic_axes=dict.fromkeys([*inputs, output], free))  # fmt: skip


class _At(nn.Module):
    """The network at one factor."""

    def __init__(self, network: Restore, factor: int) -> None:
        super().__init__()
        self.network, self.factor = network, factor

    def forward(self, pictures: Tensor) -> Tensor:
        out: Tensor = self.network(pictures, self.factor)
        return out
