"""`mofang text evaluate`: what a model is worth, and whether it writes or recites."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mofang.studio.words import say

F = TypeVar("F", bound=Callable[..., Any])


_HELP = {
    "corpus": say("the corpus, if not the one the card names", "语料（默认用模型卡所记的）"),
    "samples": say("texts to write and look at", "样本数"),
    "length": say("tokens of a sample at most", "样本最多的词元数"),
    "prompt": say("what samples begin with (several)", "样本的开头（可多次）"),
    "split": say("text to foretell; test, else val", "用哪部分测；默认 test，否则 val"),
    "window": say("tokens seen at once; the model's context", "窗口词元数，默认为模型的上下文"),
    "stride": say("tokens between windows; side by side", "窗口步长，默认不重叠"),
    "least": say("letters that make a copy: 20, Chinese 13, verse 7", "多少字相同算抄：中文 13，诗 7，英文 20"),
    "canary": say("a sentence with a [secret]: how exposed is it", "含 [秘密] 的句子：泄露了多少"),
    "alternatives": say("secrets to compare it with", "对照的秘密个数"),
    "threads": say("processor cores to use", "使用的核数"),
    "json": say("write everything there, passages too", "把全部结果（含段落）写入文件"),
    "fingerprint": say("only keep a fingerprint of the works beside the weights: copied lines are known by it anywhere",
                       "只在权重旁写一份作品指纹，凭它到哪里都能认出抄来的句子"),
}  # fmt: skip


def _option(name: str, *names: str, **settings: Any) -> Callable[[F], F]:
    return click.option(name, *names, help=_HELP.get(name[2:]), show_default="default" in settings, **settings)


@click.command(help=say("Measure MODEL: bits per byte, variety, and how much of what it writes stands in its works.",
                        "评测 MODEL：每字节比特、多样性，以及所写有多少与作品相同。"))  # fmt: skip
@click.argument("model")
@_option("--corpus", type=click.Path(path_type=Path))
@_option("--samples", type=click.IntRange(1, 256), default=50)
@_option("--length", type=click.IntRange(1, 65536), default=256)
@_option("--prompt", "prompts", multiple=True)
@_option("--temperature", type=float, default=0.9)
@_option("--top-p", type=float, default=1.0)
@_option("--split", type=click.Choice(["test", "val", "train"]))
@_option("--window", type=click.IntRange(min=1))
@_option("--stride", type=click.IntRange(min=1))
@_option("--least", type=click.IntRange(min=2))
@_option("--canary", "canaries", multiple=True, metavar="TEXT")
@_option("--alternatives", type=click.IntRange(1, 1_000_000), default=1000)
@_option("--precision", type=click.Choice(["float32", "int8", "auto"]), default="float32")
@_option("--threads", type=click.IntRange(0, 1024), default=0)
@_option("--seed", type=click.IntRange(min=0), default=0)
@_option("--json", "json_file", type=click.Path(path_type=Path))
@_option("--fingerprint", is_flag=True)
@click.pass_obj
def evaluate(studio: Path, /, model: str, corpus: Path | None, fingerprint: bool, json_file: Path | None, temperature: float,
             top_p: float, split: str | None, window: int | None, stride: int | None, least: int | None,
             **options: Any) -> None:  # fmt: skip
    """Prints what was found and writes the numbers into the model's card."""
    from mofang.cli.terminal import Line
    from mofang.models.own import find
    from mofang.studio import Studio
    from mofang.studio.atomic import write_atomic
    from mofang.text.evaluate import Plan
    from mofang.text.evaluate import evaluate as measure
    from mofang.text.evaluate.summary import summary
    from mofang.text.sampling import Sampling

    folder = find(model, studio)
    if fingerprint:
        _fingerprint(folder, corpus)
        return
    Studio(studio).close()  # its cache keeps the index
    plan = Plan(split=split or "", window=window or 0, stride=stride or 0, least=least or 0,
                sampling=Sampling(temperature, top_p=top_p), **options)  # fmt: skip
    line = Line()
    try:
        found = measure(folder, studio, plan, corpus, line)
    finally:
        line.close()
    click.echo("\n".join(summary(found)))
    if json_file:
        write_atomic(json_file, json.dumps(found, ensure_ascii=False, indent=1) + "\n")
        click.echo(say(f"all of it: {json_file}", f"全部结果：{json_file}"))


def _fingerprint(folder: Path, given: Path | None) -> None:
    from mofang.text.evaluate.fingerprint import Fingerprint
    from mofang.text.evaluate.works import corpus_of

    path = Fingerprint.of(corpus_of(folder, given).documents("train")).save(folder)
    click.echo(say(f"wrote {path}: {path.stat().st_size:,} bytes", f"已写入 {path}：{path.stat().st_size:,} 字节"))
