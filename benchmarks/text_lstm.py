"""How fast the classic LSTM language model trains, beside TensorFlow's Keras: the same stack, weights, data and optimizer.

    python benchmarks/text_lstm.py [--quick] [--steps 60] [--rounds 3]

Embedding 128 → LSTM 1,024 → LSTM 1,024 → Dense over 10,000 words, sequences of 64, 64 of them a step, Adam at 1e-3. Both
start from the same weights and see the same batches of tinyshakespeare (by a unigram vocabulary). Adam's epsilon is 1e-14:
Keras and torch add it in different places, which at the usual 1e-7 makes other first steps. Rounds alternate between the
two, so that both see the machine alike. Tokens per second is of whole training steps, the first few left out; TensorFlow
runs compiled (`tf.function`), with its oneDNN kernels, in float32 and in its mixed bfloat16 policy; the faster one is the
peer. The loss curves must agree.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from common import Row, peer_python, report
from mofang.text.batches import Windows
from mofang.text.nets import build
from mofang.text.nets.loss import next_token_loss
from mofang.text.sizes import RECURRENT
from mofang.text.tokenizer import train_tokenizer
from mofang.training.precision import autocast
from mofang.training.update import update

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "tinyshakespeare.txt"
HERE, PEER = Path(__file__), Path(__file__).with_name("text_lstm_peer.py")
WORDS, BATCH, LENGTH, RATE, WARM = 10_000, 64, 64, 1e-3, 3


def batches(path: Path, steps: int) -> np.ndarray:
    """Windows for every step, (steps, batch, length + 1)."""
    text = path.read_text("utf-8")
    tokenizer = train_tokenizer("unigram", text.split("\n\n"), WORDS)
    stream = np.array(tokenizer.encode(text), np.uint16)
    windows = Windows(stream, LENGTH, 0)
    return np.stack([windows.batch(step, BATCH) for step in range(steps)])


def ours(folder: Path, precision: str) -> dict[str, list[float]]:
    """Losses, and seconds of each step."""
    data, weights = np.load(folder / "data.npy"), np.load(folder / "weights.npz")
    model = build(RECURRENT["classic"].config("lstm", WORDS, 0.0))
    model.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    optimizer = torch.optim.Adam(model.parameters(), RATE, eps=1e-14, fused=True)
    losses, seconds = [], []
    for windows in data:
        start = time.perf_counter()
        with autocast(torch.device("cpu"), precision):  # type: ignore[arg-type]
            ids = torch.from_numpy(windows)
            hidden, _ = model.hidden(ids[:, :-1])
            loss = next_token_loss(hidden.reshape(-1, hidden.size(-1)), model.output_weight, model.head.bias, ids[:, 1:].reshape(-1))
        value, _ = update([loss], 1, [optimizer], 0.0)
        losses.append(value)
        seconds.append(time.perf_counter() - start)
    return {"losses": losses, "seconds": seconds}


def prepare(folder: Path, data: Path, steps: int) -> None:
    """Batches and first weights, for both."""
    np.save(folder / "data.npy", batches(data, steps))
    torch.manual_seed(0)
    model = build(RECURRENT["classic"].config("lstm", WORDS, 0.0))
    np.savez(folder / "weights.npz", **{name: tensor.numpy() for name, tensor in model.state_dict().items()})


def run(python: str, program: Path, folder: Path, precision: str) -> dict[str, list[float]]:
    """One side in a process of its own: the two must not share threads or memory."""
    done = subprocess.run([python, str(program), "--folder", str(folder), "--precision", precision], check=True,
                          stdout=subprocess.PIPE, text=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})  # fmt: skip
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--folder", type=Path, help="one side, in a process of its own")
    parser.add_argument("--precision", default="auto")
    options = parser.parse_args()
    if options.folder:
        print(json.dumps(ours(options.folder, options.precision)))
        return
    steps, rounds = (WARM + 4, 1) if options.quick else (options.steps, options.rounds)
    python = str(peer_python("keras-tensorflow", "tensorflow-cpu>=2.20,<3"))
    speeds: dict[str, list[float]] = {}
    curves: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, options.data, steps)
        for _ in range(rounds):
            for what, interpreter, program, precision in (
                ("ours", sys.executable, HERE, "auto"), ("ours float32", sys.executable, HERE, "float32"),
                ("Keras float32", python, PEER, "float32"), ("Keras mixed_bfloat16", python, PEER, "bf16"),
            ):  # fmt: skip
                found = run(interpreter, program, folder, precision)
                speeds.setdefault(what, []).append(BATCH * LENGTH / statistics.median(found["seconds"][WARM:]))
                curves[what] = found["losses"]
                first, last = found["losses"][0], found["losses"][-1]
                print(f"{what}: {speeds[what][-1]:.0f} tokens/s, loss {first:.4f} → {last:.4f}", flush=True)
    mean = {what: statistics.mean(values) for what, values in speeds.items()}
    best = max((what for what in mean if what.startswith("Keras")), key=mean.__getitem__)
    ratio, exact = mean["ours"] / mean[best], mean["ours float32"] / mean["Keras float32"]
    spread = statistics.pstdev(speeds["ours"])
    gap, half = (statistics.mean(abs(a - b) for a, b in zip(curves[what], curves["Keras float32"], strict=True))
                 for what in ("ours float32", "ours"))  # fmt: skip
    report("text_lstm", [
        Row("LSTM training", "tokens/s", mean["ours"], mean[best], best, ratio, "≥ 2×", ratio >= 2, spread),
        Row("LSTM training, both float32", "tokens/s", mean["ours float32"], mean["Keras float32"], "Keras float32", exact),
        Row("mean gap of the loss curves, both float32", "nats", gap, goal="< 0.01", met=gap < 0.01),
        Row("the same, ours in bfloat16", "nats", half, goal="< 0.1", met=half < 0.1),
    ])  # fmt: skip


if __name__ == "__main__":
    main()
