"""What chooses among painted pictures: it learns which picture fits which words, and training resumes exactly."""

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from coloured_shapes import COLOURS, plan, shapes
from mofang.cli import mofang
from mofang.image.engines.base import Request
from mofang.image.engines.own import CHOOSER, Painter, small_on_white
from mofang.image.engines.sticker import StickerEngine
from mofang.image.nets.chooser import Block, Chooser, ChooserShape
from mofang.image.train.chooser import Asked, moved, subject
from mofang.image.train.learn import learn
from mofang.image.train.ready import parts
from mofang.models import own
from mofang.studio import UserError


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return shapes(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="module")
def flow(data, tmp_path_factory):
    """A text-to-image model that has learned next to nothing."""
    folder = tmp_path_factory.mktemp("flow")
    options = {"dial": "nano", "batch": 16, "lr": 3e-3}
    coder = learn(data, folder / "coder", "latent", plan("40steps"), {**options, "crop": 32})
    return learn(data, folder / "flow", "flow", plan("20steps"), {**options, "base": coder, "width": 64, "heads": 2, "layers": 2})


@pytest.fixture(scope="module")
def chosen(data, flow, tmp_path_factory):
    """The same model with a chooser that knows three colours."""
    options = {"dial": "nano", "batch": 32, "base": flow}
    return learn(data, tmp_path_factory.mktemp("chooser") / "run", "chooser", plan("80steps"), options)


def discs():
    """One of each colour."""
    made = np.zeros((3, 32, 32, 4), np.uint8)
    for picture, (_, colour) in zip(made, COLOURS.values(), strict=True):
        picture[8:24, 8:24] = (*colour, 255)
    return made


def test_blocks_begin_as_nothing_and_both_sides_are_unit_vectors():
    torch.manual_seed(0)
    x = torch.rand(2, 8, 6, 6)
    assert torch.equal(Block(8)(x), x)
    net = Chooser(ChooserShape(caption=12, width=8, space=16)).eval()
    pictures, whole = torch.rand(3, 3, 64, 64), torch.randn(5, 12)
    assert torch.allclose(net.seen(pictures).norm(dim=1), torch.ones(3)) and torch.allclose(net.read(whole).norm(dim=1), torch.ones(5))
    cosine = torch.nn.functional.cosine_similarity(net.seen(pictures)[:, None], net.read(whole)[None], dim=2)
    assert torch.allclose(net(pictures, whole), net.sharpness.exp() * cosine, atol=1e-5)


def test_pictures_stand_small_on_white_and_what_comes_in_from_outside_is_white():
    whole = small_on_white(discs(), 64)
    assert whole.shape == (3, 3, 64, 64) and whole.dtype == np.float32
    assert np.all(whole[:, :, 0, 0] == 1) and np.allclose(whole[0, :, 32, 32], np.array([220, 40, 40]) / 127.5 - 1, atol=1e-6)
    shifted = moved(torch.from_numpy(whole), np.random.default_rng(1))
    assert shifted.shape == whole.shape and torch.all(shifted[:, :, 0] > 0.99) and shifted.min() < 0


def test_a_subject_is_asked_for_in_many_ways():
    lines = [{"caption": {"en": "red, shape"}}, {"caption": {"en": "red, other"}}, {"caption": {"zh": "蓝"}, "subject": "b"}]
    asked_for = []

    def read(captions):
        asked_for.extend(captions)
        return np.zeros((len(captions), 4), np.float32)

    asked = Asked(lines, read, ways=3)
    assert asked.numbers == {"red": 0, "b": 1} and asked.of(lines).tolist() == [0, 0, 1]
    assert asked.whole.shape == (3, 2, 4) and len(asked_for) == 6 and any("蓝" in text for text in asked_for)
    assert subject({"caption": {}}) == ""


def test_it_tells_which_picture_fits_in_both_languages(chosen):
    painter = Painter(chosen, threads=1)
    for words in (["red", "green", "blue"], ["红色", "绿色", "蓝色"]):
        fit = np.stack([painter.fit(discs(), [word] * 3) for word in words])
        assert fit.shape == (3, 3) and fit.argmax(1).tolist() == [0, 1, 2]


