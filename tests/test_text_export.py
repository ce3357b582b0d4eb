"""Models taken elsewhere and brought in: the other program computes the same numbers and reads the same tokens."""

import json
import os
import struct
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from mofang.cli import mofang
from mofang.models import own
from mofang.studio.errors import UserError
from mofang.text.export import bring, export
from mofang.text.export.gguf import q8_0
from mofang.text.export.hf import packed
from mofang.text.tokenizer import Tokenizer
from text_models import SAMPLES, logits, recurrent, transformer

CELLS = [("rnn", False), ("lstm", False), ("lstm", True), ("gru", False)]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One model of each kind."""
    shelf = tmp_path_factory.mktemp("shelf")
    transformer(shelf / "char")
    transformer(shelf / "bpe", "bpe", tied=False)
    for cell, tied in CELLS:
        recurrent(shelf / f"{cell}{'-tied' * tied}", cell, tied=tied)
    return shelf


def run(*arguments: str) -> str:
    """The command line; returns what it printed."""
    done = CliRunner().invoke(mofang, ["text", "export", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


# -- Hugging Face ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["char", "bpe"])
def test_transformers_opens_the_folder_with_the_same_logits_and_tokens(shelf, tmp_path, name):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    assert "hf" in run(str(shelf / name), str(tmp_path / "out"))
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()
    theirs = AutoTokenizer.from_pretrained(tmp_path / "out")
    ours = Tokenizer.load(shelf / name)
    ids = np.random.default_rng(0).integers(0, ours.size, (2, 17))
    import torch

    with torch.no_grad():
        found = model(torch.tensor(ids)).logits.numpy()
    assert np.abs(found - logits(shelf / name, ids)).max() < 2e-5
    for text in SAMPLES[:4]:
        assert theirs.encode(text, add_special_tokens=False) == ours.encode(text)
        assert theirs.decode(ours.encode(text)) == text
    assert (model.config.eos_token_id, theirs.eos_token_id, theirs.pad_token_id) == (ours.end, ours.end, 1)
    readme = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert readme.startswith("---\nlicense: cc0-1.0\n") and "# 小样" in readme and "moon (CC0-1.0)" in readme


def test_the_own_runner_reads_an_exported_folder_alike(shelf, tmp_path):
    from mofang.text.infer import load

    export(shelf / "char", tmp_path / "out")
    ids = np.random.default_rng(1).integers(0, 300, (1, 12))
    runner = load(tmp_path / "out", precision="float32")
    found = runner.feed(runner.start(1), ids.astype(np.int32))
    assert np.abs(found - logits(shelf / "char", ids)[:, -1]).max() < 1e-3


@pytest.mark.parametrize("dtype, error", [("float16", 2e-3), ("bfloat16", 8e-3)])
def test_weights_in_half_the_bytes(shelf, tmp_path, dtype, error):
    export(shelf / "char", tmp_path / "half", dtype=dtype)
    before, after = own.read_tensors(shelf / "char"), own.read_tensors(tmp_path / "half")
    assert before.keys() == after.keys()
    assert all(np.abs(after[name] - before[name]).max() <= error * np.abs(before[name]).max() for name in before)
    assert (tmp_path / "half" / own.WEIGHTS).stat().st_size < 0.6 * (shelf / "char" / own.WEIGHTS).stat().st_size


@given(st.lists(st.floats(-60000, 60000, width=32), min_size=1, max_size=40))
def test_bfloat16_rounds_as_torch_does(values):
    import torch

    array = np.array(values, np.float32)
    ours = np.frombuffer(packed(array, "bfloat16", "x"), "<i2")
    assert np.array_equal(ours, torch.from_numpy(array).bfloat16().view(torch.int16).numpy())


def test_a_hugging_face_folder_comes_in_whole_or_in_shards(tmp_path):
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    sizes = {"vocab_size": 310, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4,
             "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 64, "eos_token_id": 0}  # fmt: skip
    model = Qwen3ForCausalLM(Qwen3Config(**sizes, rope_parameters={"rope_type": "default", "rope_theta": 5000.0}))
    model.save_pretrained(tmp_path / "theirs", max_shard_size="20KB")
    assert len(list((tmp_path / "theirs").glob("*.safetensors"))) > 1
    with pytest.raises(UserError, match="tokenizer"):
        bring(tmp_path / "theirs", tmp_path / "mine")
    transformer(tmp_path / "other")
    Tokenizer.load(tmp_path / "other").save(tmp_path / "theirs")
    run("--from", str(tmp_path / "theirs"), str(tmp_path / "mine"))
    ids = np.arange(20)[None]
    with torch.no_grad():
        assert np.abs(model(torch.tensor(ids)).logits.numpy() - logits(tmp_path / "mine", ids)).max() < 2e-5
    assert own.read_config(tmp_path / "mine")["rope_theta"] == 5000.0

    LlamaForCausalLM(LlamaConfig(**sizes)).save_pretrained(tmp_path / "llama")
    with pytest.raises(UserError, match="llama"):
        bring(tmp_path / "llama", tmp_path / "no")
    assert not (tmp_path / "no").exists()


# -- GGUF --------------------------------------------------------------------------------------------------------------


def llama(path: Path, place: str, requests: list[dict[str, object]]) -> list[list[int]]:
    """The tokens llama.cpp's own server answers with."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path, params.n_ctx, params.warmup, params.verbosity = str(path), 64, False, -1
    server = xllamacpp.Server(params)
    found = []
    for request in requests:
        asked = urllib.request.Request(f"{server.listening_address}/{place}", json.dumps(request).encode())
        found.append(json.loads(urllib.request.urlopen(asked).read())["tokens"])
    return found


