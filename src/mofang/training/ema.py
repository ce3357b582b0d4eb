"""An exponential moving average of the weights: what the run is judged by and what it ships."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Ema:
    """Averages the parameters of a module; buffers are copied.

    The decay warms up as min(decay, (1 + t) / (10 + t)), so early averages are not made of the first random weights
    (Polyak & Juditsky 1992; the warm-up is TensorFlow's ExponentialMovingAverage).
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module, self.decay = module, decay
        self.tensors = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after step `step`."""
        decay = min(self.decay, (1 + step) / (10 + step))
        averages, weights = [], []
        for name, tensor in self.module.state_dict().items():
            if tensor.is_floating_point():
                averages.append(self.tensors[name])
                weights.append(tensor)
            else:
                self.tensors[name].copy_(tensor)
        torch._foreach_lerp_(averages, weights, 1 - decay)

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Go on from saved averages. Raises `ValueError` for those of another network."""
        if {name: tensor.shape for name, tensor in tensors.items()} != {name: tensor.shape for name, tensor in self.tensors.items()}:
            raise ValueError("these are averages of another network")
        for name, tensor in tensors.items():
            self.tensors[name].copy_(tensor)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The module with the averaged weights; its own come back afterwards."""
        own = {name: tensor.detach().clone() for name, tensor in self.module.state_dict().items()}
        self.module.load_state_dict(self.tensors)
        try:
            yield
        finally:
            self.module.load_state_dict(own)
