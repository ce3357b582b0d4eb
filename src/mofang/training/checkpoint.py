"""A run's state on disk: safetensors, written whole or not at all, and read back to the bit."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.optim import Optimizer

from mofang.studio.atomic import atomic
from mofang.studio.errors import UserError

FORMAT = "mofang-checkpoint-1"


def flatten(optimizers: Mapping[str, Optimizer]) -> dict[str, Tensor]:
    """Optimizer state as named tensors: `optimizer/parameter number/slot`. Scalars become tensors of float64."""
    flat = {}
    for name, optimizer in optimizers.items():
        for index, slots in optimizer.state_dict()["state"].items():
            for slot, value in slots.items():
                tensor = value if isinstance(value, Tensor) else torch.tensor(value, dtype=torch.float64)
                flat[f"{name}/{index}/{slot}"] = tensor
    return flat


def restore(optimizers: Mapping[str, Optimizer], flat: Mapping[str, Tensor]) -> None:
    """Put the tensors of `flatten` back."""
    for name, optimizer in optimizers.items():
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        state: dict[int, dict[str, Any]] = {}
        for key, tensor in flat.items():
            owner, index, slot = key.split("/")
            if owner == name:
                state.setdefault(int(index), {})[slot] = _laid_out(tensor, weights[int(index)])
        # Types and step counters come back exactly as they were: no cast to the parameters' type.
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _laid_out(tensor: Tensor, weight: Tensor) -> Tensor:
    """The tensor with its numbers in the order of the weight's in memory: fused optimizers walk both side by side, whatever
    their strides say, and weights may be channels-last."""
    if tensor.shape != weight.shape or tensor.stride() == weight.stride():
        return tensor
    return torch.empty_strided(weight.shape, weight.stride(), dtype=tensor.dtype).copy_(tensor)


def save(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write tensors and JSON facts to one safetensors file, atomically. Raises `UserError` if the disk is full."""
    plain = {name: tensor.detach().contiguous().clone() for name, tensor in tensors.items()}
    try:
        with atomic(path) as temporary:
            save_file(plain, temporary, {"format": FORMAT, "facts": json.dumps(facts)})
    except SafetensorError as error:  # What the library makes of an OSError.
        raise UserError(f"cannot write {path} ({error}); free some space and run the same command again to go on") from error


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `save` wrote. Raises `UserError` for a file that is damaged or something else."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise UserError(f"{path} is not a checkpoint of this program; start a new run in another folder")
            return {name: file.get_tensor(name) for name in file.keys()}, json.loads(metadata["facts"])  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise UserError(f"{path} is damaged ({error}); delete it to start the run again") from error
