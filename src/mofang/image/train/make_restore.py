"""The network that enlarges, ready for `learn`."""

import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from mofang.image.data import Pictures
from mofang.image.nets.restore import Restore, RestoreShape
from mofang.image.train.ready import Options, Ready, check, settled
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


def export_restore(shape: RestoreShape, weights: Mapping[str, Tensor], folder: Path) -> None:
    """`x2.onnx`, `x4.onnx` …: pictures (N, 3, rows, columns) in 0..1 to larger ones."""
    network = Restore(shape)
    network.load_state_dict(dict(weights))
    free = {0: "n", 2: "rows", 3: "columns"}
    for factor in shape.factors:
        with atomic(folder / f"x{factor}.onnx", suffix=".onnx") as temporary, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of torch's two exporters the older one, which needs no further package.
            torch.onnx.export(_At(network, factor).eval(), (torch.rand(1, 3, 24, 32),), str(temporary), dynamo=False,
                              opset_version=17, input_names=["pictures"], output_names=["larger"],
                              dynamic_axes={"pictures": free, "larger": free})  # fmt: skip


class _At(nn.Module):
    """The network at one factor."""

    def __init__(self, network: Restore, factor: int) -> None:
        super().__init__()
        self.network, self.factor = network, factor

    def forward(self, pictures: Tensor) -> Tensor:
        out: Tensor = self.network(pictures, self.factor)
        return out
