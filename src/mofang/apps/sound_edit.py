"""Recordings changed or cleaned: the sound, what it was made from, and the file that goes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mofang import trust
from mofang.apps import sounds
from mofang.apps.export import generated, part, public, release
from mofang.apps.recordings import heard, keep
from mofang.apps.sound_verbs import VERBS
from mofang.sound import pcm
from mofang.sound.edit.source import LONGEST, Sound, rate_for
from mofang.studio import Made, Making, Recipe, Studio, UserError
from mofang.studio.words import language
from mofang.trust.credentials import Nature

ENGINE, VERSION = "sound-edit", "1"
CUT_FROM = 3 * 3600.0
"""Seconds of a recording that a part can be cut from."""
MOST = 24
"""Recordings in one join or mix."""


@dataclass(frozen=True)
class Order:
    """What is to be done to `sounds`; `params` are the verb's own settings."""

    verb: str
    sounds: Sequence[Path]
    params: Mapping[str, Any] = field(default_factory=dict)


def edit_to(studio: Studio, order: Order, target: Path) -> Path:
    """Do it and publish the result: labelled if anything in it was generated, else as the maker's own. Raises `UserError`."""
    sounds.check(target)
    making, originals = edited(studio, order)
    own: Nature = "digitalCreation" if order.verb in ("join", "mix") else "algorithmicallyEnhanced"
    nature: Nature = "compositeWithTrainedAlgorithmicMedia" if any(map(generated, originals)) else own
    claim = trust.Claim(f"{order.sounds[0].stem[:48]} · {order.verb}", nature, language(),
                        parts=[part(each) for each in (making, *originals)], credits=making.made.credits,
                        facts={"recipe": public(making.recipe), "files": [path.name for path in order.sounds]})  # fmt: skip
    label = nature == "compositeWithTrainedAlgorithmicMedia"
    return release(studio, making, target, claim, lambda source, desk: convert(source, desk, label=label))


def edited(studio: Studio, order: Order) -> tuple[Making, list[Making]]:
    """The result as an asset (WAV, 24 bits), and the originals it was made from. Raises `UserError`."""
    if len(order.sounds) > MOST:
        raise UserError(f"{len(order.sounds)} recordings are too many for one go; give at most {MOST}")
    originals = [keep(studio, path) for path in order.sounds]
    recipe = Recipe(ENGINE, VERSION, params={**order.params, "verb": order.verb},
                    parents=tuple(each.asset.id for each in originals))  # fmt: skip
    return studio.make(recipe, ".wav", lambda path: produce(studio, recipe, path)), originals


def produce(studio: Studio, recipe: Recipe, target: Path) -> Made:
    """The sound of a recipe. Raises `UserError`."""
    verb = recipe.params["verb"]
    sounds = [heard(studio, parent, CUT_FROM if verb == "cut" else LONGEST) for parent in recipe.parents]
    made = whole(VERBS[verb](sounds, recipe.params))
    pcm.write_wav(target, made.samples, made.rate, bits=24)
    return Made(facts={"seconds": round(made.seconds, 4)})


CALLED = {"start": "from", "end": "to", "fade_in": "in", "fade_out": "out", "steps": "only"}
"""Settings whose options have another name."""


def arguments(recipe: Recipe, files: Mapping[str, str], name: str) -> list[str]:
    """The arguments of `mofang` that do it again; `files` are the recordings by their number."""
    verb, told = str(recipe.params["verb"]), []
    for key, value in recipe.params.items():
        if key == "verb" or value is False:
            continue
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        told += [f"--{CALLED.get(key, key)}"] + ([] if value is True else [text])
    command = ["clean"] if verb == "clean" else ["edit", verb]
    return ["sound", *command, *told, "--", *(files[str(number)] for number in range(len(recipe.parents))), name]


def whole(sound: Sound) -> Sound:
    """`sound` under full scale: what was rebuilt or moved above it is brought down whole, not cut off."""
    top = float(np.abs(sound.samples).max(initial=0.0))
    return sound if top <= 1 else Sound(sound.samples / np.float32(top), sound.rate)


def convert(source: Path, target: Path, *, label: bool) -> None:
    """The WAV of an asset in the format of the target's suffix, with the audible label where it must be put in first."""
    from mofang.sound.edit.source import open_sound

    sound, suffix = open_sound(source, CUT_FROM), target.suffix.lower()
    rate = rate_for(suffix, sound.rate)
    samples = pcm.resample(sound.samples, sound.rate, rate)
    if label:
        samples = sounds.labelled(samples, rate, suffix)
    if suffix == ".wav":
        pcm.write_wav(target, samples, rate, bits=24)
    else:
        pcm.write(target, samples, rate)
