"""What each verb of `mofang sound edit` and `mofang sound clean` does to recordings."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mofang.sound.edit.source import LONGEST, Sound
from mofang.studio import UserError

Params = Mapping[str, Any]
Action = Callable[[Sequence[Sound], Params], Sound]


def _cut(sounds: Sequence[Sound], params: Params) -> Sound:
    from mofang.sound.edit.cut import cut

    return cut(sounds[0], params["start"], params.get("end"), remove=params["remove"])


def _fade(sounds: Sequence[Sound], params: Params) -> Sound:
    from mofang.sound.edit.fade import fade

    return fade(sounds[0], params["fade_in"], params["fade_out"], params["curve"])


def _join(sounds: Sequence[Sound], params: Params) -> Sound:
    from mofang.sound.edit.join import join

    if sum(sound.seconds for sound in sounds) > LONGEST:
        raise UserError(f"together they last longer than {LONGEST / 60:.0f} minutes; join fewer")
    return join(sounds, params["crossfade"], params["gap"])


def _mix(sounds: Sequence[Sound], params: Params) -> Sound:
    from mofang.sound.edit.mix import Layer, mix

    given = zip(sounds, params["levels"], params["pans"], params["starts"], strict=True)
    return mix([Layer(*each) for each in given], params["duck"])


def _loop(sounds: Sequence[Sound], params: Params) -> Sound:
    from mofang.sound.edit.loop import find, repeat

    turn = find(sounds[0], params["least"]).sound
    return repeat(turn, params["seconds"]) if params.get("seconds") else turn


def _tempo(sounds: Sequence[Sound], params: Params) -> Sound:
    from mofang.sound.edit.beats import grid
    from mofang.sound.edit.tempo import tempo

    if "bpm" not in params:
        return tempo(sounds[0], params["speed"])
    now = grid(sounds[0]).tempo
    if not now:
        raise UserError("no beat was found in it; say how much faster instead: --speed 1.1")
    return tempo(sounds[0], params["bpm"] / now)


def _pitch(sounds: Sequence[Sound], params: Params) -> Sound:
    from mofang.sound.edit.pitch import pitch

    return pitch(sounds[0], params["semitones"], formants=params["formants"])


def _loudness(sounds: Sequence[Sound], params: Params) -> Sound:
    from mofang.sound.loudness import normalise

    sound = sounds[0]
    return Sound(normalise(sound.samples, sound.rate, params["lufs"], params["peak"]), sound.rate)


def _clean(sounds: Sequence[Sound], params: Params) -> Sound:
    from mofang.sound.clean.clean import Wish, clean

    return clean(sounds[0], Wish(tuple(params["steps"]), params["strength"], params["pause"], params["lufs"]))


VERBS: dict[str, Action] = {
    "cut": _cut, "fade": _fade, "join": _join, "mix": _mix, "loop": _loop, "tempo": _tempo, "pitch": _pitch,
    "loudness": _loudness, "clean": _clean,
}  # fmt: skip
