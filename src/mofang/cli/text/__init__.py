"""`mofang text`: models of your own, what they write, and what texts are made of. One file per command."""

import click

from mofang.cli.lazy import Lazy
from mofang.studio.words import say

COMMANDS = {
    "prepare": ("mofang.cli.text.prepare:prepare", "turn works into a corpus to train on", "把作品整理成语料"),
    "train": ("mofang.cli.text.train:train", "train a model on a corpus", "用语料训练自己的模型"),
    "finetune": ("mofang.cli.text.finetune:finetune", "put your style on a pretrained model", "在已有模型上学你的文风"),
    "write": ("mofang.cli.text.write:write", "write with a model", "用模型写作"),
    "evaluate": ("mofang.cli.text.evaluate:evaluate", "measure a model: quality, repetition, copying", "评测模型：质量、重复、抄袭"),
    "export": ("mofang.cli.text.export:export", "take a model elsewhere, or bring one in", "导出或导入模型"),
    "rewrite": ("mofang.cli.text.rewrite:rewrite", "translate or rewrite line by line", "逐句翻译或改写"),
    "script": ("mofang.cli.text.script:script", "write a script from a brief", "由一句话写出脚本"),
    "passages": ("mofang.cli.text.passages:passages", "show how a text is cut into scenes", "查看文本如何分成场景"),
}


@click.group(
    cls=Lazy,
    commands_at=COMMANDS,
    help=say("Models of your own, scripts and writing.", "自己的模型、脚本与写作。"),
)
def text() -> None:
    """The group."""
