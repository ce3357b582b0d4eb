"""Picture engines: diffusion checkpoints built here small, prompts of any length, and the protocol they share."""

import hashlib
import pickle
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from safetensors.numpy import save_file

import diffusion_models
from mofang.cli import mofang
from mofang.image.engines import Request, open_engine
from mofang.image.engines.diffusers.find import find
from mofang.image.engines.diffusers.prompts import Piece, pieces, plain
from mofang.image.engines.frames import held_to, kept_outside, padded
from mofang.studio import UserError

LONG = " ".join(["fox scarf red blue moon river night snow hill house"] * 20)
KINDS = ("sd15", "sdxl", "sd3", "flux")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("diffusion")
    for kind in KINDS:
        getattr(diffusion_models, kind)(folder / kind)
    return folder


@pytest.fixture(scope="module")
def engines(shelf: Path) -> Iterator[dict[str, Any]]:
    yield {kind: open_engine(f"diffusers:{shelf / kind}") for kind in KINDS}


def photo(wide: int = 60, high: int = 40) -> Any:
    return np.random.default_rng(0).integers(0, 255, (high, wide, 3)).astype(np.uint8)


def one(engine: Any, words: str = "red fox", **more: Any) -> Any:
    return engine.paint(Request(words, **{"size": (32, 32), "steps": 2, "seed": 3, **more})).images[0]


# -- prompts ---------------------------------------------------------------------------------------------------------------


def test_weights_are_read_as_painters_write_them() -> None:
    assert pieces("a (red scarf:1.3) and [snow]") == [
        Piece("a "), Piece("red scarf", 1.3), Piece(" and "), Piece("snow", round(1 / 1.1, 6))]  # fmt: skip
    assert pieces("((moon))") == [Piece("moon", 1.21)]
    assert pieces("（红围巾：1.3）的狐狸") == [Piece("红围巾", 1.3), Piece("的狐狸")]
    assert pieces(r"\(plain\)") == [Piece("(plain)")] and pieces("") == []
    assert plain("at 10:30 (open") == "at 10:30 (open"
    assert pieces("(x:99)")[0].weight == 3.0


@given(st.text(alphabet="ab ()[]:：（）\\1.3", max_size=40))
def test_any_prompt_can_be_read(prompt: str) -> None:
    found = pieces(prompt)
    assert all(0 <= piece.weight <= 3 for piece in found)
    assert all(before.weight != after.weight for before, after in pairwise(found))
    assert set(plain(prompt)) <= set(prompt)


@given(st.text(alphabet="abc 狐狸,.", max_size=60))
def test_words_without_brackets_stay_as_they_are(prompt: str) -> None:
    assert plain(prompt) == prompt


def test_chunks_keep_words_whole_and_lose_none() -> None:
    from mofang.image.engines.diffusers.encode import chunks

    tokenizer = diffusion_models.clip_tokenizer()
    words = " ".join(["zqxw"] * 50)  # Four tokens each: 75 is no multiple of 4.
    found = chunks(tokenizer, words)
    assert [len(chunk) for chunk in found] == [72, 72, 56]
    assert [token for chunk in found for token, _ in chunk] == tokenizer(words, add_special_tokens=False).input_ids
    with pytest.raises(UserError, match="tokens"):
        chunks(tokenizer, words * 100)


@pytest.mark.parametrize("kind", KINDS)
def test_a_short_prompt_is_encoded_as_the_pipeline_itself_does(kind: str, engines: dict[str, Any]) -> None:
    import torch

    from mofang.image.engines.diffusers.encode import spoken

    engine = engines[kind]
    one(engine)
    pipe, words = engine._pipe, "red fox in the snow"
    said = spoken(pipe, words, "blue moon", True).arguments
    with torch.no_grad():
        if kind == "sd15":
            both = pipe.encode_prompt(words, "cpu", 1, True, "blue moon")
            theirs = dict(zip(("prompt_embeds", "negative_prompt_embeds"), both, strict=True))
        elif kind == "flux":
            theirs = dict(zip(("prompt_embeds", "pooled_prompt_embeds"), pipe.encode_prompt(words, words), strict=False))
        else:
            names = ("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds")
            given_ = [words] * 3 if kind == "sd3" else [words]
            theirs = dict(zip(names, pipe.encode_prompt(*given_, negative_prompt="blue moon"), strict=True))
    for name, value in theirs.items():
        assert torch.equal(said[name], value), name


