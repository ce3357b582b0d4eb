"""`mofang make`: the main job."""

from pathlib import Path

import click

from mofang.cli.numbers import Real
from mofang.studio import Studio
from mofang.studio.words import say

ASPECTS = ("9:16", "16:9", "1:1")
STAGES = ("script", "storyboard", "pictures", "voices", "timeline", "render", "publish")


@click.command(help=say(
    "Make a film from SOURCE: a text file, a storyboard.json, or a brief in quotes.",
    "由 SOURCE 做成影片：文本文件、storyboard.json，或引号里的一句话。"))  # fmt: skip
@click.argument("source")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("out"),
    show_default=True,
    help=say("where pieces go", "成品放在哪里"),
)
@click.option("--aspect", type=click.Choice(ASPECTS), default=None, help=say("shape of the film [9:16]", "画幅 [9:16]"))
@click.option("--voice", default="", help=say("a name from: mofang speech voices", "音色名，见 mofang speech voices"))
@click.option("--speed", type=Real(0.5, 2.0), default=None, help=say("of the voice", "语速"))
@click.option(
    "--style", default="", help=say("art: noto, fluent, twemoji, openmoji", "画风：noto、fluent、twemoji、openmoji")
)
@click.option(
    "--pictures",
    type=click.Path(path_type=Path),
    default=None,
    help=say("a folder of your own pictures, in order", "你自己的图片文件夹，按顺序"),
)
@click.option("--image-engine", default="", help=say("paints the pictures: collage, sticker, own:MODEL, diffusers:PATH, openai:MODEL",
                                                     "画面引擎：collage、sticker、own:模型、diffusers:路径、openai:模型"))  # fmt: skip
@click.option("--music", default="", help=say("under the voice: score, none, a file, style=irish,mood=calm,tempo=90,key=Em, or "
                                              "transformers:MUSICGEN, with #words for it [score]",
                                              "配乐：score、none、文件、style=irish,mood=calm,tempo=90,key=Em，"
                                              "或 transformers:模型#描述"))  # fmt: skip
@click.option("--effects/--no-effects", default=None, help=say("rain, waves, bells … under the scenes that tell of them",
                                                               "场景提到雨声、海浪、钟声时，轻轻垫上音效"))  # fmt: skip
@click.option("--title", default="", help=say("instead of the text's own", "另取片名"))
@click.option("--author", default="", help=say("named under the title", "署名"))
@click.option("--seed", type=int, default=None, help=say("another number, other pictures", "换个数字换一套画面"))
@click.option(
    "--text-engine",
    default="",
    help=say("for briefs: gguf, gguf:FILE, own:NAME, transformers:PATH, openai:MODEL",
             "写稿引擎：gguf、gguf:文件、own:模型、transformers:路径、openai:模型"),
)
@click.option(
    "--scenes",
    type=click.IntRange(3, 40),
    default=8,
    show_default=True,
    help=say("of a film from a brief", "一句话成片的场景数"),
)
@click.option("--until", type=click.Choice(STAGES), default="publish", help=say("stop after a stage", "做到哪一步为止"))
@click.option(
    "--json", "as_json", is_flag=True, help=say("progress as JSON lines on stderr", "进度以 JSON 行输出到 stderr")
)
@click.pass_obj
def make(folder: Path, source: str, out: Path, aspect: str | None, voice: str, speed: float | None, style: str,
         pictures: Path | None, image_engine: str, music: str, effects: bool | None, title: str, author: str, seed: int | None,
         text_engine: str, scenes: int, until: str, as_json: bool) -> None:  # fmt: skip
    """Everything after the arguments is `mofang.apps.make`."""
    from mofang.apps.make.board import Wishes
    from mofang.apps.make.film import make as make_film
    from mofang.cli.terminal import Line, note

    line = Line(as_json)
    wishes = Wishes(title, author, voice, aspect or "", style, music, speed or 0.0, seed, pictures, image_engine, effects)
    try:
        done = make_film(
            Studio(folder), source, out, wishes, engine=text_engine, scenes=scenes, until=until, listen=line
        )
    finally:
        line.close()
    for each in done.notes:
        note(each)
    for file in done.files:
        click.echo(str(file))
