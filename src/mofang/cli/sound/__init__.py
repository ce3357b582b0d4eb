"""`mofang sound`: sound that the creator trains and makes. One file per command."""

import click

from mofang.cli.lazy import Lazy
from mofang.studio.words import say

COMMANDS = {
    "consent": ("mofang.cli.sound.consent:consent", "who allowed their voice to be learned, and until when", "声音授权：谁、何时为止"),
    "prepare": ("mofang.cli.sound.prepare:prepare", "make a corpus of speech", "整理录音，做成语料"),
    "train": ("mofang.cli.sound.train:train", "train a vocoder or an acoustic model on a corpus", "用语料训练声码器或声学模型"),
    "join": ("mofang.cli.sound.join:join", "make a voice of the two", "把两者合成一个音色"),
    "speak": ("mofang.cli.sound.speak:speak", "speak a text in a voice", "用一个音色朗读"),
}


@click.group(cls=Lazy, commands_at=COMMANDS, help=say("Voices of your own.", "自己的声音。"))
def sound() -> None:
    """The group."""
