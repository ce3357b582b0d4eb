"""How fast a WaveNet makes sound on one core, beside a cached NumPy loop, PyTorch step by step, and the naive evaluation.

    python benchmarks/wavenet_sampling.py [--quick]

30 layers (three cycles of dilations 1 … 512), 64 residual and 64 skip channels, 16 kHz, conditioned on 82 features every
200 samples; random weights, since speed does not depend on them. All on one thread, the same network and the same
past. "Difference" is the largest between the samples of the cached and the naive evaluation at the same precision.
"""

import argparse
import os
import time

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

import numpy as np
import torch

from common import Row, report
from mofang.sound.nets.wavenet import WaveNet
from mofang.sound.wavenet import kernels
from mofang.sound.wavenet.conditions import conditions
from mofang.sound.wavenet.sampler import Sampler
from mofang.sound.wavenet.shape import Shape

RATE = 16_000


class CachedNumPy:
    """Fast-WaveNet queues (arXiv:1611.09482) with NumPy products: what a plain implementation of caching does."""

    def __init__(self, shape: Shape, tensors: dict[str, np.ndarray]) -> None:
        self.shape = shape
        width = shape.residual
        self.embedding = [np.ascontiguousarray(tensors["first.weight"][:, :, tap].T) for tap in (0, 1)]
        self.bias = tensors["first.bias"]
        self.layers = [
            (tensors[f"layers.{k}.dilated.weight"],
             np.concatenate([tensors[f"layers.{k}.residual.weight"], tensors[f"layers.{k}.skip.weight"]]),
             np.concatenate([tensors[f"layers.{k}.residual.bias"], tensors[f"layers.{k}.skip.bias"]]))
            for k in range(shape.layers)
        ]  # fmt: skip
        self.queues = [np.zeros((dilation, width), np.float32) for dilation in shape.dilations]
        self.exits = [(tensors[f"{name}.weight"], tensors[f"{name}.bias"]) for name in ("hidden", "last")]
        self.projected = np.concatenate([tensors[f"layers.{k}.condition.weight"] for k in range(shape.layers)])
        self.gate_bias = np.concatenate([tensors[f"layers.{k}.dilated.bias"] for k in range(shape.layers)])

    def sample(self, given: np.ndarray, chances: np.ndarray) -> np.ndarray:
        """Codes for each row of `given` (T, C)."""
        width = self.shape.residual
        gates = (given @ self.projected.T + self.gate_bias).reshape(len(given), self.shape.layers, 2 * width)
        before, last, codes = -1, -1, np.zeros(len(given), np.int64)
        for t in range(len(given)):
            x = self.bias.copy()
            if before >= 0:
                x += self.embedding[0][before]
            if last >= 0:
                x += self.embedding[1][last]
            skips = np.zeros(self.shape.skip, np.float32)
            for k, (both, mix, bias) in enumerate(self.layers):
                queue = self.queues[k]
                place = t % len(queue)
                g = both @ np.concatenate([queue[place], x]) + gates[t, k]
                queue[place] = x
                z = np.tanh(g[:width]) / (1 + np.exp(-g[width:]))
                mixed = mix @ z + bias
                x = x + mixed[:width]
                skips += mixed[width:]
            (w1, b1), (w2, b2) = self.exits
            logits = w2 @ np.maximum(w1 @ np.maximum(skips, 0) + b1, 0) + b2
            shares = np.cumsum(np.exp(logits - logits.max()))
            code = min(int(np.searchsorted(shares, chances[t] * shares[-1], "right")), 255)
            codes[t], before, last = code, last, code
        return codes


class CachedTorch:
    """The same queues with PyTorch, a step at a time, as vocoders in PyTorch generate."""

    def __init__(self, net: WaveNet) -> None:
        self.net = net
        self.gates = [layer.dilated.weight.detach() for layer in net.layers]
        self.mixes = [torch.cat([layer.residual.weight, layer.skip.weight]).detach() for layer in net.layers]
        self.biases = [torch.cat([layer.residual.bias, layer.skip.bias]).detach() for layer in net.layers]

    @torch.inference_mode()
    def sample(self, given: torch.Tensor, seed: int) -> torch.Tensor:
        """Codes for each row of `given` (T, C)."""
        net, shape = self.net, self.net.shape
        generator = torch.Generator().manual_seed(seed)
        width = shape.residual
        local = [given @ layer.condition.weight.T + layer.dilated.bias for layer in net.layers]
        queues = [torch.zeros(dilation, width) for dilation in shape.dilations]
        embedding = net.first.weight.permute(2, 1, 0)
        codes = torch.zeros(len(given) + 2, dtype=torch.int64)
        for t in range(len(given)):
            x = net.first.bias + embedding[0, codes[t]] + embedding[1, codes[t + 1]]
            skips = torch.zeros(shape.skip)
            for k in range(shape.layers):
                place = t % len(queues[k])
                g = torch.mv(self.gates[k], torch.cat([queues[k][place], x])) + local[k][t]
                queues[k][place] = x
                mixed = torch.addmv(self.biases[k], self.mixes[k], torch.tanh(g[:width]) * torch.sigmoid(g[width:]))
                x = x + mixed[:width]
                skips += mixed[width:]
            hidden = torch.relu(torch.addmv(net.hidden.bias, net.hidden.weight, torch.relu(skips)))
            logits = torch.addmv(net.last.bias, net.last.weight, hidden)
            codes[t + 2] = torch.multinomial(logits.softmax(0), 1, generator=generator)
        return codes[2:]


