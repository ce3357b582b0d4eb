"""`mofang text prepare`: works made into a corpus."""

from pathlib import Path

import click

from mofang.studio.words import say


@click.command(help=say("Turn WORKS (files and folders) into a corpus to train on.", "把作品（文件或文件夹）整理成可训练的语料。"))
@click.argument("works", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help=say("the corpus folder to write", "要写出的语料文件夹"))
@click.option("--tokenizer", default="char", show_default=True, help="char, bpe, unigram, word, " + say("or a folder that has one", "或已有分词器的文件夹"))
@click.option("--vocabulary", type=int, help=say("how many tokens at most", "词表大小上限"))
@click.option("--no-bytes", is_flag=True, help=say("char only: unknown characters are lost instead of spelt in bytes", "仅 char：未知字符不再拆成字节"))
@click.option("--split", default="90/5/5", show_default=True, help=say("shares of train, validation and test", "训练、验证、测试的比例"))
@click.option("--contiguous", is_flag=True, help=say("cut the text in order instead of by document", "按顺序切分，而不是按文档"))
@click.option("--document", "boundary", type=click.Choice(["auto", "file", "line", "blank"]), default="auto", show_default=True, help=say("what parts documents in plain text", "纯文本中文档的分界"))
@click.option("--field", default="text", show_default=True, help=say("the JSONL field that holds the text", "JSONL 中正文所在的字段"))
@click.option("--no-clean", is_flag=True, help=say("leave every character as it is", "保留原文的每个字符"))
@click.option("--form", type=click.Choice(["NFC", "NFKC", "none"]), default="NFC", show_default=True, help=say("Unicode normal form", "Unicode 规范形式"))
@click.option("--simplify", is_flag=True, help=say("traditional characters to simplified", "繁体转简体"))
@click.option("--near", type=click.FloatRange(0, 1), default=0.8, show_default=True, help=say("similarity from which a document counts as a duplicate; 0: keep", "相似到多少算重复；0 为保留"))
@click.option("--licence", default="", help=say("of works the studio does not know: own, CC-BY-4.0, …", "未登记作品的许可"))
@click.option("--consent", default="", help=say("whose consent you have: self, or a name", "得到谁的授权：self 或姓名"))
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help=say("progress as JSON lines", "以 JSON 行输出进度"))
@click.pass_obj
def prepare(studio: Path, works: tuple[Path, ...], out: Path, tokenizer: str, vocabulary: int | None, no_bytes: bool,
            split: str, contiguous: bool, boundary: str, field: str, no_clean: bool, form: str, simplify: bool, near: float,
            licence: str, consent: str, seed: int, as_json: bool) -> None:  # fmt: skip
    """Reads, cleans, splits, encodes; prints what came of it."""
    from mofang.cli.terminal import Line
    from mofang.text import corpus
    from mofang.text.corpus.readers import Reading
    from mofang.text.tokenizer import KINDS

    words = corpus.Vocabulary(tokenizer, vocabulary, not no_bytes) if tokenizer in KINDS else corpus.Vocabulary(folder=Path(tokenizer))
    line = Line(as_json)
    try:
        made = corpus.prepare(
            works, out, reading=Reading(field, boundary),  # type: ignore[arg-type]  # click has checked them
            cleaning=corpus.Cleaning(not no_clean, form, simplify, near),  # type: ignore[arg-type]
            vocabulary=words, split=corpus.Split.parse(split, contiguous, seed), papers=corpus.Papers(licence, consent),
            studio=studio, on_event=line,
        )  # fmt: skip
    finally:
        line.close()
    for part, counts in made.manifest["splits"].items():
        click.echo(f"{part:5} {counts['documents']:,} {counts['tokens']:,} {counts['characters']:,}")
