"""Time of a picture: the network of the shipped text-to-image model as we run it, beside the same in PyTorch.

    python benchmarks/image_flow.py [--quick] [--model sticker]

Both solve the same equation from the same noise by the same steps, with guidance, in float32 on the same threads, and
the pictures must agree. PyTorch runs the training code eagerly, as diffusers would; loading is not counted. The model
ships as graphs alone, so weights of chance are exported here; a step takes as long with any.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from common import Row, report
from mofang.image.captions import FILE as TOKENIZER
from mofang.image.captions import encode, load_tokenizer
from mofang.image.engines.own import GUIDANCE, STEPS, Painter, solved, straight
from mofang.image.export_flow import export_flow
from mofang.image.nets.flow import Flow, FlowShape
from mofang.image.nets.latent import LatentAutoencoder, LatentShape
from mofang.models import own


def of_chance(model: Path, folder: Path) -> Flow:
    """The network of a model with other weights, exported into `folder` beside its configuration and words."""
    config = own.read_config(model)
    torch.manual_seed(0)
    net = Flow(FlowShape(**{key: config[key] for key in FlowShape.__dataclass_fields__})).eval()
    for weight in net.parameters():
        torch.nn.init.normal_(weight, std=0.02)
    coder = LatentAutoencoder(LatentShape(config["channels"], config["latent"])).eval()
    export_flow(net, coder, (torch.zeros(config["latent"]), torch.ones(config["latent"])), folder)
    for name in (own.CONFIG, TOKENIZER):
        shutil.copy(model / name, folder)
    return net


class Eager:
    """The flow in PyTorch: the latents that Painter's graphs also reach."""

    def __init__(self, net: Flow, painter: Painter) -> None:
        self.net, self.tokenizer = net, load_tokenizer(painter.folder)

    @torch.no_grad()
    def latents(self, words: str, style: int, seed: int) -> np.ndarray:
        shape = self.net.shape
        x = torch.from_numpy(np.random.default_rng(seed).standard_normal((1, shape.latent, shape.side, shape.side), np.float32))
        ids = torch.from_numpy(encode(self.tokenizer, [words, ""], shape.words))
        styles = torch.tensor([style, style])

        def velocity(x: torch.Tensor, t: float) -> torch.Tensor:
            led, free = self.net(torch.cat([x, x]), torch.full((2,), t), ids, styles).chunk(2)
            return free + GUIDANCE * (led - free)

        return solved(x, velocity, STEPS).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--model", default="sticker")
    options = parser.parse_args()
    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as name:
        compare(own.find(options.model), Path(name), 3 if options.quick else 12)


def compare(model: Path, folder: Path, pictures: int) -> None:
    net = of_chance(model, folder)
    painter = Painter(folder, 2)
    eager = Eager(net, painter)
    decoder = painter._graphs["decoder"]
    painter.paint(["狐狸"], [0], [0], 2)
    eager.latents("狐狸", 0, 0)
    ours, theirs, apart = [], [], 0
    for seed in range(pictures):  # In turns, so that both see the same machine.
        start = time.perf_counter()
        picture = painter.paint(["狐狸"], [0], [seed])[0].astype(int)
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        latents = eager.latents("狐狸", 0, seed)
        pixels = decoder.run(None, {"latents": latents})[0]
        theirs.append(time.perf_counter() - start)
        apart = max(apart, int(np.abs(straight(pixels)[0, ..., -1].astype(int) - picture[..., -1]).max()))
    one, other = float(np.median(ours)), float(np.median(theirs))
    report("image_flow", [
        Row("sticker: a picture on 2 threads", "s", one, other, "PyTorch eager", other / one, ">= 1.5×", other / one >= 1.5),
        Row("sticker: largest difference of a pixel between the two", "of 255", apart),
    ])  # fmt: skip


if __name__ == "__main__":
    main()
