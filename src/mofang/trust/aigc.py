"""The implicit label of GB 45438-2025, appendix E: one JSON record that every made file carries."""

import json
import re
from dataclasses import dataclass

from mofang.studio.errors import UserError

FIELDS = {
    "Label": "label", "ContentProducer": "producer", "ProduceID": "produce_id", "ReservedCode1": "reserved1",
    "ContentPropagator": "propagator", "PropagateID": "propagate_id", "ReservedCode2": "reserved2",
}  # fmt: skip
NEEDED = {"Label", "ContentProducer", "ProduceID"}

# Printable ASCII without space, quote and backslash: the stricter reading of appendix E.
ALLOWED = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]*")


@dataclass(frozen=True)
class Record:
    """Who made it and under which number. `label` 1 says made by AI, 2 possibly, 3 suspected."""

    producer: str
    produce_id: str
    label: str = "1"
    propagator: str = ""
    propagate_id: str = ""
    reserved1: str = ""
    reserved2: str = ""

    def dumps(self) -> str:
        """The JSON as it stands in files. On first writing, whoever produced it also propagates it.

        Raises `UserError` if a field is empty that may not be, or has a character the standard does not allow.
        """
        values = {
            "Label": self.label, "ContentProducer": self.producer, "ProduceID": self.produce_id,
            "ReservedCode1": self.reserved1, "ContentPropagator": self.propagator or self.producer,
            "PropagateID": self.propagate_id or self.produce_id, "ReservedCode2": self.reserved2,
        }  # fmt: skip
        for field, value in values.items():
            if not ALLOWED.fullmatch(value) or (field in NEEDED and not value):
                shown = value[:40].encode("ascii", "backslashreplace").decode()
                raise UserError(f"the AI label's {field} cannot be '{shown}': use 1 or more letters, digits and signs, "
                                "without spaces, quotes or Chinese")  # fmt: skip
        return json.dumps(values, separators=(",", ":"))

    @classmethod
    def loads(cls, text: str) -> "Record":
        """Read a record, plain or wrapped in {"AIGC": …}. Raises `ValueError` saying what is wrong with it."""
        value = _parse(text)
        if isinstance(value, dict) and set(value) == {"AIGC"}:  # The wrapped form of annex B.
            value = value["AIGC"]
        if isinstance(value, str):
            raise ValueError("the AIGC label is JSON within JSON")
        if not isinstance(value, dict):
            raise ValueError("the AIGC label is not a JSON object")
        if unknown := sorted(set(value) - set(FIELDS)):
            raise ValueError(f"the AIGC label has an unknown field '{unknown[0][:40]}'")
        if missing := sorted(NEEDED - set(value)):
            raise ValueError(f"the AIGC label lacks {missing[0]}")
        for name, item in value.items():
            if not isinstance(item, str):
                raise ValueError(f"the AIGC label's {name} is not text")
            if not ALLOWED.fullmatch(item):
                raise ValueError(f"the AIGC label's {name} has characters the standard does not allow")
        record = cls(**{FIELDS[name]: item for name, item in value.items()})
        if record.label not in ("1", "2", "3"):
            raise ValueError(f"the AIGC label says Label '{record.label[:20]}', which must be 1, 2 or 3")
        if not record.producer or not record.produce_id.strip("0-"):
            raise ValueError("the AIGC label names no producer or no number")
        return record


def _parse(text: str) -> object:
    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError("the AIGC label says the same thing twice")
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        raise ValueError("the AIGC label is not JSON") from error
    except RecursionError as error:
        raise ValueError("the AIGC label is nested too deep") from error
