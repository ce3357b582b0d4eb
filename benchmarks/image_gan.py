"""How good a generator of 1,000 small pictures gets in 20 minutes on a processor, beside lightweight-gan and a plain DCGAN.

    python benchmarks/image_gan.py [--quick] [--minutes 20] [--seed 0]

The pictures are 64×64 drawings of the four openly licensed emoji sets that `mofang models pull` installs, the same subjects
in each; other subjects are held out, others again train the judge: a small network that must tell subjects in other styles
apart (supervised contrastive loss, Khosla et al. 2020) and learns nothing of the pictures it will judge. Each generator sees
the same pictures for the same wall-clock minutes on the same threads, one after another. KID (unbiased, on the judge's
features) is against held-out pictures; the floor is that of the real training pictures. The copy rate is that of
`mofang.image.measure.copies`, the same for all. lightweight-gan is patched to run without CUDA (`image_gan_peer.py`); of its
averaged and its last weights the better count. Ours are those that `mofang image sample --new` leaves; as they come they
have rows of their own. DCGAN is the paper's recipe in float32, at its best validation.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from common import Row, peer_python, report
from mofang.apps.generate import new_among
from mofang.image.data import Pictures
from mofang.image.data.prepare import Preparing, prepare
from mofang.image.engines.collage.art import STYLES, open_art
from mofang.image.measure.copies import Index, copying
from mofang.image.measure.features import filters
from mofang.image.measure.kid import diversity, kid
from mofang.image.sampler import Sampler
from mofang.studio import Studio

PEER = Path(__file__).with_name("image_gan_peer.py")
TONES = re.compile(r"1f3f[b-f]")
SAMPLES = 1000


def drawings(folder: Path, subjects: dict[str, list[str]]) -> None:
    """`folder/PART/STYLE-CODE.png` with a caption that names the subject, for every part's subjects in all styles."""
    import resvg_py

    for part, codes in subjects.items():
        (folder / part).mkdir(parents=True)
        for style in STYLES:
            art = open_art(style)
            for code in codes:
                drawing = art.drawing(code)
                if drawing is None:
                    continue
                box = f"0 0 {drawing.width} {drawing.height}"
                svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{drawing.body}</svg>'
                try:
                    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=128, height=128, skip_system_fonts=True))
                except ValueError:  # A few drawings point at symbols their set does not hold.
                    continue
                (folder / part / f"{style}-{code}.png").write_bytes(png)
                (folder / part / f"{style}-{code}.json").write_text(json.dumps({"en": code, "style": style, "subject": code}))