@pytest.mark.parametrize("name", ["char", "bpe"])
def test_llama_cpp_reads_the_same_tokens_and_writes_the_same_text(shelf, tmp_path, name):
    from mofang.text.engines.gguf import GGUFEngine

    run(str(shelf / name), str(tmp_path / "m.gguf"), "--dtype", "f32")
    ours = Tokenizer.load(shelf / name)
    rng = np.random.default_rng(2)
    wild = tuple("".join(map(chr, rng.integers(0x20, 0x3000, 8))) for _ in range(40))
    cut = llama(tmp_path / "m.gguf", "tokenize", [{"content": text, "parse_special": False} for text in SAMPLES + wild])
    assert cut == [ours.encode(text) for text in SAMPLES + wild]
    prompts = ("床前明月", "The moon is")
    greedy = llama(tmp_path / "m.gguf", "completion", [
        {"prompt": prompt, "n_predict": 40, "temperature": 0, "return_tokens": True} for prompt in prompts])  # fmt: skip
    engine = GGUFEngine(tmp_path / "m.gguf")
    for prompt, tokens in zip(prompts, greedy, strict=True):
        start = ours.encode(prompt)
        rows = logits(shelf / name, [start + tokens])[0, len(start) - 1 : -1]
        # llama.cpp keeps its cache in half precision: where two tokens are level it may take the other one.
        assert len(tokens) > 20 and (rows[np.arange(len(tokens)), tokens] >= rows.max(1) - 0.05).all()
        assert (rows.argmax(1) == tokens).mean() > 0.9
        # The bytes of a character that is not finished yet are kept back.
        written = engine.generate(prompt, max_tokens=40, temperature=0.0).text
        assert written and ours.decode(tokens).rstrip("\ufffd") == written.rstrip("\ufffd")
    engine.close()


