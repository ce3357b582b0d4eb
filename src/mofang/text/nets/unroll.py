"""A recurrent layer over a whole sequence, and backpropagation through time (Werbos 1990) written out.

Autograd would differentiate every step by itself and add up the gradient of W_hh step by step. Written out, that gradient
is one matrix product over all steps at once, which is most of what makes this fast.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mofang.text.nets.cells import Cell, State


def unroll(cell: Cell, x: Tensor, weights: tuple[Tensor, Tensor, Tensor, Tensor], state: State) -> tuple[Tensor, State]:
    """Run `cell` over x (T, B, inputs), time first. `weights` are W_ih, W_hh, b_ih, b_hh.

    Returns every h (T, B, H) and the last state. Under bf16 autocast the matrix products run in bfloat16, the cell itself
    in float32.
    """
    half = torch.is_autocast_enabled("cpu") if x.device.type == "cpu" else torch.is_autocast_enabled("cuda")
    with torch.autocast(x.device.type, enabled=False):
        out: tuple[Tensor, ...] = _Unroll.apply(cell, half, x.float(), *weights, *state)  # type: ignore[no-untyped-call]
    return out[0], out[1:]


class _Unroll(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, cell: Cell, half: bool, x: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor,
                *state: Tensor) -> tuple[Tensor, ...]:  # fmt: skip
        kind = torch.bfloat16 if half else torch.float32
        inputs = x.to(kind)
        a = F.linear(inputs, w_ih.to(kind)).float() + b_ih
        recurrent = w_hh.to(kind)
        out = x.new_empty(x.size(0), x.size(1), w_hh.size(1))
        first, kept = state, []
        for step in range(x.size(0)):
            b = F.linear(state[0].to(kind), recurrent).float() + b_hh
            state, keep = cell.forward(a[step], b, state)
            out[step] = state[0]
            kept.append(keep)
        ctx.cell, ctx.kept, ctx.kind = cell, kept, kind
        ctx.save_for_backward(inputs, w_ih, w_hh, first[0], out)
        return (out, *state)

    @staticmethod
    def backward(ctx: Any, d_out: Tensor, *d_state: Tensor) -> tuple[Tensor | None, ...]:
        inputs, w_ih, w_hh, first, out = ctx.saved_tensors
        cell, kind = ctx.cell, ctx.kind
        length, batch, hidden = out.shape
        recurrent = w_hh.to(kind)
        d_a = out.new_empty(length, batch, w_hh.size(0))
        # Only a gated sum (GRU's n) makes the two sides differ; elsewhere one tensor serves both.
        d_b = out.new_empty(length, batch, w_hh.size(0)) if cell.name == "gru" else d_a
        grad: State = tuple(d_state)
        for step in reversed(range(length)):
            grad = (grad[0] + d_out[step], *grad[1:])
            one, other, grad = cell.backward(grad, ctx.kept[step])
            d_a[step] = one
            if d_b is not d_a:
                d_b[step] = other
            grad = (grad[0] + (other.to(kind) @ recurrent).float(), *grad[1:])
        before = torch.cat((first[None], out[:-1])).to(kind)
        flat_a, flat_b = (side.to(kind).reshape(length * batch, -1) for side in (d_a, d_b))
        d_x = (flat_a @ w_ih.to(kind)).float().view(length, batch, -1) if ctx.needs_input_grad[2] else None
        d_w_ih = (flat_a.T @ inputs.reshape(length * batch, -1)).float()
        d_w_hh = (flat_b.T @ before.reshape(length * batch, hidden)).float()
        return (None, None, d_x, d_w_ih, d_w_hh, d_a.sum((0, 1)), d_b.sum((0, 1)), *grad)
