"""One optimisation step: gradients of one or several micro-batches, averaged, clipped, applied."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim import Optimizer

from mofang.training import distributed


def update(losses: Iterable[Tensor], micro_batches: int, optimizers: Iterable[Optimizer], clip: float = 1.0) -> tuple[float, float]:
    """Take `micro_batches` losses one by one, backpropagate each, and step every optimizer once.

    `losses` is a generator, so that only one micro-batch's graph is alive at a time; their mean is what is descended, as
    if they had been one batch. Gradients are averaged over processes, and scaled to norm `clip` if longer (Pascanu et
    al. 2013; 0: never). Returns the mean loss over all processes and the norm before clipping.
    """
    optimizers = list(optimizers)
    weights = [weight for optimizer in optimizers for group in optimizer.param_groups for weight in group["params"]]
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)
    total = 0.0
    for loss in losses:
        (loss / micro_batches).backward()  # type: ignore[no-untyped-call]
        total += float(loss.detach()) / micro_batches
    distributed.average_gradients(weights)
    norm = torch.nn.utils.clip_grad_norm_(weights, clip or float("inf"))
    for optimizer in optimizers:
        optimizer.step()
    return distributed.average(total), float(norm)
