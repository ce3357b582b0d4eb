"""Checkpoints in one file, as they are passed around: painted offline as the folder they came from, and refused when broken."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.torch import load_file, save_file

import diffusion_models
import ldm_layout
from mofang.cli import mofang
from mofang.image.engines import Request, open_engine
from mofang.image.engines.diffusers import find
from mofang.studio import UserError


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("single")
    diffusion_models.sd15(folder / "whole")
    ldm_layout.single_file(folder / "whole", folder / "tiny.safetensors")
    ldm_layout.settings_of(folder / "whole", folder / "tiny")
    return folder


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is fetched: a connection is an error."""
    import socket

    monkeypatch.setenv("MOFANG_OFFLINE", "1")
    monkeypatch.setenv("MOFANG_LANG", "en")

    def refused(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


def one(engine: Any, **more: Any) -> Any:
    return engine.paint(Request("red fox", **{"size": (32, 32), "steps": 2, "seed": 3, **more})).images[0]


def altered(shelf: Path, name: str, change: Any) -> str:
    """The file with its weights changed by `change`, described as the whole one is."""
    weights = load_file(shelf / "tiny.safetensors")
    change(weights)
    save_file(weights, shelf / f"{name}.safetensors")
    if not (shelf / name).exists():
        (shelf / name).symlink_to(shelf / "tiny")
    return f"diffusers:{shelf / name}.safetensors"


def test_one_file_paints_what_its_folder_paints_to_the_bit(shelf: Path) -> None:
    folder, file = open_engine(f"diffusers:{shelf / 'whole'}"), open_engine(f"diffusers:{shelf / 'tiny.safetensors'}")
    assert np.array_equal(one(folder), one(file))
    picture = np.random.default_rng(0).integers(0, 255, (32, 32, 3)).astype(np.uint8)
    assert np.array_equal(one(folder, image=picture, strength=0.6), one(file, image=picture, strength=0.6))
    assert file.model.startswith("tiny@") and file.model != folder.model


def test_the_command_paints_with_it_and_says_what_made_the_picture(shelf: Path, tmp_path: Path) -> None:
    studio = ["--studio", str(tmp_path / "studio"), "image"]
    run = CliRunner().invoke(mofang, [*studio, "make", "red fox", str(tmp_path / "o.png"), "--steps", "2", "--size", "128x128",
                                      "--engine", f"diffusers:{shelf / 'tiny.safetensors'}"])  # fmt: skip
    assert run.exit_code == 0 and (tmp_path / "o.png").is_file(), (run.output, run.exception)
    told = CliRunner().invoke(mofang, [*studio, "recall", str(tmp_path / "o.png")])
    assert "diffusers:" in told.output and "--steps 2" in told.output


def test_what_kind_a_file_is_is_seen_from_its_weights(shelf: Path) -> None:
    def to_nine(weights: dict[str, Any]) -> None:
        first = "model.diffusion_model.input_blocks.0.0.weight"
        weights[first] = weights[first].repeat(1, 3, 1, 1)[:, :9].contiguous()

    altered(shelf, "nine", to_nine)
    (shelf / "nine").unlink()
    found = find.find(str(shelf / "nine.safetensors"))
    assert found.pipeline == "StableDiffusionInpaintPipeline" and found.described_by.endswith("inpainting")
    assert find.find(str(shelf / "tiny.safetensors")).described_by == str(shelf / "tiny")


def test_without_settings_and_connection_it_is_said_what_to_put_where(shelf: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.safetensors"
    alone.write_bytes((shelf / "tiny.safetensors").read_bytes())
    with pytest.raises(UserError, match=r"fetching is off.*beside it as alone/") as caught:
        one(open_engine(f"diffusers:{alone}"))
    assert "\n" not in str(caught.value)


def without(part: str) -> Any:
    def change(weights: dict[str, Any]) -> None:
        for key in [key for key in weights if key.startswith(part)]:
            del weights[key]

    return change


def wider(weights: dict[str, Any]) -> None:
    key = "model.diffusion_model.middle_block.0.in_layers.2.weight"
    weights[key] = weights[key].repeat(2, 1, 1, 1)


@pytest.mark.parametrize(("name", "change", "said"), [
    ("no-vae", without("first_stage_model."), "no-vae"), ("no-text", without("cond_stage_model."), "no-text"),
    ("no-layer", without("model.diffusion_model.middle_block.0.in_layers.2"), "weights are missing"),
    ("no-key", without("cond_stage_model.transformer.text_model.final_layer_norm"), "weights are missing"),
    ("wider", wider, "cannot open wider"),
    ("nan", lambda weights: weights["model.diffusion_model.out.2.bias"].fill_(float("nan")), "no numbers"),
])  # fmt: skip
def test_files_that_are_not_whole_are_refused_in_one_line(shelf: Path, name: str, change: Any, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        one(open_engine(altered(shelf, name, change)))
    assert "\n" not in str(caught.value)


def test_a_cut_file_and_settings_that_bring_programs_are_refused(shelf: Path, tmp_path: Path) -> None:
    whole = (shelf / "tiny.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "coded.safetensors").write_bytes(whole)
    index = json.loads((shelf / "tiny" / "model_index.json").read_text())
    (tmp_path / "coded").mkdir()
    (tmp_path / "coded" / "model_index.json").write_text(json.dumps({**index, "unet": ["my_unet", "UNet"]}))
    for name, said in (("cut", "cut.safetensors"), ("coded", "programs of its own")):
        with pytest.raises(UserError, match=said) as caught:
            one(open_engine(f"diffusers:{tmp_path / name}.safetensors"))
        assert "\n" not in str(caught.value)
