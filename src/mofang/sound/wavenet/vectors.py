"""The vector instructions of a WaveNet's step, as LLVM code: products, the gate, the exponential.

A product adds its terms one after another with fused multiply-adds, sixteen output channels to a vector, however many
rows are computed together. A row of the batch is therefore bit for bit the row computed alone, which is what makes
the cached evaluation equal to the naive one.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import extending
from numba.core import cgutils, types

intrinsic: Any = extending.intrinsic  # takes the typing context away from the arguments that callers give

LANES = 16
"""Output channels side by side."""

_F32, _I32, _I64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)
_VF, _VI = ir.VectorType(_F32, LANES), ir.VectorType(_I32, LANES)


def _data(context: Any, builder: Any, kind: Any, array: Any, offset: Any) -> Any:
    """The address of `array[offset]` in a flat float32 array."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [offset], source_etype=_F32)


def _at(builder: Any, pointer: Any, index: Any) -> Any:
    return builder.gep(pointer, [index], source_etype=_F32)


def _load(builder: Any, pointer: Any) -> Any:
    return builder.load(builder.bitcast(pointer, _VF.as_pointer()), typ=_VF, align=4)


def _store(builder: Any, value: Any, pointer: Any) -> None:
    builder.store(value, builder.bitcast(pointer, _VF.as_pointer()), align=4)


def _splat(builder: Any, value: Any) -> Any:
    first = builder.insert_element(ir.Constant(_VF, ir.Undefined), value, ir.Constant(_I32, 0))
    return builder.shuffle_vector(first, ir.Constant(_VF, ir.Undefined), ir.Constant(_VI, [0] * LANES))


def _call(builder: Any, name: str, *operands: Any) -> Any:
    kind = ir.FunctionType(operands[0].type, [operand.type for operand in operands])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), operands)


def _fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    # Not fmul and fadd that may be contracted: whether they are would depend on the code around them.
    return _call(builder, "llvm.fma.v16f32", a, b, c)


def _number(value: float) -> Any:
    return ir.Constant(_VF, [value] * LANES)


def tile(rows: int, groups: int, unroll: int) -> Callable[..., None]:
    """`tile(w, at, step, x, x_at, x_stride, inputs, out, out_at, out_stride)`: `rows` × `groups`·16 outputs.

    out[r, 16g+i] += Σ_k x[r, k] · w[at + k·step + 16g + i]; `inputs` is a multiple of `unroll`. All arrays are flat.
    """

    @intrinsic
    def product(typingctx: Any, w: Any, at: Any, step: Any, x: Any, x_at: Any, x_stride: Any, inputs: Any, out: Any,
                out_at: Any, out_stride: Any) -> Any:  # fmt: skip
        n = types.int64
        given = (w, n, n, x, n, n, n, out, n, n)

        def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            w_, at_, step_, x_, x_at_, x_stride_, inputs_, out_, out_at_, out_stride_ = values
            weights = _data(context, builder, w, w_, at_)
            first = _data(context, builder, x, x_, x_at_)
            target = _data(context, builder, out, out_, out_at_)
            sources = [_at(builder, first, builder.mul(x_stride_, ir.Constant(_I64, row))) for row in range(rows)]
            places = [[_at(builder, target, builder.add(builder.mul(out_stride_, ir.Constant(_I64, row)),
                                                        ir.Constant(_I64, LANES * group)))
                       for group in range(groups)] for row in range(rows)]  # fmt: skip
            totals = [[cgutils.alloca_once_value(builder, _load(builder, place)) for place in line] for line in places]
            with cgutils.for_range(builder, builder.sdiv(inputs_, ir.Constant(_I64, unroll)), intp=_I64) as loop:
                for part in range(unroll):
                    k = builder.add(builder.mul(loop.index, ir.Constant(_I64, unroll)), ir.Constant(_I64, part))
                    line = _at(builder, weights, builder.mul(k, step_))
                    vectors = [_load(builder, _at(builder, line, ir.Constant(_I64, LANES * g))) for g in range(groups)]
                    for row in range(rows):
                        value = _splat(builder, builder.load(_at(builder, sources[row], k), typ=_F32))
                        for group in range(groups):
                            total = builder.load(totals[row][group], typ=_VF)
                            builder.store(_fma(builder, value, vectors[group], total), totals[row][group])
            for row in range(rows):
                for group in range(groups):
                    _store(builder, builder.load(totals[row][group], typ=_VF), places[row][group])
            return context.get_dummy_value()

        return types.void(*given), codegen

    return product  # type: ignore[no-any-return]


