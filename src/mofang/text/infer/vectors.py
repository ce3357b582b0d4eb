"""The vector instructions that own networks run on: products of packed weights with rows, and a fast exponential.

Weights are packed so that sixteen output channels lie side by side. A product then needs no sum across lanes, a loaded
weight serves up to eight rows, and every row is summed in the same order however many are computed together: a row of a
batch is bit for bit the row computed alone.

Written as LLVM vector code, because what a compiler makes of a scalar loop is luck. Every processor LLVM knows can run
it; where `vpdpbusd` exists (AVX512-VNNI, AVX-VNNI) the byte product is that instruction, with the same exact result.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import extending
from numba.core import cgutils, types

intrinsic: Any = extending.intrinsic  # takes the typing context away from the arguments that callers give

LANES = 16
"""Output channels side by side."""
BLOCK = 64
"""Inputs that share one scale, of the weights and of the activations."""

_F32, _I8, _I16, _I32, _I64 = ir.FloatType(), ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64)
_VF, _VI, _VB = ir.VectorType(_F32, LANES), ir.VectorType(_I32, LANES), ir.VectorType(_I8, 4 * LANES)


def _data(context: Any, builder: Any, kind: Any, array: Any, offset: Any, element: Any) -> Any:
    """The address of `array[offset]`."""
    start = context.make_array(kind)(context, builder, array).data
    return builder.gep(start, [offset], source_etype=element)


def _at(builder: Any, pointer: Any, index: Any, element: Any) -> Any:
    return builder.gep(pointer, [index], source_etype=element)


def _load(builder: Any, pointer: Any, kind: Any) -> Any:
    return builder.load(builder.bitcast(pointer, kind.as_pointer()), typ=kind, align=1)


def _widened(builder: Any, pointer: Any, short: bool) -> Any:
    if not short:
        return _load(builder, pointer, _VF)
    wide = builder.zext(_load(builder, pointer, ir.VectorType(_I16, LANES)), _VI)
    return builder.bitcast(builder.shl(wide, ir.Constant(_VI, [16] * LANES)), _VF)


def _splat(builder: Any, value: Any, vector: Any) -> Any:
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(_I32, 0))
    zeros = ir.Constant(ir.VectorType(_I32, vector.count), [0] * vector.count)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), zeros)


def _fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    # `contract` lets a processor with fused multiply-add use it, and one without do without.
    return builder.fadd(builder.fmul(a, b, flags=("contract",)), c, flags=("contract",))


def _dot4(context: Any, builder: Any, total: Any, weights: Any, x: Any) -> Any:
    """total[i] += Σ_j weights[4i+j]·x[j], weights unsigned bytes, x four signed bytes in one integer."""
    features = context.codegen().magic_tuple()[2]
    spread = _splat(builder, x, _VI)
    if "+avx512vnni" in features:
        signature = ir.FunctionType(_VI, (_VI, _VB, _VB))
        call = cgutils.get_or_insert_function(builder.module, signature, "llvm.x86.avx512.vpdpbusd.512")
        return builder.call(call, (total, weights, builder.bitcast(spread, _VB)))
    if "+avxvnni" in features:
        return _halves(builder, total, weights, builder.bitcast(spread, _VB))
    # The four bytes of each lane, taken apart by shifts.
    lanes = builder.bitcast(weights, _VI)
    for j in range(4):
        byte = builder.and_(builder.lshr(lanes, ir.Constant(_VI, [8 * j] * LANES)), ir.Constant(_VI, [255] * LANES))
        signed = builder.ashr(builder.shl(x, ir.Constant(_I32, 24 - 8 * j)), ir.Constant(_I32, 24))
        total = builder.add(total, builder.mul(byte, _splat(builder, signed, _VI)))
    return total


def _halves(builder: Any, total: Any, weights: Any, x: Any) -> Any:
    half, byte_half = ir.VectorType(_I32, 8), ir.VectorType(_I8, 32)
    signature = ir.FunctionType(half, (half, byte_half, byte_half))
    call = cgutils.get_or_insert_function(builder.module, signature, "llvm.x86.avx512.vpdpbusd.256")

    def part(vector: Any, first: int, count: int) -> Any:
        picked = ir.Constant(ir.VectorType(_I32, count), list(range(first, first + count)))
        return builder.shuffle_vector(vector, vector, picked)

    low, high = (builder.call(call, (part(total, 8 * h, 8), part(weights, 32 * h, 32), part(x, 32 * h, 32))) for h in (0, 1))
    return builder.shuffle_vector(low, high, ir.Constant(ir.VectorType(_I32, 16), list(range(16))))


def float_tile(rows: int, groups: int) -> Callable[..., None]:
    """`tile(w, at, stride, x, x_at, x_stride, inputs, out, out_at, out_stride)`: `rows` × `groups`·16 outputs.

    out[r, 16g+i] = Σ_k x[r, k] · w[at + g·stride + 16k + i], w in float32, or bfloat16 kept as uint16.
    """

    @intrinsic
    def tile(typingctx: Any, w: Any, at: Any, stride: Any, x: Any, x_at: Any, x_stride: Any, inputs: Any, out: Any,
             out_at: Any, out_stride: Any) -> Any:  # fmt: skip
        integer = types.int64
        given = (w, integer, integer, x, integer, integer, integer, out, integer, integer)

        def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            w_, at_, stride_, x_, x_at_, x_stride_, inputs_, out_, out_at_, out_stride_ = values
            short = w.dtype == types.uint16
            bases = _bases(context, builder, w, w_, at_, stride_, groups, _I16 if short else _F32)
            inputs_at = _bases(context, builder, x, x_, x_at_, x_stride_, rows, _F32)
            totals = [[cgutils.alloca_once_value(builder, ir.Constant(_VF, [0.0] * LANES)) for _ in range(groups)]
                      for _ in range(rows)]  # fmt: skip
            with cgutils.for_range(builder, inputs_, intp=_I64) as loop:
                offset = builder.mul(loop.index, ir.Constant(_I64, LANES))
                weights = [_widened(builder, _at(builder, base, offset, _I16 if short else _F32), short) for base in bases]
                for row in range(rows):
                    value = _splat(builder, _load(builder, _at(builder, inputs_at[row], loop.index, _F32), _F32), _VF)
                    for group in range(groups):
                        total = builder.load(totals[row][group], typ=_VF)
                        builder.store(_fma(builder, value, weights[group], total), totals[row][group])
            _store(context, builder, out, out_, out_at_, out_stride_, totals)
            return context.get_dummy_value()

        return types.void(*given), codegen

    return tile  # type: ignore[no-any-return]


def byte_tile(rows: int, groups: int) -> Callable[..., None]:
    """`tile(w, at, stride, scales, s_at, s_stride, x, x_at, x_stride, x_scales, x_sums, b_at, b_stride, blocks, out, …)`.

    out[r, 16g+i] = Σ_b scales[s_at + g·s_stride + 16b + i] · x_scales[r, b] · (x_sums[r, b] + Σ_k w[…] · x[r, 64b+k]).
    The weights are stored as unsigned bytes, 128 more than they are; `x_sums` = −128 · Σ x takes that off again.
    """

    @intrinsic
    def tile(typingctx: Any, w: Any, at: Any, stride: Any, scales: Any, s_at: Any, s_stride: Any, x: Any, x_at: Any,
             x_stride: Any, x_scales: Any, x_sums: Any, b_at: Any, b_stride: Any, blocks: Any, out: Any, out_at: Any,
             out_stride: Any) -> Any:  # fmt: skip
        n = types.int64
        given = (w, n, n, scales, n, n, x, n, n, x_scales, x_sums, n, n, n, out, n, n)

        def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            (w_, at_, stride_, scales_, s_at_, s_stride_, x_, x_at_, x_stride_, x_scales_, x_sums_, b_at_, b_stride_,
             blocks_, out_, out_at_, out_stride_) = values  # fmt: skip
            bases = _bases(context, builder, w, w_, at_, stride_, groups, _I8)
            scale_at = _bases(context, builder, scales, scales_, s_at_, s_stride_, groups, _F32)
            rows_at = _bases(context, builder, x, x_, x_at_, x_stride_, rows, _I8)
            x_scale_at = _bases(context, builder, x_scales, x_scales_, b_at_, b_stride_, rows, _F32)
            x_sum_at = _bases(context, builder, x_sums, x_sums_, b_at_, b_stride_, rows, _I32)
            totals = [[cgutils.alloca_once_value(builder, ir.Constant(_VF, [0.0] * LANES)) for _ in range(groups)]
                      for _ in range(rows)]  # fmt: skip
            with cgutils.for_range(builder, blocks_, intp=_I64) as loop:
                block = loop.index
                sums: list[list[Any]] = []
                for row in range(rows):
                    start = _load(builder, _at(builder, x_sum_at[row], block, _I32), _I32)
                    sums.append([_splat(builder, start, _VI)] * groups)
                for step in range(BLOCK // 4):
                    w_off = builder.add(builder.mul(block, ir.Constant(_I64, BLOCK * LANES)), ir.Constant(_I64, step * 4 * LANES))
                    x_off = builder.add(builder.mul(block, ir.Constant(_I64, BLOCK)), ir.Constant(_I64, step * 4))
                    weights = [_load(builder, _at(builder, base, w_off, _I8), _VB) for base in bases]
                    for row in range(rows):
                        four = _load(builder, _at(builder, rows_at[row], x_off, _I8), _I32)
                        for group in range(groups):
                            sums[row][group] = _dot4(context, builder, sums[row][group], weights[group], four)
                s_off = builder.mul(block, ir.Constant(_I64, LANES))
                scale = [_load(builder, _at(builder, base, s_off, _F32), _VF) for base in scale_at]
                for row in range(rows):
                    factor = _splat(builder, _load(builder, _at(builder, x_scale_at[row], block, _F32), _F32), _VF)
                    for group in range(groups):
                        value = builder.sitofp(sums[row][group], _VF)
                        total = builder.load(totals[row][group], typ=_VF)
                        both = builder.fmul(factor, scale[group])
                        builder.store(_fma(builder, value, both, total), totals[row][group])
            _store(context, builder, out, out_, out_at_, out_stride_, totals)
            return context.get_dummy_value()

        return types.void(*given), codegen

    return tile  # type: ignore[no-any-return]


def _bases(context: Any, builder: Any, kind: Any, array: Any, at: Any, stride: Any, count: int, element: Any) -> list[Any]:
    first = _data(context, builder, kind, array, at, element)
    return [_at(builder, first, builder.mul(stride, ir.Constant(_I64, index)), element) for index in range(count)]


def _store(context: Any, builder: Any, kind: Any, out: Any, at: Any, stride: Any, totals: list[list[Any]]) -> None:
    starts = _bases(context, builder, kind, out, at, stride, len(totals), _F32)
    for start, row in zip(starts, totals, strict=True):
        for group, total in enumerate(row):
            place = _at(builder, start, ir.Constant(_I64, group * LANES), _F32)
            builder.store(builder.load(total, typ=_VF), builder.bitcast(place, _VF.as_pointer()), align=4)


@intrinsic
def shorten(typingctx: Any, x: Any) -> Any:
    """A float32 rounded to bfloat16, as uint16; there are no infinities or NaN to keep."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        bits = builder.bitcast(values[0], _I32)
        odd = builder.and_(builder.lshr(bits, ir.Constant(_I32, 16)), ir.Constant(_I32, 1))
        rounded = builder.add(bits, builder.add(odd, ir.Constant(_I32, 0x7FFF)))
        return builder.trunc(builder.lshr(rounded, ir.Constant(_I32, 16)), _I16)

    return types.uint16(types.float32), codegen


