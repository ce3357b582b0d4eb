"""Time of a picture: the shipped text-to-image model as we run it, beside the same network in PyTorch.

    python benchmarks/image_flow.py [--quick] [--model sticker]

Both solve the same equation from the same noise by the same steps, with guidance, in float32 on the same threads, and
the pictures must agree. PyTorch runs the training code eagerly, as diffusers would; loading is not counted.
"""

import argparse
import time
from itertools import pairwise

import numpy as np
import torch

from common import Row, report
from mofang.image.captions import encode, load_tokenizer
from mofang.image.engines.own import GUIDANCE, STEPS, Painter
from mofang.image.nets.flow import Flow, FlowShape
from mofang.models import own


class Eager:
    """The flow in PyTorch: the latents that Painter's graphs also reach."""

    def __init__(self, painter: Painter) -> None:
        config = own.read_config(painter.folder)
        self.net = Flow(FlowShape(**{key: config[key] for key in FlowShape.__dataclass_fields__})).eval()
        self.net.load_state_dict({name: torch.from_numpy(value) for name, value in own.read_tensors(painter.folder).items()})
        self.tokenizer = load_tokenizer(painter.folder)

    @torch.no_grad()
    def latents(self, words: str, style: int, seed: int) -> np.ndarray:
        shape = self.net.shape
        x = torch.from_numpy(np.random.default_rng(seed).standard_normal((1, shape.latent, shape.side, shape.side), np.float32))
        ids = torch.from_numpy(encode(self.tokenizer, [words, ""], shape.words))
        styles = torch.tensor([style, style])

        def velocity(x: torch.Tensor, t: float) -> torch.Tensor:
            led, free = self.net(torch.cat([x, x]), torch.full((2,), t), ids, styles).chunk(2)
            return free + GUIDANCE * (led - free)

        times = np.linspace(1, 0, STEPS + 1, dtype=np.float32).tolist()
        for t, after in pairwise(times):
            here = velocity(x, t)
            ahead = x + (after - t) * here
            x = ahead if after == 0 else x + (after - t) * 0.5 * (here + velocity(ahead, after))
        return x.numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--model", default="sticker")
    options = parser.parse_args()
    torch.set_num_threads(2)
    painter = Painter(own.find(options.model), 2)
    eager = Eager(painter)
    decoder = painter._graphs["decoder"]
    painter.paint(["狐狸"], [0], [0], 2)
    eager.latents("狐狸", 0, 0)
    ours, theirs, apart = [], [], 0
    for seed in range(3 if options.quick else 12):  # In turns, so that both see the same machine.
        start = time.perf_counter()
        picture = painter.paint(["狐狸"], [0], [seed])[0].astype(int)
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        latents = eager.latents("狐狸", 0, seed)
        pixels = decoder.run(None, {"latents": latents})[0]
        theirs.append(time.perf_counter() - start)
        alpha = np.rint(pixels[0, -1] * 255).astype(int)
        apart = max(apart, int(np.abs(alpha - picture[..., -1]).max()))
    one, other = float(np.median(ours)), float(np.median(theirs))
    report("image_flow", [
        Row("sticker: a picture on 2 threads", "s", one, other, "PyTorch eager", other / one, ">= 1.5×", other / one >= 1.5),
        Row("sticker: largest difference of a pixel between the two", "of 255", apart),
    ])  # fmt: skip


if __name__ == "__main__":
    main()
