"""safetensors: https://github.com/huggingface/safetensors#format"""

import json
import math
from pathlib import Path
from typing import Any

from mofang.models.formats.bounds import Broken, Cursor, opened

LONGEST_HEADER = 32 << 20
"""Bytes. The reference reader allows 100 MB; the header of a model of 100,000 tensors takes about ten."""

ITEM_BITS = {
    "F64": 64, "F32": 32, "F16": 16, "BF16": 16, "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U64": 64, "U32": 32,
    "U16": 16, "U8": 8, "BOOL": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "C64": 64, "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
}  # fmt: skip

NAN = {"F64": ("<u8", 0x7FF << 52), "F32": ("<u4", 0xFF << 23), "F16": ("<u2", 0x1F << 10), "BF16": ("<u2", 0xFF << 7)}
"""Floating types as unsigned integers, and their exponent bits: all of these set and a fraction too is no number."""


def safetensors_header(path: Path) -> dict[str, Any]:
    """The header, with every size and offset checked against the file before anything is read. Raises `UserError`."""
    with opened(path, "safetensors") as cursor:
        return _header(cursor)[0]


def not_numbers(path: Path) -> list[str]:
    """Names of the tensors that hold a NaN, as a training run that diverged leaves them. Raises `UserError`."""
    import numpy as np

    found = []
    with opened(path, "safetensors") as cursor:
        header, start = _header(cursor)
        for name, entry in header.items():
            if name == "__metadata__" or entry["dtype"] not in NAN:
                continue
            form, exponent = NAN[entry["dtype"]]
            unsigned = np.dtype(form).type((1 << (np.dtype(form).itemsize * 8 - 1)) - 1)
            step = 1 << 22
            first, last = (start + offset for offset in entry["data_offsets"])
            for position in range(first, last, step):
                bits = np.frombuffer(cursor.data[position : min(position + step, last)], form)
                if ((bits & unsigned) > exponent).any():
                    found.append(name)
                    break
    return found


def _header(cursor: Cursor) -> tuple[dict[str, Any], int]:
    """The header and where the data begin."""
    (length,) = cursor.unpack("<Q")
    if not 2 <= length <= min(LONGEST_HEADER, cursor.left):
        raise Broken("its header does not fit into it")
    try:
        header = json.loads(cursor.take(length).decode("utf-8"), object_pairs_hook=_once)
        spans = [_span(name, entry) for name, entry in header.items() if name != "__metadata__"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, MemoryError) as error:
        raise Broken(f"its header is broken: {str(error)[:100]!a}") from error
    position = 0
    for start, end in sorted(spans):
        if start != position:
            raise Broken("its tensors overlap or leave holes")
        position = end
    if position != cursor.left:
        raise Broken("its data are shorter or longer than its header says")
    return header, cursor.position


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _span(name: str, entry: dict[str, Any]) -> tuple[int, int]:
    shape, (start, end) = entry["shape"], entry["data_offsets"]
    if len(shape) > 32 or any(type(side) is not int or not 0 <= side < 1 << 48 for side in (*shape, start, end)):
        raise ValueError(f"{name[:60]} has a shape that is no shape")
    # As exact integers: 2^62 by 2^62 is not 0 here.
    if start > end or math.prod(shape) * ITEM_BITS[entry["dtype"]] != (end - start) * 8:
        raise ValueError(f"{name[:60]} has not the size of its shape")
    return start, end
