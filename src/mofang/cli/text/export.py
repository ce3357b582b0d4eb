"""`mofang text export`: a model taken elsewhere, or brought in."""

from pathlib import Path

import click

from mofang.studio.words import say


@click.command(
    help=say(
        "Take MODEL elsewhere: write it to TARGET, a folder for Transformers, or a .gguf, .onnx or .keras file. "
        "With --from, bring a model in: mofang text export --from model.keras my-model",
        "把 MODEL 导出到 TARGET：给 Transformers 的文件夹，或 .gguf、.onnx、.keras 文件。"
        "用 --from 则导入：mofang text export --from model.keras my-model",
    )
)
@click.argument("model")
@click.argument("target", type=click.Path(path_type=Path), required=False)
@click.option("--to", type=click.Choice(["hf", "gguf", "onnx", "keras"]),
              help=say("the format, if TARGET's suffix does not say it", "格式（默认看 TARGET 的后缀）"))  # fmt: skip
@click.option("--dtype", help=say("how weights are kept: hf float32, bfloat16, float16; gguf f16, f32, bf16, q8_0",
                                  "权重精度：hf 可用 float32、bfloat16、float16；gguf 可用 f16、f32、bf16、q8_0"))  # fmt: skip
@click.option("--from", "origin", type=click.Path(path_type=Path),
              help=say("bring in this .keras or .gguf file or HF folder", "要导入的 .keras、.gguf 或 HF 文件夹"))  # fmt: skip
@click.option("--tokenizer", type=click.Path(path_type=Path),
              help=say("for a Keras file: a folder with tokenizer.json, or a text file with one token a line",
                       "Keras 文件的词表：含 tokenizer.json 的文件夹，或每行一个词元的文本"))  # fmt: skip
@click.pass_obj
def export(
    studio: Path, model: str, target: Path | None, to: str | None, dtype: str | None, origin: Path | None, tokenizer: Path | None
) -> None:
    """One model, out or in."""
    from mofang.models import own
    from mofang.studio.errors import UserError
    from mofang.text.export import bring
    from mofang.text.export import export as write

    if origin is not None:
        if target is not None or to or dtype:
            raise UserError("to bring a model in give its new folder only: mofang text export --from model.keras my-model")
        kind = bring(origin, Path(model), tokenizer)
        click.echo(say(f"{model}: brought in from {kind}", f"{model}：已从 {kind} 导入"))
        return
    if target is None or tokenizer is not None:
        raise UserError("give a model and where it shall go: mofang text export my-model my-model.gguf")
    kind = write(own.find(model, studio), target.expanduser(), to, dtype)  # type: ignore[arg-type]
    size = sum(path.stat().st_size for path in ([target] if target.is_file() else target.rglob("*")) if path.is_file())
    click.echo(f"{target}: {kind}, {size / 1e6:.1f} MB")
