"""What was thrown away, and why: counts and a few examples, never all of it."""

from dataclasses import dataclass, field

EXAMPLES = 4
_CLIP = 100


@dataclass
class Dropped:
    """One reason: how many things, how many characters, and the first few."""

    count: int = 0
    characters: int = 0
    examples: list[str] = field(default_factory=list)


class Tally:
    """Reasons → what was dropped for them."""

    def __init__(self) -> None:
        self.reasons: dict[str, Dropped] = {}

    def drop(self, reason: str, example: str, characters: int | None = None, count: int = 1) -> None:
        """Count something dropped; `characters` if not all of the example's."""
        entry = self.reasons.setdefault(reason, Dropped())
        entry.count += count
        entry.characters += len(example) if characters is None else characters
        if len(entry.examples) < EXAMPLES:
            shown = " ".join(example[: 4 * _CLIP].split())
            if shown and shown[:_CLIP] not in entry.examples:
                entry.examples.append(shown[:_CLIP])

    def as_json(self) -> dict[str, dict[str, object]]:
        """For the manifest."""
        return {reason: {"count": entry.count, "characters": entry.characters, "examples": entry.examples}
                for reason, entry in self.reasons.items()}  # fmt: skip
