"""`mofang sound inspect`: what a recording is."""

import json
from pathlib import Path

import click

from mofang.studio.words import say


@click.command(help=say("Length, loudness, tempo, key, clipping, silence.", "时长、响度、速度、调性、削波与静音。"))
@click.argument("sound", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help=say("everything, with the beats, as JSON", "全部信息（含节拍）输出为 JSON"))
@click.option("--picture", type=click.Path(path_type=Path), help=say("a PNG of its spectrogram", "频谱图 PNG"))
def inspect(sound: Path, as_json: bool, picture: Path | None) -> None:
    """What is said in the file, and what is heard in it."""
    from mofang.sound.edit.inspect import inspect as look
    from mofang.sound.edit.inspect import spectrogram
    from mofang.sound.edit.source import open_sound
    from mofang.studio.atomic import write_atomic

    found = look(sound)
    if picture:
        write_atomic(picture, spectrogram(open_sound(sound)))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    minutes, seconds = divmod(found["seconds"], 60)
    bits = f", {found['bits']} bits" if found["bits"] else ""
    lines = (
        ("format", "格式", f"{found['codec']}, {found['rate']} Hz, {found['channels']} ch{bits}"),
        ("length", "时长", f"{int(minutes)}:{seconds:05.2f}"),
        ("loudness", "响度", f"{found['loudness']} LUFS, {found['true_peak']} dBTP"),
        ("tempo", "速度", f"{found['tempo']} BPM, {len(found['beats'])} beats" if found["tempo"] else say("no beat", "无节拍")),
        ("key", "调性", f"{found['key']} ({found['key_fit']})" if found["key"] else say("no tones", "无音高")),
        ("clipped", "削波", say(f"{found['clipped']} samples", f"{found['clipped']} 个采样")),
        ("silence", "静音", say(f"{found['silence']} s", f"{found['silence']} 秒")),
    )
    for en, zh, value in lines:
        click.echo(f"{say(en, zh)}\t{value}")
