"""A style put on a pretrained model: a run in a folder, and at its end a whole model with the style merged in."""

import math
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mofang.models import hub, own
from mofang.studio.atomic import atomic_folder, write_atomic
from mofang.studio.errors import UserError
from mofang.studio.library import file_hash, now
from mofang.studio.recipe import Json
from mofang.text import pretrained
from mofang.text.adapter import Spoken, StyleTuning
from mofang.text.corpus import Corpus, Papers, Vocabulary, prepare
from mofang.text.corpus.store import MANIFEST
from mofang.text.export.hf import KEPT
from mofang.text.learn import MODEL, beginnings, licence_of
from mofang.text.pretrained import Pretrained
from mofang.text.train import Settings
from mofang.training import checkpoint, distributed
from mofang.training.loop import BEST, SAMPLES, Listener, Plan, seed_step
from mofang.training.run import apart, open_run

ADAPTER, CORPUS, GGUF = "adapter", "corpus", "model.gguf"
LARGE = 1_000_000_000
"""Parameters from which a base is held in bfloat16 while its adapters learn."""
FEWEST = 64
"""Tokens there must be to learn anything from."""


@dataclass(frozen=True)
class Style:
    """How an adapter is trained. `alpha` weighs it, as 2 · rank unless given; `dtype` is of the model written ("auto": as the
    base was kept)."""

    settings: Settings
    plan: Plan
    rank: int = 8
    alpha: float = 0.0
    dropout: float = 0.0
    dtype: str = "auto"
    prompts: tuple[str, ...] = ()

    def recipe(self, base: Pretrained, works: Sequence[Path]) -> dict[str, Json]:
        """What makes the run again, as JSON; equal recipes go on in one folder."""
        return {
            "base": str(base.folder.resolve() / base.gguf if base.gguf else base.name), "base_sha256": _base_hash(base),
            "works": [str(work.resolve()) for work in works], "rank": self.rank, "alpha": self.alpha,
            "adapter_dropout": self.dropout, **asdict(self.settings),
            **{f"plan_{key}": value for key, value in asdict(self.plan).items()}, "dtype": self.dtype,
            "prompts": list(self.prompts),
        }  # fmt: skip


@dataclass(frozen=True)
class Tuned:
    """What came of it: the model's folder, its GGUF file or why there is none, and what it wrote before and after."""

    folder: Path
    gguf: Path | None
    why_no_gguf: str
    before: str
    after: str


def finetune(base: Pretrained, works: Sequence[Path], folder: Path, style: Style, listen: Listener = lambda record: None, *,
             papers: Papers | None = None, studio: Path | None = None, fresh: bool = False,
             command: Sequence[str] = ()) -> Tuned:  # fmt: skip
    """Train in `folder` on `works` (files and folders, or one prepared corpus), going on where an earlier call was stopped.

    `folder` receives the run, `adapter/` as peft reads it, `model/` in the Hugging Face layout with the style merged in,
    and `model.gguf` where llama.cpp knows the architecture. A run that is stopped leaves the best so far there too. Raises
    `UserError` for a model that is no causal one, works too short, missing consent, other settings than the run began with.
    """
    if base.writes_after_reading:
        raise UserError(f"{base.name} reads and answers (an encoder–decoder); a style is put on models that continue a text")
    hub.transformers()
    apart(folder, works)
    recipe = style.recipe(base, works)
    with open_run(folder, recipe, fresh, (CORPUS,)) as run:
        corpus = _corpus(works, folder / CORPUS, papers, studio)
        tuning = _Tuning(base, corpus, folder, style, recipe, command)
        before = tuning.before()
        tuned = [Tuned(folder / MODEL, None, "", before, "")]
        run.train(tuning.experiment, style.plan, listen, lambda done: tuned.append(tuning.write(before)))
    return tuned[-1]


