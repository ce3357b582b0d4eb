"""What chooses among the pictures of a text-to-image model, made ready to train."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mofang.image.data import Pictures
from mofang.image.engines.own import CHOOSER, SIDE, Painter
from mofang.image.export import to_onnx
from mofang.image.nets.chooser import Chooser, ChooserShape
from mofang.image.train.chooser import Asked, ChooserSettings, ChooserTraining
from mofang.image.train.ready import Options, Ready, based, parts, settled
from mofang.models import own
from mofang.models.formats.halves import halved
from mofang.studio.atomic import atomic
from mofang.studio.errors import UserError

WIDTHS = {"nano": 8, "micro": 24, "small": 48, "base": 64}


def chooser(data: Pictures, options: Options) -> Ready:
    """The model at `base` with a chooser beside it. Raises `UserError`."""
    missing = "a chooser chooses among what a text-to-image model paints: train one (--kind flow), then give it as --base"
    given, folder = based("chooser", options, missing, ChooserSettings, ChooserShape)
    painter = Painter(folder)
    train, val = parts(data)
    if not any(text for line in train.lines for text in line["caption"].values()):
        raise UserError("none of the pictures has a caption that a chooser could learn; put NAME.txt beside each")
    asked = Asked([*train.lines, *val.lines], lambda captions: painter.read(captions)[1])
    shape = settled(ChooserShape, given, caption=asked.whole.size(-1), width=WIDTHS[options["dial"]])
    settings = settled(ChooserSettings, given)
    # Captions spread over all the subjects, as many as a picture met at a step.
    subjects = asked.whole.size(1)
    others = asked.whole[0, torch.linspace(0, subjects - 1, min(subjects, settings.others)).round().long()]
    experiment = ChooserTraining(Chooser(shape), asked, train, val, settings)

    def export(target: Path, weights: Mapping[str, Tensor]) -> None:
        made = Chooser(shape)
        made.load_state_dict(dict(weights))
        example = torch.zeros(2, 3, SIDE, SIDE), asked.whole[0, :2]
        to_onnx(_Fit(made, others), example, target / CHOOSER, ["pictures", "whole"], ["fit"])
        halved(target / CHOOSER)
        for name in painter.files:
            with atomic(target / name) as temporary:
                shutil.copyfile(folder / name, temporary)

    base = own.read_card(folder)
    recipe = {**asdict(shape), **asdict(settings), "base_sha256": str(base.get("sha256", ""))}
    return Ready(experiment, own.read_config(folder), recipe, export, measure=False, card=_of_base(base, experiment.model))


def _of_base(card: Mapping[str, Any], chooser: nn.Module) -> dict[str, Any]:
    """What the card of a model with a chooser says of the model that paints; no paths of the computer it was trained on."""
    recipe = {key: value for key, value in card.get("recipe", {}).items() if key not in own.PLACES}
    known = {key: card[key] for key in ("architecture", "languages", "sources") if key in card}
    known["parameters"] = card.get("parameters", 0) + sum(weight.numel() for weight in chooser.parameters())
    return known | {"base": {**{key: card[key] for key in ("name", "sha256", "measured") if key in card}, "recipe": recipe}}


class _Fit(nn.Module):
    """What training maximised: how much more likely each picture (N, 3, SIDE, SIDE) is of its own caption (N, D) than of any of
    `others` (M, D), in nats. A picture that is like everything fits nothing."""

    def __init__(self, chooser: Chooser, others: Tensor) -> None:
        super().__init__()
        self.chooser = chooser.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        with torch.no_grad():
            self.register_buffer("others", chooser.eval().read(others).T.contiguous())

    def forward(self, pictures: Tensor, whole: Tensor) -> Tensor:
        seen = self.chooser.seen(pictures)
        own = (seen * self.chooser.read(whole)).sum(1)
        sharpness = self.chooser.sharpness.exp()
        fit: Tensor = sharpness * own - torch.logsumexp(sharpness * seen @ self.others, 1)
        return fit
