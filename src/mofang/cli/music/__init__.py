"""`mofang music`: music as notes. One file per command."""

import click

from mofang.cli.lazy import Lazy
from mofang.studio.words import say

COMMANDS = {
    "prepare": ("mofang.cli.music.prepare:prepare", "make data of MIDI files to train on", "把 MIDI 整理成训练数据"),
    "train": ("mofang.cli.music.train:train", "train a model that composes", "训练作曲模型"),
    "compose": ("mofang.cli.music.compose:compose", "compose a piece: MIDI, MusicXML or sound", "作曲：MIDI、MusicXML 或声音"),
}


@click.group(cls=Lazy, commands_at=COMMANDS, help=say("Music as notes: models of your own.", "谱面音乐：自己的作曲模型。"))
def music() -> None:
    """The group."""
