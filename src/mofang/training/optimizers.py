"""Which optimizer each weight of a network gets."""

from collections.abc import Callable

import torch
from torch import nn
from torch.optim import Optimizer

from mofang.training.muon import Muon


def muon_and_adamw(
    model: nn.Module, inside: Callable[[str], bool], lr: float, matrix_lr: float, weight_decay: float
) -> dict[str, Optimizer]:
    """Muon (at `matrix_lr`; 0: none) for the matrices whose names are `inside` the network, AdamW for everything else.

    Muon is for what turns vectors into vectors; embeddings and heads look things up. Vectors of norms and biases do not
    decay: they are few and have no direction to decay along.
    """
    matrices, others, plain = [], [], []
    for name, weight in model.named_parameters():
        if not weight.requires_grad:
            continue
        if matrix_lr and weight.ndim == 2 and inside(name):
            matrices.append(weight)
        elif weight.ndim >= 2:
            others.append(weight)
        else:
            plain.append(weight)
    found: dict[str, Optimizer] = {}
    if matrices:
        found["muon"] = Muon(matrices, matrix_lr, weight_decay=weight_decay)
    groups = [{"params": others, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]
    found["adamw"] = torch.optim.AdamW([group for group in groups if group["params"]], lr, (0.9, 0.95), fused=True)
    return found
