"""A word on stderr for lines that a model did not write but remember."""

from collections.abc import Sequence
from pathlib import Path

import click

from mofang.studio.words import say


class Notice:
    """A `Progress` that says once why a first time takes longer."""

    def __init__(self) -> None:
        self._said = False

    def __call__(self, share: float, what: str) -> None:
        if not self._said:
            click.echo(say("indexing the training works, to know copied lines from now on",
                           "首次为训练作品建索引，以便认出抄来的句子"), err=True)  # fmt: skip
            self._said = True


def warn(folder: Path, studio: Path, prompt: str, texts: Sequence[str]) -> int:
    """Name the lines of `texts`, written by the model in `folder` after `prompt`, that stand in its training works.

    Returns how many there are; nothing is said if nothing is known of the works. Raises `UserError` for a damaged fingerprint.
    """
    from mofang.text.evaluate import known

    if (works := known(folder, studio, Notice())) is None:
        return 0
    found = dict.fromkeys(line for text in texts for line in works.warnings(prompt + text, len(prompt)))
    for line in found:
        click.echo(say(f"this line stands in the training works: {line}", f"这句与训练作品相同：{line}"), err=True)
    return len(found)
