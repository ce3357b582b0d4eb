"""Whether a training fits into memory, asked before any is taken: a system that runs out of it kills whom it likes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from mofang.studio.errors import UserError
from mofang.training.precision import Precision, device

COPIES = 4
"""Of a network's weights, at the least: themselves, their gradients, an optimizer's moment, their average (all float32)."""


def must_fit(build: Callable[[], nn.Module], kept: float, precision: Precision, smaller: str) -> None:
    """Raise `UserError` if a step of training cannot fit into what memory is free, which says to take a `smaller` something.

    The network that `build` makes is counted without its memory. `kept` numbers, at the least, must stay from the forward to
    the backward pass. Both are lower bounds: what is refused would not have run, what is not may still be too large.
    """
    with torch.device("meta"):
        weights = sum(weight.numel() for weight in build().parameters())
    needed = 4 * COPIES * weights + (4 if precision == "float32" else 2) * kept
    if needed > (there := free()):
        raise UserError(f"a step of this training needs {needed / 1e9:,.0f} GB of memory or more, and {there / 1e9:,.1f} GB are "
                        f"free; take a smaller {smaller}")  # fmt: skip


def kept_by_block(width: int, inner: int) -> int:
    """Numbers that a Transformer's block keeps of a token, at the least: queries, keys, values, what was mixed and normed; gate, up
    and their product."""
    return 6 * width + 3 * inner


def free() -> float:
    """Bytes that can be taken on the device of the training; without end where no system says."""
    if device().type == "cuda":
        return float(torch.cuda.mem_get_info()[0])
    try:
        said = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text("ascii").splitlines())
        return 1024.0 * sum(int(said[name].split()[0]) for name in ("MemAvailable", "SwapFree"))
    except (OSError, ValueError, KeyError, IndexError):
        return float("inf")


@contextmanager
def told() -> Iterator[None]:
    """Memory that runs out within is told as a `UserError`."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error):
            raise UserError("there is not enough memory for a step of this training; close other programs or take a smaller "
                            "--batch, then run the same command again") from error  # fmt: skip
        raise
