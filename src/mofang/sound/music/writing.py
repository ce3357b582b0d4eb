"""Writing: events drawn from a model, bar by bar, under the grammar and what is asked of each bar."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mofang.sound.music import tokens
from mofang.sound.music.grammar import Grammar
from mofang.sound.music.network import Floats, Network
from mofang.sound.music.tasks import Sequence
from mofang.sound.sampling import nucleus
from mofang.studio.errors import UserError


@dataclass(frozen=True)
class Bar:
    """What is asked of bar `number` (0 …), with `left` to come after it: that it has these `events` (`bar` first), or is bar
    number `again` once more, or begins a `section`; closes the piece; holds its notes in (`tight`); plays the melody `fixed`, alone
    or with others between them (`free`): position → (pitch, −1 for any; duration, 0 for any)."""

    number: int
    left: int
    events: tuple[int, ...] = ()
    again: int | None = None
    section: int | None = None
    closing: bool = False
    tight: bool = False
    fixed: Mapping[int, tuple[int, int]] | None = None
    free: bool = False


@dataclass
class Writer:
    """Draws a piece. Equal generators draw equal pieces."""

    network: Network
    grammar: Grammar
    temperature: float
    top_p: float
    rng: np.random.Generator
    written: dict[int, list[int]] = field(default_factory=dict)

    def piece(self, heading: list[int], prompt: list[Sequence], bars: list[Bar]) -> list[int]:
        """The heading and the bars as events; `prompt` is heard before them. Raises `UserError` past the network's context."""
        self.network.length = 0
        self.written = {}
        try:
            self.logits: Floats = self.network.feed(heading, [(0, tokens.NEAR_END, 0)] * len(heading))
            for ids, places in prompt:
                self.logits = self.network.feed(ids.tolist(), places.tolist())
            return heading + [event for bar in bars for event in self._bar(bar)]
        except ValueError as error:
            most = self.network.context
            raise UserError(f"the piece is longer than the {most} events the model hears; ask for fewer bars") from error

    def _bar(self, bar: Bar) -> list[int]:
        self.grammar.begin_bar(bar.closing, bar.tight, bar.fixed, bar.free)
        self.ids = self.written[bar.number] = []
        self.bar, self.position = bar, 0
        self._say(tokens.BAR)
        known = bar.events or tuple(self.written[bar.again] if bar.again is not None and self._returns(bar) else ())
        if known and not bar.events and bar.section is not None:
            known = (known[0], tokens.token("section", bar.section), *known[1 + (tokens.KIND_OF[known[1]] == "section") :])
        if known:
            self._say(*known[1:])
            return self.ids
        if bar.section is not None:
            self._say(tokens.token("section", bar.section))
        while (event := self._drawn()) != tokens.BAR:
            self._say(event)
        return self.ids

    def _returns(self, bar: Bar) -> bool:
        """An upbeat's rests would tear a hole in the middle: what leads back is new. So is a last bar, which closes."""
        assert bar.again is not None
        return not bar.closing and not (bar.again == 0 and self._upbeat(self.written[0]))

    def _upbeat(self, events: list[int]) -> bool:
        """Whether nothing sounds on the first beat of a bar."""
        first = next((event for event in events if tokens.KIND_OF[event] == "position"), None)
        return first is None or tokens.value(first) >= self.grammar.metre.beat

    def _say(self, *events: int) -> None:
        places = []
        for event in events:
            if tokens.KIND_OF[event] == "position":
                self.position = tokens.value(event) + 1
            if event != tokens.BAR:
                self.grammar.take(event)
            self.ids.append(event)
            places.append((min(self.bar.number + 1, tokens.MOST_BARS), min(self.bar.left, tokens.NEAR_END), self.position))
        if events:
            self.logits = self.network.feed(events, places)

    def preferred(self) -> NDArray[np.float64] | float:
        """What is added to the logits of the next event, (V,)."""
        return 0.0

    def _drawn(self) -> int:
        """An event by nucleus sampling among those allowed."""
        wanted = self.logits.astype(np.float64) + self.preferred()
        return nucleus(np.where(self.grammar.mask(), wanted, -np.inf), self.rng, self.temperature, self.top_p)
