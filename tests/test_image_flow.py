"""Text to image from the equations up: latents, the flow, captions, training that resumes, painting without torch."""

import json
import shutil
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coloured_shapes import plan, shapes
from mofang.image.captions import encode, load_tokenizer, phrased, train_tokenizer
from mofang.image.data import Pictures
from mofang.image.engines.own import Painter
from mofang.image.nets.flow import Flow, FlowShape, Sketch, grid, patches, waves
from mofang.image.nets.latent import LatentAutoencoder, LatentShape, divergence, premultiplied
from mofang.image.train.flow import agreement, label
from mofang.image.train.latent import difference
from mofang.image.train.learn import learn
from mofang.image.train.make_flow import open_coder
from mofang.models import own
from mofang.studio import UserError


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return shapes(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="module")
def models(data, tmp_path_factory):
    """An autoencoder and a flow that have learned a little."""
    folder = tmp_path_factory.mktemp("models")
    options = {"dial": "nano", "batch": 16, "lr": 3e-3}
    coder = learn(data, folder / "coder", "latent", plan("700steps"), {**options, "crop": 32})
    made = learn(data, folder / "flow", "flow", plan("400steps"), {**options, "base": coder, "width": 64, "heads": 2, "layers": 2})
    return coder, made


@cache
def words_of_foxes():
    return train_tokenizer(["狐狸，动物", "fox, animal"] * 5, 300)


def test_the_divergence_is_the_closed_form():
    torch.manual_seed(0)
    mean, logvar = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    mine = torch.distributions.Normal(mean, (0.5 * logvar).exp())
    exact = torch.distributions.kl_divergence(mine, torch.distributions.Normal(0.0, 1.0)).mean()
    assert torch.allclose(divergence(mean, logvar), exact, atol=1e-6)
    assert divergence(torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)) == 0


def test_latents_are_an_eighth_and_branches_begin_at_zero():
    net = LatentAutoencoder(LatentShape(channels=3, latent=5, width=32, blocks=1))
    pictures = torch.rand(2, 3, 32, 48) * 2 - 1
    again, mean, logvar = net(pictures)
    assert again.shape == pictures.shape and mean.shape == logvar.shape == (2, 5, 4, 6)
    block = net.decoder[1]
    x = torch.randn(1, 32, 4, 4)
    assert torch.equal(block(x), x)


def test_what_shows_through_has_no_colour():
    pictures = torch.tensor([[[[200, 100, 0, 0], [200, 100, 0, 255]]]], dtype=torch.uint8)
    x = premultiplied(pictures)
    assert torch.equal(x[0, :, 0, 0], -torch.ones(4)) and x[0, 3, 0, 1] == 1
    assert torch.allclose(x[0, :3, 0, 1], torch.tensor([200.0, 100, 0]) / 127.5 - 1)


def test_the_difference_sees_edges():
    x = torch.zeros(1, 1, 8, 8)
    flat = x + 0.1
    stripes = x + 0.1 * torch.tensor([1.0, -1]).repeat(4)
    assert difference(flat, x) == pytest.approx(0.1) and difference(stripes, x) > 0.25


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.integers(1, 4), st.sampled_from([2, 4, 8, 16]))
def test_patches_and_grid_are_inverse(batch, channels, side):
    latents = torch.randn(batch, channels, side, side)
    assert torch.equal(grid(patches(latents), side), latents)


def test_a_sketch_of_a_subject_is_seen_in_a_style_it_was_never_drawn_in():
    """Twelve subjects in four styles, each style one linear view of the subject; one pair is held out."""
    torch.manual_seed(0)
    shape = FlowShape(20, 4, side=4, latent=2, width=32, layers=1, heads=2, sketch=6)
    subject, views = torch.randn(12, 4, 3), torch.randn(4, 3, 8)
    truth = subject[:, None] @ views  # (12, 4, tokens, values)
    who, how = (numbers.flatten()[1:] for numbers in torch.meshgrid(torch.arange(12), torch.arange(4), indexing="ij"))
    sketch, known = Sketch(shape, dropout=0.0), torch.nn.functional.normalize(torch.randn(12, 32)) * 5
    optimizer = torch.optim.AdamW(sketch.parameters(), 1e-2)
    for _ in range(400):
        loss = torch.nn.functional.mse_loss(sketch.seen(sketch(known[who]), how), truth[who, how])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    held_out = sketch.seen(sketch(known[:1]), torch.zeros(1, dtype=torch.int64))
    assert loss < 0.01
    assert torch.nn.functional.mse_loss(held_out, truth[:1, 0]) < 0.25 * truth[0, 0].square().mean()


