"""Models that Transformers runs, built here small: the same words as its own generate, shown whole, stopped and seeded."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mofang.apps.make.script import text_engine
from mofang.studio.errors import UserError
from mofang.text.engines.spelling import Spelling
from mofang.text.engines.transformers import TransformersEngine
from mofang.text.tokenizer import Tokenizer, train_tokenizer
from text_models import SAMPLES, TEXTS, transformer

CHAT = ("{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "[{{ m.role }}]{{ m.content }}{% endfor %}|")  # fmt: skip


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Causal models with two vocabularies, and a T5."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    shelf = tmp_path_factory.mktemp("shelf")
    transformer(shelf / "char")
    transformer(shelf / "bpe", "bpe")
    torch.manual_seed(3)
    tokenizer = train_tokenizer("unigram", TEXTS, size=330)
    config = T5Config(vocab_size=tokenizer.size, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, eos_token_id=tokenizer.end,
                      pad_token_id=1, decoder_start_token_id=1, feed_forward_proj="gated-gelu")  # fmt: skip
    model = T5ForConditionalGeneration(config)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    model.save_pretrained(shelf / "t5")
    tokenizer.save(shelf / "t5")
    return shelf


def theirs(folder: Path, prompt: str, count: int, **options: object) -> list[int]:
    """What Transformers' own generate adds to the prompt, as ids."""
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

    kind = AutoModelForSeq2SeqLM if folder.name == "t5" else AutoModelForCausalLM
    model, tokenizer = kind.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(prompt, return_tensors="pt").input_ids
    with torch.inference_mode():
        out = model.generate(ids, max_new_tokens=count, do_sample=False, **options)[0]
    return out[1 if folder.name == "t5" else ids.shape[1] :].tolist()


@pytest.mark.parametrize("name", ["char", "bpe", "t5"])
def test_it_writes_what_generate_writes_and_shows_it_whole(shelf, name):
    engine = TransformersEngine(shelf / name)
    assert (engine.weak, engine.chats, engine.constrains) == (True, False, False)
    for prompt in ("床前明月", "The moon is"):
        shown: list[str] = []
        done = engine.generate(prompt, max_tokens=24, temperature=0.0, on_text=shown.append)
        ids = theirs(shelf / name, prompt, 24)
        tokenizer = Tokenizer.load(shelf / name)
        raw = b"".join(tokenizer.bytes_of(token) for token in ids)
        assert "".join(shown) == done.text and raw.decode("utf-8", "replace").startswith(done.text.rstrip("\ufffd"))
        assert len(raw) - len(done.text.encode()) <= 3 or "\ufffd" in done.text
        assert done.tokens == len(ids) and done.finish == ("stop" if ids[-1] == tokenizer.end else "length")
        assert done.logprob is not None and -20 < done.logprob < 0
    engine.close()
    assert engine.generate("The moon is", max_tokens=24, temperature=0.0).text == done.text


def test_the_logprob_is_the_models_own(shelf):
    from text_models import logits

    engine, tokenizer = TransformersEngine(shelf / "bpe"), Tokenizer.load(shelf / "bpe")
    done = engine.generate("The moon", max_tokens=10, temperature=0.0)
    prompt = tokenizer.encode("The moon")
    ids = prompt + theirs(shelf / "bpe", "The moon", 10)
    rows = logits(shelf / "bpe", [ids])[0].astype(np.float64)
    logs = rows - np.log(np.exp(rows).sum(-1, keepdims=True))
    mean = np.mean([logs[place - 1, ids[place]] for place in range(len(prompt), len(ids))])
    assert done.logprob == pytest.approx(mean, abs=1e-4)


def test_a_seed_is_the_text_and_a_stop_word_ends_it(shelf):
    import torch

    engine = text_engine(f"transformers:{shelf / 'char'}", "zh")
    before = torch.random.get_rng_state()
    first, again, other = (engine.generate("月", max_tokens=40, temperature=1.5, seed=seed).text for seed in (7, 7, 8))
    assert first == again != other
    assert torch.equal(before, torch.random.get_rng_state())
    letter = next(letter for letter in first[2:] if letter != "\ufffd")
    shown: list[str] = []
    done = engine.generate("月", max_tokens=40, temperature=1.5, seed=7, stop=[letter], on_text=shown.append)
    assert done.finish == "stop" and done.text == "".join(shown) == first[: first.index(letter)]


