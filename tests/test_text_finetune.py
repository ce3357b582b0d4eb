"""A style on a pretrained model: the loss falls, what is merged is what was trained, and a stopped run goes on as if not."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors import SafetensorError

from mofang.cli import mofang
from mofang.models import own
from mofang.models.formats.gguf import gguf_header
from mofang.studio.errors import UserError
from mofang.text import pretrained
from mofang.text.adapter import Spoken
from mofang.text.export import bring, export
from mofang.text.finetune import Style, finetune
from mofang.text.tokenizer import Tokenizer
from mofang.text.train import Settings
from mofang.training.budget import parse
from mofang.training.history import History
from mofang.training.loop import Plan
from text_models import TEXTS, logits, transformer

LINES = ["月落乌啼霜满天，江枫渔火对愁眠。", "The moon sets, the crows cry, frost fills the sky.", "夜半钟声到客船。",
         "Midnight bells reach the boat."]  # fmt: skip


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty short texts that differ, in one file."""
    path = tmp_path_factory.mktemp("works") / "style.txt"
    path.write_text("\n\n".join(f"{number}. {LINES[number % 4]}\n{LINES[number * 7 % 3]} {number * number}" for number in range(60)))
    return path


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base") / "tiny"
    transformer(folder, "bpe")
    return folder


def style(budget: str = "24steps", **more: object) -> Style:
    settings = Settings(32, 8, 2, 3e-3, matrix_lr=0.0, weight_decay=0.0, precision="float32")
    found = Style(settings, Plan(parse(budget), ema=0.9, validations=4, samples=2, record_every=1), prompts=("月落", "The moon"))
    return replace(found, **more)  # type: ignore[arg-type]


def adapted_logits(base: pretrained.Pretrained, adapter: Path, ids: np.ndarray) -> np.ndarray:
    """Of the base with the adapter beside it, as peft opens the two."""
    from peft import PeftModel

    model = PeftModel.from_pretrained(pretrained.network(base, torch.float32), str(adapter)).eval()
    with torch.no_grad():
        return model(torch.tensor(ids)).logits.numpy()


