"""Hostile weights: refused by content, whatever they are called, without running them or believing their numbers."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models_shelf import quiet, shelf  # noqa: F401
from mofang import models
from mofang.models.formats.pickles import holds_pickle
from mofang.models.safety import (
    check_file,
    check_onnx,
    check_weights,
    gguf_header,
    not_numbers,
    safetensors_header,
)
from mofang.studio import UserError

RAN = "a pickle ran"


class Bomb:
    def __reduce__(self):
        return (print, (RAN,))


class Built:
    """Harm by BUILD and NEWOBJ, with no REDUCE."""

    def __init__(self):
        self.x = 1


def write(folder: Path, data: bytes, name: str = "model.bin") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


# -- pickles -------------------------------------------------------------------------------------------------------------


def zipped(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


def array(value: np.ndarray, **names: np.ndarray) -> bytes:
    out = io.BytesIO()
    if names:
        np.savez(out, **names)
    else:
        np.save(out, value, allow_pickle=True)
    return out.getvalue()


LONG = b"\x8d" + struct.pack("<Q", 5000) + b"x" * 5000 + b"0"
"""BINUNICODE8 and POP: what a scanner that looks at a window sees instead of the rest."""

PICKLES = {
    **{f"protocol {number}": pickle.dumps(Bomb(), number) for number in range(6)},
    **{f"built, protocol {number}": pickle.dumps(Built(), number) for number in range(6)},
    "torch, zipped": zipped("archive/data.pkl", pickle.dumps(Bomb())),
    "innocent name": zipped("readme.txt", pickle.dumps(Bomb())),
    "a pickle deep in padding": LONG * 300 + pickle.dumps(Bomb(), 0),
    "no end": pickle.dumps(Bomb(), 0)[:-1],
    "garbage after the harm": pickle.dumps(Bomb(), 0)[:-1] + b"\xff\xff",
    "zipped behind padding": zipped("x", b"X" + struct.pack("<I", 1 << 21) + bytes(1 << 21) + pickle.dumps(Bomb(), 0)),
    "os.system by INST": b"(S'true'\nios\nsystem\n.",
    "extension registry": b"\x80\x02\x82\x01)R.",
    "persistent id": b"Pwhatever\n)R.",
    "array of objects": array(np.array([Bomb()], dtype=object)),
    "archive of arrays of objects": array(np.zeros(1), a=np.zeros(3), b=np.array([Bomb()], dtype=object)),
    "structured array of objects": array(np.zeros(1, dtype=[(f"field{n}", "f4") for n in range(30)] + [("o", "O")])),
    "gzip": gzip.compress(pickle.dumps(Bomb())),
    "zlib": zlib.compress(pickle.dumps(Bomb(), 0)),
    "bz2": bz2.compress(pickle.dumps(Bomb())),
    "xz": lzma.compress(pickle.dumps(Bomb())),
    "not quite a zip": b"PK\x03\x04 but not a zip",
}


@pytest.mark.parametrize("name", ["model.bin", "model.Safetensors", "model.pt", "weights"])
@pytest.mark.parametrize("data", PICKLES.values(), ids=PICKLES.keys())
def test_pickles_are_refused_whatever_they_are_called(tmp_path, capsys, data, name):
    path = write(tmp_path, data, name)
    for check in (check_weights, check_file):
        with pytest.raises(UserError):
            check(path)
    assert RAN not in capsys.readouterr().out


def test_a_pickle_in_a_model_is_refused_though_its_hash_is_pinned(shelf, tmp_path):  # noqa: F811
    data = pickle.dumps(Bomb())
    write(tmp_path, data, "evil")
    shelf.card(f'{{ file = "{tmp_path}/evil" }}', data, file="model.bin")
    with pytest.raises(UserError, match="pickle"):
        models.ensure("toy", notify=quiet)
    assert not list(shelf.cache.rglob("model.bin"))


@pytest.mark.parametrize("data", [
    b"", b"I am a text.\nIt goes on.\n", b"cats\nare not modules\nRight.", b'{"json": 1}', b"[1, 2]", b"(a) one\n(b) two\n",
    np.arange(1000, dtype="<f4").tobytes(), np.random.default_rng(1).normal(size=5000).astype("<f4").tobytes(),
    array(np.zeros((3, 3))), zipped("notes.txt", b"only words"), gzip.compress(b"only words"), "第一章\n".encode(),
    b"wOF2\x00\x01\x00\x00" + bytes(100), bytes(100), b"x\x9c but not zlib",
])  # fmt: skip
def test_what_is_no_pickle_is_let_through(tmp_path, data):
    assert not holds_pickle(write(tmp_path, data))


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_a_verdict(tmp_path, data):
    for lead in (b"", b"\x80\x04", b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"\x1f\x8b\x08", b"c"):
        holds_pickle(write(tmp_path, lead + data))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.recursive(st.none() | st.integers() | st.text() | st.binary() | st.floats(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)), st.integers(0, 5))  # fmt: skip
def test_no_data_hide_a_call_that_follows(tmp_path, value, protocol):
    """Whatever harmless objects come first, in the same pickle, the call at its end is found."""
    assert holds_pickle(write(tmp_path, pickle.dumps([value, Bomb()], protocol)))


# -- safetensors ---------------------------------------------------------------------------------------------------------


def safetensors(header: object, data: bytes = b"") -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + data


def tensor(dtype: str, shape: list, start: int, end: int) -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


WHOLE = safetensors({"__metadata__": {"format": "pt"}, "a": tensor("F32", [2, 2], 0, 16), "b": tensor("BF16", [3], 16, 22)},
                    np.arange(4, dtype="<f4").tobytes() + bytes(6))  # fmt: skip


def test_whole_safetensors_pass(tmp_path):
    path = write(tmp_path, WHOLE, "anything")
    assert check_weights(path) == "safetensors" and safetensors_header(path)["a"]["shape"] == [2, 2]


@pytest.mark.parametrize("data", [
    b"", b"\xff" * 8, safetensors(b"[]"), safetensors(b"{"), safetensors(b"{}", b"extra"), WHOLE[:-1], WHOLE + b"x",
    struct.pack("<Q", 1 << 63) + b"{}", struct.pack("<Q", 200_000_000) + b"{}",
    safetensors({"a": tensor("F32", [1 << 62, 1 << 62], 0, 4)}, bytes(4)),
    safetensors({"a": tensor("F32", [1 << 31, 1 << 31, 4], 0, 0)}),
    safetensors({"a": tensor("F32", [-1], 0, 4)}, bytes(4)), safetensors({"a": tensor("F32", [True], 0, 4)}, bytes(4)),
    safetensors({"a": tensor("F32", [1.0], 0, 4)}, bytes(4)), safetensors({"a": tensor("F32", [1], 0, 4)}, bytes(3)),
    safetensors({"a": tensor("F32", [1], 4, 8)}, bytes(8)), safetensors({"a": tensor("F32", [1], 4, 0)}, bytes(4)),
    safetensors({"a": tensor("XX", [1], 0, 4)}, bytes(4)), safetensors({"a": tensor("F32", [10**4000] * 99, 0, 4)}, bytes(4)),
    safetensors({"a": tensor("F32", [1], 0, 4), "b": tensor("F32", [1], 0, 4)}, bytes(4)),
    safetensors(b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "a": 1}', bytes(4)),
    safetensors(b"[" * 100_000), safetensors(b'{"a":' * 50_000), safetensors('{"\ud800":1}'.encode("utf-8", "surrogatepass")),
    safetensors(b'{"\\ud800": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}', bytes(4)),
    safetensors(json.dumps({}).encode("utf-16")),
])  # fmt: skip
def test_broken_safetensors_are_refused_in_one_line_that_prints(tmp_path, data):
    path = write(tmp_path, data, "model.safetensors")
    for check in (check_weights, check_file, safetensors_header):
        with pytest.raises(UserError) as caught:
            check(path)
        str(caught.value).encode("utf-8")


@pytest.mark.parametrize(("dtype", "bits"), [("F32", "<u4"), ("F16", "<u2"), ("BF16", "<u2"), ("F64", "<u8")])
def test_values_that_are_no_numbers_are_found(tmp_path, dtype, bits):
    exponent = {"F32": 0xFF << 23, "F16": 0x1F << 10, "BF16": 0xFF << 7, "F64": 0x7FF << 52}[dtype]
    sign = 1 << (np.dtype(bits).itemsize * 8 - 1)
    size = np.dtype(bits).itemsize

    def path(*values: int) -> Path:
        data = np.array([0, 1, sign, *values], bits).tobytes()
        return write(tmp_path, safetensors({"w": tensor(dtype, [3 + len(values)], 0, (3 + len(values)) * size)}, data))

    assert not_numbers(path(exponent, exponent | sign)) == []  # Infinities stand in masks.
    assert not_numbers(path(exponent | 1)) == ["w"] and not_numbers(path(exponent | sign | 1)) == ["w"]
    with pytest.raises(UserError, match="no numbers"):
        check_weights(path(exponent | 1))


# -- GGUF ----------------------------------------------------------------------------------------------------------------


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def gguf(pairs: bytes = b"", count: int = 0, tensors: bytes = b"", number: int = 0, data: bytes = b"", version: int = 3) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", version, number, count) + pairs + tensors
    return head + bytes(-len(head) % 32) + data


ARCHITECTURE = text("general.architecture") + struct.pack("<I", 8) + text("llama")
CONTEXT = text("llama.context_length") + struct.pack("<II", 4, 2048)
TOKENS = text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 2) + text("小") + text("b")
ROW = text("w") + struct.pack("<IQQIQ", 2, 32, 2, 8, 0)  # Q8_0, two rows of one block: 68 bytes
MODEL = gguf(ARCHITECTURE + CONTEXT + TOKENS, 3, ROW, 1, bytes(68))


def test_a_whole_gguf_says_what_it_is(tmp_path):
    path = write(tmp_path, MODEL, "any.bin")
    header = gguf_header(path)
    assert check_weights(path) == "gguf" and header.text("general.architecture") == "llama"
    assert (header.context, header.parameters, header.tensors) == (2048, 64, {"w": (32, 2)})


@pytest.mark.parametrize("data", [
    b"GGUF", b"GGUF\x03", gguf(version=1), gguf(version=1 << 30), MODEL[:-1], MODEL[:100],
    b"GGUF" + struct.pack("<IQQ", 3, 1 << 40, 1), b"GGUF" + struct.pack("<IQQ", 3, 1, 1 << 60),
    gguf(struct.pack("<Q", 1 << 62), 1), gguf(text("k") + struct.pack("<I", 99), 1),
    gguf(text("k") + struct.pack("<IIQ", 9, 4, 1 << 61), 1, data=bytes(64)),
    gguf(text("k") + struct.pack("<IIQ", 9, 8, 1 << 61), 1, data=bytes(64)),
    gguf(text("k") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 50, 1, data=bytes(64)),
    gguf(text("general.alignment") + struct.pack("<II", 4, 0), 1, data=bytes(64)),
    gguf(text("general.alignment") + struct.pack("<I", 8) + text("x"), 1, data=bytes(64)),
    gguf(b"", 0, text("w") + struct.pack("<I", 1 << 31), 1, bytes(64)),
    gguf(b"", 0, text("w") + struct.pack("<IQQQQIQ", 4, 1 << 62, 1 << 62, 4, 4, 0, 0), 1, bytes(64)),
    gguf(b"", 0, text("w") + struct.pack("<IQIQ", 1, 8, 0, 1 << 62), 1, bytes(64)),
    gguf(b"", 0, text("w") + struct.pack("<IQIQ", 1, 8, 0, 1), 1, bytes(64)),
    gguf(b"", 0, text("w") + struct.pack("<IQIQ", 1, 1 << 40, 77, 0), 1, bytes(64)),
    gguf(b"", 0, ROW + ROW, 2, bytes(68)),
])  # fmt: skip
def test_a_small_gguf_cannot_ask_for_much(tmp_path, data):
    path = write(tmp_path, data, "model.gguf")
    tracemalloc.start()
    try:
        for check in (check_weights, check_file, gguf_header):
            with pytest.raises(UserError):
                check(path)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


# -- ONNX ----------------------------------------------------------------------------------------------------------------


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def onnx(*parts: bytes) -> bytes:
    return field(1, 9) + field(7, b"".join(parts))


def weights(dims: list[int], raw: bytes, kind: int = 1) -> bytes:
    return b"".join(field(1, side) for side in dims) + field(2, kind) + field(9, raw)


def external(where: str) -> bytes:
    return field(1, 4) + field(2, 1) + field(13, field(1, b"location") + field(2, where.encode())) + field(14, 1)


NODE = field(1, field(1, b"x") + field(4, b"Relu"))
NETWORK = onnx(NODE, NODE, field(5, weights([2, 3], bytes(24))))


def nested(depth: int) -> bytes:
    graph = NODE
    for _ in range(depth):
        graph = field(1, field(5, field(6, graph)))
    return onnx(graph)


def test_a_whole_onnx_model_passes(tmp_path):
    path = write(tmp_path, NETWORK)
    assert check_weights(path) == "onnx" and check_onnx(path) == 2
    check_file(write(tmp_path, onnx(field(5, external("weights.data")))))
    assert check_onnx(write(tmp_path, nested(3))) == 4


@pytest.mark.parametrize("data", [
    b"", b"\x08", b"\x08\x09", NETWORK[:-1], NETWORK + b"\x3a\xff\xff\xff\xff\x0f", field(1, 9) + b"\x07", b"\xff" * 40,
    onnx(field(5, weights([2, 3], bytes(23)))), onnx(field(5, weights([1 << 62, 1 << 62], bytes(4)))),
    onnx(field(5, weights([1 << 63], b""))), onnx(field(5, field(1, 1 << 40) + field(2, 1))),
    onnx(field(5, field(1, b"\x80" * 2000) + field(2, 1))), onnx(field(5, b"".join(field(1, 1) for _ in range(99)))),
    *(onnx(field(5, external(where))) for where in ("../../etc/passwd", "/etc/passwd", "a/../../b", "C:\\x", "..\\x", "")),
    onnx(field(1, field(5, field(5, external("/etc/shadow"))))), onnx(field(15, field(1, external("/etc/shadow")))),
    nested(25),
])  # fmt: skip
def test_onnx_that_lies_or_reaches_elsewhere_is_refused(tmp_path, data):
    path = write(tmp_path, data, "model.onnx")
    for check in (check_weights, check_file, check_onnx):
        with pytest.raises(UserError):
            check(path)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from([WHOLE, MODEL, NETWORK, nested(4)]), st.integers(0, 1000),
       st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=5), st.binary(max_size=40))  # fmt: skip
def test_mutated_headers_never_crash_nor_allocate(tmp_path, whole, cut, changes, tail):
    data = bytearray(whole[: len(whole) - cut % 50] + tail)
    for position, value in changes:
        if data:
            data[position % len(data)] = value
    for name in ("m.bin", "m.gguf", "m.safetensors", "m.onnx"):
        path = write(tmp_path, bytes(data), name)
        tracemalloc.start()
        try:
            for reader in (check_weights, check_file):
                try:
                    reader(path)
                except UserError as error:
                    assert "\n" not in str(error)
            assert tracemalloc.get_traced_memory()[1] < 8_000_000
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("path", ["/", "/no/such/file", "/proc/self/mem"])
def test_what_is_no_file_is_a_user_error(path):
    for check in (check_weights, check_file, gguf_header, safetensors_header, check_onnx):
        with pytest.raises(UserError):
            check(Path(path))


@pytest.mark.models
def test_real_models_pass(tmp_path):
    assert check_weights(models.ensure("kokoro-82m").file("model")) == "onnx"
