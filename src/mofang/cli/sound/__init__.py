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
    "edit": ("mofang.cli.sound.edit:edit", "cut, join, mix, loop; tempo, pitch, stems", "剪、接、混、循环、变速、变调、分轨"),
    "clean": ("mofang.cli.sound.clean:clean", "take noise, hum and clicks out of a recording", "清理录音：噪声、电流声、爆音"),
    "inspect": ("mofang.cli.sound.inspect:inspect", "length, loudness, tempo, key of a recording", "时长、响度、速度、调性"),
    "effect": ("mofang.cli.sound.effect:effect", "rain, wind, bells …, made to length", "音效：雨、风、钟……，长短随意"),
}


@click.group(cls=Lazy, commands_at=COMMANDS, help=say("Voices of your own, recordings and effects.", "自己的声音、录音与音效。"))
def sound() -> None:
    """The group."""