@pytest.mark.parametrize("kind", ["f32", "f16", "bf16", "q8_0"])
def test_the_reference_reader_sees_what_was_written_and_it_comes_back(shelf, tmp_path, kind):
    from gguf import GGUFReader, dequantize

    export(shelf / "bpe", tmp_path / "m.gguf", dtype=kind)
    reader = GGUFReader(tmp_path / "m.gguf")
    assert reader.get_field("qwen3.attention.head_count_kv").contents() == 2
    assert reader.get_field("tokenizer.ggml.pre").contents() == "deepseek-v3"
    assert not reader.get_field("tokenizer.ggml.add_bos_token").contents()
    theirs = {tensor.name: dequantize(tensor.data, tensor.tensor_type).reshape(tensor.shape[::-1]) for tensor in reader.tensors}
    bring(tmp_path / "m.gguf", tmp_path / "back")
    before, after = own.read_tensors(shelf / "bpe"), own.read_tensors(tmp_path / "back")
    assert np.array_equal(theirs["blk.1.ffn_down.weight"], after["model.layers.1.mlp.down_proj.weight"])
    error = {"f32": 0.0, "f16": 5e-4, "bf16": 4e-3, "q8_0": 5e-3}[kind]
    assert all(np.abs(after[name] - before[name]).max() <= error * np.abs(before[name]).max() for name in before)
    assert Tokenizer.load(tmp_path / "back").sha256 == Tokenizer.load(shelf / "bpe").sha256
    config = own.read_config(shelf / "bpe")
    assert {key: own.read_config(tmp_path / "back")[key] for key in config} == config


def test_a_character_model_goes_out_and_comes_back_the_same(shelf, tmp_path):
    export(shelf / "char", tmp_path / "m.gguf", dtype="f32")
    run("--from", str(tmp_path / "m.gguf"), str(tmp_path / "back"))
    assert Tokenizer.load(tmp_path / "back").sha256 == Tokenizer.load(shelf / "char").sha256
    before, after = own.read_tensors(shelf / "char"), own.read_tensors(tmp_path / "back")
    assert before.keys() == after.keys() and all(np.array_equal(before[name], after[name]) for name in before)
    assert own.read_card(tmp_path / "back")["licence"] == "CC0-1.0"


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-6, 6))
def test_q8_0_is_the_reference_to_the_bit(seed, magnitude):
    from gguf import GGMLQuantizationType, quantize

    rows = (np.random.default_rng(seed).standard_normal((3, 64)) * 10**magnitude).astype(np.float32)
    rows[0, :32] = 0
    assert q8_0(rows) == quantize(rows, GGMLQuantizationType.Q8_0).tobytes()


def test_vocabularies_llama_cpp_would_cut_otherwise_are_refused(shelf, tmp_path):
    from mofang.text.tokenizer import train_tokenizer

    for kind, extra, says in (("unigram", {}, "unigram"), ("char", {"bytes_fallback": False}, "bytes")):
        folder = tmp_path / f"{kind}{len(extra)}"
        transformer(folder)
        tokenizer = train_tokenizer(kind, SAMPLES, size=300, **extra)
        tokenizer.save(folder)
        with pytest.raises(UserError, match=says):
            export(folder, tmp_path / "m.gguf")
    with pytest.raises(UserError, match="onnx"):
        export(shelf / "lstm", tmp_path / "m.gguf")
    assert not (tmp_path / "m.gguf").exists()


# -- ONNX --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["char", "bpe"])
def test_onnxruntime_computes_the_transformer_in_one_go_and_in_steps(shelf, tmp_path, name):
    import onnxruntime

    run(str(shelf / name), str(tmp_path / "m.onnx"))
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    ids = np.random.default_rng(3).integers(0, Tokenizer.load(shelf / name).size, (2, 11))
    past = {entry.name: np.zeros((2, 2, 0, 16), np.float32) for entry in session.get_inputs() if "past" in entry.name}
    assert list(past)[:2] == ["past_key_values.0.key", "past_key_values.0.value"]
    found = []
    for start, end in ((0, 5), (5, 6), (6, 11)):
        out = session.run(None, {"input_ids": ids[:, start:end], "attention_mask": np.ones((2, end), np.int64),
                                 "position_ids": np.tile(np.arange(start, end), (2, 1)), **past})  # fmt: skip
        found.append(out[0])
        past = dict(zip(past, out[1:], strict=True))
    assert np.abs(np.concatenate(found, 1) - logits(shelf / name, ids)).max() < 1e-4