def _exp(builder: Any, x: Any) -> Any:
    """e^x for x in ±87, to 2 units in the last place (the polynomial of Cephes' expf)."""
    x = _call(builder, "llvm.maxnum.v16f32", _call(builder, "llvm.minnum.v16f32", x, _number(87.0)), _number(-87.0))
    n = _call(builder, "llvm.rint.v16f32", builder.fmul(x, _number(1.44269504088896341)))
    r = _fma(builder, n, _number(-0.693359375), x)
    r = _fma(builder, n, _number(2.12194440e-4), r)
    p = _number(1.9875691500e-4)
    for c in (1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1):
        p = _fma(builder, p, r, _number(c))
    p = builder.fadd(_fma(builder, builder.fmul(p, r), r, r), _number(1.0))
    bits = builder.shl(builder.add(builder.fptosi(n, _VI), ir.Constant(_VI, [127] * LANES)), ir.Constant(_VI, [23] * LANES))
    return builder.fmul(p, builder.bitcast(bits, _VF))


@intrinsic
def gated(typingctx: Any, x: Any, at: Any, channels: Any, out: Any, out_at: Any) -> Any:
    """out[out_at + i] = tanh(x[at + i]) · σ(x[at + channels + i]), equation 2 of the paper, for i < channels."""
    n = types.int64

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        x_, at_, channels_, out_, out_at_ = values
        filters = _data(context, builder, x, x_, at_)
        target = _data(context, builder, out, out_, out_at_)
        with cgutils.for_range(builder, builder.sdiv(channels_, ir.Constant(_I64, LANES)), intp=_I64) as loop:
            i = builder.mul(loop.index, ir.Constant(_I64, LANES))
            f = _load(builder, _at(builder, filters, i))
            g = _load(builder, _at(builder, filters, builder.add(i, channels_)))
            # tanh f · σ(g) = (1 − A) / ((1 + A)(1 + B)), A = e^−2f, B = e^−g: one division. Beyond ±15 tanh is ±1, and
            # the product below the line stays finite.
            f = _call(builder, "llvm.maxnum.v16f32", _call(builder, "llvm.minnum.v16f32", f, _number(15.0)), _number(-15.0))
            g = _call(builder, "llvm.maxnum.v16f32", g, _number(-45.0))
            a = _exp(builder, builder.fmul(f, _number(-2.0)))
            b = _exp(builder, builder.fmul(g, _number(-1.0)))
            below = builder.fmul(builder.fadd(a, _number(1.0)), builder.fadd(b, _number(1.0)))
            _store(builder, builder.fdiv(builder.fsub(_number(1.0), a), below), _at(builder, target, i))
        return context.get_dummy_value()

    return types.void(x, n, n, out, n), codegen


@intrinsic
def exponentials(typingctx: Any, x: Any, at: Any, count: Any, top: Any, scale: Any) -> Any:
    """x[at + i] = e^((x[at + i] − top) · scale), for i < count, a multiple of 16."""
    n = types.int64

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        x_, at_, count_, top_, scale_ = values
        start = _data(context, builder, x, x_, at_)
        highest, factor = _splat(builder, top_), _splat(builder, scale_)
        with cgutils.for_range(builder, builder.sdiv(count_, ir.Constant(_I64, LANES)), intp=_I64) as loop:
            place = _at(builder, start, builder.mul(loop.index, ir.Constant(_I64, LANES)))
            value = builder.fmul(builder.fsub(_load(builder, place), highest), factor)
            _store(builder, _exp(builder, value), place)
        return context.get_dummy_value()

    return types.void(x, n, n, types.float32, types.float32), codegen
