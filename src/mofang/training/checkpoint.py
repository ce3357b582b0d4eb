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
    """Put the tensors of `flatten` back. Raises `ValueError` and `IndexError` for those of other optimizers."""
    for name, optimizer in optimizers.items():
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        state: dict[int, dict[str, Any]] = {}
        for key, tensor in flat.items():
            owner, index, slot = key.split("/")
            if owner == name:
                if tensor.numel() != 1 and tensor.shape != weights[int(index)].shape:
                    raise ValueError(f"{key} belongs to another weight")
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


def narrowed(tensors: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    """The tensors as `dtype`, to be shipped; as float32 if one of them is too large for it: float16 ends at 65,504."""
    made = {name: tensor.to(dtype).contiguous() for name, tensor in tensors.items()}
    return {name: tensor.float().contiguous() for name, tensor in tensors.items()} if not_numbers(made) else made


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `save` wrote. Raises `UserError` for a file that is damaged or something else."""
    if not path.is_file():  # A pipe would be waited for without end.
        raise UserError(f"{path} is no file; move it away, then run the same command again")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise UserError(f"{path} is not a checkpoint of this program; start a new run in another folder")
            facts = json.loads(metadata["facts"])
            if not isinstance(facts, dict):
                raise ValueError("it says nothing of its run")
            return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, KeyError, RecursionError) as error:
        raise UserError(f"{path} is damaged ({str(error)[:80]}); delete it to start the run again") from error


def not_numbers(tensors: Mapping[str, Tensor]) -> str:
    """The name of a tensor that holds a NaN or an infinity, as a run that diverged leaves them; empty if none does."""
    return next((name for name, tensor in tensors.items() if tensor.is_floating_point() and not tensor.isfinite().all()), "")
