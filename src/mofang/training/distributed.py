"""More than one process: torchrun starts them, these few calls are all the loop needs to know."""

import os
from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor


def start() -> None:
    """Join the group that `torchrun` described in the environment; alone, do nothing."""
    if "RANK" in os.environ and not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")


def stop() -> None:
    """Leave the group."""
    if dist.is_initialized():
        dist.destroy_process_group()


def rank() -> int:
    """This process's number."""
    return dist.get_rank() if dist.is_initialized() else 0


def local_rank() -> int:
    """This process's number on its machine."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def world() -> int:
    """How many processes there are."""
    return dist.get_world_size() if dist.is_initialized() else 1


def wait() -> None:
    """Until every process has come here."""
    if world() > 1:
        dist.barrier()


def agree(value: float) -> float:
    """Process 0's value, on every process."""
    if world() == 1:
        return value
    tensor = torch.tensor([value], dtype=torch.float64)
    dist.broadcast(tensor, 0)
    return float(tensor.item())


def average_gradients(parameters: Iterable[Tensor]) -> None:
    """Mean of the gradients over the processes, in one exchange.

    Not DistributedDataParallel: its overlap gains nothing on two cores, and one flat exchange is plain to read.
    """
    if world() == 1:
        return
    gradients = [weight.grad for weight in parameters if weight.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= world()
    for gradient, piece in zip(gradients, torch.split(flat, [gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(piece.view_as(gradient))


def average(value: float) -> float:
    """Mean of a number over the processes."""
    if world() == 1:
        return value
    tensor = torch.tensor([value], dtype=torch.float64)
    dist.all_reduce(tensor)
    return float(tensor.item()) / world()


def gather(mine: Tensor) -> Tensor:
    """The rows of all processes, which must bring equally many, in the order of their numbers."""
    if world() == 1:
        return mine
    parts = [torch.empty_like(mine) for _ in range(world())]
    dist.all_gather(parts, mine.contiguous())
    return torch.cat(parts)


def same(tensor: Tensor) -> Tensor:
    """Process 0's tensor, on every process, in place."""
    if world() > 1:
        dist.broadcast(tensor, 0)
    return tensor
