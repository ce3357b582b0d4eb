"""Own kernels against torch and Transformers, and against themselves: cached, batched, forked, cut short."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import text_models
from mofang.studio import UserError
from mofang.text import infer
from mofang.text.nets.recurrent import config_for as recurrent_config
from mofang.text.nets.transformer import config_for as transformer_config
from mofang.text.tokenizer import train_tokenizer

CELLS = ("rnn", "gru", "lstm")
CONTEXT = 128


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    folder = tmp_path_factory.mktemp("infer")
    text_models.transformer(folder / "tied")
    text_models.transformer(folder / "untied", tied=False, layers=3, seed=1)
    for cell in CELLS:
        text_models.recurrent(folder / cell, cell, tied=cell == "gru")
    # Shapes that fit no tile: heads of 20, an inner width of 100, two texts a group, odd vocabularies.
    tokenizer = train_tokenizer("char", text_models.TEXTS, size=400)
    config = {**transformer_config(tokenizer.size, 2, 60, 3, 1, CONTEXT), "head_dim": 20, "intermediate_size": 100}
    text_models.write(folder / "odd", config, tokenizer, 3)
    text_models.write(folder / "odd-lstm", recurrent_config("lstm", tokenizer.size, 18, 37, 2), tokenizer, 4)
    return folder


ALL = ("tied", "untied", "odd", *CELLS, "odd-lstm")
TRANSFORMERS = ("tied", "untied", "odd")


def some_ids(runner, batch, length, seed=0):
    return np.random.default_rng(seed).integers(0, runner.vocab, (batch, length)).astype(np.int32)


def worst(a, b):
    """The largest difference, in units of the spread of what should come."""
    return float(np.abs(a - b).max() / b.std())


@pytest.mark.parametrize("name", ALL)
def test_like_torch(shelf, name):
    runner = infer.load(shelf / name, precision="float32")
    ids = some_ids(runner, 3, 70)
    ours = runner.feed_all(runner.start(3), ids)
    torch_s = text_models.logits(shelf / name, ids.astype(np.int64))
    assert worst(ours, torch_s) <= 1e-4
    assert worst(runner.feed(runner.start(3), ids), torch_s[:, -1]) <= 1e-4


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_like_transformers(shelf, name):
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(shelf / name, dtype=torch.float32).eval()
    runner = infer.load(shelf / name, precision="float32")
    ids = some_ids(runner, 2, CONTEXT)
    with torch.no_grad():
        theirs = model(torch.from_numpy(ids.astype(np.int64))).logits.numpy()
    assert worst(runner.feed_all(runner.start(2), ids), theirs) <= 1e-4


@pytest.mark.parametrize("name", ALL)
def test_bytes_are_close(shelf, name):
    exact, runner = (infer.load(shelf / name, precision=precision) for precision in ("float32", "int8"))
    ids = some_ids(runner, 2, 40)
    ours, theirs = (each.feed_all(each.start(2), ids) for each in (runner, exact))
    # Random weights as loud as these make every layer amplify what the one before rounded; trained ones do not.
    assert np.sqrt(np.mean((ours - theirs) ** 2)) / theirs.std() <= 0.06
    agree = (ours.argmax(-1) == theirs.argmax(-1)).mean()
    assert agree >= 0.85


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("name", ALL)
def test_one_by_one_is_all_at_once(shelf, name, precision):
    """To the bit: what is cached, how a prompt is cut, who else is in the batch and how many threads there are is all one."""
    runner = infer.load(shelf / name, precision=precision, threads=1)
    ids = some_ids(runner, 5, 45)
    whole = runner.feed_all(runner.start(5), ids)
    state = runner.start(5)
    steps = np.stack([runner.feed(state, ids[:, at : at + 1]) for at in range(45)], 1)
    assert np.array_equal(steps, whole)
    state = runner.start(5)
    pieces = [runner.feed_all(state, piece) for piece in np.split(ids, [1, 18, 34], 1)]
    assert np.array_equal(np.concatenate(pieces, 1), whole)
    for row in range(5):
        assert np.array_equal(runner.feed_all(runner.start(1), ids[row : row + 1])[0], whole[row])
    several = infer.load(shelf / name, precision=precision, threads=3)
    assert np.array_equal(several.feed_all(several.start(5), ids), whole)


@pytest.mark.parametrize("name", ["tied", "odd", "gru", "lstm"])
def test_fork(shelf, name):
    runner = infer.load(shelf / name, precision="float32")
    ids, more = some_ids(runner, 3, 20), some_ids(runner, 4, 9, seed=1)
    state = runner.start(3)
    runner.feed(state, ids)
    rows = np.array([2, 0, 2, 1])
    forked = runner.fork(state, rows)
    got = runner.feed(forked, more)
    for row, (parent, rest) in enumerate(zip(rows, more, strict=True)):
        alone = runner.feed(runner.start(1), np.concatenate([ids[parent], rest])[None])
        assert np.array_equal(got[row], alone[0])
    # The texts they came from know nothing of it.
    assert np.array_equal(runner.feed(state, ids[:, :1]), runner.feed(runner.start(3), np.concatenate([ids, ids[:, :1]], 1)))


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_past_the_context(shelf, name):
    runner = infer.load(shelf / name, precision="float32")
    assert runner.context == CONTEXT
    ids = some_ids(runner, 2, CONTEXT + 30)
    state = runner.start(2)
    runner.feed(state, ids[:, :CONTEXT])
    # A full context goes on with its newest half, the new token among it.
    got = runner.feed(state, ids[:, CONTEXT : CONTEXT + 1])
    kept = ids[:, CONTEXT + 1 - CONTEXT // 2 : CONTEXT + 1]
    assert np.array_equal(got, runner.feed(runner.start(2), kept))
    got = runner.feed(state, ids[:, CONTEXT + 1 : CONTEXT + 2])
    assert np.array_equal(got, runner.feed(runner.start(2), ids[:, CONTEXT + 1 - CONTEXT // 2 : CONTEXT + 2]))
    # More than fits at once: the newest that fit.
    got = runner.feed(runner.start(2), ids)
    assert np.array_equal(got, runner.feed(runner.start(2), ids[:, -CONTEXT:]))


def test_half_precision_files(shelf, tmp_path):
    """Weights kept as float16 are the same weights, rounded."""
    folder = copied(shelf / "tied", tmp_path)
    tensors = load_file(folder / "model.safetensors")
    save_file({name: tensor.astype(np.float16) for name, tensor in tensors.items()}, folder / "model.safetensors")
    runner, exact = (infer.load(each, precision="float32") for each in (folder, shelf / "tied"))
    ids = some_ids(runner, 1, 20)
    assert worst(runner.feed(runner.start(1), ids), exact.feed(exact.start(1), ids)) < 0.05


def copied(folder, to):
    target = to / "copy"
    target.mkdir()
    for path in folder.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return target


@pytest.mark.parametrize(("change", "says"), [
    ({"model_type": "llama"}, "Transformers"),
    ({"model_type": "mofang-seq2seq"}, "rewrite"),
    ({"hidden_size": -1}, "hidden_size"),
    ({"hidden_size": 1e9}, "hidden_size"),
    ({"num_hidden_layers": 9}, "no tensor model.layers.2"),
    ({"vocab_size": 17}, "belong together"),
    ({"num_key_value_heads": 3}, "num_key_value_heads"),
    ({"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}, "rope_scaling"),
    ({"attention_bias": True}, "attention_bias"),
])  # fmt: skip
def test_what_is_not_computed_is_said(shelf, tmp_path, change, says):
    folder = copied(shelf / "tied", tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **change}))
    with pytest.raises(UserError, match=says) as error:
        infer.load(folder)
    assert "\n" not in str(error.value)


def test_broken_numbers(shelf, tmp_path):
    folder = copied(shelf / "tied", tmp_path)
    tensors = load_file(folder / "model.safetensors")
    tensors["model.norm.weight"][3] = np.nan
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(UserError, match=r"model\.norm\.weight.*NaN"):
        infer.load(folder)


def test_precision_by_size(shelf):
    assert infer.load(shelf / "tied").precision == "float32"


def test_no_folder_to_cache_in(shelf, tmp_path):
    """A program installed where nothing can be written, for a user without a home, still writes."""
    code = (
        "import sys; from pathlib import Path; import numpy as np; from mofang.text import infer\n"
        f"runner = infer.load(Path({str(shelf / 'rnn')!r}))\n"
        "print(runner.feed(runner.start(1), np.array([[5]], np.int32)).shape[1] == runner.vocab)\n"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules\n"
    )
    closed = tmp_path / "closed"
    closed.write_text("no folder")
    # Whoever runs the tests may be allowed everything; so numba is told that no folder can be written to.
    locator = ("from numba.core import caching\ndef closed(self):\n    raise OSError\n"
               "caching._CacheLocator.ensure_cache_path = closed\n")  # fmt: skip
    found = subprocess.run([sys.executable, "-c", locator + code], capture_output=True, text=True, env={
        **os.environ, "HOME": str(closed), "XDG_CACHE_HOME": str(closed), "PYTHONPATH": str(Path(infer.__file__).parents[3]),
    })  # fmt: skip
    assert found.stdout.strip() == "True", found.stderr
