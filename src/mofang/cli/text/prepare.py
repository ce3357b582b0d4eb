"""`mofang text prepare`: works made into a corpus."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mofang.cli.numbers import Real
from mofang.studio.words import say

F = TypeVar("F", bound=Callable[..., Any])

_HELP = {
    "out": say("the corpus folder to write", "要写出的语料文件夹"),
    "tokenizer": say("char, bpe, unigram, word, or a folder that has one", "char、bpe、unigram、word，或已有分词器的文件夹"),
    "vocabulary": say("how many tokens at most", "词表大小上限"),
    "no_bytes": say("char only: unknown characters are lost, not spelt in bytes", "仅 char：未知字符丢弃，不拆成字节"),
    "split": say("shares of train, validation and test", "训练、验证、测试的比例"),
    "contiguous": say("cut the text in order instead of by document", "按顺序切分，而不是按文档"),
    "document": say("what parts documents in plain text", "纯文本中文档的分界"),
    "field": say("the JSON field that holds the text", "JSON 中正文所在的字段"),
    "no_clean": say("leave every character and document as it is", "原样保留每个字符和文档"),
    "form": say("Unicode normal form", "Unicode 规范形式"),
    "simplify": say("traditional characters to simplified", "繁体转简体"),
    "near": say("similarity from which a document is a duplicate; 0: none is", "相似到多少算重复；0 为全部保留"),
    "stop_words": say("leave stop words out of word counts, of the training text too, or keep them",
                      "停用词：从词频统计中去掉、从训练文本中也去掉，或保留"),
    "licence": say("of works the studio does not know: own, CC-BY-4.0, …", "未登记作品的许可：own、CC-BY-4.0 等"),
    "consent": say("whose consent you have: self, or a name", "得到谁的授权：self 或姓名"),
    "json": say("progress as JSON lines", "以 JSON 行输出进度"),
}  # fmt: skip


def _option(*names: str, **settings: Any) -> Callable[[F], F]:
    key = names[-1].removeprefix("--").replace("-", "_")
    return click.option(*names, help=_HELP.get({"boundary": "document", "as_json": "json"}.get(key, key)),
                        show_default=settings.get("default") not in (None, ""), **settings)  # fmt: skip


@click.command(help=say("Turn WORKS (files and folders) into a corpus to train on.", "把作品（文件或文件夹）整理成可训练的语料。"))
@click.argument("works", nargs=-1, required=True, type=click.Path(path_type=Path))
@_option("--out", required=True, type=click.Path(path_type=Path))
@_option("--tokenizer", default="char")
@_option("--vocabulary", type=click.IntRange(min=1))
@_option("--no-bytes", is_flag=True)
@_option("--split", default="90/5/5")
@_option("--contiguous", is_flag=True)
@_option("--document", "boundary", type=click.Choice(["auto", "file", "line", "blank"]), default="auto")
@_option("--field", default="text")
@_option("--no-clean", is_flag=True)
@_option("--form", type=click.Choice(["NFC", "NFKC", "none"]), default="NFC")
@_option("--simplify", is_flag=True)
@_option("--near", type=Real(0, 1), default=0.8)
@_option("--stop-words", type=click.Choice(["report", "train", "keep"]), default="report")
@_option("--licence", default="")
@_option("--consent", default="")
@_option("--seed", type=click.IntRange(min=0), default=0)
@_option("--json", "as_json", is_flag=True)
@click.pass_obj
def prepare(studio: Path, works: tuple[Path, ...], out: Path, tokenizer: str, vocabulary: int | None, no_bytes: bool, split: str,
            contiguous: bool, boundary: Any, field: str, no_clean: bool, form: Any, simplify: bool, near: float,
            stop_words: Any, licence: str, consent: str, seed: int, as_json: bool) -> None:  # fmt: skip
    """Reads, cleans, splits, encodes; prints what came of it."""
    from mofang.cli.terminal import Line
    from mofang.text import corpus
    from mofang.text.corpus.report import summary
    from mofang.text.tokenizer import KINDS

    if tokenizer in KINDS:
        words = corpus.Vocabulary(tokenizer, vocabulary, not no_bytes)
    else:
        words = corpus.Vocabulary(folder=Path(tokenizer).expanduser())
    line = Line(as_json)
    try:
        made = corpus.prepare(
            works, out, reading=corpus.Reading(field, boundary),
            cleaning=corpus.Cleaning(not no_clean, form, simplify, near, stop_words), vocabulary=words,
            split=corpus.Split.parse(split, contiguous, seed), papers=corpus.Papers(licence, consent), studio=studio,
            on_event=line,
        )  # fmt: skip
    finally:
        line.close()
    click.echo("\n".join(summary(made.manifest)))
    click.echo(say("read the report: ", "报告：") + str(out / "report.html"))