def chosen(train: int, held_out: int, judge: int) -> dict[str, list[str]]:
    """Subjects that all styles draw, without skin tones, flags and letters, in an order of chance, dealt to the three parts."""
    codes = sorted(code for code in open_art("noto")._names if not TONES.search(code) and not code.startswith(("1f1", "00")))
    codes = [code for code in codes if all(open_art(style).drawing(code) for style in STYLES)]
    order = np.random.default_rng(0).permutation(len(codes))
    marks = np.cumsum([train // 4 + 8, held_out // 4, judge // 4])
    return {part: [codes[k] for k in order[a:b]]
            for part, a, b in zip(("train", "held", "judge"), (0, *marks[:-1]), marks, strict=True)}  # fmt: skip


class Judge(nn.Module):
    """64×64 pictures → features (B, 256) and, for training, directions (B, 64)."""

    def __init__(self) -> None:
        super().__init__()
        widths = (32, 64, 128, 256)
        layers: list[nn.Module] = []
        for a, b in zip((3, *widths), widths, strict=False):
            layers += [nn.Conv2d(a, b, 3, 2, 1), nn.GroupNorm(8, b), nn.SiLU()]
            layers += [nn.Conv2d(b, b, 3, 1, 1), nn.GroupNorm(8, b), nn.SiLU()]
        self.layers, self.head = nn.Sequential(*layers), nn.Linear(256, 64)

    def features(self, pictures: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            parts = [self.layers(ready(pictures[k : k + 64])).mean((2, 3)) for k in range(0, len(pictures), 64)]
        # Of one length: a few extreme pictures would else outweigh all others in a kernel of the third power.
        return F.normalize(torch.cat(parts), dim=1).numpy()


def ready(pictures: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def trained_judge(data: Pictures, steps: int) -> Judge:
    """The network, taught to know a subject again in another style, moved, recoloured and mirrored."""
    from mofang.image.nets.augment import colour, translate

    torch.manual_seed(1)
    split, net = data.split("train"), Judge()
    codes = {code: k for k, code in enumerate(sorted({line["subject"] for line in split.lines}))}
    subject = np.array([codes[line["subject"]] for line in split.lines])
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=0.05)
    rng = np.random.default_rng(1)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 2e-3 * min(1.0, 2 * (1 - step / steps))
        anchors = rng.choice(len(codes), min(48, len(codes)), replace=False)
        picked = np.concatenate([rng.choice(np.flatnonzero(subject == k), 2) for k in anchors])
        batch = split.take(picked)
        flips = rng.random(len(batch)) < 0.5
        batch = np.where(flips[:, None, None, None], batch[:, :, ::-1], batch)
        seen = translate(colour(ready(batch), 0.5), 0.8)
        toward = F.normalize(net.head(net.layers(seen).mean((2, 3))), dim=1)
        scores = toward @ toward.T / 0.1
        scores.fill_diagonal_(-1e9)
        alike = torch.from_numpy(subject[picked][:, None] == subject[picked][None]).fill_diagonal_(False)
        loss = -(scores.log_softmax(1) * alike).sum(1).div(alike.sum(1).clamp(min=1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net.eval()


def ours(folder: Path, data: Path, kind: str, minutes: float, threads: int, seed: int, *more: str) -> dict:
    """Train by the command a creator would use; samples, pictures per second and the seconds of a sample."""
    command = [sys.executable, "-m", "mofang", "--studio", str(folder / "studio"), "image", "train", str(data), "--kind", kind,
               "--out", str(folder / kind), "--budget", f"{round(60 * minutes)}s", "--threads", str(threads),
               "--seed", str(seed), *more]  # fmt: skip
    subprocess.run(command, check=True, env=with_threads(threads), stderr=subprocess.DEVNULL)
    last = json.loads((folder / kind / "log.jsonl").read_text("utf-8").splitlines()[-1])
    sampler = Sampler(folder / kind / "model")
    start = time.perf_counter()
    made = sampler.sample(range(SAMPLES))
    return {"made": made, "speed": last["tokens"] / last["seconds"], "sample": (time.perf_counter() - start) / SAMPLES}


def new(folder: Path, data: Path) -> np.ndarray:
    """Our samples as `mofang image sample --new` picks them: without those nearer to a training picture than what training
    held out, the next seeds instead."""
    studio, model = Studio(folder / "studio"), folder / "gan" / "model"
    seeds = new_among(studio, str(model), range(SAMPLES + SAMPLES // 4), data)[:SAMPLES]
    studio.close()
    return Sampler(model).sample(seeds)


def lightweight(folder: Path, pictures: np.ndarray, minutes: float, threads: int, widest: int) -> dict:
    np.save(folder / "pictures.npy", pictures)
    python = peer_python("gan", "lightweight-gan==1.2.1", "torch==2.13.0", "torchvision==0.28.0")
    command = [str(python), str(PEER), str(folder / "pictures.npy"), str(minutes), str(SAMPLES), str(folder / "peer.npz"),
               str(threads), str(widest)]  # fmt: skip
    subprocess.run(command, check=True, env=with_threads(threads), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = np.load(folder / "peer.npz")
    return {"made": [found["averaged"], found["last"]], "speed": float(found["pictures"] / found["seconds"])}


def with_threads(threads: int) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": str(threads), "MOFANG_LANG": "en"}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="keep runs and sheets here")
    options = parser.parse_args()
    global SAMPLES
    minutes, counts, steps = (0.1, (200, 100, 200), 30) if options.quick else (options.minutes, (1000, 600, 4000), 1200)
    SAMPLES = 64 if options.quick else SAMPLES
    threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as name:
        folder = options.keep or Path(name)
        drawings(folder / "drawn", chosen(*counts))
        data, held, other = (
            prepare([folder / "drawn" / part], folder / f"{part}-64", Preparing(64, val=val, licence="CC-BY-SA-4.0"))
            for part, val in (("train", 0.05), ("held", 0.0), ("judge", 0.0))
        )
        train = np.concatenate(list(data.split("train").batches(256)))
        real = np.concatenate(list(held.split("train").batches(256)))
        judge = trained_judge(other, steps)
        index, reference = Index(filters(train), train), judge.features(real)
        gan = ours(folder, data.folder, "gan", minutes, threads, options.seed)
        picked = new(folder, data.folder)
        dcgan = ours(folder, data.folder, "dcgan", minutes, threads, options.seed, "--precision", "float32")
        peer = lightweight(folder, train, minutes, threads, 32 if options.quick else 128)

    def far(made: np.ndarray) -> float:
        return kid(judge.features(made), reference)

    peer["made"] = min(peer["made"], key=far)
    floor = far(train)
    ways = {"ours": picked, "as sampled": gan["made"], "DCGAN": dcgan["made"], "lightweight-gan": peer["made"]}
    found = {name: (far(made), copying(index, made, real).rate, diversity(judge.features(made), reference))
             for name, made in ways.items()}  # fmt: skip
    what = f"{len(train)} pictures, {minutes:g} min, {threads} threads"
    rows = []
    for name, each in (("DCGAN", dcgan), ("lightweight-gan", peer)):
        best = found[name][0] <= min(found["DCGAN"][0], found["lightweight-gan"][0])
        ratio = found[name][0] / max(found["ours"][0], 1e-6)
        rows.append(Row(f"KID, {what} (floor {floor:.4f})", "1", found["ours"][0], found[name][0], name, ratio,
                        "at most 1/2" if best else "", ratio >= 2 if best else None))  # fmt: skip
        rows.append(Row("copy rate (new pictures: 0.05)", "share", found["ours"][1], found[name][1], name, None,
                        "at most the peer's" if best else "", found["ours"][1] <= found[name][1] if best else None))  # fmt: skip
        rows.append(Row("diversity (real: 1)", "share", found["ours"][2], found[name][2], name))
        rows.append(Row("training", "pictures/s", gan["speed"], each["speed"], name, gan["speed"] / each["speed"]))
    rows.append(Row("KID with copies left in", "1", found["as sampled"][0]))
    rows.append(Row("copy rate with copies left in", "share", found["as sampled"][1]))
    rows.append(Row("sampling without torch", "ms/picture", 1000 * gan["sample"]))
    report("image_gan", rows)


if __name__ == "__main__":
    main()