def adapted(network: nn.Module, rank: int, alpha: float, dropout: float, seed: int) -> Any:
    """The network with an adapter beside each linear map inside it (not its head): a `peft.PeftModel`. Raises `UserError`."""
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise UserError("fine-tuning needs peft: pip install 'mofang[hf]'") from error
    torch.manual_seed(seed)
    return get_peft_model(network, LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=dropout,  # type: ignore[arg-type]
                                              target_modules="all-linear", task_type="CAUSAL_LM"))  # fmt: skip


class _Tuning:
    def __init__(self, base: Pretrained, corpus: Corpus, folder: Path, style: Style, recipe: dict[str, Json],
                 command: Sequence[str]) -> None:  # fmt: skip
        self.base, self.corpus, self.folder, self.style = base, corpus, folder, style
        self.recipe, self.command = recipe, command
        spoken = Spoken(pretrained.tokenizer(base))
        self.tokenizer = spoken.tokenizer
        tokens, _ = spoken.stream(corpus.documents("train"))
        held_out, self.held_out_bytes = spoken.stream(corpus.documents("val"))
        self.held_out_tokens = len(held_out)
        if len(tokens) < FEWEST:
            raise UserError(f"the works are {len(tokens)} tokens to train on; a style takes at least some pages")
        network = pretrained.network(base, torch.bfloat16 if base.parameters > LARGE else torch.float32)
        most = getattr(network.config.get_text_config(), "max_position_embeddings", None) or style.settings.context
        # Two windows at least, however little there is.
        settings = replace(style.settings, context=min(style.settings.context, int(most), (len(tokens) - 1) // 2))
        if len(held_out) <= settings.context:
            held_out = tokens  # As `learn` does: judged, for want of more, by what it was trained on.
        self.kept_as = _kept_as(base, network.config) if style.dtype == "auto" else style.dtype
        self.network = adapted(network, style.rank, style.alpha or 2.0 * style.rank, style.dropout, settings.seed)
        self.experiment = StyleTuning(self.network, tokens, held_out, spoken, settings, style.prompts or beginnings(corpus))

    def before(self) -> str:
        """What the base wrote, at the run's beginning."""
        path = self.folder / SAMPLES / f"{0:07}.txt"
        if not path.is_file() and distributed.rank() == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.sample()
        return path.read_text("utf-8").strip() if path.is_file() else ""

    def sample(self) -> str:
        seed_step(self.style.plan.seed, -2)
        return self.experiment.samples(self.folder / SAMPLES, 0)

    def write(self, before: str) -> Tuned:
        """The adapter, the merged model, its card and its GGUF file, of the best validation."""
        weights, state = checkpoint.load(self.folder / BEST)
        self.experiment.adapter.load_state_dict(weights)
        seed_step(self.style.plan.seed, -2)
        self.network.eval()
        after = "\n\n".join(prompt + self.experiment.continued(prompt) for prompt in self.experiment.prompts)
        with atomic_folder(self.folder / ADAPTER, "adapter_config.json") as place:
            # Otherwise peft would ask the hub whether the vocabulary has grown.
            self.network.save_pretrained(place, save_embedding_layers=False)
        changed = [name.removesuffix(".lora_A.default.weight").removeprefix("base_model.model.")
                   for name, _ in self.network.named_parameters() if name.endswith(".lora_A.default.weight")]  # fmt: skip
        merged = self.network.merge_and_unload()
        target = self.folder / MODEL
        with atomic_folder(target, own.CONFIG) as place:
            full = {name: merged.get_submodule(name).weight.detach().float().numpy(force=True) for name in changed} \
                if self.base.gguf else {}  # fmt: skip
            merged.to(getattr(torch, self.kept_as)).save_pretrained(place, max_shard_size="1TB")
            self.tokenizer.save_pretrained(place)
            for name in () if self.base.gguf else KEPT:
                if (self.base.folder / name).is_file():  # As it was: saved again it has lost what Transformers does not know.
                    shutil.copyfile(self.base.folder / name, place / name)
            card = self.card(state, sum(weight.numel() for weight in merged.parameters()), before, after)
            own.write_card(place, card)
            write_atomic(place / "README.md", _readme(card))
        try:
            gguf, why = self.gguf(full), ""
        except UserError as error:
            gguf, why = None, str(error)
        return Tuned(target, gguf, why, before, after)

    def gguf(self, changed: dict[str, Any]) -> Path:
        """The merged model for llama.cpp: the base's own file with what was learned, or one of ours for a Qwen3."""
        target = self.folder / GGUF
        if self.base.gguf:
            from mofang.text.export.patch_gguf import patch_gguf

            patch_gguf(self.base.folder / self.base.gguf, target, changed)
        else:
            from mofang.text.export import export

            export(self.folder / MODEL, target, "gguf")
        return target

    def card(self, state: dict[str, Any], parameters: int, before: str, after: str) -> dict[str, Any]:
        base, manifest = self.base, self.corpus.manifest
        measured = {"validation_loss": state["best"]}
        if self.held_out_bytes:
            measured["validation_bits_per_byte"] = state["best"] / math.log(2) * self.held_out_tokens / self.held_out_bytes
        return {
            "name": self.folder.name, "title": self.folder.name, "kind": "text",
            "languages": sorted(manifest.get("languages", {})),
            "licence": licence_of([{"licence": base.licence}, *manifest["works"]]),
            "base": {"name": base.name, "licence": base.licence, "sha256": self.recipe["base_sha256"]},
            "trained_on": manifest["works"], "data_sha256": manifest["data_sha256"], "parameters": parameters,
            "adapter_parameters": sum(weight.numel() for weight in self.experiment.adapter.parameters()), "made": now(),
            "recipe": {"command": shlex.join(self.command), **self.recipe, "steps": state["step"], "tokens": state["tokens"],
                       "seconds": round(state["seconds"], 1)},
            "measured": measured, "samples": {"before": before, "after": after},
        }  # fmt: skip


def _corpus(works: Sequence[Path], place: Path, papers: Papers | None, studio: Path | None) -> Corpus:
    """The works prepared, once a run; a corpus that is prepared already is taken as it is. Its tokens are not used: the base
    has its own."""
    ready = len(works) == 1 and (works[0] / MANIFEST).is_file()
    if distributed.rank() == 0 and not ready and not (place / MANIFEST).is_file():
        prepare(works, place, vocabulary=Vocabulary("char"), papers=papers, studio=studio)
    distributed.wait()  # For the run's folder too: the first process alone clears and fills it.
    return Corpus.open(works[0] if ready else place)


def _base_hash(base: Pretrained) -> str:
    file = base.folder / base.gguf if base.gguf else min(base.folder.glob("model*.safetensors"))
    return file_hash(file)


def _kept_as(base: Pretrained, config: Any) -> str:
    """The type of the base's weights, by torch's name; what was quantised is kept in bfloat16."""
    said = str(getattr(config, "dtype", None) or "float32").removeprefix("torch.")
    return "bfloat16" if base.gguf or said not in ("float32", "float16", "bfloat16") else said


def _readme(card: dict[str, Any]) -> str:
    works = "\n".join(f"- {work['name']} ({work.get('licence') or 'licence unknown'})" for work in card["trained_on"])
    return (f"---\nlicense: {card['base']['licence']}\nbase_model: {card['base']['name']}\nlibrary_name: transformers\n"
            "pipeline_tag: text-generation\ntags:\n- mofang\n---\n\n"
            f"# {card['title']}\n\n{card['base']['name']} with a style learned from:\n\n{works}\n\n"
            f"## Before\n\n```text\n{card['samples']['before']}\n```\n\n"
            f"## After\n\n```text\n{card['samples']['after']}\n```\n")  # fmt: skip