@intrinsic
def quantise_block(typingctx: Any, x: Any, at: Any, codes: Any, c_at: Any, scales: Any, sums: Any, s_at: Any) -> Any:
    """64 numbers x[at…] as signed bytes codes[c_at…] = rint(x / s), s = max|x| / 127; scales[s_at] = s, sums[s_at] = −128 Σ codes."""
    given = (x, types.int64, codes, types.int64, scales, sums, types.int64)

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        x_, at_, codes_, c_at_, scales_, sums_, s_at_ = values

        def call(name: str, result: Any, *operands: Any) -> Any:
            kind = ir.FunctionType(result, [operand.type for operand in operands])
            return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), operands)

        start = _data(context, builder, x, x_, at_, _F32)
        parts = [_load(builder, _at(builder, start, ir.Constant(_I64, LANES * i), _F32), _VF) for i in range(BLOCK // LANES)]
        top = ir.Constant(_VF, [0.0] * LANES)
        for part in parts:
            size = call("llvm.fabs.v16f32", _VF, part)
            top = builder.select(builder.fcmp_ordered(">", size, top), size, top)
        largest = call("llvm.vector.reduce.fmax.v16f32", _F32, top)
        zero = ir.Constant(_F32, 0.0)
        inverse = builder.select(builder.fcmp_ordered(">", largest, zero), builder.fdiv(ir.Constant(_F32, 127.0), largest), zero)
        total = ir.Constant(_VI, [0] * LANES)
        target = _data(context, builder, codes, codes_, c_at_, _I8)
        narrow = ir.VectorType(_I8, LANES)
        for i, part in enumerate(parts):
            code = builder.fptosi(call("llvm.rint.v16f32", _VF, builder.fmul(part, _splat(builder, inverse, _VF))), _VI)
            total = builder.add(total, code)
            place = builder.bitcast(_at(builder, target, ir.Constant(_I64, LANES * i), _I8), narrow.as_pointer())
            builder.store(builder.trunc(code, narrow), place, align=1)
        scale = builder.fmul(largest, ir.Constant(_F32, 1 / 127))
        builder.store(scale, _data(context, builder, scales, scales_, s_at_, _F32))
        sum_ = builder.mul(call("llvm.vector.reduce.add.v16i32", _I32, total), ir.Constant(_I32, -128))
        builder.store(sum_, _data(context, builder, sums, sums_, s_at_, _I32))
        return context.get_dummy_value()

    return types.void(*given), codegen


@intrinsic
def exp(typingctx: Any, x: Any) -> Any:
    """e^x in float32 to 2 units in the last place, in a form that loops are vectorised over (Cephes' expf polynomial)."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        def number(value: float) -> Any:
            return ir.Constant(_F32, value)

        def bound(value: Any, limit: float, less: str) -> Any:
            return builder.select(builder.fcmp_ordered(less, value, number(limit)), number(limit), value)

        x = bound(bound(values[0], -87.0, "<"), 88.0, ">")
        rint = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_F32, (_F32,)), "llvm.rint.f32")
        n = builder.call(rint, (builder.fmul(x, number(1.44269504088896341)),))
        r = _fma(builder, n, number(-0.693359375), x)
        r = _fma(builder, n, number(2.12194440e-4), r)
        p = number(1.9875691500e-4)
        for c in (1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1):
            p = _fma(builder, p, r, number(c))
        p = builder.fadd(_fma(builder, builder.fmul(p, r), r, r), number(1.0))
        bits = builder.shl(builder.add(builder.fptosi(n, _I32), ir.Constant(_I32, 127)), ir.Constant(_I32, 23))
        return builder.fmul(p, builder.bitcast(bits, _F32))

    return types.float32(types.float32), codegen