def test_conversations_go_through_the_template_and_systems_into_the_first_turn(shelf, tmp_path):
    transformer(tmp_path / "chat")
    settings_file = tmp_path / "chat" / "tokenizer_config.json"
    settings_file.write_text(json.dumps({**json.loads(settings_file.read_text()), "chat_template": CHAT}))
    engine, plain = TransformersEngine(tmp_path / "chat"), TransformersEngine(shelf / "char")
    assert engine.chats
    talk = [{"role": "system", "content": "moon"}, {"role": "user", "content": "bed"}]
    answer = engine.generate(talk, max_tokens=12, temperature=0.0).text
    assert answer == engine.generate("[user]moon\n\nbed|", max_tokens=12, temperature=0.0).text
    with pytest.raises(UserError, match="no system"):
        engine.generate(talk[:1])
    assert plain.generate(talk, max_tokens=12, temperature=0.0) == plain.generate("moon\nbed", max_tokens=12, temperature=0.0)


@settings(max_examples=40, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(SAMPLES), cut=st.integers(0, 8))
@pytest.mark.parametrize("name", ["char", "bpe", "t5"])
def test_tokens_one_by_one_spell_the_text(shelf, name, text, cut):
    opened = OPENED.setdefault(shelf / name, TransformersEngine(shelf / name)._tokenizer)
    ids = Tokenizer.load(shelf / name).encode(text)
    spelling = Spelling(opened, ids[:cut])
    tokenizer = Tokenizer.load(shelf / name)
    assert [spelling.push(token) for token in ids[cut:]] == [tokenizer.bytes_of(token) for token in ids[cut:]]


OPENED: dict[Path, object] = {}


def test_words_with_spaces_before_them_keep_them(tmp_path):
    """SentencePiece's way, as Llama and T5 have it: ▁ for a space, dropped where a text begins."""
    from tokenizers import Tokenizer as Fast
    from tokenizers import decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    tokens = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁the", "▁moon", "li", "ght"]
    fast = Fast(models.BPE({token: place for place, token in enumerate(tokens)}, [], unk_token="<unk>", byte_fallback=True))
    fast.pre_tokenizer = pre_tokenizers.Metaspace()
    fast.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    opened = PreTrainedTokenizerFast(tokenizer_object=fast, unk_token="<unk>")
    the, moon, li, ght = range(257, 261)
    wide = [1 + byte for byte in "🌕月".encode()]
    ids = [moon, li, ght, *wide, the, li, *wide, moon]
    after, alone = Spelling(opened, [the]), Spelling(opened)
    assert b"".join(map(after.push, ids)).decode() == " moonlight🌕月 theli🌕月 moon"
    assert b"".join(map(alone.push, ids)).decode() == "moonlight🌕月 theli🌕月 moon"


def test_too_long_a_text_is_said_so(shelf):
    engine = TransformersEngine(shelf / "char")
    with pytest.raises(UserError, match="too long"):
        engine.generate("月" * 128)
    assert engine.generate("月" * 120, max_tokens=50, temperature=0.0).tokens <= 8
    with pytest.raises(UserError, match="nothing"):
        engine.generate("")
    with pytest.raises(UserError, match="half a character"):
        engine.generate("\ud800")


def test_what_is_no_such_model_is_refused_in_one_line(shelf, tmp_path, monkeypatch):
    import shutil

    monkeypatch.setenv("MOFANG_OFFLINE", "1")

    def refusal(where: object) -> str:
        with pytest.raises(UserError) as caught:
            TransformersEngine(where).generate("月", max_tokens=1)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def copy(name: str) -> Path:
        return Path(shutil.copytree(shelf / "char", tmp_path / name))

    assert "fetching is off" in refusal("nobody/no-such-model-at-all")
    assert "neither there nor a name" in refusal("no such\nmodel")
    (tmp_path / "empty").mkdir()
    assert "no config.json" in refusal(tmp_path / "empty")
    folder = copy("pickle")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "safetensors" in refusal(folder)
    folder = copy("code")
    (folder / "config.json").write_text(json.dumps({"model_type": "x", "auto_map": {"AutoConfig": "evil.Config"}}))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    assert "programs of its own" in refusal(folder) and not (tmp_path / "ran").exists()
    folder = copy("unknown")
    (folder / "config.json").write_text(json.dumps({"model_type": "something-new"}))
    assert "unknown" in refusal(folder)
    folder = copy("tokenless")
    (folder / "tokenizer.json").write_text("{}")
    assert "tokenizer" in refusal(folder)
    folder = copy("cut")
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[: len(data) // 2])
    assert "model.safetensors" in refusal(folder)
    folder = copy("adapter")
    (folder / "config.json").rename(folder / "adapter_config.json")
    assert "adapter" in refusal(folder)


def test_without_transformers_it_says_what_to_install(shelf, tmp_path):
    code = (
        "import sys; sys.modules['transformers'] = None\n"
        "from mofang.cli import main\n"
        f"main(['make', 'the moon', '--out', {str(tmp_path / 'out')!r}, '--text-engine', {'transformers:' + str(shelf / 'char')!r}])"
    )
    environment = {**os.environ, "MOFANG_STUDIO": str(tmp_path / "studio")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2 and "pip install 'mofang[hf]'" in done.stderr and "Traceback" not in done.stderr