def test_padding_on_the_left_changes_nothing(shelf, tmp_path):
    import onnxruntime

    export(shelf / "char", tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    past = {entry.name: np.zeros((1, 2, 0, 16), np.float32) for entry in session.get_inputs() if "past" in entry.name}
    ids, padded = np.array([[70, 80, 90]]), np.array([[1, 1, 70, 80, 90]])
    mask, positions = np.array([[0, 0, 1, 1, 1]]), np.array([[0, 0, 0, 1, 2]])
    out = session.run(["logits"], {"input_ids": padded, "attention_mask": mask, "position_ids": positions, **past})[0]
    assert np.abs(out[:, 2:] - logits(shelf / "char", ids)).max() < 1e-4


@pytest.mark.parametrize("cell, tied", CELLS)
def test_onnxruntime_computes_recurrent_stacks_and_hands_their_state_on(shelf, tmp_path, cell, tied):
    import onnxruntime

    folder = shelf / f"{cell}{'-tied' * tied}"
    export(folder, tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    ids = np.random.default_rng(4).integers(0, 300, (3, 9))
    state = {name: np.zeros((2, 3, 24), np.float32) for name in ("h0", "c0")[: 1 + (cell == "lstm")]}
    found = []
    for part in (ids[:, :4], ids[:, 4:]):
        first, *after = session.run(None, {"input_ids": part, **state})
        found.append(first)
        state = dict(zip(state, after, strict=True))
    assert np.abs(np.concatenate(found, 1) - logits(folder, ids)).max() < 1e-4


# -- Keras -------------------------------------------------------------------------------------------------------------

KERAS = """
import sys, keras, numpy as np
for name in sys.argv[2:]:
    model = keras.saving.load_model(f"{sys.argv[1]}/{name}.keras")
    ids = np.load(f"{sys.argv[1]}/ids.npy")
    np.save(f"{sys.argv[1]}/{name}.npy", keras.ops.convert_to_numpy(model(ids)))
    model.save(f"{sys.argv[1]}/{name}.again.keras")
layers = keras.layers
ids = keras.Input((None,), dtype="int32")
x = layers.Embedding(7, 5)(ids)
x = layers.Dropout(0.1)(layers.LSTM(6, return_sequences=True)(x))
theirs = keras.Model(ids, layers.Dense(7, activation="softmax")(layers.LSTM(6, return_sequences=True)(x)))
theirs.save(f"{sys.argv[1]}/theirs.keras")
np.save(f"{sys.argv[1]}/theirs.npy", keras.ops.convert_to_numpy(theirs(np.array([[2, 3, 4, 5, 6]]))))
bad = {"lambda": layers.Lambda(lambda x: x), "conv": layers.Conv1D(5, 1),
       "relu": layers.LSTM(6, activation="relu", return_sequences=True)}
for name, layer in bad.items():
    keras.Sequential([keras.Input((None,)), layers.Embedding(7, 5), layer, layers.Dense(7)]).save(f"{sys.argv[1]}/{name}.keras")
"""


@pytest.fixture(scope="module")
def keras_folder(shelf, tmp_path_factory) -> Path:
    """Every model exported, opened and saved again by Keras itself, in a process of its own."""
    folder = tmp_path_factory.mktemp("keras")
    names = [f"{cell}{'-tied' * tied}" for cell, tied in CELLS] + ["char", "bpe"]
    environment = {**os.environ, "KERAS_BACKEND": "torch", "KERAS_HOME": str(folder)}
    for name in names[: len(CELLS)]:
        run(str(shelf / name), str(folder / f"{name}.keras"))
    code = (
        "import sys; from pathlib import Path; from mofang.text.export import export\n"
        "for name in sys.argv[3:]: export(Path(sys.argv[1]) / name, Path(sys.argv[2]) / f'{name}.keras')"
    )
    subprocess.run([sys.executable, "-c", code, str(shelf), str(folder), *names[len(CELLS) :]], check=True, capture_output=True,
                   env=environment)  # fmt: skip
    np.save(folder / "ids.npy", np.random.default_rng(5).integers(0, 300, (3, 9)))
    done = subprocess.run([sys.executable, "-c", KERAS, str(folder), *names], capture_output=True, text=True, check=False,
                          env=environment)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("name", ["rnn", "lstm", "lstm-tied", "gru", "char", "bpe"])
def test_keras_computes_the_same_and_gives_it_back(shelf, keras_folder, tmp_path, name):
    ids, found = np.load(keras_folder / "ids.npy"), np.load(keras_folder / f"{name}.npy")
    assert np.abs(found - logits(shelf / name, ids)).max() < 1e-4
    run("--from", str(keras_folder / f"{name}.keras"), str(tmp_path / "back"))
    assert Tokenizer.load(tmp_path / "back").sha256 == Tokenizer.load(shelf / name).sha256
    # Saved by Keras it has lost what is ours, the tokenizer with it.
    with pytest.raises(UserError, match="--tokenizer"):
        bring(keras_folder / f"{name}.again.keras", tmp_path / "again")
    bring(keras_folder / f"{name}.again.keras", tmp_path / "again", shelf / name)
    for back in ("back", "again"):
        assert np.abs(found - logits(tmp_path / back, ids)).max() < 1e-4
        config = own.read_config(shelf / name) | {"tie_word_embeddings": own.read_config(tmp_path / back)["tie_word_embeddings"]}
        assert own.read_config(tmp_path / back) == config


def test_a_model_made_in_keras_comes_in_with_a_list_of_characters(keras_folder, tmp_path):
    (tmp_path / "vocabulary.txt").write_text("\n[UNK]\n月\na\n\\n\n \n▁\n", "utf-8")
    run("--from", str(keras_folder / "theirs.keras"), str(tmp_path / "mine"), "--tokenizer", str(tmp_path / "vocabulary.txt"))
    tokenizer = Tokenizer.load(tmp_path / "mine")
    ids = tokenizer.encode("月a\n ▁")
    assert ids == [4, 5, 6, 7, 8] and tokenizer.encode("龘") == [2] and tokenizer.size == 9
    found = logits(tmp_path / "mine", [ids])[0]
    assert (found[:, :4] < -9e3).all()
    shares = np.exp(found[:, 4:]) / np.exp(found[:, 4:]).sum(-1, keepdims=True)
    theirs = np.load(keras_folder / "theirs.npy")[0][:, 2:]
    assert np.abs(shares - theirs / theirs.sum(-1, keepdims=True)).max() < 1e-5
    (tmp_path / "short.txt").write_text("a\nb\n")
    with pytest.raises(UserError, match="2 lines"):
        bring(keras_folder / "theirs.keras", tmp_path / "no", tmp_path / "short.txt")


@pytest.mark.parametrize("name, says", [("lambda", "Lambda"), ("conv", "Conv1D"), ("relu", "activation = relu")])
def test_other_keras_models_are_refused_in_one_line(keras_folder, tmp_path, name, says):
    with pytest.raises(UserError, match=says):
        bring(keras_folder / f"{name}.keras", tmp_path / "no")
    assert not (tmp_path / "no").exists()


def test_hostile_h5_files_are_refused_before_anything_is_allocated(shelf, tmp_path):
    import h5py

    export(shelf / "lstm", tmp_path / "good.keras")
    (tmp_path / "secret.bin").write_bytes(bytes(10_000_000))

    def claims(group: h5py.Group, shape: tuple[int, ...]) -> None:
        group.create_dataset("0", shape, "f4", chunks=(1, 16))

    def elsewhere(group: h5py.Group, shape: tuple[int, ...]) -> None:
        group.create_dataset("0", shape, "f4", external=[(str(tmp_path / "secret.bin"), 0, h5py.h5f.UNLIMITED)])

    def linked(group: h5py.Group, shape: tuple[int, ...]) -> None:
        with h5py.File(tmp_path / "other.h5", "w") as other:
            other["x"] = np.zeros(shape, np.float32)
        group["0"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "x")

    attacks: dict[str, Callable[[h5py.Group, tuple[int, ...]], None]] = {
        "claims": claims, "elsewhere": elsewhere, "linked": linked}  # fmt: skip
    for name, attack in attacks.items():
        with zipfile.ZipFile(tmp_path / "good.keras") as archive:
            members = {member: archive.read(member) for member in archive.namelist()}
        (tmp_path / "w.h5").write_bytes(members["model.weights.h5"])
        description = json.loads(members["config.json"])
        rows = 16_000_000 if name == "claims" else description["config"]["layers"][1]["config"]["input_dim"]
        description["config"]["layers"][1]["config"]["input_dim"] = rows
        description["config"]["layers"][-1]["config"]["units"] = rows
        with h5py.File(tmp_path / "w.h5", "a") as file:
            del file["layers/embedding/vars/0"]
            attack(file["layers/embedding/vars"], (rows, 16))
        members |= {"model.weights.h5": (tmp_path / "w.h5").read_bytes(), "config.json": json.dumps(description).encode()}
        with zipfile.ZipFile(tmp_path / f"{name}.keras", "w") as archive:
            for member, data in members.items():
                archive.writestr(member, data)
        with pytest.raises(UserError, match=r"do not trust|whole Keras|do not belong"):
            bring(tmp_path / f"{name}.keras", tmp_path / "no")


def test_a_zip_bomb_is_no_keras_model(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * (80 << 20))
        archive.writestr("model.weights.h5", b"")
    with pytest.raises(UserError, match="far too large"):
        bring(tmp_path / "bomb.keras", tmp_path / "no")


def test_exports_need_no_torch(shelf, tmp_path):
    code = (
        "import sys; sys.modules['torch'] = sys.modules['transformers'] = None\n"
        "from pathlib import Path; from mofang.text.export import bring, export\n"
        "shelf, out = map(Path, sys.argv[1:])\n"
        "for name in ('hf', 'm.gguf', 'm.onnx'): export(shelf / 'char', out / name)\n"
        "export(shelf / 'gru', out / 'm.keras')\n"
        "for name in ('hf', 'm.gguf', 'm.keras'): bring(out / name, out / f'from-{name}')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(shelf), str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# -- Whatever can be wrong ---------------------------------------------------------------------------------------------


def refusal(*arguments: str) -> str:
    with pytest.raises(UserError) as caught:
        CliRunner().invoke(mofang, ["text", "export", *arguments], catch_exceptions=False)
    return str(caught.value)


def test_what_stands_at_the_target_is_left_alone_unless_it_is_ours(shelf, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "novel.txt").write_text("mine")
    for name in ("m.gguf", "m.onnx", "m.keras"):
        (tmp_path / name).write_text("mine")
        assert "exists" in refusal(str(shelf / "lstm" if "keras" in name else shelf / "char"), str(tmp_path / name))
        assert (tmp_path / name).read_text() == "mine"
    assert "not made by this" in refusal(str(shelf / "char"), str(tmp_path / "folder"))
    for name in ("a.gguf", "a.onnx", "a.keras", "a"):
        model = "lstm" if name in ("a.keras", "a.onnx") else "char"
        export(shelf / model, tmp_path / name)
        before = (tmp_path / name).stat().st_ino
        export(shelf / model, tmp_path / name)  # our own export gives way to a new one
        assert (tmp_path / name).stat().st_ino != before
    assert "the model itself" in refusal(str(shelf / "char"), str(shelf / "char"))
    assert not list(tmp_path.rglob(".tmp-*"))


def test_a_disk_that_fills_up_leaves_the_earlier_export(shelf, tmp_path, monkeypatch):
    export(shelf / "char", tmp_path / "a.gguf")
    export(shelf / "char", tmp_path / "folder")
    before = (tmp_path / "a.gguf").read_bytes()

    def full(*arguments: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mofang.text.export.gguf.packed", full)
    monkeypatch.setattr("mofang.text.export.hf.packed", full)
    for target in ("a.gguf", "folder", "new"):
        assert "No space left" in refusal(str(shelf / "char"), str(tmp_path / target))
    assert (tmp_path / "a.gguf").read_bytes() == before and (tmp_path / "folder" / own.WEIGHTS).is_file()
    assert not (tmp_path / "new").exists() and not list(tmp_path.glob(".tmp-*"))


def test_weights_of_another_shape_broken_or_no_numbers(tmp_path):
    from safetensors.numpy import load_file, save_file

    transformer(tmp_path / "m")
    tensors = load_file(tmp_path / "m" / own.WEIGHTS)
    target, key = str(tmp_path / "m.gguf"), "model.layers.0.mlp.up_proj.weight"
    for change, says in (
        ({key: tensors[key][:, :5].copy()}, "should be"),
        ({key: np.full_like(tensors[key], np.nan)}, "no numbers"),
        ({"model.layers.9.mlp.up_proj.weight": tensors[key]}, "does not know"),
    ):
        save_file({**tensors, **change}, tmp_path / "m" / own.WEIGHTS)
        assert says in refusal(str(tmp_path / "m"), target)
    save_file({name: tensor for name, tensor in tensors.items() if name != key}, tmp_path / "m" / own.WEIGHTS)
    assert "no tensor" in refusal(str(tmp_path / "m"), target)
    (tmp_path / "m" / own.WEIGHTS).write_bytes(b"\x80\x04pickle")
    assert "safetensors" in refusal(str(tmp_path / "m"), target)
    (tmp_path / "m" / "config.json").write_text(json.dumps({"model_type": "llama"}))
    assert "llama" in refusal(str(tmp_path / "m"), target)
    (tmp_path / "m" / "config.json").write_text(json.dumps({"model_type": "qwen3", "vocab_size": -3}))
    assert "no size" in refusal(str(tmp_path / "m"), target)
    assert not (tmp_path / "m.gguf").exists()


def test_wishes_that_cannot_be_met(shelf, tmp_path):
    model = str(shelf / "char")
    assert "format" in refusal(model, str(tmp_path / "m.pt"))
    assert "choose" in refusal(model, str(tmp_path / "m.gguf"), "--dtype", "q4_k_m")
    assert "give a model" in refusal(model)
    assert "there is no model" in refusal("nobody", str(tmp_path / "m.gguf"))
    assert "no recurrent" in refusal(str(shelf / "gru"), str(tmp_path / "folder"))
    (tmp_path / "x.bin").write_bytes(b"\x80\x04nothing")
    assert "neither" in refusal("--from", str(tmp_path / "x.bin"), str(tmp_path / "new"))
    assert "cannot read" in refusal("--from", str(tmp_path / "gone.gguf"), str(tmp_path / "new"))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_gguf_and_keras_files_are_refused_in_one_line(shelf, tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damaged")
    name = data.draw(st.sampled_from(["m.gguf", "m.keras"]))
    export(shelf / ("char" if name == "m.gguf" else "gru"), folder / name)
    whole = bytearray((folder / name).read_bytes())
    if data.draw(st.booleans()):
        whole = whole[: data.draw(st.integers(0, len(whole) - 1))]
    else:
        place = data.draw(st.integers(0, min(len(whole), 6000) - 8))
        whole[place : place + 8] = struct.pack("<Q", data.draw(st.integers(0, 2**64 - 1)))
    (folder / name).write_bytes(whole)
    try:
        bring(folder / name, folder / "new")
    except UserError as error:
        assert "\n" not in str(error) and not (folder / "new").exists()
