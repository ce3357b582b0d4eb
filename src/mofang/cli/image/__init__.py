"""`mofang image`: pictures from words, pages set in type, photographs repaired and changed. One file per command."""

import click

from mofang.cli.lazy import Lazy
from mofang.studio.words import say

COMMANDS = {
    "make": ("mofang.cli.image.make:make", "paint words", "由文字作画"),
    "edit": ("mofang.cli.image.edit:edit", "repair and change photographs", "修图与改图"),
    "prepare": ("mofang.cli.image.prepare:prepare", "folders of pictures into a dataset", "图片文件夹整理成图集"),
    "finetune": ("mofang.cli.image.finetune:finetune", "put a style on Stable Diffusion", "微调 Stable Diffusion"),
    "train": ("mofang.cli.image.train:train", "a model of your own pictures", "训练自己的图片模型"),
    "sample": ("mofang.cli.image.sample:sample", "pictures of a model of your own", "用自己的模型生成图片"),
    "interpolate": ("mofang.cli.image.interpolate:interpolate", "a film from picture to picture", "图片之间渐变的短片"),
    "project": ("mofang.cli.image.project:project", "the nearest a model comes to a picture", "在模型中找最接近的图"),
    "evaluate": ("mofang.cli.image.evaluate:evaluate", "how good a model is, and whether it copies", "测模型的质量与抄袭率"),
    "product": ("mofang.cli.image.product:product", "product pictures in several sizes", "商品图，一次多个尺寸"),
    "recall": ("mofang.cli.recall:recall", "say how a picture was made, as a command", "读出图片的制作命令"),
    "layout": ("mofang.cli.image.layout:layout", "set a poster, cover, card or poem", "排版：海报、封面、卡片、诗笺"),
}


@click.group(
    cls=Lazy,
    commands_at=COMMANDS,
    help=say("Pictures from words, pages set in type, photographs repaired.", "由文字作画、排版、修图。"),
)
def image() -> None:
    """The group."""
