"""What the craft of text adds to the one loop for rewriting: pairs of texts, teacher forcing, chrF."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import Optimizer

from mofang.models import own
from mofang.studio.atomic import write_atomic
from mofang.studio.errors import UserError
from mofang.studio.library import now
from mofang.studio.recipe import Json
from mofang.text.language import language_of
from mofang.text.learn import MODEL, save_weights
from mofang.text.likeness import chrf, exact
from mofang.text.nets.loss import next_token_loss
from mofang.text.nets.seq2seq import PAD, Seq2Seq, config_for
from mofang.text.pairs import Pair, Pairs, read_pairs
from mofang.text.rewriting import Network, Rewriter
from mofang.text.tokenizer import Tokenizer, train_tokenizer
from mofang.text.train import Settings, optimizers
from mofang.training import checkpoint, distributed
from mofang.training.budget import Budget
from mofang.training.loop import BEST, Listener, Plan
from mofang.training.precision import autocast, device
from mofang.training.run import open_run
from mofang.training.update import update

Encoded = tuple[list[int], list[int]]

# Layers on each side, width, heads, pairs a step.
SHAPES = {"nano": (2, 128, 4, 64), "micro": (3, 192, 6, 64), "small": (4, 256, 8, 64), "base": (6, 384, 6, 96)}
LONGEST = 256
"""Tokens of a sentence, unless told."""
BUCKET = 16
"""Batches among which pairs are sorted by length: little padding, and still every batch another mixture."""
SHOWN, JUDGED = 5, 64
"""Held-out pairs that are shown as samples, and that are written out to be measured by chrF."""
SMALL_TEXT = 4_000_000
"""Characters of training text up to which single characters are learnt better than pieces of words."""


@dataclass
class Batches:
    """Batches of pairs alike in length, in an order that is a function of (seed, step)."""

    pairs: Sequence[Encoded]
    size: int
    seed: int

    def __post_init__(self) -> None:
        self.count = -(-len(self.pairs) // self.size)
        self._epoch = -1
        self._order: list[NDArray[np.int64]] = []

    def batch(self, number: int) -> list[Encoded]:
        """Batch `number`; the last one of an epoch may be smaller."""
        epoch, place = divmod(number, self.count)
        if epoch != self._epoch:
            rng = np.random.default_rng((self.seed, epoch))
            shuffled = rng.permutation(len(self.pairs))
            lengths = np.array([len(source) + len(target) for source, target in self.pairs])
            parts = []
            for start in range(0, len(shuffled), self.size * BUCKET):
                bucket = shuffled[start : start + self.size * BUCKET]
                bucket = bucket[np.argsort(lengths[bucket], kind="stable")]
                parts += [bucket[at : at + self.size] for at in range(0, len(bucket), self.size)]
            self._order = [parts[index] for index in rng.permutation(len(parts))]
            self._epoch = epoch
        return [self.pairs[index] for index in self._order[place]]


def padded(rows: Sequence[Sequence[int]], fill: int) -> Tensor:
    """Rows of tokens as one tensor (B, T), short ones filled up."""
    width = max(map(len, rows))
    return torch.tensor([[*row, *[fill] * (width - len(row))] for row in rows])


class Rewriting:
    """An `Experiment`: the next token of the target, given the source and the target before it."""

    def __init__(self, model: Seq2Seq, tokenizer: Tokenizer, pairs: Pairs, settings: Settings,
                 prompts: Sequence[str] = (), smoothing: float = 0.0) -> None:  # fmt: skip
        self.device, self.settings, self.tokenizer, self.smoothing = device(), settings, tokenizer, smoothing
        self.model = model.to(self.device)
        self.modules: dict[str, torch.nn.Module] = {"model": self.model}
        self.optimizers: dict[str, Optimizer] = optimizers(self.model, settings)
        self.pairs = encode_pairs(tokenizer, pairs.train, settings.context)
        self.held_out = encode_pairs(tokenizer, pairs.held_out, settings.context)
        if not self.pairs or not self.held_out:
            raise UserError(f"the pairs are longer than {settings.context} tokens; split them into sentences, or take a longer "
                            "--context")  # fmt: skip
        self.batches = Batches(self.pairs, settings.batch, settings.seed)
        self.judged = pairs.held_out[:JUDGED]
        self.prompts = tuple(prompts) or tuple(source for source, _ in pairs.held_out[:SHOWN])
        self._per_step = round(sum(len(target) for _, target in self.pairs) / len(self.pairs) * settings.batch)

    @property
    def tokens_per_step(self) -> int:
        """Tokens of the target that a step sees over all processes, on average."""
        return self._per_step

    def step(self, step: int) -> dict[str, float]:
        """One update on batch number `step`."""
        self.model.train()
        losses = self._losses(self.batches.batch(step))
        loss, norm = update(losses, self.settings.accumulate, self.optimizers.values(), self.settings.clip)
        return {"loss": loss, "norm": norm}

    def _losses(self, batch: list[Encoded]) -> Iterator[Tensor]:
        total = sum(len(target) for _, target in batch)
        mine, parts = batch[distributed.rank() :: distributed.world()], self.settings.accumulate
        for index in range(parts):
            part = mine[index::parts]
            # Every token counts alike, wherever it was computed. A process without a pair still steps with the others.
            share = sum(len(target) for _, target in part) / total * parts * distributed.world()
            with autocast(self.device, self.settings.precision):
                yield self.loss(part or batch[:1], self.smoothing) * share

    def loss(self, pairs: Sequence[Encoded], smoothing: float = 0.0) -> Tensor:
        """Mean loss over the tokens of the targets, in nats."""
        source = padded([source for source, _ in pairs], PAD).to(self.device)
        given = padded([[self.tokenizer.end, *target[:-1]] for _, target in pairs], PAD).to(self.device)
        aim = padded([target for _, target in pairs], -1).to(self.device)
        hidden = self.model.decode(given, *self.model.encode(source))
        return next_token_loss(hidden.reshape(-1, hidden.size(-1)), self.model.embedding.weight, None, aim.reshape(-1), smoothing)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Mean loss on the held-out targets, nats per token, and how like they are to what is written greedily."""
        self.model.eval()
        order = sorted(self.held_out, key=lambda pair: len(pair[0]) + len(pair[1]))
        total, seen = 0.0, 0
        for start in range(0, len(order), self.settings.batch):
            part = order[start : start + self.settings.batch]
            count = sum(len(target) for _, target in part)
            with autocast(self.device, self.settings.precision):
                total, seen = total + float(self.loss(part)) * count, seen + count
        written = self.write([source for source, _ in self.judged])
        references = [[target] for _, target in self.judged]
        return {"loss": total / seen, "chrf": chrf(written, references), "exact": exact(written, references)}

    def write(self, sources: Sequence[str]) -> list[str]:
        """Each source rewritten greedily, by the same code that the finished model runs in."""
        weights = {name: tensor.detach().float().cpu().numpy() for name, tensor in self.model.state_dict().items()}
        rewriter = Rewriter(Network(self.model.config, weights), self.tokenizer)
        return [versions[0] for versions in rewriter.sentences(sources, beams=1)]

    def samples(self, folder: Path, step: int) -> str:
        """The prompts, or the first held-out sources, and what they become."""
        shown = "\n".join(f"{a} → {b}" for a, b in zip(self.prompts, self.write(self.prompts), strict=True))
        (folder / f"{step:07}.txt").write_text(shown + "\n", "utf-8")
        return shown