# -- painting ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_it_paints_from_words_a_picture_and_into_a_mask(kind: str, engines: dict[str, Any]) -> None:
    engine = engines[kind]
    first = one(engine)
    assert first.shape == (32, 32, 3) and first.std() > 5
    assert np.array_equal(first, one(engine)) and not np.array_equal(first, one(engine, seed=4))
    assert not np.array_equal(first, one(engine, "red (fox:2)")), "weights matter"
    assert not np.array_equal(one(engine, LONG + " gold castle"), one(engine, LONG + " silver boat")), "the last words matter"
    image, mask = photo(), np.zeros((40, 60), bool)
    mask[8:30, 12:40] = True
    changed = one(engine, image=image, strength=0.5, steps=4, size=None)
    assert changed.shape == image.shape and not np.array_equal(changed, image)
    filled = one(engine, image=image, mask=mask, strength=0.9, steps=3, size=None)
    assert np.array_equal(filled[~mask], image[~mask])
    assert (filled[mask] != image[mask]).any(1).mean() > 0.9


def test_each_picture_of_several_is_what_its_seed_gives_alone(engines: dict[str, Any]) -> None:
    both = engines["sd15"].paint(Request("red fox", size=(32, 32), steps=2, seed=3, count=2)).images
    assert np.array_equal(both[0], one(engines["sd15"], seed=3)) and np.array_equal(both[1], one(engines["sd15"], seed=4))


def test_samplers_guidance_and_what_is_unwanted_matter(engines: dict[str, Any]) -> None:
    engine = engines["sd15"]
    seen = {hashlib.sha256(one(engine, steps=4, **more).tobytes()).hexdigest()
            for more in ({}, {"sampler": "euler"}, {"sampler": "euler-a"}, {"sampler": "dpm++-karras"}, {"guidance": 30.0},
                         {"negative": "blue moon castle", "guidance": 30.0})}  # fmt: skip
    assert len(seen) == 6
    assert np.array_equal(one(engine, sampler="euler-a"), one(engine, sampler="euler-a"))
    with pytest.raises(UserError, match="flow-euler"):
        one(engines["flux"], sampler="ddim")
    with pytest.raises(UserError, match="no sampler 'magic'"):
        one(engine, sampler="magic")


def test_a_large_picture_is_painted_small_and_brought_to_size(engines: dict[str, Any]) -> None:
    done = engines["sd15"].paint(Request("red fox", size=(200, 100), steps=1))
    assert done.images[0].shape == (100, 200, 3) and done.facts["painted_at"] == [40, 16]


def test_a_lora_changes_the_picture_as_much_as_it_weighs(shelf: Path, engines: dict[str, Any], tmp_path: Path) -> None:
    import torch
    from diffusers import StableDiffusionPipeline
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    pipe = StableDiffusionPipeline.from_pretrained(shelf / "sd15")
    pipe.unet.add_adapter(LoraConfig(r=2, lora_alpha=2, init_lora_weights="gaussian", target_modules=["to_q", "to_v"]))
    torch.manual_seed(0)
    for name, weight in pipe.unet.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.5)
    pipe.save_lora_weights(tmp_path / "style", unet_lora_layers=get_peft_model_state_dict(pipe.unet))
    names = [f"{tmp_path / 'style'}{weight}" for weight in ("", ":0.3", ":0")]
    painted = [one(open_engine(f"diffusers:{shelf / 'sd15'}", loras=[name])) for name in names]
    without = one(engines["sd15"])
    assert np.array_equal(painted[2], without)
    distance = [np.abs(each.astype(float) - without).mean() for each in painted]
    assert distance[0] > distance[1] > 0
    with pytest.raises(UserError, match="made for another"):
        one(open_engine(f"diffusers:{shelf / 'flux'}", loras=[names[0]]))


def test_a_controlnet_is_followed(shelf: Path, tmp_path: Path) -> None:
    import torch
    from diffusers import ControlNetModel

    torch.manual_seed(5)
    net = ControlNetModel.from_unet(diffusion_models.unet(), conditioning_channels=3,
                                    conditioning_embedding_out_channels=(16, 32))  # fmt: skip
    for name, weight in net.named_parameters():
        if "controlnet_" in name:
            torch.nn.init.normal_(weight, std=0.2)
    net.save_pretrained(tmp_path / "net")
    engine = open_engine(f"diffusers:{shelf / 'sd15'}", controlnet=str(tmp_path / "net"))
    followed = [one(engine, control=picture) for picture in (photo(), np.full((32, 32, 3), 255, np.uint8))]
    assert not np.array_equal(*followed)
    with pytest.raises(UserError, match="belong together"):
        one(engine)


