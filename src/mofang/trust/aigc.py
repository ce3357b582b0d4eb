"""The implicit label of GB 45438-2025, appendix E: one JSON record that every made file carries."""

import json
import re
from dataclasses import dataclass

from mofang.studio.errors import UserError

FIELDS = {
    "Label": "label", "ContentProducer": "producer", "ProduceID": "produce_id", "ReservedCode1": "reserved1",
    "ContentPropagator": "propagator", "PropagateID": "propagate_id", "ReservedCode2": "reserved2",
}  # fmt: skip

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
        """The JSON as it stands in files. On first writing, whoever produced it also propagates it."""
        values = {
            "Label": self.label, "ContentProducer": self.producer, "ProduceID": self.produce_id,
            "ReservedCode1": self.reserved1, "ContentPropagator": self.propagator or self.producer,
            "PropagateID": self.propagate_id or self.produce_id, "ReservedCode2": self.reserved2,
        }  # fmt: skip
        for field, value in values.items():
            if not ALLOWED.fullmatch(value):
                raise UserError(
                    f"the AI label's {field} may hold only letters, digits and signs without spaces or Chinese, "
                    f"not '{value[:40]}'; set producer = \"your-name\" in the studio's studio.toml"
                )
        return json.dumps(values, separators=(",", ":"))

    @classmethod
    def loads(cls, text: str) -> "Record":
        """Read a record. Raises `ValueError` saying what is wrong with it, for `verify` to tell."""
        value = json.loads(text)
        if isinstance(value, dict) and set(value) == {"AIGC"}:  # The wrapped form of annex B.
            value = value["AIGC"]
        if not isinstance(value, dict):
            raise ValueError("the AIGC label is not a JSON object")
        if unknown := sorted(set(value) - set(FIELDS)):
            raise ValueError(f"the AIGC label has an unknown field '{unknown[0][:40]}'")
        if any(not isinstance(item, str) for item in value.values()):
            raise ValueError("the AIGC label has a field that is not text")
        record = cls(**{FIELDS[name]: item for name, item in value.items() if name in FIELDS}) if {
            "ContentProducer", "ProduceID", "Label"} <= set(value) else None  # fmt: skip
        if record is None:
            raise ValueError("the AIGC label lacks Label, ContentProducer or ProduceID")
        if record.label not in ("1", "2", "3") or not record.producer or not record.produce_id.strip("0-"):
            raise ValueError("the AIGC label is filled in wrongly")
        if any(not ALLOWED.fullmatch(item) for item in value.values()):
            raise ValueError("the AIGC label has characters the standard does not allow")
        return record