def encode_pairs(tokenizer: Tokenizer, pairs: Sequence[Pair], longest: int) -> list[Encoded]:
    """Pairs as tokens, each side closed by `<|end|>`; those longer than the network reads are left out."""
    sources, targets = (tokenizer.encode_batch([pair[side] for pair in pairs]) for side in (0, 1))
    return [([*map(int, source), tokenizer.end], [*map(int, target), tokenizer.end])
            for source, target in zip(sources, targets, strict=True) if max(len(source), len(target)) < longest - 1]  # fmt: skip


def vocabulary(pairs: Sequence[Pair]) -> Tokenizer:
    """Characters for little text or Chinese on both sides, else pieces of words (Kudo 2018) over both languages."""
    texts = [side for pair in pairs for side in pair]
    chinese = sum(language_of(text) == "zh" for text in texts) > 0.9 * len(texts)
    return train_tokenizer("char" if chinese or sum(map(len, texts)) < SMALL_TEXT else "unigram", texts)


def learn_pairs(path: Path, folder: Path, budget: Budget, options: dict[str, Any], listen: Listener = lambda record: None,
                fresh: bool = False, command: Sequence[str] = ()) -> Path:  # fmt: skip
    """Train an encoder–decoder in `folder` on the pairs in `path`, going on where an earlier call was stopped.

    `options` are those of `mofang text train`. Returns the model's folder; a run that is stopped leaves the best so far
    there too. Raises `UserError` for a file that holds no pairs, and as `text.learn.learn` does.
    """
    pairs = read_pairs(path)
    config, settings, plan = _settings(options, budget)
    recipe: dict[str, Json] = {
        "network": "seq2seq", **config, **asdict(settings), **{f"plan_{key}": value for key, value in asdict(plan).items()},
        "dtype": options["dtype"], "prompts": list(options["prompts"]), "pairs": str(path.resolve()),
        "data_sha256": pairs.sha256,
    }  # fmt: skip
    with open_run(folder, recipe, fresh) as run:
        tokenizer = vocabulary(pairs.train)
        config["vocab_size"] = tokenizer.size
        torch.manual_seed(settings.seed)
        experiment = Rewriting(Seq2Seq(config), tokenizer, pairs, settings, options["prompts"])
        told = {**recipe, "command": shlex.join(command)}
        run.train(experiment, plan, listen, lambda done: _write_model(folder, config, experiment, path, told))
    return folder / MODEL


