"""ONNX: a protocol buffer (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), walked without loading it.

Checked: that every field lies inside the one that holds it, that a tensor's bytes are those of its shape, and that
external data stay in the model's folder (files have been read from elsewhere that way: CVE-2022-25882,
CVE-2024-27318).
"""

import math
from collections.abc import Iterator
from pathlib import Path

from mofang.models.card import is_inside
from mofang.models.formats.bounds import Broken, Cursor, opened

ITEM_BITS = {
    1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16,
    17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8,
}  # fmt: skip
"""Bits of one item by TensorProto.DataType."""

# Field numbers, by message.
MODEL_IR, MODEL_GRAPH, MODEL_FUNCTION = 1, 7, 25
GRAPH_NODE, GRAPH_TENSOR, GRAPH_SPARSE = 1, 5, 15
NODE_ATTRIBUTE, FUNCTION_NODE = 5, 7
ATTRIBUTE_TENSOR, ATTRIBUTE_GRAPH, ATTRIBUTE_TENSORS, ATTRIBUTE_GRAPHS = 5, 6, 10, 11
TENSOR_DIMS, TENSOR_TYPE, TENSOR_RAW, TENSOR_EXTERNAL = 1, 2, 9, 13

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MOST_FIELDS, DEEPEST = 5_000_000, 20


def check_onnx(path: Path) -> int:
    """How many operators the model has. Raises `UserError` for a file that lies about itself or reaches elsewhere."""
    with opened(path, "ONNX") as cursor:
        return _Walk().model(cursor)


def external_data(path: Path) -> list[Path]:
    """The files beside a model that hold its tensors. Raises `UserError` if one is missing, or as `check_onnx` does."""
    with opened(path, "ONNX") as cursor:
        walk = _Walk()
        walk.model(cursor)
        found = [path.parent / name for name in sorted(walk.beside)]
        if gone := next((each.name for each in found if not each.is_file()), None):
            raise Broken(f"its weights are in {gone[:80]}, which is not beside it")
        return found


class _Walk:
    """One pass over a model's fields, their number bounded so that a file of empty fields is no way to stop us."""

    def __init__(self) -> None:
        self.fields = 0
        self.nodes = 0
        self.beside: set[str] = set()

    def model(self, cursor: Cursor) -> int:
        seen = set()
        for field, value in self.walk(cursor):
            seen.add(field)
            if field == MODEL_GRAPH:
                self.graph(_message(value), 0)
            elif field == MODEL_FUNCTION:
                for inner, node in self.walk(_message(value)):
                    if inner == FUNCTION_NODE:
                        self.node(_message(node), 0)
        if not seen >= {MODEL_IR, MODEL_GRAPH}:
            raise Broken("it has no graph")
        return self.nodes

    def graph(self, cursor: Cursor, depth: int) -> None:
        if depth > DEEPEST:
            raise Broken("its graphs lie too deep")
        for field, value in self.walk(cursor):
            if field == GRAPH_NODE:
                self.node(_message(value), depth)
            elif field == GRAPH_TENSOR:
                self.tensor(_message(value))
            elif field == GRAPH_SPARSE:
                for inner, tensor in self.walk(_message(value)):
                    if inner in (1, 2):  # values, indices
                        self.tensor(_message(tensor))

    def node(self, cursor: Cursor, depth: int) -> None:
        self.nodes += 1
        for field, value in self.walk(cursor):
            if field != NODE_ATTRIBUTE:
                continue
            for inner, item in self.walk(_message(value)):
                if inner in (ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS):
                    self.graph(_message(item), depth + 1)
                elif inner in (ATTRIBUTE_TENSOR, ATTRIBUTE_TENSORS):
                    self.tensor(_message(item))

    def tensor(self, cursor: Cursor) -> None:
        dims: list[int] = []
        kind, raw, external = 0, None, False
        for field, value in self.walk(cursor):
            if field == TENSOR_DIMS:
                dims += [value] if isinstance(value, int) else _packed(value)
            elif field == TENSOR_TYPE and isinstance(value, int):
                kind = value
            elif field == TENSOR_RAW:
                raw = _message(value).left
            elif field == TENSOR_EXTERNAL:
                external = True
                self.external(_message(value))
        if len(dims) > 64 or any(side >= 1 << 48 for side in dims):
            raise Broken("a tensor has a shape that is no shape")
        count = math.prod(dims)
        if raw is not None and kind in ITEM_BITS and -(-count * ITEM_BITS[kind] // 8) != raw:
            raise Broken("a tensor has not the size of its shape")
        if raw is None and not external and count > 8 * len(cursor.data):
            raise Broken("a tensor is larger than the file")

    def external(self, cursor: Cursor) -> None:
        entry = {field: value.take(value.left) for field, value in self.walk(cursor) if isinstance(value, Cursor)}
        where = entry.get(2, b"").decode("utf-8", "replace")
        if entry.get(1) == b"location":
            if not is_inside(where):
                raise Broken("it asks for data outside its folder")
            self.beside.add(where)

    def walk(self, cursor: Cursor) -> Iterator[tuple[int, int | Cursor]]:
        """The fields of a message: numbers as they are, everything with a length as a place in the file."""
        while cursor.left:
            self.fields += 1
            if self.fields > MOST_FIELDS:
                raise Broken("it has too many fields")
            key = _varint(cursor)
            field, wire = key >> 3, key & 7
            if not 0 < field < 1 << 29:
                raise Broken("a field has no number")
            if wire == VARINT:
                yield field, _varint(cursor)
            elif wire == BYTES:
                length = _varint(cursor)
                start = cursor.skip(length)
                yield field, Cursor(cursor.data, start, start + length)
            elif wire in (FIXED32, FIXED64):
                cursor.skip(4 if wire == FIXED32 else 8)
            else:
                raise Broken("a field has no type")


def _message(value: int | Cursor) -> Cursor:
    if isinstance(value, int):
        raise Broken("a number stands where a message should")
    return value


def _varint(cursor: Cursor) -> int:
    result = 0
    for shift in range(0, 70, 7):
        if cursor.position >= cursor.end:
            break
        byte = cursor.data[cursor.position]
        cursor.position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result
    raise Broken("a number does not end")


def _packed(cursor: Cursor) -> list[int]:
    if cursor.left > 1024:
        raise Broken("a tensor has a shape that is no shape")
    found = []
    while cursor.left:
        found.append(_varint(cursor))
    return found
