"""The tensors of a model, each taken once and checked against the configuration."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mofang.models.own import Config
from mofang.studio.errors import UserError

LARGEST = 1 << 31
"""No dimension of a network is larger; a configuration that says so is broken."""


def whole(config: Config, key: str, default: int | None = None) -> int:
    """A positive whole number of the configuration. Raises `UserError`."""
    value = config.get(key)
    value = default if value is None else value
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < LARGEST:
        raise UserError(f"the model's config.json has no sensible {key} ({value!r}); train or fetch the model again")
    return value


class Tensors:
    """Weights by name."""

    def __init__(self, tensors: Mapping[str, NDArray[np.float32]]) -> None:
        self._tensors = tensors

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def take(self, name: str, *shape: int) -> NDArray[np.float32]:
        """The tensor `name` in that shape, finite. Raises `UserError`."""
        tensor = self._tensors.get(name)
        if tensor is None:
            raise UserError(f"the model has no tensor {name}; its weights and its config.json do not belong together")
        if tensor.shape != shape:
            raise UserError(f"the tensor {name} is {'×'.join(map(str, tensor.shape))} and config.json wants "
                            f"{'×'.join(map(str, shape))}; they do not belong together")  # fmt: skip
        if not np.isfinite(tensor).all():
            raise UserError(f"the tensor {name} holds numbers that are none (NaN or infinity); train or fetch the model again")
        return tensor