def _settings(options: dict[str, Any], budget: Budget) -> tuple[dict[str, Any], Settings, Plan]:
    if options["size"] not in SHAPES:
        raise UserError(f"seq2seq has no size '{options['size']}'; choose one of: {', '.join(SHAPES)}")
    layers, width, heads, batch = SHAPES[options["size"]]
    width, heads, longest = options["width"] or width, options["heads"] or heads, options["context"] or LONGEST
    if width % (2 * heads):
        raise UserError(f"{width} wide does not divide into {heads} even heads; give --width and --heads that do")
    config = config_for(0, options["layers"] or layers, width, heads, dropout=options["dropout"], longest=longest)
    rates = {key: value for key in ("lr", "matrix_lr") if (value := options[key]) is not None}
    settings = Settings(longest, options["batch"] or batch, options["accumulate"], **rates, weight_decay=options["weight_decay"],
                        clip=options["clip"], precision=options["precision"], seed=options["seed"])  # fmt: skip
    plan = Plan(budget, options["seed"], options["ema"], options["warmup"], options["decay"], patience=options["patience"])
    return config, settings, plan


def _write_model(folder: Path, config: dict[str, Any], experiment: Rewriting, path: Path, recipe: dict[str, Json]) -> None:
    weights, state = checkpoint.load(folder / BEST)
    target = folder / MODEL
    save_weights(target, weights, str(recipe["dtype"]))
    write_atomic(target / own.CONFIG, own.dumps({key: value for key, value in config.items() if key != "dropout"}))
    experiment.tokenizer.save(target)
    experiment.model.load_state_dict(weights)
    written = experiment.write([source for source, _ in experiment.judged])
    references = [[target] for _, target in experiment.judged]
    texts = [side for pair in experiment.judged for side in pair]
    own.write_card(target, {
        **own.read_card(target), "name": folder.name, "title": folder.name, "kind": "text",
        "languages": sorted({language_of(text) for text in texts}), "licence": "unknown",
        "trained_on": [{"name": path.name, "licence": "unknown", "sha256": recipe["data_sha256"], "size": path.stat().st_size}],
        "parameters": sum(tensor.numel() for tensor in weights.values()), "made": now(),
        "recipe": {**recipe, "steps": state["step"], "tokens": state["tokens"], "seconds": round(state["seconds"], 1)},
        "measured": {"validation_loss": state["best"], "chrf": chrf(written, references), "exact": exact(written, references)},
    })  # fmt: skip
