"""Muon: momentum, orthogonalised, for the matrices inside a network."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from mofang.training.precision import half_is_faster

SMALL = 1 << 15
"""Elements of a matrix under which bfloat16 gains nothing."""


def orthogonalise(matrices: Tensor, steps: int = 5) -> Tensor:
    """The nearest semi-orthogonal matrices, roughly: singular values land in about 0.7..1.2.

    Newton–Schulz iteration with the quintic coefficients of Jordan et al. 2024
    (https://kellerjordan.github.io/posts/muon/). `matrices`: (…, rows, columns), any float type.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrices / (matrices.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    tall = x.size(-2) > x.size(-1)
    if tall:
        x = x.mT
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    orthogonal: Tensor = x.mT if tall else x
    return orthogonal


class Muon(torch.optim.Optimizer):
    """Nesterov momentum whose matrix updates are orthogonalised, with decoupled weight decay.

    For two-dimensional weights only; embeddings, heads and vectors belong to AdamW. The update is scaled by
    sqrt(max(1, rows / columns)), so that one learning rate serves every shape. Matrices of one shape are orthogonalised
    together: a small network has dozens, and on a processor each product of small matrices costs more to start than to do.
    """

    def __init__(
        self, parameters: Iterable[Tensor], lr: float = 0.02, momentum: float = 0.95, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """One update from the gradients."""
        assert closure is None, "Muon takes no closure"
        for group in self.param_groups:
            alike: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is not None:
                    assert weight.ndim == 2, "Muon is for matrices"
                    alike[weight.shape].append(weight)
            for shape, weights in alike.items():
                self._step_together(group, shape, weights)
        return None

    def _step_together(self, group: dict[str, Any], shape: torch.Size, weights: list[Tensor]) -> None:
        buffers = []
        for weight in weights:
            state = self.state[weight]
            if not state:
                state["momentum_buffer"] = torch.zeros_like(weight)
            buffers.append(state["momentum_buffer"])
        gradients: list[Tensor] = [weight.grad for weight in weights if weight.grad is not None]
        torch._foreach_lerp_(buffers, gradients, 1 - group["momentum"])
        ahead = torch.stack([gradient.lerp(buffer, group["momentum"]) for gradient, buffer in zip(gradients, buffers, strict=True)])
        # The iteration forgives rounding: it converges to the same place from nearby (Jordan et al. 2024).
        kind = torch.bfloat16 if half_is_faster() and ahead[0].numel() >= SMALL else ahead.dtype
        updates = orthogonalise(ahead.to(kind)).to(ahead.dtype).unbind()
        if group["weight_decay"]:
            torch._foreach_mul_(weights, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(weights, updates, alpha=-group["lr"] * max(1.0, shape[0] / shape[1]) ** 0.5)
