"""bfloat16 where the processor multiplies it faster than float32; float32 elsewhere."""

from contextlib import AbstractContextManager
from functools import cache
from typing import Literal

import torch

Precision = Literal["auto", "bf16", "float32"]


@cache
def half_is_faster() -> bool:
    """Whether this machine has bfloat16 products in hardware: CUDA, AMX tiles or AVX512-BF16."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    able = torch.cpu.get_capabilities()
    return bool(able.get("amx_bf16") or able.get("avx512_bf16"))


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[None]:
    """Matrix products in bfloat16 or not; weights, sums and losses stay float32."""
    half = precision == "bf16" or (precision == "auto" and half_is_faster())
    return torch.autocast(device.type, torch.bfloat16, enabled=half)


def device() -> torch.device:
    """Where to train: the graphics card of this process if there is one."""
    from mofang.training import distributed

    return torch.device("cuda", distributed.local_rank()) if torch.cuda.is_available() else torch.device("cpu")