def opened_logits(found: pretrained.Pretrained, ids: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return pretrained.network(found, torch.float32)(torch.tensor(ids)).logits.numpy()


def test_a_style_from_texts_to_a_model_that_runs_everywhere(base, works, tmp_path):
    from mofang.text.engines.gguf import GGUFEngine
    from mofang.text.own import OwnModel

    before = {path.name: path.read_bytes() for path in base.iterdir()}
    done = CliRunner().invoke(mofang, [
        "text", "finetune", str(base), str(works), "--out", str(tmp_path / "run"), "--budget", "40steps", "--context", "32",
        "--lr", "3e-3", "--rank", "4", "--precision", "float32", "--licence", "CC-BY-4.0", "--prompt", "月落"],
        catch_exceptions=False)  # fmt: skip
    assert done.exit_code == 0 and "── before" in done.output and "model.gguf" in done.output, done.output
    assert before == {path.name: path.read_bytes() for path in base.iterdir()}
    run = tmp_path / "run"
    history = History.read(run / "log.jsonl")
    losses = [record["loss"] for record in history.train]
    assert losses[-1] < losses[0] - 0.5 and history.validate[-1]["loss"] < history.validate[0]["loss"]
    assert (run / "adapter" / "adapter_model.safetensors").is_file() and (run / "report.html").is_file()
    for part in ("adapter", "model"):
        assert not [path for path in (run / part).iterdir() if path.suffix in (".bin", ".pt", ".pkl")]

    ids = np.random.default_rng(0).integers(4, Tokenizer.load(base).size, (2, 20))
    beside = adapted_logits(pretrained.find(base), run / "adapter", ids)
    merged = opened_logits(pretrained.find(run / "model"), ids)
    assert np.abs(beside - merged).max() < 1e-4 < np.abs(merged - logits(base, ids)).max()

    card = own.read_card(run / "model")
    assert card["base"]["name"] == "tiny" and card["base"]["licence"] == "CC0-1.0" and len(card["base"]["sha256"]) == 64
    assert card["licence"] == "CC-BY-4.0 AND CC0-1.0" and card["trained_on"][0]["licence"] == "CC-BY-4.0"
    assert card["samples"]["before"].startswith("月落") and card["samples"]["before"] != card["samples"]["after"]
    assert card["measured"]["validation_bits_per_byte"] > 0 and card["adapter_parameters"] < card["parameters"] / 4
    assert "base_model: tiny" in (run / "model" / "README.md").read_text("utf-8")
    # It is an own model again, without torch, and llama.cpp's.
    written = OwnModel.open(run / "model").write("The moon", max_tokens=8, seed=1)[0]
    engine = GGUFEngine(run / "model.gguf")
    assert written.tokens and engine.generate("The moon", max_tokens=8).tokens
    engine.close()


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(base, works, tmp_path):
    found, course = pretrained.find(base), style()
    whole = finetune(found, [works], tmp_path / "whole", course)
    stopping = replace(course, plan=replace(course.plan, checkpoint_seconds=-1.0))

    def stop(record: dict[str, object]) -> None:
        if record["step"] == 11:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune(found, [works], tmp_path / "parts", stopping, stop)
    assert (tmp_path / "parts" / "model" / own.WEIGHTS).is_file()  # The best so far.
    parts = finetune(found, [works], tmp_path / "parts", stopping)
    for part in ("adapter/adapter_model.safetensors", "model/model.safetensors"):
        assert (tmp_path / "whole" / part).read_bytes() == (tmp_path / "parts" / part).read_bytes()
    assert (whole.before, whole.after) == (parts.before, parts.after) and whole.before
    with pytest.raises(UserError, match="rank"):
        finetune(found, [works], tmp_path / "parts", replace(stopping, rank=4))


def test_a_model_that_came_as_gguf_goes_back_as_gguf(base, works, tmp_path, monkeypatch):
    export(base, tmp_path / "base.gguf", dtype="f16")
    found = pretrained.find(tmp_path / "base.gguf")
    tuned = finetune(found, [works], tmp_path / "run", style(dtype="float32"))
    assert tuned.gguf is not None
    ids = np.random.default_rng(1).integers(4, Tokenizer.load(base).size, (2, 20))
    beside = adapted_logits(found, tmp_path / "run" / "adapter", ids)
    assert np.abs(beside - opened_logits(pretrained.find(tuned.folder), ids)).max() < 1e-4
    before, after = gguf_header(tmp_path / "base.gguf"), gguf_header(tuned.gguf)
    assert {**before.values, "mofang.patched": True} == after.values and before.tensors == after.tensors
    bring(tuned.gguf, tmp_path / "back")
    bring(tmp_path / "base.gguf", tmp_path / "base")
    ours, merged, old = (own.read_tensors(folder) for folder in (tmp_path / "back", tuned.folder, tmp_path / "base"))
    assert np.array_equal(ours["model.embed_tokens.weight"], old["model.embed_tokens.weight"])
    for name in ("model.layers.0.self_attn.q_proj.weight", "model.layers.1.mlp.down_proj.weight"):
        assert np.abs(ours[name] - merged[name]).max() < 0.01 * np.abs(merged[name]).max() < np.abs(ours[name] - old[name]).max() * 50
    finetune(found, [works], tmp_path / "run", style(dtype="float32"))  # Done already: writes the same again.
    again = tuned.gguf.read_bytes()

    def full(*arguments: object, **more: object) -> None:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("transformers.modeling_utils.safe_save_file", full)
    with pytest.raises(UserError, match="No space left"):
        finetune(found, [works], tmp_path / "run", style(dtype="float32"))
    assert tuned.gguf.read_bytes() == again and (tuned.folder / own.WEIGHTS).is_file()


def llama_gguf(path: Path, tokenizer: Tokenizer) -> None:
    """A Llama with grouped queries as llama.cpp's own converter lays it out: queries and keys permuted."""
    import gguf

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(64)
    writer.add_block_count(2)
    writer.add_feed_forward_length(96)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(16)
    writer.add_vocab_size(tokenizer.size)
    content = json.loads((path.parent / "words" / "tokenizer.json").read_text("utf-8"))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("deepseek-v3")
    writer.add_token_list([tokenizer.token(number) for number in range(tokenizer.size)])
    writer.add_token_types([3 if number < 4 else 1 for number in range(tokenizer.size)])
    writer.add_token_merges([" ".join(pair) for pair in content["model"]["merges"]])
    writer.add_eos_token_id(0)
    writer.add_bos_token_id(0)
    writer.add_add_bos_token(False)
    rng = np.random.default_rng(5)
    shapes = {"token_embd": (tokenizer.size, 64), "output": (tokenizer.size, 64)}
    for layer in range(2):
        shapes |= {f"blk.{layer}.{name}": shape for name, shape in {
            "attn_q": (64, 64), "attn_k": (32, 64), "attn_v": (32, 64), "attn_output": (64, 64), "ffn_gate": (96, 64),
            "ffn_up": (96, 64), "ffn_down": (64, 96)}.items()}  # fmt: skip
        writer.add_tensor(f"blk.{layer}.attn_norm.weight", np.ones(64, np.float32))
        writer.add_tensor(f"blk.{layer}.ffn_norm.weight", np.ones(64, np.float32))
    writer.add_tensor("output_norm.weight", np.ones(64, np.float32))
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", (rng.standard_normal(shape) * 0.2).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_of_llama_queries_and_keys_change_places_on_the_way_back(works, tmp_path):
    from mofang.text.engines.gguf import GGUFEngine
    from text_models import transformer

    llama_gguf(tmp_path / "llama.gguf", transformer(tmp_path / "words", "bpe"))
    found = pretrained.find(tmp_path / "llama.gguf")
    tuned = finetune(found, [works], tmp_path / "run", style("12steps", dtype="float32"))
    assert tuned.gguf is not None, tuned.why_no_gguf
    ids = np.random.default_rng(2).integers(4, 300, (2, 20))
    ours, merged = opened_logits(pretrained.find(tuned.gguf), ids), opened_logits(pretrained.find(tuned.folder), ids)
    base = opened_logits(found, ids)
    assert np.abs(ours - merged).mean() < 0.15 * np.abs(base - merged).mean()
    engine = GGUFEngine(tuned.gguf)
    assert engine.generate("The moon", max_tokens=4, temperature=0.0).tokens
    engine.close()


def test_documents_begin_and_end_as_the_models_own(tmp_path):

    from tokenizers import processors
    from transformers import PreTrainedTokenizerFast

    from mofang.text.tokenizer import train_tokenizer

    train_tokenizer("char", TEXTS, size=320).save(tmp_path)
    plain = PreTrainedTokenizerFast.from_pretrained(tmp_path)
    spoken = Spoken(plain)
    ids, size = spoken.stream(["月光", "a"] * 300)
    assert size == 300 * 7 and (ids == 0).sum() == 600 and spoken.decode(ids[:2].tolist()) == "月光"
    ends = [("<|sep|>", 3), ("<|end|>", 0)]
    plain.backend_tokenizer.post_processor = processors.TemplateProcessing("<|sep|> $A <|end|>", None, ends)
    ids, _ = spoken.stream(["月光"])
    assert ids[0] == 3 and (ids == 0).sum() == 1 and spoken.encode("月光") == ids[:-1].tolist()


def test_what_cannot_be_tuned_is_said_in_one_line(base, works, tmp_path):
    def refusal(*arguments: str) -> str:
        with pytest.raises(UserError) as caught:
            CliRunner().invoke(mofang, ["text", "finetune", *arguments, "--out", str(tmp_path / "run")], catch_exceptions=False)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    (tmp_path / "short.txt").write_text("月")
    assert "some pages" in refusal(str(base), str(tmp_path / "short.txt"))
    assert "no such" in refusal(str(base), str(tmp_path / "nothing.txt")).lower() or "nothing.txt" in refusal(str(base), "nothing.txt")
    assert "budget" in refusal(str(base), str(works), "--budget", "soon")
    answerer = tmp_path / "answerer"
    answerer.mkdir()
    for name in ("model.safetensors", "tokenizer.json"):
        (answerer / name).write_bytes((base / name).read_bytes())
    (answerer / "config.json").write_text(json.dumps({"model_type": "t5", "is_encoder_decoder": True}))
    assert "continue a text" in refusal(str(answerer), str(works))
    code = ("import sys; sys.modules['peft'] = None\nfrom mofang.cli import main\n"
            f"main(['text', 'finetune', {str(base)!r}, {str(works)!r}, '--out', {str(tmp_path / 'p')!r}])")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "pip install 'mofang[hf]'" in done.stderr and "Traceback" not in done.stderr