def test_an_untrained_flow_stands_still_and_ignores_padding():
    torch.manual_seed(1)
    shape = FlowShape(50, 3, side=8, width=32, layers=2, heads=2)
    net = Flow(shape).eval()
    x, t, style = torch.randn(2, 6, 8, 8), torch.tensor([0.2, 0.9]), torch.tensor([0, 3])
    words = torch.zeros(2, 16, dtype=torch.int64)
    words[:, :3] = torch.tensor([5, 6, 7])
    assert torch.equal(net(x, t, words, style), torch.zeros_like(x))
    for weight in net.parameters():
        torch.nn.init.normal_(weight, std=0.1)
    features, whole = net.captions(words)
    assert torch.equal(features[:, 3:], torch.zeros_like(features[:, 3:]))
    stirred = features.clone()
    stirred[:, 3:] = 9.0  # What no word stands for must not be looked at.
    one = net.velocity(x, t, features, whole, words != 0, style)
    other = net.velocity(x, t, stirred, whole, words != 0, style)
    assert torch.allclose(one, other, atol=1e-5) and one.abs().max() > 0
    assert waves(t).shape == (2, 128) and not torch.allclose(waves(t)[0], waves(t)[1])


def test_captions_agree_when_translations_are_nearest():
    apart = torch.eye(4)
    subject = torch.arange(4)
    assert agreement(apart, apart, subject) < 0.01 < agreement(apart, apart.roll(1, 0), subject)
    # Two pictures of one subject are not held against each other.
    twins = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    assert agreement(twins, twins, torch.tensor([0, 0, 1, 1])) < 0.01


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["zh", "en", ""]), st.integers(0, 9))
def test_any_caption_can_be_phrased_and_encoded(caption, language, seed):
    tokenizer = words_of_foxes()
    text = phrased(caption, language, np.random.default_rng(seed))
    ids = encode(tokenizer, [text, "fox"], 12)
    assert ids.shape == (2, 12) and ids.min() >= 0 and ids.max() < tokenizer.get_vocab_size() and ids[1, 0] != 0


def test_phrasing_keeps_the_label_and_draws_on_tags():
    ways = {phrased("fox, animal, face", "en", np.random.default_rng(seed)) for seed in range(200)}
    assert {"fox", "a fox"} <= ways and any("animal" in way and "fox" in way for way in ways) and len(ways) > 8
    assert label({"zh": "狐狸，动物", "en": "fox, animal"}, "zh") == "狐狸" and label({"en": "fox, face"}, "zh") == "fox"


@pytest.mark.parametrize("kind, more", [("flow", {"width": 32, "heads": 2, "layers": 1}), ("decoder", {"noise": 0.5})])
def test_a_resumed_run_is_the_uninterrupted_one(data, models, tmp_path, kind, more):
    coder, _ = models
    options = {"dial": "nano", "batch": 8, "base": coder, **more}

    class Stopped(Exception):
        pass

    def stop(record):
        if record["kind"] == "train" and record["step"] >= 6:
            raise Stopped

    learn(data, tmp_path / "whole", kind, plan("12steps", record_every=1), options)
    with pytest.raises(Stopped):
        learn(data, tmp_path / "parts", kind, plan("12steps", record_every=1, checkpoint_seconds=0), options, stop)
    learn(data, tmp_path / "parts", kind, plan("12steps", record_every=1, checkpoint_seconds=0), options)
    weights = [(tmp_path / part / "model" / "model.safetensors").read_bytes() for part in ("whole", "parts")]
    assert weights[0] == weights[1]


def test_a_decoder_learns_to_forgive_and_the_encoder_stays(data, models, tmp_path):
    coder, _ = models
    options = {"dial": "nano", "batch": 16, "lr": 3e-3, "base": coder, "noise": 1.0}
    made = learn(data, tmp_path / "run", "decoder", plan("150steps"), options)
    (old, _), (new, _) = open_coder(coder, data), open_coder(made, data)
    pictures = premultiplied(torch.from_numpy(data.split("train").take(np.arange(24))))
    with torch.no_grad():
        latents, _ = old.encode(pictures)
        assert torch.equal(latents, new.encode(pictures)[0])
        torch.manual_seed(0)
        noisy = latents + 0.5 * latents.std((0, 2, 3), keepdim=True) * torch.randn_like(latents)
        assert difference(new.decode(noisy), pictures) < 0.9 * difference(old.decode(noisy), pictures)


