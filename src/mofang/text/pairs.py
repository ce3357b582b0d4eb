"""Pairs of texts, one to be turned into the other: read, cleaned, and split so that no source stands on both sides."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mofang.studio.errors import UserError
from mofang.text.decode import decode

Pair = tuple[str, str]

LARGEST = 2 << 30
"""Bytes of a file; one is read whole."""
HELD_OUT = 2000
"""Pairs held out at most."""
_NAMES = (("source", "target"), ("src", "tgt"), ("input", "output"), ("from", "to"), ("x", "y"))


@dataclass(frozen=True)
class Pairs:
    """What a file of pairs holds: `train`, `held_out`, and the SHA-256 of the file."""

    train: list[Pair]
    held_out: list[Pair]
    sha256: str


def read_pairs(path: Path) -> Pairs:
    """The pairs of a file, each once, in the order of the file.

    JSON lines (`{"source": …, "target": …}`, or a list of two) or lines of two texts with a tab between them. One source
    in twenty, at most `HELD_OUT`, is held out by its hash: the same ones whatever else is in the file. Raises `UserError`
    naming the line, and for fewer than 20 pairs.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise UserError(f"{path} is larger than {LARGEST >> 30} GB; split it and train on a part")
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}; give a file of pairs (JSON lines, or two texts and a tab)") from error
    text, _ = decode(data, path.name)
    pairs = list(dict.fromkeys(_lines(text, path)))
    if len(pairs) < 20:
        raise UserError(f"{path} holds {len(pairs)} pairs; give at least 20, thousands to learn well")
    ranked = sorted({source for source, _ in pairs}, key=lambda source: hashlib.sha256(source.encode()).digest())
    kept = set(ranked[: min(HELD_OUT, max(1, len(ranked) // 20))])
    return Pairs([pair for pair in pairs if pair[0] not in kept], [pair for pair in pairs if pair[0] in kept],
                 hashlib.sha256(data).hexdigest())  # fmt: skip


def _lines(text: str, path: Path) -> Iterator[Pair]:
    as_json = path.suffix in (".jsonl", ".ndjson", ".json") or text.lstrip().startswith(("{", "["))
    # Not splitlines: U+2028 and its like may stand inside a text.
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if not line.strip():
            continue
        pair = _from_json(line) if as_json else _from_tabs(line)
        if pair is None:
            expected = '{"source": …, "target": …}' if as_json else "two texts with a tab between them"
            raise UserError(f"{path}, line {number}: not a pair; write {expected}")
        source, target = (side.strip() for side in pair)
        if source and target:
            yield source, target


def _from_json(line: str) -> Pair | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict):
        value = next(([value[a], value[b]] for a, b in _NAMES if a in value and b in value), None)
    if isinstance(value, list) and len(value) == 2 and all(isinstance(side, str) for side in value):
        return _whole(value[0]), _whole(value[1])
    return None


def _whole(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _from_tabs(line: str) -> Pair | None:
    parts = line.split("\t")
    return (parts[0], parts[1]) if len(parts) == 2 else None
