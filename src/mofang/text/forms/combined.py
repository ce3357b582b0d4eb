"""Several rules at once."""

from collections.abc import Sequence

from mofang.studio.errors import UserError
from mofang.studio.words import say
from mofang.text.forms.tokens import Mask
from mofang.text.sampling.constraint import Constraint


class Combined:
    """All of the rules: a token may come next if each of them lets it."""

    def __init__(self, rules: Sequence[Constraint]) -> None:
        self._rules = list(rules)

    @property
    def finished(self) -> bool:
        """Whether nothing may follow, because one of the rules says so."""
        return any(rule.finished for rule in self._rules)

    def mask(self) -> Mask | None:
        """Which tokens may come next, (size,). Raises `UserError` where the rules contradict each other."""
        masks = [mask for rule in self._rules if (mask := rule.mask()) is not None]
        if not masks:
            return None
        both = masks[0]
        for mask in masks[1:]:
            both = both & mask
        if not both.any():
            raise UserError(say("the forms asked for cannot all be kept here; ask for fewer of them",
                                "这几种格式在这里无法同时满足；请少用一种"))  # fmt: skip
        return both

    def push(self, token: int) -> None:
        """Go on by one token."""
        for rule in self._rules:
            rule.push(token)

    def copy(self) -> "Combined":
        return Combined([rule.copy() for rule in self._rules])
