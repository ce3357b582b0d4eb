"""`mofang music`: music as notes. One file per command."""

import click

from mofang.cli.lazy import Lazy
from mofang.studio.words import say

COMMANDS = {
    "prepare": ("mofang.cli.music.prepare:prepare", "make data of MIDI files to train on", "把 MIDI 整理成训练数据"),
    "train": ("mofang.cli.music.train:train", "train a model that composes", "训练作曲模型"),
    "compose": ("mofang.cli.music.compose:compose", "compose a piece: MIDI, MusicXML or sound", "作曲：MIDI、MusicXML 或声音"),
    "make": ("mofang.cli.music.make:make", "make sound from words, with MusicGen", "用 MusicGen 按文字描述生成音乐"),
    "harmonise": ("mofang.cli.music.harmonise:harmonise", "put parts under a melody", "为旋律配和声"),
    "vary": ("mofang.cli.music.vary:vary", "vary a tune", "变奏"),
    "restyle": ("mofang.cli.music.vary:restyle", "put a tune into another style", "改换风格"),
    "fill": ("mofang.cli.music.fill:fill", "make some bars anew", "重写若干小节"),
    "sing": ("mofang.cli.music.sing:sing", "set lyrics to a tune", "为歌词谱曲"),
}


@click.group(cls=Lazy, commands_at=COMMANDS, help=say("Music: notes by your own models, sound from words.",
                                                   "音乐：自己的作曲模型，或按文字生成。"))  # fmt: skip
def music() -> None:
    """The group."""
