"""A codec and its priors as one model."""

from collections.abc import Sequence
from pathlib import Path

from safetensors.numpy import save_file

from mofang.models import own
from mofang.sound.jukebox.codec import Codec
from mofang.sound.jukebox.network import Prior
from mofang.sound.jukebox.sample import fitting
from mofang.sound.jukebox.shape import JUKEBOX
from mofang.studio.atomic import atomic_folder, write_atomic
from mofang.studio.errors import UserError
from mofang.studio.library import file_hash, now


def join(codec: Path, priors: Sequence[Path], out: Path) -> Path:
    """Write the model of a codec's folder and those of priors for its levels, top and downwards; returns `out`.

    Raises `UserError` if they do not belong together.
    """
    Codec.open(codec)
    config = own.read_config(codec)
    for each in priors:
        if own.read_config(each).get("codec_sha256") != file_hash(codec / own.WEIGHTS):
            raise UserError(f"{each} was trained on the codes of another codec than {codec}; train it with --codec {codec.name}")
    opened = [(Prior.open(folder), folder) for folder in priors]
    fitting(config, [prior for prior, _ in opened])
    ordered = [folder for _, folder in sorted(opened, key=lambda each: -each[0].shape.level)]
    tensors = {f"codec.{name}": value for name, value in own.read_tensors(codec).items()}
    for number, folder in enumerate(ordered):
        tensors |= {f"prior{number}.{name}": own.halved(value) for name, value in own.read_tensors(folder).items()}
    cards = [own.read_card(folder) for folder in (codec, *ordered)]
    with atomic_folder(out, own.CONFIG) as desk:
        save_file(tensors, desk / own.WEIGHTS, {"format": "pt"})
        write_atomic(desk / own.CONFIG, own.dumps({"model_type": JUKEBOX, "codec": config,
                                                   "priors": [own.read_config(folder) for folder in ordered]}))  # fmt: skip
        own.write_card(desk, {
            "name": out.name, "title": out.name, "kind": JUKEBOX,
            "licence": " AND ".join(sorted({part for card in cards for part in str(card.get("licence", "unknown")).split(" AND ")})),
            "trained_on": cards[0].get("trained_on", []), "data_sha256": cards[0].get("data_sha256", ""), "made": now(),
            "parameters": sum(int(value.size) for value in tensors.values()),
            "recipe": [card.get("recipe", {}) for card in cards], "measured": [card.get("measured", {}) for card in cards],
        })  # fmt: skip
    return out
