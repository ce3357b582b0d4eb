"""`mofang sound edit`: what can be done to a recording, one verb each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mofang.cli.numbers import Real
from mofang.studio import Studio, UserError
from mofang.studio.words import say

F = TypeVar("F", bound=Callable[..., Any])
_PATH = click.Path(path_type=Path)


@click.group(help=say("Cut, join, mix and change recordings.", "剪接、混合与处理录音。"))
def edit() -> None:
    """The group."""


def _verb(name: str, en: str, zh: str, many: bool = False) -> Callable[[F], click.Command]:
    """A command `name SOUND OUT`, or `name SOUND … OUT`."""

    def made(function: F) -> click.Command:
        function = click.argument("out", type=_PATH)(function)
        if many:
            function = click.argument("sounds", type=_PATH, nargs=-1, required=True)(function)
        else:
            function = click.argument("sound", type=_PATH)(function)
        return edit.command(name, help=say(en, zh))(click.pass_obj(function))

    return made


def _run(studio: Path, verb: str, sounds: tuple[Path, ...], out: Path, /, **params: Any) -> None:
    """Make the order and print where the result is. Options that are None were not given."""
    from mofang.apps.sound_edit import Order, edit_to

    given = {name: value for name, value in params.items() if value is not None}
    click.echo(str(edit_to(Studio(studio), Order(verb, sounds, given), out)))


@_verb("cut", "Keep a part, or take one out.", "截取一段，或删去一段。")
@click.option("--from", "start", default="0", show_default=True, help=say("seconds or m:s", "秒，或 分:秒"))
@click.option("--to", "end", help=say("seconds or m:s [the end]", "秒，或 分:秒 [结尾]"))
@click.option("--remove", is_flag=True, help=say("take that part out, keep the rest", "删去这一段，保留其余"))
def cut(studio: Path, sound: Path, out: Path, start: str, end: str | None, remove: bool) -> None:
    """No click where it was cut."""
    from mofang.sound.edit.source import seconds_of

    last = None if end is None else seconds_of(end)
    _run(studio, "cut", (sound,), out, start=seconds_of(start), end=last, remove=remove)


@_verb("fade", "Fade in and out.", "淡入淡出。")
@click.option("--in", "fade_in", type=Real(0, 600), default=0.0, show_default=True, help=say("seconds", "秒"))
@click.option("--out", "fade_out", type=Real(0, 600), default=0.0, show_default=True, help=say("seconds", "秒"))
@click.option("--curve", type=click.Choice(["cosine", "linear", "power", "exponential"]), default="cosine", show_default=True)
def fade(studio: Path, sound: Path, out: Path, **params: Any) -> None:
    """Along a curve."""
    _run(studio, "fade", (sound,), out, **params)


@_verb("join", "One after another: SOUND SOUND … OUT.", "首尾相接：SOUND SOUND … OUT。", many=True)
@click.option("--crossfade", type=Real(0, 60), default=0.0, show_default=True, help=say("seconds overlapped", "交叠秒数"))
@click.option("--gap", type=Real(0, 600), default=0.0, show_default=True, help=say("seconds between", "间隔秒数"))
def join(studio: Path, sounds: tuple[Path, ...], out: Path, crossfade: float, gap: float) -> None:
    """With a cross-fade or a gap."""
    if crossfade and gap:
        raise UserError("sounds are either cross-faded or apart; give --crossfade or --gap, not both")
    _run(studio, "join", sounds, out, crossfade=crossfade, gap=gap)


@_verb("mix", "One over another: SOUND SOUND … OUT.", "叠混：SOUND SOUND … OUT。", many=True)
@click.option("--levels", default="", help=say("dB of each: 0,-6", "各自电平（dB）：0,-6"))
@click.option("--pans", default="", help=say("side of each, -1 to 1: 0,0.5", "各自左右，-1 到 1：0,0.5"))
@click.option("--starts", default="", help=say("start of each in seconds: 0,2.5", "各自起点（秒）：0,2.5"))
@click.option("--duck", type=Real(0, 40), default=0.0, show_default=True,
              help=say("dB the others go down under the first", "第一条响起时压低其余（dB）"))  # fmt: skip
def mix(studio: Path, sounds: tuple[Path, ...], out: Path, levels: str, pans: str, starts: str, duck: float) -> None:
    """Stereo at 48 kHz."""
    count = len(sounds)
    _run(studio, "mix", sounds, out, levels=_numbers("--levels", levels, count, -80, 24),
         pans=_numbers("--pans", pans, count, -1, 1), starts=_numbers("--starts", starts, count, 0, 3600), duck=duck)  # fmt: skip


def _numbers(option: str, text: str, count: int, low: float, high: float) -> list[float]:
    try:
        values = [float(part) for part in text.replace("，", ",").split(",")] if text.strip() else []
    except ValueError as error:
        raise UserError(f"{option} takes numbers with commas between them, as 0,-6; not '{text[:20]}'") from error
    if len(values) > count or not all(low <= value <= high for value in values):
        raise UserError(f"{option} takes at most {count} numbers from {low:g} to {high:g}, one for each sound; not '{text[:30]}'")
    return values + [0.0] * (count - len(values))


@_verb("loop", "Find a part that loops without a seam, on the beat.", "找出可无缝循环的一段（踩在拍上）。")
@click.option("--least", type=Real(1, 600), default=4.0, show_default=True, help=say("seconds of a turn", "一圈至少几秒"))
@click.option("--seconds", type=Real(1, 3600), help=say("turn it so long [one turn]", "循环到几秒 [一圈]"))
def loop(studio: Path, sound: Path, out: Path, **params: Any) -> None:
    """One turn, or as long as wanted."""
    _run(studio, "loop", (sound,), out, **params)


@_verb("tempo", "Faster or slower at the same pitch.", "变速不变调。")
@click.option("--speed", type=Real(0.25, 4), help=say("1.25 is a quarter faster", "1.25 即快四分之一"))
@click.option("--bpm", type=Real(20, 400), help=say("to so many beats a minute instead", "或调到每分钟几拍"))
def tempo(studio: Path, sound: Path, out: Path, speed: float | None, bpm: float | None) -> None:
    """By a phase vocoder that keeps attacks sharp."""
    if (speed is None) == (bpm is None):
        raise UserError("say how fast: --speed 1.25, or --bpm 120")
    _run(studio, "tempo", (sound,), out, speed=speed, bpm=bpm)


@_verb("pitch", "Higher or lower in the same time.", "变调不变速。")
@click.option("--semitones", type=Real(-24, 24), required=True, help=say("12 is an octave", "12 为一个八度"))
@click.option("--formants", is_flag=True, help=say("keep a voice's own timbre", "保留人声音色（共振峰）"))
def pitch(studio: Path, sound: Path, out: Path, **params: Any) -> None:
    """Stretched, then played at another speed."""
    _run(studio, "pitch", (sound,), out, **params)


@_verb("loudness", "Bring it to a loudness.", "调整响度。")
@click.option("--lufs", type=Real(-50, -5), default=-14.0, show_default=True)
@click.option("--peak", type=Real(-20, 0), default=-1.0, show_default=True, help=say("dBTP at most", "真峰值上限 dBTP"))
def loudness(studio: Path, sound: Path, out: Path, **params: Any) -> None:
    """ITU-R BS.1770."""
    _run(studio, "loudness", (sound,), out, **params)


@edit.command("stems", help=say("Each track of a MIDI piece as a file in folder OUT.", "把 MIDI 的各声部分别存入文件夹 OUT。"))
@click.argument("score", type=_PATH)
@click.argument("out", type=_PATH)
@click.option("--soundfont", type=_PATH, help=say("another .sf2 or .sf3", "另用音色库 .sf2 或 .sf3"))
@click.pass_obj
def stems(studio: Path, score: Path, out: Path, soundfont: Path | None) -> None:
    """Added up they are the mix."""
    from mofang.apps.stems import stems_to

    for path in stems_to(Studio(studio), score, out, soundfont):
        click.echo(str(path))