def test_fit_is_the_likelihood_among_all_subjects(chosen, data):
    """The exported graph against the network that was trained: the log of the softmax over the captions it knows."""
    painter, (train, val) = Painter(chosen, threads=1), parts(data)
    asked = Asked([*train.lines, *val.lines], lambda captions: painter.read(captions)[1])
    weights = load_file(chosen / own.WEIGHTS)
    net = Chooser(ChooserShape(asked.whole.size(-1), 8)).eval()
    net.load_state_dict(weights)
    with torch.no_grad():
        seen = torch.from_numpy(small_on_white(discs(), 64))
        wanted = net(seen, torch.from_numpy(painter.read(["green"])[1]))[:, 0] - torch.logsumexp(net(seen, asked.whole[0]), 1)
    assert np.allclose(painter.fit(discs(), ["green"] * 3), wanted.numpy(), atol=0.02)  # The graph's weights are halves.


def test_the_best_candidate_is_shown(chosen, flow, monkeypatch):
    painter = Painter(chosen, threads=1)
    assert painter.chooses and not Painter(flow).chooses
    style, words = painter.style("round"), ["green", "blue"]
    for word, seed in (("green", 4), ("blue", 9)):
        tries = painter.paint([word] * 3, [style] * 3, [seed, [seed, 1], [seed, 2]], 2)
        wanted = tries[painter.fit(tries, [word] * 3).argmax()]
        assert np.array_equal(painter.best([word], [style], [seed], 3, steps=2)[0], wanted)
        assert np.array_equal(painter.best(words, [style] * 2, [seed] * 2, 3, steps=2)[words.index(word)], wanted)
    assert np.array_equal(painter.best(words, [style] * 2, [4, 9], 1, steps=2), painter.paint(words, [style] * 2, [4, 9], 2))
    plain = Painter(flow, threads=1)
    assert np.array_equal(plain.best(words, [style] * 2, [4, 9], steps=2), plain.paint(words, [style] * 2, [4, 9], 2))
    one = StickerEngine(chosen).paint(Request("green", size=(32, 32), steps=2, seed=4)).images[0]
    assert one.shape == (32, 32, 4)


def test_resumed_is_uninterrupted(data, flow, tmp_path):
    options = {"dial": "nano", "batch": 8, "base": flow}

    class Stopped(Exception):
        pass

    def stop(record):
        if record["kind"] == "train" and record["step"] >= 3:
            raise Stopped

    often = plan("6steps", record_every=1, checkpoint_seconds=0)
    whole = learn(data, tmp_path / "whole", "chooser", often, options)
    with pytest.raises(Stopped):
        learn(data, tmp_path / "parts", "chooser", often, options, stop)
    parts = learn(data, tmp_path / "parts", "chooser", often, options)
    assert (whole / own.WEIGHTS).read_bytes() == (parts / own.WEIGHTS).read_bytes()


def test_bad_input_is_one_line(data, flow, chosen, tmp_path):
    with pytest.raises(UserError, match="--base"):
        learn(data, tmp_path / "a", "chooser", plan("2steps"), {"dial": "nano"})
    with pytest.raises(UserError, match="no --layers"):
        learn(data, tmp_path / "b", "chooser", plan("2steps"), {"dial": "nano", "base": flow, "layers": 3})
    coder = flow.parents[1] / "coder" / "model"
    with pytest.raises(UserError, match="paints nothing from words"):
        learn(data, tmp_path / "c", "chooser", plan("2steps"), {"dial": "nano", "base": coder})
    bad = tmp_path / "damaged"
    bad.mkdir()
    for path in chosen.iterdir():
        (bad / path.name).write_bytes(path.read_bytes()[:200] if path.name == CHOOSER else path.read_bytes())
    with pytest.raises(UserError, match=r"chooser\.onnx"):
        Painter(bad).best(["red"], [0], [1], steps=1)


def test_the_command_leaves_a_whole_model(data, flow, tmp_path):
    words = f"image train {data.folder} --kind chooser --base {flow} --size nano --batch 8 --budget 3steps --name picky"
    done = CliRunner().invoke(mofang, ["--studio", str(tmp_path), *words.split()])
    assert done.exit_code == 0, done.output
    folder = own.find("picky", tmp_path)
    card, base = own.read_card(folder), own.read_card(flow)
    assert Painter(folder).chooses and card["recipe"]["base_sha256"] == card["base"]["sha256"] == base["sha256"]
    assert card["base"]["recipe"]["kind"] == "flow" and card["base"]["measured"] == base["measured"]
