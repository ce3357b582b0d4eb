"""Cross-entropy of the next token, without ever holding all logits."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

ROWS = 512
"""Rows of logits at a time: few enough to stay in a processor's cache, many enough for a good matrix product."""


def next_token_loss(hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, smoothing: float = 0.0) -> Tensor:
    """Mean of -log softmax(hidden · weightᵀ + bias)[target], in nats. Targets below 0 are not counted.

    hidden (N, H), weight (V, H), bias (V), targets (N). The gradient with respect to the logits is p - onehot, so it is
    made in the forward pass while the logits are at hand, and they are forgotten (Wijmans et al. 2024, arXiv 2411.09009,
    and Hsu et al. 2024, arXiv 2410.10989, do the same on graphics cards). `smoothing` spreads that share of the target
    over the vocabulary (Szegedy et al. 2016).
    """
    half = torch.is_autocast_enabled(hidden.device.type)
    with torch.autocast(hidden.device.type, enabled=False):
        loss: Tensor = _Loss.apply(hidden, weight, bias, targets, smoothing, half)  # type: ignore[no-untyped-call]
    return loss


class _Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, smoothing: float,
                half: bool) -> Tensor:  # fmt: skip
        kind = torch.bfloat16 if half else torch.float32
        matrix, rows = weight.to(kind), hidden.to(kind)
        counted = targets >= 0
        total = counted.sum().clamp_min(1)
        wanted = any(ctx.needs_input_grad[:3])
        d_hidden = torch.empty_like(hidden, dtype=torch.float32) if wanted else None
        d_weight = torch.zeros_like(weight) if wanted else None
        d_bias = torch.zeros_like(bias) if wanted and bias is not None else None
        loss = hidden.new_zeros((), dtype=torch.float32)
        for start in range(0, len(rows), ROWS):
            part = slice(start, start + ROWS)
            logits = F.linear(rows[part], matrix).float()
            if bias is not None:
                logits += bias
            logs = logits.log_softmax(1)
            aim, seen = targets[part].clamp_min(0)[:, None], counted[part]
            at_target = logs.gather(1, aim)[:, 0]
            losses = at_target if not smoothing else torch.lerp(at_target, logs.mean(1), smoothing)
            loss -= (losses * seen).sum()
            if wanted:
                assert d_hidden is not None and d_weight is not None
                slope = logs.exp_()
                if smoothing:
                    slope -= smoothing / slope.size(1)
                slope.scatter_add_(1, aim, slope.new_full(aim.shape, smoothing - 1))
                slope *= (seen / total)[:, None]
                if d_bias is not None:
                    d_bias += slope.sum(0)
                slope = slope.to(kind)
                d_hidden[part] = (slope @ matrix).float()
                d_weight += (slope.T @ rows[part]).float()
        ctx.save_for_backward(d_hidden, d_weight, d_bias)
        return loss / total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        d_hidden, d_weight, d_bias = ctx.saved_tensors
        return d_hidden * grad, d_weight * grad, None if d_bias is None else d_bias * grad, None, None, None
