"""A group of commands that are imported when they are called."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from mofang.studio.words import say

Table = Mapping[str, tuple[str, str, str]]
"""Command → (where it lives as `module:attribute`, what it does in English, in Chinese)."""


class Lazy(click.Group):
    """Help reads the table `commands_at`, so that it imports nothing."""

    def __init__(self, *, commands_at: Table, **settings: Any) -> None:
        super().__init__(**settings)
        self._table = commands_at

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._table)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self._table:
            return None
        module, attribute = self._table[name][0].split(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(say("Commands", "命令")):
            formatter.write_dl([(name, say(en, zh)) for name, (_, en, zh) in self._table.items()])
