"""The shipped text-to-image model on subject–style pairs it never saw.

    python benchmarks/image_sticker.py [--quick] [--model sticker] [--data DATASET]

A classifier of subjects is trained here, on the real pictures of the training split and on none that the model made; it is
asked what the model painted from the Chinese and from the English label of 300 held-out pictures, in their styles. It is
kept, so that another model is judged by the same. Its accuracy on the real held-out pictures is the most it could say of
painted ones. The model paints as `mofang image make` has it paint: of several pictures it shows the one that its own chooser
finds the best, which is another network than the judge and was trained apart from it. Time and memory are of the whole
process that paints one picture.
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from common import HERE, Row, report
from mofang.image.data import Pictures, Split
from mofang.image.engines.own import Painter
from mofang.image.measure.copies import EXPECTED, Index, copying
from mofang.image.measure.features import filters
from mofang.image.train.flow import label
from mofang.models import own

SIDE = 64


def dataset() -> Path:
    """The pictures the model was made of, prepared as its card says."""
    folder = HERE / ".peers" / "sticker"
    if not (folder / "data" / "dataset.json").exists():
        subprocess.run([sys.executable, HERE.parent / "recipes" / "sticker.py", folder / "pictures"], check=True)
        options = ["--size", "128", "--alpha", "--no-crop", "--val", "0.05", "--val-by", "picture"]
        prepare = [sys.executable, "-m", "mofang", "image", "prepare", folder / "pictures", "--out", folder / "data"]
        subprocess.run([*prepare, *options], check=True)
    return folder / "data"


def judge(classes: int) -> nn.Module:
    """A small residual-free convolutional classifier of (B, 3, 64, 64)."""

    def stage(a: int, b: int) -> list[nn.Module]:
        return [nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU(),
                nn.Conv2d(b, b, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU()]  # fmt: skip

    net = nn.Sequential(*stage(3, 32), *stage(32, 64), *stage(64, 128), *stage(128, 256),
                        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.2), nn.Linear(1024, classes))  # fmt: skip
    return net.to(memory_format=torch.channels_last)


def seen(pictures: NDArray[np.uint8], rng: np.random.Generator | None = None, side: int = SIDE) -> Tensor:
    """(B, S, S, 4) as the judge sees them: on white, or in training on any grey, shifted and mirrored."""
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    ground = 1.0 if rng is None else torch.from_numpy(rng.uniform(0.6, 1, (len(x), 1, 1, 1)).astype(np.float32))
    x = F.interpolate(x[:, :3] * x[:, 3:] + (1 - x[:, 3:]) * ground, side, mode="area")
    if rng is not None:
        shifts = rng.integers(-5, 6, (len(x), 2))
        flips = rng.random(len(x)) < 0.5
        x = torch.stack([torch.roll(one.flip(2) if flip else one, tuple(shift), (1, 2))
                         for one, shift, flip in zip(x, shifts, flips, strict=True)])  # fmt: skip
    return (x * 2 - 1).contiguous(memory_format=torch.channels_last)


def trained(split: Split, numbers: dict[str, int], epochs: int) -> nn.Module:
    """The judge after so many passes over the real training pictures, the first three fifths at half the size, which cost a
    quarter."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    net = judge(len(numbers))
    targets = np.array([numbers[line["subject"]] for line in split.lines])
    steps = epochs * (len(split) // 128)
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=0.05, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=max(steps, 2))
    for epoch in range(epochs):
        side = SIDE // 2 if epoch < 0.6 * epochs else SIDE
        for part in np.array_split(rng.permutation(len(split)), max(1, len(split) // 128))[: len(split) // 128]:
            with torch.autocast("cpu", torch.bfloat16):
                logits = net(seen(split.take(np.sort(part)), rng, side))
            loss = F.cross_entropy(logits.float(), torch.from_numpy(targets[np.sort(part)]), label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return net.eval()


def kept(data: Pictures, numbers: dict[str, int], epochs: int) -> nn.Module:
    """The judge of a dataset, trained the first time."""
    path = HERE / ".peers" / "sticker" / f"judge-{data.manifest['sha256'][:12]}-{epochs}.safetensors"
    if path.exists():
        net = judge(len(numbers))
        net.load_state_dict(load_file(path))
        return net.eval()
    net = trained(data.split("train"), numbers, epochs)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in net.state_dict().items()}, path)
    return net


@torch.no_grad()
def accuracy(net: nn.Module, pictures: NDArray[np.uint8], targets: NDArray[np.int64]) -> tuple[float, float]:
    """Top-1 and top-5."""
    logits = torch.cat([net(seen(part)) for part in np.array_split(pictures, max(1, len(pictures) // 100))])
    best = logits.topk(5, 1).indices.numpy() == targets[:, None]
    return float(best[:, 0].mean()), float(best.any(1).mean())


def painted(painter: Painter, lines: list[dict], language: str) -> NDArray[np.uint8]:
    """One picture for each held-out line."""
    made = []
    for start in range(0, len(lines), 20):
        some = lines[start : start + 20]
        made.append(painter.best([label(line["caption"], language) for line in some],
                                 [painter.style(line["style"]) for line in some], range(start, start + len(some))))  # fmt: skip
    return np.concatenate(made)


def one_picture(model: str, threads: int) -> tuple[float, float]:
    """Seconds and peak megabytes of a process that opens the model and paints one picture."""
    code = ("from mofang.image.engines.own import Painter; from mofang.models import own; import re;"
            f"p = Painter(own.find({model!r}), {threads}); p.best(['狐狸'], [0], [1]);"
            # Not getrusage: a child begins with the peak of the process it was forked from.
            "print(int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) / 1024)")  # fmt: skip
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return time.monotonic() - start, float(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--model", default="sticker")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    data = Pictures.open(options.data or dataset())
    train, val = data.split("train"), data.split("val")
    numbers = {name: number for number, name in enumerate(sorted({line["subject"] for line in train.lines}))}
    chosen = np.array([i for i, line in enumerate(val.lines) if line["subject"] in numbers][: 40 if options.quick else 300])
    lines = [val.lines[i] for i in chosen]
    targets = np.array([numbers[line["subject"]] for line in lines])
    net = kept(data, numbers, 2 if options.quick else 25)
    real = accuracy(net, val.take(chosen), targets)

    painter = Painter(own.find(options.model), options.threads)
    start = time.monotonic()
    made = {language: painted(painter, lines, language) for language in ("zh", "en")}
    each = (time.monotonic() - start) / (2 * len(lines))
    chinese, english = (accuracy(net, made[language], targets) for language in ("zh", "en"))
    known = np.concatenate(list(train.batches(256)))
    index = Index(filters(known), known)
    rate = copying(index, np.concatenate([made["zh"], made["en"]]), val.take(np.arange(len(val)))).rate
    seconds, memory = one_picture(options.model, options.threads)
    size = sum(path.stat().st_size for path in own.find(options.model).iterdir()) / 1e6
    both = [(a + b) / 2 for a, b in zip(chinese, english, strict=True)]
    gap = max(abs(a - b) for a, b in zip(chinese, english, strict=True))
    name = "real held-out pictures"
    first, five = both
    report("image_sticker", [
        Row("sticker: subject named by a classifier, first guess", "share", first, real[0], name, goal=">= 0.55", met=first >= 0.55),
        Row("sticker: among its first five", "share", five, real[1], name, goal=">= 0.80", met=five >= 0.80),
        Row("sticker: Chinese prompts, first guess", "share", chinese[0]),
        Row("sticker: English prompts, first guess", "share", english[0], goal="within 0.05", met=gap <= 0.05),
        Row("sticker: copies of training pictures", "share", rate, EXPECTED, name, goal="<= 0.10", met=rate <= 0.10),
        Row("sticker: a picture, twenty at a time", "s", each, goal="<= 5", met=each <= 5),
        Row("sticker: the first picture, from a cold start", "s", seconds, goal="<= 5", met=seconds <= 5),
        Row("sticker: peak memory", "MB", memory),
        Row("sticker: weights", "MB", size, goal="<= 80", met=size <= 80),
    ])  # fmt: skip
    sys.stdout.write(f"this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB at most\n")


if __name__ == "__main__":
    main()
