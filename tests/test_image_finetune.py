"""LoRA and DreamBooth on a tiny Stable Diffusion: it learns, stops and goes on to the bit, and `--lora` loads what it wrote."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from safetensors.numpy import load_file

import diffusion_models
from mofang.cli import mofang
from mofang.image.engines import Request, open_engine
from mofang.image.engines.diffusers import find
from mofang.image.finetune import Tuning, finetune
from mofang.image.train.adapt import AdaptSettings
from mofang.models import own
from mofang.studio import UserError
from mofang.training.budget import Budget
from mofang.training.loop import Plan


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finetune")
    for kind in ("sd15", "sdxl", "flux"):
        getattr(diffusion_models, kind)(folder / kind)
    works = folder / "works"
    works.mkdir()
    rng = np.random.default_rng(0)
    for number in range(6):
        image = np.zeros((48, 48, 3), np.uint8)
        image[..., number % 3] = rng.integers(60, 255, (48, 48))
        Image.fromarray(image).save(works / f"{number}.png")
        (works / f"{number}.txt").write_text(f"a {('red', 'gold', 'blue')[number % 3]} fox number {number}", "utf-8")
    return folder


def tuning(steps: int = 6, **more: Any) -> Tuning:
    settings = AdaptSettings(rank=2, batch=2, lr=3e-3, precision="float32")
    return Tuning(settings, Plan(Budget(steps, "steps"), ema=0.5, validations=2, samples=1, warmup=0.0),
                  **{"licence": "own", "size": 32, **more})  # fmt: skip


def test_a_lora_is_learned_written_and_loaded(shelf: Path, tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []
    model = finetune(find.find(str(shelf / "sd15")), shelf / "works", tmp_path / "run", tuning(), seen.append)
    weights = load_file(model / own.WEIGHTS)
    assert any(name.endswith("lora_B.weight") and np.abs(value).max() > 0 for name, value in weights.items())
    assert own.read_config(model)["model_type"] == "lora" and own.read_card(model)["measured"]["validation_loss"] > 0
    assert [record for record in seen if record["kind"] == "sample"] and list((tmp_path / "run" / "samples").glob("*.png"))
    request = Request("red fox", size=(32, 32), steps=2)
    plain = open_engine(f"diffusers:{shelf / 'sd15'}").paint(request).images[0]
    styled = open_engine(f"diffusers:{shelf / 'sd15'}", loras=[str(tmp_path / "run")]).paint(request).images[0]
    assert not np.array_equal(plain, styled)


def test_dreambooth_keeps_its_class_and_goes_on_to_the_bit(shelf: Path, tmp_path: Path) -> None:
    base = find.find(str(shelf / "sd15"))
    told = tuning(4, kind="dreambooth", subject="a photo of zqx fox", group="a photo of a fox", prior=2)
    whole = finetune(base, shelf / "works", tmp_path / "whole", told)
    assert len(list((tmp_path / "whole" / "prior").glob("*.png"))) == 2

    def stop(record: dict[str, Any]) -> None:
        if record["kind"] == "validate" and record["step"] == 2:
            import signal

            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        finetune(base, shelf / "works", tmp_path / "parts", told, stop)
    parts = finetune(base, shelf / "works", tmp_path / "parts", told)
    one, other = load_file(whole / own.WEIGHTS), load_file(parts / own.WEIGHTS)
    assert one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def test_sdxl_learns_and_what_cannot_is_refused(shelf: Path, tmp_path: Path) -> None:
    assert (finetune(find.find(str(shelf / "sdxl")), shelf / "works", tmp_path / "xl", tuning(2)) / own.WEIGHTS).is_file()
    with pytest.raises(UserError, match="FluxPipeline"):
        finetune(find.find(str(shelf / "flux")), shelf / "works", tmp_path / "flux", tuning())
    with pytest.raises(UserError, match="--subject"):
        finetune(find.find(str(shelf / "sd15")), shelf / "works", tmp_path / "no", tuning(kind="dreambooth"))


def test_the_command(shelf: Path, tmp_path: Path) -> None:
    def run(*words: object) -> Any:
        return CliRunner().invoke(mofang, ["--studio", str(tmp_path / "studio"), "image", *map(str, words)], catch_exceptions=False)

    base = shelf / "sd15"
    done = run("finetune", shelf / "works", "--base", base, "--name", "mine", "--budget", "2steps", "--rank", 2, "--size", 32,
               "--licence", "own")  # fmt: skip
    assert done.exit_code == 0, done.output
    done = run("make", "red fox", tmp_path / "a.png", "--engine", f"diffusers:{base}", "--lora", "mine:0.8", "--size", "320x320",
               "--steps", 1)  # fmt: skip
    assert done.exit_code == 0 and (tmp_path / "a.png").is_file(), done.output


def test_training_an_adapter_is_fine_tuning(shelf: Path, tmp_path: Path) -> None:
    def run(*words: object) -> Any:
        arguments = ["--studio", tmp_path / "studio", "image", "train", shelf / "works", *words]
        return CliRunner().invoke(mofang, list(map(str, arguments)))

    done = run("--kind", "lora", "--base", shelf / "sd15", "--name", "mine", "--budget", "1steps", "--rank", 2,
               "--licence", "own")  # fmt: skip
    assert done.exit_code == 0, (done.output, done.exception)
    assert (tmp_path / "studio" / "runs" / "mine" / "model" / "model.safetensors").is_file()
    for words, said in ((("--kind", "lora"), "needs --base"), (("--kind", "lora", "--base", "x", "--codes", "8"), "no --codes"),
                        (("--kind", "dreambooth", "--base", shelf / "sd15"), "--subject")):  # fmt: skip
        done = run(*words)
        assert isinstance(done.exception, UserError) and said in str(done.exception), (done.output, done.exception)