@torch.inference_mode()
def naive_torch(net: WaveNet, given: torch.Tensor, codes: torch.Tensor, steps: int) -> float:
    """Samples a second when the network runs over its receptive field for every sample."""
    field = net.shape.receptive_field
    start = time.perf_counter()
    for t in range(steps):
        net(codes[None, t : t + field], given[None, t : t + field])[0, -1].softmax(0)
    return steps / (time.perf_counter() - start)


def best(work, samples: int, times: int, clock=time.perf_counter) -> float:
    """Samples a second by the clock, the best of several runs: what the machine can do when nobody else uses it."""
    rates = []
    for _ in range(times):
        start = clock()
        work()
        rates.append(samples / (clock() - start))
    return max(rates)


def measured(output: str, quick: bool) -> list[Row]:
    """One kind of output: our speed, and the naive evaluation's with the same kernels."""
    shape = Shape(output=output)
    net = WaveNet(shape).eval()
    tensors = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    sampler = Sampler(shape, tensors)
    seconds = 2 if quick else 10
    features = np.random.default_rng(0).standard_normal((seconds * RATE // shape.hop, shape.features)).astype(np.float32)
    sampler.sample(features[:2])
    ours = best(lambda: sampler.sample(features), len(features) * shape.hop, 3 if quick else 5)
    core = best(lambda: sampler.sample(features), len(features) * shape.hop, 3, time.process_time)
    naive, difference = naively(sampler, features, 60 if quick else 400)
    rows = [
        Row(f"{output}: sound made per second", "× real time", ours / RATE, None, "", ours / RATE, ">= 1", ours >= RATE),
        Row(f"{output}: sound made per second of a core's time", "× real time", core / RATE),
        Row(f"{output}: samples", "1/s", ours, naive, "naive, same kernels", ours / naive, ">= 300", ours >= 300 * naive),
        Row(f"{output}: difference to naive", "max", difference, None, "", None, "0", difference == 0),
    ]
    return rows + (peers(net, tensors, ours, quick) if output == "mulaw" else [])


def naively(sampler: Sampler, features: np.ndarray, steps: int) -> tuple[float, float]:
    """Samples a second of the naive evaluation once its receptive field is full, and how far it is from the cached one."""
    shape, pack = sampler.shape, sampler.pack
    field = shape.receptive_field
    count = field + steps
    given = conditions(shape, sampler.tensors, features, 0, count, pack.channels, kernels.ROWS)
    chances = np.random.default_rng(1).random((count, 2))
    fixed = (pack.weights, pack.table, pack.entry, pack.exits, given, chances, 1.0, shape.mixtures)
    empty = np.float32(-1 if shape.output == "mulaw" else 0)
    fast = np.zeros(count, np.float32)
    kernels.cached(*fixed, np.zeros(pack.ring, np.float32), np.full(2, empty), 0, fast)
    slow = fast.copy()
    slow[field:] = 0
    kernels.naive(*fixed, empty, field, count - 1, slow.copy())  # compiles
    start = time.perf_counter()
    kernels.naive(*fixed, empty, field, field, slow)
    speed = steps / (time.perf_counter() - start)
    begun, anew = (sampler.sample(features, length=200, seed=1, naive=naive) for naive in (False, True))
    return speed, max(float(np.abs(slow - fast).max()), float(np.abs(begun - anew).max()))


def peers(net: WaveNet, tensors: dict[str, np.ndarray], ours: float, quick: bool) -> list[Row]:
    """The same network cached in NumPy and in PyTorch, and naive in PyTorch."""
    length, field = 400 if quick else 4000, net.shape.receptive_field
    given = np.random.default_rng(2).standard_normal((length + field, net.shape.conditions)).astype(np.float32)
    chances = np.random.default_rng(1).random(length)
    numpy, stepped = CachedNumPy(net.shape, tensors), CachedTorch(net)
    codes = torch.randint(0, 256, (length + field,))
    naive_torch(net, torch.from_numpy(given), codes, 1)
    speeds = {
        "cached, NumPy": best(lambda: numpy.sample(given[:length], chances), length, 2),
        "cached, PyTorch": best(lambda: stepped.sample(torch.from_numpy(given[:length]), 0), length, 2),
        "naive, PyTorch": naive_torch(net, torch.from_numpy(given), codes, 10 if quick else 100),
    }
    return [Row("mulaw: samples", "1/s", ours, peer, name, ours / peer, *((">= 300", ours >= 300 * peer) if "naive" in name else ()))
            for name, peer in speeds.items()]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one kind of output, shorter runs")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    torch.manual_seed(0)
    outputs = ("mulaw",) if quick else ("mulaw", "logistics")
    report("wavenet_sampling", [row for output in outputs for row in measured(output, quick)])


if __name__ == "__main__":
    main()
