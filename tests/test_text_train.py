"""`mofang text train` from a corpus to a model that others can load; stopped and gone on with; refusals."""

import json
import os
import signal
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from mofang.cli import mofang
from mofang.cli.training import Watch
from mofang.models import own
from mofang.studio.errors import UserError
from mofang.text.corpus import Corpus
from mofang.text.learn import load_network
from mofang.text.nets import build, transformer
from mofang.text.own import OwnModel
from mofang.text.tokenizer import Tokenizer
from mofang.text.train import LanguageModel, Settings, optimizers

NETWORKS = {
    "transformer": ["--layers", "2", "--width", "32", "--heads", "2", "--context", "24", "--batch", "8"],
    "lstm": ["--width", "24", "--layers", "1", "--context", "16", "--batch", "8"],
}
ROOT = Path(__file__).parents[1]


pytestmark = pytest.mark.usefixtures("one_thread")


def run(*arguments, code=0):
    done = CliRunner().invoke(mofang, ["text", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Both READMEs of this program, by characters."""
    folder = tmp_path_factory.mktemp("corpus")
    works = [folder / name for name in ("README.md", "README.zh.md") if (ROOT / name).exists()]
    for path in works:
        path.write_text((ROOT / path.name).read_text("utf-8"), "utf-8")
    run("prepare", *works, "--out", folder / "corpus", "--licence", "Apache-2.0", "--document", "blank")
    return folder / "corpus"


def train(corpus, out, network, *more, steps=20, code=0):
    return run("train", corpus, "--network", network, "--size", "nano", *NETWORKS[network], "--out", out,
               "--budget", f"{steps}steps", "--precision", "float32", "--threads", 1, *more, code=code)  # fmt: skip


@pytest.mark.parametrize("network", NETWORKS)
def test_a_model_from_a_corpus(corpus, tmp_path, network):
    out = tmp_path / "run"
    said = train(corpus, out, network, "--prompt", "Mofang", "--prompt", "墨坊", "--dtype", "float32")
    model = out / "model"
    assert str(model) in said and str(out / "report.html") in said and "loss" in said
    files = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "card.json"}
    assert files <= {path.name for path in model.iterdir()}
    net, best = load_network(model), load_file(out / "best.safetensors")
    assert all(torch.equal(tensor, best[name]) for name, tensor in net.state_dict().items())
    tokenizer, manifest = Tokenizer.load(model), Corpus.open(corpus).manifest
    ids = torch.tensor([tokenizer.encode("Mofang 墨坊")])
    assert net(ids)[0].shape == (1, ids.size(1), tokenizer.size)
    card = own.read_card(model)
    assert card["licence"] == "Apache-2.0" and card["trained_on"] == manifest["works"] and len(card["sha256"]) == 64
    assert card["recipe"]["steps"] == 20 and card["recipe"]["seed"] == 0 and card["data_sha256"] == manifest["data_sha256"]
    log = [json.loads(line) for line in (out / "log.jsonl").read_text("utf-8").splitlines()]
    held = [line["loss"] for line in log if line["kind"] == "validate"]
    assert held[-1] < held[0] and min(held) == card["measured"]["validation_loss"]
    page = (out / "report.html").read_text("utf-8")
    assert "<svg" in page and "墨坊" in page and "data_sha256" in page
    assert len(list((out / "samples").iterdir())) == 5
    # The model is found by its run's name, and writes without torch.
    assert own.find(out) == model
    written = OwnModel.open(own.find(out)).write("Mofang", max_tokens=8, seed=1)
    assert 0 < len(written[0].tokens) <= 8


@pytest.mark.parametrize("network", NETWORKS)
def test_a_run_that_was_stopped_gives_the_weights_of_one_that_was_not(corpus, tmp_path, network, monkeypatch):
    train(corpus, tmp_path / "straight", network, "--dropout", "0.2")
    show = Watch.__call__

    def stop_at_ten(self, record):
        show(self, record)
        if record["kind"] == "train" and record["step"] == 10:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Watch, "__call__", stop_at_ten)
    train(corpus, tmp_path / "stopped", network, "--dropout", "0.2", code=1)
    assert (tmp_path / "stopped" / "model" / "card.json").exists(), "the best so far is there"
    monkeypatch.setattr(Watch, "__call__", show)
    with pytest.raises(UserError, match=r"begun with dropout = 0.2, not 0.1; .*--fresh"):
        train(corpus, tmp_path / "stopped", network, "--dropout", "0.1")
    train(corpus, tmp_path / "stopped", network, "--dropout", "0.2")
    for name in ("last.safetensors", "best.safetensors", "model/model.safetensors"):
        one, other = (load_file(tmp_path / side / name) for side in ("straight", "stopped"))
        assert one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one), name
    before = (tmp_path / "stopped" / "model" / "model.safetensors").read_bytes()
    train(corpus, tmp_path / "stopped", network, "--dropout", "0.1", "--fresh")
    assert (tmp_path / "stopped" / "model" / "model.safetensors").read_bytes() != before


def test_what_cannot_be_trained_is_said_in_one_line(corpus, tmp_path):
    (tmp_path / "short.txt").write_text("床前明月光", "utf-8")
    run("prepare", tmp_path / "short.txt", "--out", tmp_path / "short", "--split", "100/0/0", "--licence", "CC0-1.0")
    for arguments, message in (
        ((tmp_path / "short",), r"fewer than two windows of 128; add works, or take a shorter --context"),
        ((tmp_path / "none",), r"."),
        ((corpus, "--width", "100"), "give --width, --heads and --kv-heads"),
        ((corpus, "--budget", "soon"), "no budget"),
        ((corpus, "--size", "classic"), "no size 'classic'"),
        ((corpus, "--out", tmp_path / "short.txt"), "is a file; give a folder"),
        ((corpus, "--out", corpus), "holds something that is no run"),
    ):
        with pytest.raises(UserError, match=message) as caught:
            run("train", "--out", tmp_path / "run", *arguments)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "run" / "model").exists()


@pytest.mark.parametrize("parts", [2, 3, 8])
def test_gradients_taken_in_parts_are_those_of_the_batch_even_if_parts_are_uneven(corpus, parts):
    found = []
    stream = Corpus.open(corpus)
    for accumulate in (1, parts):
        torch.manual_seed(0)
        model = build(transformer.config_for(stream.tokenizer.size, 1, 16, 2, 1, 16))
        settings = Settings(16, 8, accumulate, precision="float32")
        language = LanguageModel(model, stream.tokens("train"), stream.tokens("val"), stream.tokenizer, settings)
        measured = [language.step(step) for step in range(3)]
        found.append((measured, [weight.detach() for weight in model.parameters()]))
    (one, ours), (other, theirs) = found
    for a, b in zip(one, other, strict=True):
        assert a == pytest.approx(b, rel=1e-4)
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(ours, theirs, strict=True))


def test_muon_takes_the_matrices_inside_and_adamw_the_rest():
    model = build(transformer.config_for(50, 2, 16, 2, 1, 16, tied=False))
    found = optimizers(model, Settings(16, 8))
    names = {id(weight): name for name, weight in model.named_parameters()}
    muon = {names[id(weight)] for group in found["muon"].param_groups for weight in group["params"]}
    adamw = {names[id(weight)] for group in found["adamw"].param_groups for weight in group["params"]}
    assert muon | adamw == set(names.values()) and not muon & adamw and len(muon) == 2 * 7
    assert {"model.embed_tokens.weight", "lm_head.weight", "model.norm.weight"} <= adamw
    assert all(group["weight_decay"] == 0 for group in found["adamw"].param_groups if group["params"][0].ndim == 1)
    assert "muon" not in optimizers(model, Settings(16, 8, matrix_lr=0.0))
