"""Numbers on the command line."""

import math
from typing import Any

import click


class Real(click.FloatRange):
    """A float in a range. `nan` lies outside every range, which comparisons alone do not see."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        if isinstance(found, float) and not math.isfinite(found):
            self.fail(f"{value} is no number", param, ctx)
        return found
