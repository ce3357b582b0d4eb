"""GGUF: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md

llama.cpp maps the file and believes its header; a hundred bytes have made such programs ask for gigabytes. Here every
count, text, list, shape and offset is held against the size of the file first.
"""

import math
import struct
from dataclasses import dataclass
from pathlib import Path

from mofang.models.formats.bounds import Broken, Cursor, opened

Value = str | int | float | bool

SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
WIDTHS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
TEXT, LIST = 8, 9

BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66),
    17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136),
    24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54),
    35: (256, 66), 39: (32, 17),
}  # fmt: skip
"""ggml's tensor types: how many values share a block, and the bytes of one."""

MOST_PAIRS, MOST_TENSORS, MOST_ITEMS, LONGEST_NAME, DEEPEST = 65_536, 65_536, 4_000_000, 65_535, 4


@dataclass(frozen=True)
class GGUFHeader:
    """What a model says of itself: plain values by key, tensors as name → shape (innermost side first), parameters in all.

    `lists` holds the lists of numbers and texts, where asked for; `places` each tensor's type and where its bytes begin;
    `pairs` how many keys there are, and where in the file they begin and end.
    """

    version: int
    values: dict[str, Value]
    tensors: dict[str, tuple[int, ...]]
    lists: dict[str, list[Value]]
    places: dict[str, tuple[int, int]]
    pairs: tuple[int, int, int]

    @property
    def parameters(self) -> int:
        """Numbers in all tensors together."""
        return sum(math.prod(shape) for shape in self.tensors.values())

    def text(self, key: str) -> str:
        """The value of `key` as text, or nothing."""
        value = self.values.get(key, "")
        return value if isinstance(value, str) else ""

    @property
    def context(self) -> int:
        """Tokens the model was trained to see at once; 0 if it does not say."""
        value = self.values.get(f"{self.text('general.architecture')}.context_length", 0)
        return value if isinstance(value, int) else 0


def gguf_header(path: Path, *, lists: bool = False) -> GGUFHeader:
    """The header of a GGUF file (version 2 or 3), checked against the file. Raises `UserError`.

    `lists` are kept only if asked for: a vocabulary is a quarter of a million texts.
    """
    with opened(path, "GGUF") as cursor:
        return _header(cursor, lists)


def _header(cursor: Cursor, keep: bool) -> GGUFHeader:
    if cursor.take(4) != b"GGUF":
        raise Broken("it does not begin with GGUF")
    version, count, pairs = cursor.unpack("<IQQ")
    begin = cursor.position
    if version not in (2, 3):
        raise Broken(f"its version {version} is unknown")
    # A tensor's entry takes at least 32 bytes and a pair 13: more than fit is a lie.
    if count > MOST_TENSORS or pairs > MOST_PAIRS or count * 32 + pairs * 13 > cursor.left:
        raise Broken("its counts do not fit into it")
    values: dict[str, Value] = {}
    lists: dict[str, list[Value]] = {}
    for _ in range(pairs):
        key = _text(cursor, LONGEST_NAME)
        value = _value(cursor, cursor.unpack("<I")[0], keep=keep)
        if isinstance(value, list):
            lists[key] = value
        elif value is not None:
            values[key] = value
    keys = pairs, begin, cursor.position
    alignment = values.get("general.alignment", 32)
    if not isinstance(alignment, int) or not 8 <= alignment <= 1 << 20 or alignment % 8:
        raise Broken("its alignment is none")
    entries = [_tensor(cursor) for _ in range(count)]
    start = -(-cursor.position // alignment) * alignment
    shapes: dict[str, tuple[int, ...]] = {}
    places: dict[str, tuple[int, int]] = {}
    for name, shape, kind, offset in entries:
        if name in shapes or offset % alignment or start + offset + _bytes(shape, kind) > cursor.end:
            raise Broken(f"its tensor {name[:60]!a} is not where the header says")
        shapes[name] = shape
        places[name] = kind, start + offset
    return GGUFHeader(version, values, shapes, lists, places, keys)


def _text(cursor: Cursor, longest: int) -> str:
    (length,) = cursor.unpack("<Q")
    if length > longest:
        raise Broken("a text is too long")
    return cursor.take(length).decode("utf-8", "replace")


def _value(cursor: Cursor, kind: int, depth: int = 0, keep: bool = False) -> Value | list[Value] | None:
    if kind in SCALARS:
        value: Value = cursor.unpack(SCALARS[kind])[0]
        return value
    if kind == TEXT:
        return _text(cursor, cursor.left)
    if kind != LIST or depth > DEEPEST:
        raise Broken("a value has an unknown type")
    item, count = cursor.unpack("<IQ")
    if item in WIDTHS:
        start = cursor.skip(count * WIDTHS[item])
        form = f"<{count}{SCALARS[item][1]}"
        return list(struct.unpack_from(form, cursor.data, start)) if keep else None
    cursor.items += count
    if count * 8 > cursor.left or cursor.items > MOST_ITEMS:
        raise Broken("a list is longer than the file, or than any vocabulary")
    texts: list[Value] = []
    for _ in range(count):
        if item != TEXT:
            _value(cursor, item, depth + 1)
        elif keep:
            texts.append(_text(cursor, cursor.left))
        else:
            cursor.skip(cursor.unpack("<Q")[0])
    return texts if keep and item == TEXT else None


def _tensor(cursor: Cursor) -> tuple[str, tuple[int, ...], int, int]:
    name = _text(cursor, LONGEST_NAME)
    (rank,) = cursor.unpack("<I")
    if rank > 4:
        raise Broken(f"a tensor has {rank} dimensions")
    shape = cursor.unpack(f"<{rank}Q")
    kind, offset = cursor.unpack("<IQ")
    return name, shape, kind, offset


def _bytes(shape: tuple[int, ...], kind: int) -> int:
    """Bytes a tensor takes. Of a type newer than this table: one bit a value, less than any quantisation keeps."""
    values, size = BLOCKS.get(kind, (8, 1))
    # Rows are padded to whole blocks.
    row = shape[0] if shape else 1
    return -(-row // values) * size * math.prod(shape[1:])