# -- what is refused ---------------------------------------------------------------------------------------------------------


def test_pickles_programs_and_strangers_are_refused(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOFANG_OFFLINE", "1")
    broken = shutil.copytree(shelf / "sd15", tmp_path / "broken")
    weights = broken / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_name("diffusion_pytorch_model.bin"))
    coded = shutil.copytree(shelf / "sd15", tmp_path / "coded")
    index = coded / "model_index.json"
    index.write_text(index.read_text().replace('"diffusers",\n    "UNet2DConditionModel"', '"my_unet",\n    "UNet"'))
    checkpoint = tmp_path / "model.ckpt"
    checkpoint.write_bytes(pickle.dumps({"state_dict": [1]}))
    disguised = tmp_path / "model.safetensors"
    disguised.write_bytes(checkpoint.read_bytes())
    (tmp_path / "empty").mkdir()
    single = tmp_path / "single.safetensors"
    save_file({"model.diffusion_model.input_blocks.0.0.weight": np.zeros((2, 2), np.float32)}, single)
    assert find(str(single)).pipeline == "StableDiffusionPipeline"
    other = tmp_path / "other.safetensors"
    save_file({"x": np.zeros(2, np.float32)}, other)
    for path, said in ((broken, "no weights in safetensors"), (coded, "programs of its own"), (checkpoint, "pickle"),
                       (disguised, "pickle"), (other, "no checkpoint that is known"),
                       (tmp_path / "empty", "no model_index.json"), ("nobody/nothing", "fetching is off"),
                       ("no such thing", "neither there"), ("", "name the checkpoint")):  # fmt: skip
        with pytest.raises(UserError, match=said):
            open_engine(f"diffusers:{path}")
    network = f"{shelf}/sd15/unet/diffusion_pytorch_model.safetensors"
    for lora, said in ((str(checkpoint), "pickle"), ("nothing", "no LoRA"), (network, "no LoRA"), ("x:9", "noise")):
        with pytest.raises(UserError, match=said):
            open_engine(f"diffusers:{shelf / 'sd15'}", loras=[lora])


def test_missing_diffusers_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(UserError, match=r"pip install 'mofang\[diffusers\]'"):
        open_engine("diffusers:x")


@pytest.mark.parametrize(("more", "said"), [
    ({"words": "  "}, "no words"), ({"words": "a" * 20_001}, "20,001 characters"), ({"words": "\ud800"}, "half a character"),
    ({"count": 0}, "0 pictures"), ({"size": (9, 9)}, "9x9"), ({"strength": 0.5}, "--image"),
    ({"image": photo(), "strength": 0.01, "steps": 4}, "none of 4 steps"), ({"mask": np.ones((4, 4), bool)}, "--image"),
    ({"image": photo(), "mask": np.ones((4, 4), bool)}, "different sizes"),
    ({"image": photo(), "mask": np.zeros((40, 60), bool)}, "black"),
    ({"quality": "hd"}, "--quality"), ({"control": photo()}, "belong together"),
])  # fmt: skip
def test_what_makes_no_sense_is_said(more: dict[str, Any], said: str, engines: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=said):
        one(engines["sd15"], **{"words": "red fox", **more})


def test_five_thousand_characters_are_painted(engines: dict[str, Any]) -> None:
    assert one(engines["sd15"], ("red fox " * 700)[:5000]).shape == (32, 32, 3)


# -- frames ------------------------------------------------------------------------------------------------------------------


@given(st.integers(16, 3000), st.integers(16, 3000), st.sampled_from([8, 16, 64]))
def test_sizes_are_held_to_an_area(wide: int, high: int, multiple: int) -> None:
    width, height = held_to((wide, high), 512 * 512, multiple)
    assert width % multiple == 0 == height % multiple and width >= multiple <= height
    assert width * height <= 512 * 512 + multiple * (width + height) + multiple**2


def test_a_frame_goes_around_a_picture_and_comes_off_again() -> None:
    image = photo(60, 40)
    framed, mask, (left, top, wide, high) = padded(image, np.ones((40, 60), bool), (60, 60))
    assert framed.shape == (60, 60, 3) and mask is not None and mask.sum() == 60 * 40
    assert np.array_equal(framed[top : top + high, left : left + wide], image)
    assert np.array_equal(kept_outside(framed[:40], image, np.zeros((40, 60), bool)), image)


