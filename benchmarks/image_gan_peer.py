"""Peer of image_gan.py: lightweight-gan on a processor. Runs in its own venv; see there.

    python image_gan_peer.py PICTURES.npy MINUTES COUNT OUT.npz THREADS WIDEST

The package asserts CUDA at import and calls `.cuda()`; those words are taken out of its source before it runs, and so are
its sheets and checkpoints, which would cost it minutes.
Its defaults stay (batch 10, attention, augmentation, EMA), but gradients are applied every micro-step instead of every fourth, and
its networks are at most WIDEST channels wide instead of 512: at its defaults twenty minutes are a few dozen steps.
"""

import contextlib
import importlib.util
import sys
import tempfile
import time
import types
from pathlib import Path

import numpy as np
import torch
from PIL import Image

CHANGES = (
    ("assert torch.cuda.is_available()", "assert True"),
    ("self.cuda(rank)", "pass"),
    (".cuda(self.rank)", ""),
    ("torch.device(f'cuda:{self.rank}')", "torch.device('cpu')"),
    ("torch.cuda.empty_cache()", "pass"),
    ("partial(autocast, 'cuda')", "partial(autocast, 'cpu')"),
    ("self.evaluate(floor", "(lambda *_, **__: None)(floor"),  # Its sheets every 100 steps would cost it minutes.
    ("self.save(self.checkpoint_num)", "pass"),
)


def on_cpu() -> object:
    """The package's module, its CUDA calls taken out."""
    for operator in ("nms", "qnms"):
        with contextlib.suppress(RuntimeError):
            # torchvision's wheel is built for CUDA, and importing it asks for these of a library that cannot be loaded then.
            torch.library.define(f"torchvision::{operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    spec = importlib.util.find_spec("lightweight_gan")
    assert spec is not None and spec.origin is not None
    package = types.ModuleType("lightweight_gan")  # Its own __init__ would import what asserts CUDA.
    package.__path__ = [str(Path(spec.origin).parent)]
    sys.modules["lightweight_gan"] = package
    source = (Path(spec.origin).parent / "lightweight_gan.py").read_text("utf-8")
    for old, new in CHANGES:
        source = source.replace(old, new)
    folder = Path(tempfile.mkdtemp())
    path = folder / "lightweight_gan_cpu.py"
    path.write_text(source, "utf-8")
    patched = importlib.util.spec_from_file_location("lightweight_gan_cpu", path)
    assert patched is not None and patched.loader is not None
    module = importlib.util.module_from_spec(patched)
    sys.modules["lightweight_gan_cpu"] = module
    patched.loader.exec_module(module)
    return module


def main(pictures: Path, minutes: float, count: int, out: Path, threads: int, widest: int) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    module = on_cpu()
    folder = Path(tempfile.mkdtemp())
    (folder / "pictures").mkdir()
    for number, picture in enumerate(np.load(pictures)):
        Image.fromarray(picture).save(folder / "pictures" / f"{number:05}.png")
    trainer = module.Trainer(name="peer", results_dir=folder / "results", models_dir=folder / "models", base_dir=str(folder),  # type: ignore[attr-defined]
                             image_size=64, batch_size=10, fmap_max=widest, attn_res_layers=[32], disc_output_size=1, optimizer="adam",
                             gradient_accumulate_every=1, num_workers=0, save_every=10**9, evaluate_every=10**9, amp=False,
                             use_aim=False)  # fmt: skip
    trainer.set_data_src(str(folder / "pictures"))
    trainer.init_GAN()
    steps, start = 0, time.monotonic()
    while time.monotonic() - start < 60 * minutes:
        trainer.train()
        steps += 1
        sys.stdout.write(f"step {steps}, {time.monotonic() - start:.1f} s\n")
        sys.stdout.flush()
    seconds = time.monotonic() - start
    made = {}
    with torch.no_grad():
        for name, network in (("averaged", trainer.GAN.GE), ("last", trainer.GAN.G)):
            network.eval()
            parts = [network(torch.randn(min(16, count - k), trainer.GAN.latent_dim)).clamp(0, 1) for k in range(0, count, 16)]
            made[name] = (torch.cat(parts) * 255).round().byte().permute(0, 2, 3, 1).numpy()[..., :3]
    np.savez(out, steps=steps, pictures=steps * trainer.batch_size, seconds=seconds, **made)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5]), int(sys.argv[6]))
