"""An acoustic model and a vocoder as one voice: a folder that speaks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from mofang.models import own
from mofang.sound.own import consent
from mofang.sound.own.acoustic import AcousticShape
from mofang.sound.own.features import HOP, RATE, SIZE
from mofang.sound.wavenet.shape import Shape
from mofang.studio.atomic import atomic, atomic_folder, write_atomic
from mofang.studio.errors import UserError
from mofang.studio.library import now

MODEL_TYPE = "voice"


def join(acoustic: Path, vocoder: Path, out: Path, *, temperature: float = 1.0, half: bool = True,
         studio: Path | None = None) -> Path:  # fmt: skip
    """Write the voice of two models' folders to `out` and return it. `half` keeps the weights as float16.

    Its card carries both cards: what they learned from and by whose consent. Raises `UserError` for folders of another kind, for
    models with different speakers, for weights that are no numbers, and if a consent has ended or was taken back (`studio`
    keeps them).
    """
    configs = [own.read_config(folder) for folder in (acoustic, vocoder)]
    AcousticShape.read(configs[0])
    second = Shape.read(configs[1])
    cards = [own.read_card(folder) for folder in (acoustic, vocoder)]
    speakers = cards[0].get("speakers") or ["voice"]
    if (second.rate, second.hop, second.features) != (RATE, HOP, SIZE):
        raise UserError(f"{vocoder} was trained on other features than the acoustic model makes; train both on one corpus")
    if second.speakers and cards[1].get("speakers") != speakers:
        raise UserError(f"{acoustic} and {vocoder} learned different speakers; train both on one corpus")
    for card in cards:
        consent.may_speak(card, studio)
    tensors = {f"{prefix}.{name}": own.halved(value) if half else value
               for prefix, folder in (("acoustic", acoustic), ("wavenet", vocoder))
               for name, value in own.read_tensors(folder).items()}  # fmt: skip
    if any(not np.isfinite(value).all() for value in tensors.values()):
        raise UserError(f"{acoustic} or {vocoder} holds weights that are no numbers; train it again")
    works = {(str(work.get("sha256")), str(work.get("name"))): work for card in cards for work in card.get("trained_on", [])}
    with atomic_folder(out, own.CONFIG) as desk:
        with atomic(desk / own.WEIGHTS) as temporary:
            save_file(tensors, temporary, {"format": "np"})
        write_atomic(desk / own.CONFIG, own.dumps({
            "model_type": MODEL_TYPE, "rate": RATE, "temperature": temperature, "speakers": speakers,
            "languages": cards[0].get("languages") or ["zh"],
            "acoustic": configs[0], "wavenet": configs[1],
        }))  # fmt: skip
        own.write_card(desk, {
            "name": out.name, "title": out.name, "kind": MODEL_TYPE, "made": now(), "speakers": speakers,
            "licence": " AND ".join(sorted({str(card.get("licence") or "unknown") for card in cards})),
            "languages": cards[0].get("languages") or ["zh"], "trained_on": list(works.values()),
            "parameters": sum(value.size for value in tensors.values()),
            "parts": {"acoustic": _part(cards[0]), "wavenet": _part(cards[1])},
        })  # fmt: skip
    return out


def part(folder: Path, kind: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The configuration and weights of a model of a kind (`acoustic`, `wavenet`), or of that part of a voice.

    Raises `UserError` for a folder that holds neither."""
    config, tensors = own.read_config(folder), own.read_tensors(folder)
    if config["model_type"] == MODEL_TYPE and isinstance(config.get(kind), dict):
        return config[kind], part_of(tensors, kind)
    if config["model_type"] != kind:
        raise UserError(f"{folder.name} is a model of kind {config['model_type'][:40]!r}; give one of kind {kind!r}, or a voice")
    return config, tensors


def part_of(tensors: Mapping[str, NDArray[Any]], kind: str) -> dict[str, NDArray[Any]]:
    """The weights of one part of a voice, by their names in that part."""
    return {name.partition(".")[2]: value for name, value in tensors.items() if name.startswith(f"{kind}.")}


def _part(card: dict[str, object]) -> dict[str, object]:
    return {key: card.get(key) for key in ("recipe", "measured", "data_sha256", "parameters", "sha256") if key in card}
