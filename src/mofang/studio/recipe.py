"""Everything needed to make an asset again."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

Json = Any
"""A JSON value: str, int, float, bool, None, or lists and string-keyed dictionaries of them."""


def canonical(value: Json) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text (after RFC 8785, without its number rules)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    # Half a character (a lone surrogate, what bytes that are no text become) stays what it is, in JSON's own spelling.
    return text.encode("utf-8", "backslashreplace").decode()


@dataclass(frozen=True)
class Recipe:
    """Engine, model, prompt, parameters, seed and parents of one asset.

    `engine` names the thing that runs (`collage`, `kokoro`, `gguf`…) and `version` its behaviour: raise it when the
    same recipe would give other bytes. `model` is `name@sha256` of the weights, empty for none. `prompt` is what was
    asked for, `params` the settings, `parents` the ids of assets that went in.
    """

    engine: str
    version: str
    model: str = ""
    prompt: Json = None
    params: Mapping[str, Json] = field(default_factory=dict)
    seed: int = 0
    parents: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """A plain dictionary that `from_json` reads back to an equal recipe."""
        return {**asdict(self), "params": dict(self.params), "parents": list(self.parents)}

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> "Recipe":
        """The recipe that `to_json` wrote."""
        return cls(**{**value, "parents": tuple(value["parents"])})

    @property
    def key(self) -> str:
        """SHA-256 of the canonical JSON, in hex: equal recipes have equal keys."""
        return hashlib.sha256(canonical(self.to_json()).encode()).hexdigest()
