"""Whose work went into an asset."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, order=True)
class Credit:
    """One attribution: what was used, by whom, under which licence (SPDX identifier) and where it comes from."""

    title: str
    author: str
    licence: str
    url: str = ""

    def to_json(self) -> dict[str, str]:
        """A plain dictionary for recipes and storyboards."""
        return asdict(self)

    def line(self) -> str:
        """As it stands in a film's credits."""
        return f"{self.title} · {self.author} · {self.licence}"