def test_an_autoencoder_that_claims_to_be_huge_takes_no_memory(data, models, tmp_path):
    coder, _ = models
    for size in ({"width": 4096}, {"width": 10**9}, {"blocks": 10**12}, {"latent": -1}, {"channels": "4x"}):
        base = tmp_path / "huge"
        shutil.copytree(coder, base, dirs_exist_ok=True)
        (base / own.CONFIG).write_text(json.dumps(own.read_config(coder) | size))
        with pytest.raises(UserError, match=r"another network|channels"):
            learn(data, tmp_path / "run", "flow", plan("1steps"), {"dial": "nano", "base": base})


def test_a_run_begins_with_another_models_weights(data, models, tmp_path):
    coder, made = models
    options = {"dial": "nano", "batch": 8, "base": coder, "width": 64, "heads": 2, "layers": 2, "lr": 1e-9, "matrix_lr": 1e-9}
    again = learn(data, tmp_path / "again", "flow", plan("1steps"), options, start=made)
    old, new = (own.read_tensors(folder) for folder in (made, again))
    assert all(np.allclose(old[name], new[name], atol=1e-6) for name in old)
    assert json.loads((tmp_path / "again" / "run.json").read_text())["start_sha256"] == own.read_card(made)["sha256"]
    with pytest.raises(UserError, match="another network"):
        learn(data, tmp_path / "wrong", "flow", plan("1steps"), {**options, "layers": 1}, start=made)


def test_it_paints_what_it_is_asked_for_without_torch(models):
    _, made = models
    painter = Painter(made, threads=1)
    asked = ["red", "green", "blue", "红色", "绿色", "蓝色"]
    pictures = painter.paint(asked, [painter.style("round")] * 6, range(6), steps=8)
    assert pictures.shape == (6, 32, 32, 4)
    right = 0
    for picture, channel in zip(pictures, [0, 1, 2, 0, 1, 2], strict=True):
        weight = picture[..., 3:].astype(float)
        right += int((picture[..., :3] * weight).sum((0, 1)).argmax() == channel)
    assert right >= 4
    # One seed, one picture, whatever else is painted beside it.
    alone = painter.paint(["green"], [painter.style("round")], [1], steps=8)
    assert np.abs(alone[0].astype(int) - pictures[1]).max() <= 1
    assert np.array_equal(painter.paint(["green"], [painter.style("")], [1], steps=2),
                          painter.paint(["green"], [painter.style("")], [1], steps=2))  # fmt: skip
    assert painter.unread("red " * 60) > 0 == painter.unread("red")


def test_the_graphs_are_the_network(models, data):
    _, made = models
    from mofang.models import own

    config = own.read_config(made)
    shape = FlowShape(**{key: config[key] for key in FlowShape.__dataclass_fields__})
    net = Flow(shape).eval()
    net.load_state_dict({name: torch.from_numpy(value) for name, value in own.read_tensors(made).items()})
    painter = Painter(made, threads=1)
    x = np.random.default_rng(0).standard_normal((1, 6, 4, 4), np.float32)
    ids = encode(load_tokenizer(made), ["blue"], shape.words)
    with torch.no_grad():
        exact = net(torch.from_numpy(x), torch.tensor([0.4]), torch.from_numpy(ids), torch.tensor([1])).numpy()
    ours = painter._velocity(["blue", ""], [1, 1], 1.0)(x, 0.4)
    assert np.abs(ours - exact).max() < 0.02 * np.abs(exact).max() + 1e-3  # Weights are kept as float16.


def test_what_cannot_be_is_said(data, models, tmp_path):
    coder, made = models
    with pytest.raises(UserError, match="--kind latent"):
        learn(data, tmp_path / "a", "flow", plan("2steps"), {"dial": "nano"})
    with pytest.raises(UserError, match="no autoencoder"):
        learn(data, tmp_path / "b", "flow", plan("2steps"), {"dial": "nano", "base": made})
    with pytest.raises(UserError, match="paints nothing from words"):
        Painter(coder)
    with pytest.raises(UserError, match="round"):
        Painter(made).style("cubist")
    assert isinstance(Pictures.open(data.folder), Pictures)
