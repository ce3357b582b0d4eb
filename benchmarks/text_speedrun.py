"""How soon a character model learns Shakespeare, beside nanoGPT's recipe for a processor.

    python benchmarks/text_speedrun.py [--quick] [--seeds 3] [--long]

Data: tinyshakespeare, the first 90 % of characters to train on, the last 10 % to be judged by: mean loss in nats per
character over all its non-overlapping windows of the model's own context. The peer is nanoGPT's processor recipe written
down again from its README and config (GPT-2 blocks, 4 layers, 4 heads, 128 wide, context 64, batch 12, 2,000 steps of
AdamW, cosine from 1e-3 to 1e-4, no dropout): its repository is on no package registry. Time is time spent in training
steps, for both. Ours stops after a fifth of the peer's time, and in another run after all of it. --long trains a larger
model for up to half an hour, against the loss nanoGPT reaches on an A100.
"""

import argparse
import math
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common import Row, report
from mofang.text.batches import whole
from mofang.text.nets import build
from mofang.text.sizes import Shape
from mofang.text.tokenizer import Tokenizer, train_tokenizer
from mofang.text.train import LanguageModel, Settings
from mofang.training.budget import Budget
from mofang.training.loop import Plan, train

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "tinyshakespeare.txt"
A100 = 1.4697
"""nanoGPT's validation loss after 5,000 steps on an A100 (its README)."""

FAST = (Shape(4, 128, 64, 12, heads=2, kv_heads=2), Settings(64, 12, lr=1e-2), 0.97, 0.0)
FULL = (Shape(4, 128, 64, 12, heads=2, kv_heads=2), Settings(64, 12, lr=1e-2), 0.99, 0.0)
LONG = (Shape(6, 256, 256, 16, heads=4, kv_heads=4), Settings(256, 16, lr=4e-3, weight_decay=0.1), 0.998, 0.2)
"""Shape, settings, averaging and dropout for a fifth of the peer's time, for all of it, and for half an hour."""


class Block(nn.Module):
    """GPT-2's block without biases, as nanoGPT has it."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.attend, self.join = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.widen, self.narrow = nn.Linear(width, 4 * width, bias=False), nn.Linear(4 * width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        q, k, v = (part.view(batch, length, self.heads, -1).transpose(1, 2) for part in self.attend(self.before(x)).split(width, 2))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.join(mixed.transpose(1, 2).reshape(batch, length, width))
        return x + self.narrow(F.gelu(self.widen(self.between(x))))


class NanoGPT(nn.Module):
    """Learned positions, blocks, a last norm, and one matrix for both ends."""

    def __init__(self, vocabulary: int, layers: int = 4, width: int = 128, heads: int = 4, context: int = 64) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.last = nn.LayerNorm(width, bias=False)
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                deep = name.endswith(("join.weight", "narrow.weight"))
                nn.init.normal_(weight, std=0.02 / math.sqrt(2 * layers) if deep else 0.02)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.tokens(ids) + self.places.weight[: ids.size(1)]
        return F.linear(self.last(self.blocks(x)), self.tokens.weight)


def peer(data: np.ndarray, held_out: np.ndarray, vocabulary: int, seed: int, steps: int) -> tuple[float, float]:
    """Loss over the whole held-out text, and seconds in steps."""
    torch.manual_seed(seed)
    model = NanoGPT(vocabulary)
    matrices = [weight for weight in model.parameters() if weight.ndim == 2]
    vectors = [weight for weight in model.parameters() if weight.ndim < 2]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
                                  1e-3, (0.9, 0.99))  # fmt: skip
    ids, seconds = torch.from_numpy(data.astype(np.int64)), 0.0
    for step in range(steps):
        start = time.perf_counter()
        share = (step - 100) / (steps - 100)
        rate = 1e-3 * (step + 1) / 101 if step < 100 else 1e-4 + 0.5 * (1 + math.cos(math.pi * share)) * 9e-4
        for group in optimizer.param_groups:
            group["lr"] = rate
        at = torch.randint(len(ids) - 64, (12,))
        x = torch.stack([ids[i : i + 64] for i in at])
        y = torch.stack([ids[i + 1 : i + 65] for i in at])
        loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        seconds += time.perf_counter() - start
    windows = torch.from_numpy(whole(held_out, 64))
    with torch.no_grad():
        losses = [F.cross_entropy(model(part[:, :-1]).flatten(0, 1), part[:, 1:].flatten(), reduction="sum")
                  for part in windows.split(64)]  # fmt: skip
    return float(sum(losses)) / (len(windows) * 64), seconds


def ours(data: np.ndarray, held_out: np.ndarray, tokenizer: Tokenizer, seed: int, seconds: float,
         course: tuple[Shape, Settings, float, float], patience: int = 0) -> tuple[float, float]:  # fmt: skip
    """The same two numbers for a run of Mofang's own loop."""
    shape, settings, average, dropout = course
    torch.manual_seed(seed)
    settings = Settings(**{**settings.__dict__, "seed": seed, "validation_windows": None})
    experiment = LanguageModel(build(shape.config("transformer", tokenizer.size, dropout)), data, held_out, tokenizer, settings)
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(Budget(seconds, "seconds"), seed, average, validations=max(1, round(seconds / 60)), samples=1, patience=patience)
        state = train(experiment, Path(folder), plan)
    return state.best, state.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one seed, a tenth of the steps")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--long", action="store_true", help="also train for up to half an hour (one seed)")
    options = parser.parse_args()
    torch.set_num_threads(2)
    text = DATA.read_text("utf-8")
    cut = int(0.9 * len(text))
    tokenizer = train_tokenizer("char", [text[:cut]], bytes_fallback=False)
    data, held_out = (np.array(tokenizer.encode(part), np.uint16) for part in (text[:cut], text[cut:]))
    steps = 200 if options.quick else 2000
    results: dict[str, list[tuple[float, float]]] = {"peer": [], "fifth": [], "full": []}
    for seed in range(1 if options.quick else options.seeds):
        results["peer"].append(peer(data, held_out, tokenizer.size, seed, steps))
        allowed = results["peer"][-1][1]
        results["fifth"].append(ours(data, held_out, tokenizer, seed, allowed / 5, FAST))
        results["full"].append(ours(data, held_out, tokenizer, seed, allowed, FULL))
        print(seed, {name: runs[-1] for name, runs in results.items()}, flush=True)
    peer_loss, peer_time = (statistics.mean(values) for values in zip(*results["peer"], strict=True))
    rows = []
    for name, what, goal in (("fifth", "a fifth of the peer's time", 1.898), ("full", "the peer's time", 1.60)):
        losses = [loss for loss, _ in results[name]]
        loss = statistics.mean(losses)
        seconds = statistics.mean(seconds for _, seconds in results[name])
        rows.append(Row(f"loss on held-out Shakespeare after {what} ({seconds:.0f} s)", "nats/character", round(loss, 3),
                        round(peer_loss, 3), f"nanoGPT's recipe, {peer_time:.0f} s", round(peer_loss / loss, 2), f"<= {goal}",
                        loss <= goal, round(statistics.pstdev(losses), 3)))  # fmt: skip
    if options.long:
        loss, seconds = ours(data, held_out, tokenizer, 0, 1800, LONG, patience=6)
        rows.append(Row(f"best loss within half an hour (stopped after {seconds / 60:.0f} min)", "nats/character",
                        round(loss, 4), A100, "nanoGPT on an A100 (README)", round(A100 / loss, 3), f"<= {A100}", loss <= A100))
    report("text_speedrun", rows)


if __name__ == "__main__":
    main()