# -- the other engines and the command line --------------------------------------------------------------------------------


def test_collage_and_folder_are_engines_too(tmp_path: Path) -> None:
    for number in range(2):
        Image.fromarray(photo() // (number + 1)).save(tmp_path / f"{number}.png")
    folder = open_engine(f"folder:{tmp_path}")
    images = folder.paint(Request("any", count=3)).images
    assert [each.mean() > 100 for each in images] == [True, False, True]
    painted = open_engine("collage").paint(Request("一只红狐狸", size=(120, 160)))
    assert painted.images[0].shape == (160, 120, 3) and painted.credits
    for name, more, said in (("magic", {}, "no picture engine"), ("collage", {"loras": ["x"]}, "takes no LoRA")):
        with pytest.raises(UserError, match=said):
            open_engine(name, **more)
    with pytest.raises(UserError, match="--steps"):
        open_engine("collage").paint(Request("fox", steps=4))


def run(studio: Path, *words: object) -> Any:
    return CliRunner().invoke(mofang, ["--studio", str(studio), *map(str, words)], catch_exceptions=False)


def test_the_command_paints_publishes_and_makes_it_again(shelf: Path, tmp_path: Path) -> None:
    from mofang.studio import Studio

    Image.fromarray(photo(320, 256)).save(tmp_path / "photo.png")
    mask = np.zeros((256, 320), np.uint8)
    mask[64:192, 64:192] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    studio = tmp_path / "studio"
    done = run(studio, "image", "make", "red (fox:1.3)", tmp_path / "a.png", "--engine", f"diffusers:{shelf / 'sd15'}", "--steps", 2,
               "--image", tmp_path / "photo.png", "--mask", tmp_path / "mask.png", "--strength", 0.9, "--count", 2)  # fmt: skip
    assert done.exit_code == 0, done.output
    assert (tmp_path / "a-1.png").is_file() and (tmp_path / "a-2.png").is_file()
    opened = Studio(studio)
    newest = [asset for asset in opened.assets("image") if opened.making(asset).recipe.engine == "diffusers-picture"]
    assert len(newest) == 2
    recipe = opened.making(newest[0]).recipe
    assert recipe.prompt == "red (fox:1.3)" and recipe.params["strength"] == 0.9 and recipe.model.startswith("sd15@")
    again = run(studio, "remake", newest[0].id)
    assert again.exit_code == 0 and "byte for byte" in again.output
    recalled = run(studio, "image", "recall", tmp_path / "a-2.png").output
    assert "--engine diffusers:sd15" in recalled and "--strength 0.9" in recalled and "--seed 1" in recalled
    assert "red (fox:1.3)" in recalled and str(shelf).encode() not in (tmp_path / "a-2.png").read_bytes()
    for words, said in ((["", tmp_path / "b.png"], "no words"), (["x", tmp_path / "b.bmp"], "'.bmp'")):
        with pytest.raises(UserError, match=said):
            run(studio, "image", "make", *words, "--engine", f"diffusers:{shelf / 'sd15'}")
    with pytest.raises(UserError, match="--lora"):
        run(studio, "image", "make", "fox", tmp_path / "b.png", "--lora", "x")


def test_a_film_takes_its_pictures_from_an_engine(shelf: Path, tmp_path: Path) -> None:
    from mofang.apps.make.storyboard import load

    (tmp_path / "story.txt").write_text("A red fox sits in the snow. The moon is gold.", "utf-8")
    done = run(tmp_path / "studio", "make", tmp_path / "story.txt", "--image-engine", f"diffusers:{shelf / 'sd15'}", "--aspect", "1:1",
               "--title", "Fox", "--until", "pictures", "--out", tmp_path / "out")  # fmt: skip
    assert done.exit_code == 0, done.output
    board = load(tmp_path / "out" / "Fox" / "storyboard.json")
    assert board.image_engine.startswith("diffusers:") and all(shot.picture.words == shot.text for shot in board.shots)
    assert len(list((tmp_path / "studio" / "assets").rglob("*.png"))) == len(board.shots)
    with pytest.raises(UserError, match="no picture engine"):
        run(tmp_path / "studio", "make", tmp_path / "story.txt", "--image-engine", "magic", "--out", tmp_path / "out")
