"""`mofang jukebox`: music as sound. One file per command."""

import click

from mofang.cli.lazy import Lazy
from mofang.studio.words import say

COMMANDS = {
    "prepare": ("mofang.cli.jukebox.prepare:prepare", "make data of recordings to learn from", "把录音整理成训练数据"),
    "train": ("mofang.cli.jukebox.train:train", "train a codec, or a prior over its codes", "训练编解码器，或其编码的先验"),
    "join": ("mofang.cli.jukebox.join:join", "make one model of a codec and its priors", "把编解码器与先验合成一个模型"),
    "sample": ("mofang.cli.jukebox.sample:sample", "make music in a style", "按风格生成音乐"),
    "continue": ("mofang.cli.jukebox.sample:continue_", "go on from a recording", "从一段录音续奏"),
    "reconstruct": ("mofang.cli.jukebox.reconstruct:reconstruct", "hear what a codec keeps of a recording", "听编解码器还原的录音"),
}


@click.group(cls=Lazy, commands_at=COMMANDS, help=say("Music as sound: models of your own recordings.", "声音音乐：学自己的录音。"))
def jukebox() -> None:
    """The group."""
