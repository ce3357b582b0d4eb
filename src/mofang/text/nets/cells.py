"""The three recurrent cells, forward and backward, as their papers write them.

A cell sees `a` = W_ih x_t + b_ih and `b` = W_hh h_{t-1} + b_hh, each (B, gates · H), and the state before. It gives the
state after, and what its backward pass needs. The backward pass turns the gradient of the state after into those of
`a`, `b` and the state before; what flows back through W_hh is `unroll`'s business. Gates stand in torch's order.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

State = tuple[Tensor, ...]


class Cell(Protocol):
    """One step of a recurrent layer. `gates` blocks of H rows in the weights, `states` tensors (B, H) carried over."""

    @property
    def name(self) -> str: ...
    @property
    def gates(self) -> int: ...
    @property
    def states(self) -> int: ...

    def forward(self, a: Tensor, b: Tensor, state: State) -> tuple[State, tuple[Tensor, ...]]:
        """The state after (h first), and what to keep for `backward`."""

    def backward(self, grad: State, kept: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, State]:
        """Gradients of `a`, of `b`, and of the state before (its direct path only)."""


@dataclass(frozen=True)
class RNN:
    """h_t = tanh(W_hh h_{t-1} + W_xh x_t + b_h) (Elman 1990)."""

    name: str = "rnn"
    gates: int = 1
    states: int = 1

    def forward(self, a: Tensor, b: Tensor, state: State) -> tuple[State, tuple[Tensor, ...]]:
        h = torch.tanh(a + b)
        return (h,), (h,)

    def backward(self, grad: State, kept: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, State]:
        (h,) = kept
        da = grad[0] * (1 - h * h)
        return da, da, (torch.zeros_like(h),)


@dataclass(frozen=True)
class LSTM:
    """c_t = f ⊙ c_{t-1} + i ⊙ g, h_t = o ⊙ tanh(c_t), gates i f g o (Hochreiter & Schmidhuber 1997; Gers et al. 2000)."""

    name: str = "lstm"
    gates: int = 4
    states: int = 2

    def forward(self, a: Tensor, b: Tensor, state: State) -> tuple[State, tuple[Tensor, ...]]:
        size = state[0].size(1)
        every = a + b
        gate, squashed = every.view(-1, 4, size), every[:, 2 * size : 3 * size].tanh()
        every.sigmoid_()
        every[:, 2 * size : 3 * size] = squashed
        i, f, g, o = gate.unbind(1)
        c = torch.addcmul(f * state[1], i, g)
        tanh_c = c.tanh()
        return (o * tanh_c, c), (every, tanh_c, state[1])

    def backward(self, grad: State, kept: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, State]:
        every, tanh_c, before = kept
        i, f, g, o = every.view(-1, 4, tanh_c.size(1)).unbind(1)
        dh, dc = grad
        dc = torch.addcmul(dc, dh * o, 1 - tanh_c * tanh_c)
        da = torch.empty_like(every)
        di, df, dg, do = da.view(-1, 4, tanh_c.size(1)).unbind(1)
        torch.mul(dc * g, i - i * i, out=di)
        torch.mul(dc * before, f - f * f, out=df)
        torch.mul(dc * i, 1 - g * g, out=dg)
        torch.mul(dh * tanh_c, o - o * o, out=do)
        return da, da, (torch.zeros_like(dh), dc * f)


@dataclass(frozen=True)
class GRU:
    """h_t = (1 - z) ⊙ n + z ⊙ h_{t-1}, n = tanh(a_n + r ⊙ b_n), gates r z n (Cho et al. 2014, arXiv 1406.1078; the reset
    gate after the product, as cuDNN and Keras' reset_after do)."""

    name: str = "gru"
    gates: int = 3
    states: int = 1

    def forward(self, a: Tensor, b: Tensor, state: State) -> tuple[State, tuple[Tensor, ...]]:
        size = state[0].size(1)
        rz = (a[:, : 2 * size] + b[:, : 2 * size]).sigmoid_()
        r, z = rz[:, :size], rz[:, size:]
        inner = b[:, 2 * size :].clone()
        n = torch.addcmul(a[:, 2 * size :], r, inner).tanh_()
        return (torch.lerp(n, state[0], z),), (rz, n, inner, state[0])

    def backward(self, grad: State, kept: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, State]:
        rz, n, inner, before = kept
        size = n.size(1)
        r, z = rz[:, :size], rz[:, size:]
        (dh,) = grad
        dn = dh * (1 - z) * (1 - n * n)
        dr = dn * inner * (r - r * r)
        dz = dh * (before - n) * (z - z * z)
        return torch.cat((dr, dz, dn), 1), torch.cat((dr, dz, dn * r), 1), (dh * z,)


CELLS: dict[str, Cell] = {cell.name: cell for cell in (RNN(), LSTM(), GRU())}
