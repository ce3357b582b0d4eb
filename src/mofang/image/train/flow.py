"""Training text to image: the velocity of latents, given captions in any of their languages, and styles."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from mofang.image.captions import encode, phrased
from mofang.image.data import Split
from mofang.image.nets.flow import Flow, patches
from mofang.image.nets.latent import LatentAutoencoder, premultiplied
from mofang.image.train.grid import save_grid
from mofang.training import distributed
from mofang.training.optimizers import muon_and_adamw
from mofang.training.precision import Precision, autocast, device
from mofang.training.update import update

if TYPE_CHECKING:
    import tokenizers

INSIDE = ("attention", "mlp")


@dataclass(frozen=True)
class FlowSettings:
    """`wordless` and `styleless`: shares of the examples that lose their caption or style, so that guidance has something
    to lead away from (Ho & Salimans 2021, arXiv 2207.12598). `agree` weighs how far captions of one picture in two
    languages must be told apart from other pictures' (InfoNCE, van den Oord et al. 2018). `sketches`: pictures whose sketch
    alone is learned in a step, beside the `batch` that the flow learns."""

    batch: int = 64
    sketches: int = 256
    lr: float = 1e-3
    matrix_lr: float = 0.02
    weight_decay: float = 0.01
    wordless: float = 0.1
    styleless: float = 0.1
    agree: float = 0.05
    clip: float = 1.0
    precision: Precision = "auto"
    seed: int = 0


class Latents:
    """All of a split as normalised latents, made once, each picture as it is and mirrored; with its captions and style.

    float16: a picture of 128×128 takes 6 kB.
    """

    def __init__(self, split: Split, coder: LatentAutoencoder, styles: Sequence[str],
                 scale: tuple[Tensor, Tensor] | None = None) -> None:  # fmt: skip
        self.lines = split.lines
        numbers = {style: number for number, style in enumerate(styles)}
        self.styles = np.array([numbers.get(line.get("style", ""), len(styles)) for line in split.lines])
        made = []
        coder.eval()
        with torch.no_grad():
            for start in range(0, len(split), 64):
                batch = split.take(np.arange(start, min(start + 64, len(split))))
                both = np.stack([batch, batch[:, :, ::-1]], 1).reshape(-1, *batch.shape[1:])
                with autocast(torch.device("cpu"), "auto"):
                    mean, _ = coder.encode(premultiplied(torch.from_numpy(both)))
                made.append(mean.unflatten(0, (len(batch), 2)))  # type: ignore[no-untyped-call]
        latents = torch.cat(made).float()
        if scale is None:
            scale = latents.mean((0, 1, 3, 4)), latents.std((0, 1, 3, 4))
        self.scale = scale
        self.latents = ((latents - scale[0][:, None, None]) / scale[1][:, None, None]).half()

    def __len__(self) -> int:
        return len(self.latents)


class FlowTraining:
    """An `Experiment`: flow matching with words that may be missing."""

    def __init__(self, model: Flow, coder: LatentAutoencoder, latents: Latents, held_out: Latents,
                 tokenizer: "tokenizers.Tokenizer", settings: FlowSettings) -> None:  # fmt: skip
        self.device, self.settings, self.tokenizer = device(), settings, tokenizer
        self.model, self.coder = model.to(self.device), coder
        self.data, self.held_out = latents, held_out
        self.modules: dict[str, nn.Module] = {"model": self.model}
        self.optimizers: dict[str, Optimizer] = muon_and_adamw(
            model, lambda name: any(part in name for part in INSIDE), settings.lr, settings.matrix_lr, settings.weight_decay
        )

    @property
    def tokens_per_step(self) -> int:
        """Pictures of one step over all processes."""
        return self.settings.batch

    def step(self, step: int) -> dict[str, float]:
        """One update on batch number `step`."""
        self.model.train()
        rng = np.random.default_rng((self.settings.seed, step))
        chosen = rng.integers(len(self.data), size=self.settings.batch)
        mine = self._mine(self._examples(self.data, chosen, rng))
        more = rng.integers(len(self.data), size=self.settings.sketches)
        sketched = self._mine(self._examples(self.data, more, rng))
        loss, norm = update(self._loss(mine, sketched), 1, self.optimizers.values(), self.settings.clip)
        return {"loss": loss, "norm": norm}

    def _mine(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """This process's share of a batch, on its device."""
        return {key: value[distributed.rank() :: distributed.world()].to(self.device) for key, value in batch.items()}

    def _examples(self, data: Latents, chosen: NDArray[np.int64], rng: np.random.Generator) -> dict[str, Tensor]:
        """Latents, captions in two languages (or twice in the one there is), styles."""
        settings, words = self.settings, self.model.shape.words
        texts: list[str] = []
        others: list[str] = []
        for index in chosen:
            captions: dict[str, str] = data.lines[index]["caption"]
            order = [list(captions)[i] for i in rng.permutation(len(captions))] or [""]
            texts.append(phrased(captions.get(order[0], ""), order[0], rng))
            others.append(phrased(captions.get(order[-1], ""), order[-1], rng))
        styles = np.where(rng.random(len(chosen)) < settings.styleless, self.model.shape.styles, data.styles[chosen])
        ids = encode(self.tokenizer, texts, words)
        kept = rng.random(len(chosen)) >= settings.wordless
        sides = torch.from_numpy(rng.integers(2, size=len(chosen)))
        return {
            "latents": data.latents[torch.from_numpy(chosen), sides].float(), "words": torch.from_numpy(ids),
            "kept": torch.from_numpy(kept), "others": torch.from_numpy(encode(self.tokenizer, others, words)),
            "style": torch.from_numpy(styles), "subject": torch.from_numpy(subjects(data, chosen)),
        }  # fmt: skip

    def _loss(self, batch: dict[str, Tensor], sketched: dict[str, Tensor]) -> Iterator[Tensor]:
        latents = batch["latents"]
        # Logit-normal times: the middle of the way is where there is most to learn (Esser et al. 2024, section 3.1).
        t = torch.sigmoid(torch.randn(len(latents), device=self.device))
        noise = torch.randn_like(latents)
        noisy = torch.lerp(latents, noise, t[:, None, None, None])
        with autocast(self.device, self.settings.precision):
            features, whole = self.model.captions(batch["words"])
            _, other = self.model.captions(batch["others"])
            real = (batch["words"] != 0) & batch["kept"][:, None]
            velocity = self.model.velocity(noisy, t, features * real[..., None], whole * batch["kept"][:, None], real, batch["style"])
        loss = F.mse_loss(velocity.float(), noise - latents)
        if len(sketched["latents"]):
            loss = loss + self._sketch_loss(sketched)
        yield loss + self.settings.agree * agreement(whole.float(), other.float(), batch["subject"])

    def _sketch_loss(self, batch: dict[str, Tensor]) -> Tensor:
        with autocast(self.device, self.settings.precision):
            _, whole = self.model.captions(batch["words"])
            seen = self.model.sketch.seen(self.model.sketch(whole), batch["style"])
        return F.mse_loss(seen.float(), patches(batch["latents"]))

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Velocity loss on held-out pictures, with noise and times that stay the same, and the sketch's share of their variance
        that it leaves unexplained."""
        self.model.eval()
        rng = np.random.default_rng(0)
        chosen = np.arange(min(512, len(self.held_out)))
        batch = self._examples(self.held_out, chosen, rng)
        total = sketch = 0.0
        for start in range(0, len(chosen), 64):
            part = slice(start, start + 64)
            sketch += float(self._sketch_loss({key: value[part].to(self.device) for key, value in batch.items()})) * len(chosen[part])
            latents = batch["latents"][part].to(self.device)
            t = torch.from_numpy(rng.uniform(0.05, 0.95, len(latents)).astype(np.float32)).to(self.device)
            noise = torch.from_numpy(rng.standard_normal(latents.shape, np.float32)).to(self.device)
            with autocast(self.device, self.settings.precision):
                velocity = self.model(torch.lerp(latents, noise, t[:, None, None, None]), t,
                                      batch["words"][part].to(self.device), batch["style"][part].to(self.device))  # fmt: skip
            total += float(F.mse_loss(velocity.float(), noise - latents)) * len(latents)
        return {"loss": total / len(chosen), "sketch": sketch / len(chosen)}

    @torch.no_grad()
    def samples(self, folder: Path, step: int) -> str:
        """The first captions of the held-out pictures, painted."""
        self.model.eval()
        chosen = np.unique(np.linspace(0, len(self.held_out) - 1, 24).astype(int))
        lines = [self.held_out.lines[i] for i in chosen]
        texts = [label(line["caption"], "zh" if i % 2 else "en") for i, line in enumerate(lines)]
        words = torch.from_numpy(encode(self.tokenizer, texts, self.model.shape.words)).to(self.device)
        styles = torch.from_numpy(self.held_out.styles[chosen]).to(self.device)
        made = self.pictures(words, styles)
        return save_grid(made.cpu().numpy(), folder / f"{step:07}.png", columns=8).name

    def pictures(self, words: Tensor, styles: Tensor, steps: int = 24, guidance: float = 3.0) -> Tensor:
        """(B, channels, H, W): Euler steps from noise, led away from what has no words."""
        shape = self.model.shape
        x = torch.randn(len(words), shape.latent, shape.side, shape.side, device=self.device)
        twice, both = torch.cat([words, torch.zeros_like(words)]), torch.cat([styles, styles])
        with autocast(self.device, self.settings.precision):
            for k in range(steps):
                t = torch.full((2 * len(x),), 1 - k / steps, device=self.device)
                led, free = self.model(torch.cat([x, x]), t, twice, both).float().chunk(2)
                x = x - (free + guidance * (led - free)) / steps
            mean, deviation = self.data.scale
            return self.coder.decode(x * deviation[:, None, None] + mean[:, None, None]).float()


def label(caption: dict[str, str], language: str) -> str:
    """The first part of a caption in a language, or in the one it has."""
    text = caption.get(language) or next(iter(caption.values()), "")
    return text.replace("，", ",").split(",")[0]


def subjects(data: Any, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """A number for each subject among the chosen; pictures without one are subjects of their own."""
    names = [data.lines[index].get("subject") or f"#{index}" for index in chosen]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names])


def agreement(one: Tensor, other: Tensor, subject: Tensor, temperature: float = 0.1) -> Tensor:
    """Each caption must find its translation among the batch's: cross-entropy over cosine likenesses (B, D) × (B, D).
    Others of the same subject are no mistakes and are left out."""
    likeness = F.normalize(one, dim=1) @ F.normalize(other, dim=1).T / temperature
    same = subject[:, None] == subject
    same.fill_diagonal_(False)
    return F.cross_entropy(likeness.masked_fill(same, -1e4), torch.arange(len(one), device=one.device))
