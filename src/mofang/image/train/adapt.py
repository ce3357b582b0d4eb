"""A denoising U-Net that learns a style or a subject by small matrices beside its own (LoRA: Hu et al. 2021, arXiv
2106.09685), with DreamBooth's prior preservation where a subject must not swallow its class (Ruiz et al. 2023, arXiv
2208.12242, equation 2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from mofang.image.engines.diffusers.encode import conditions
from mofang.image.engines.diffusers.find import library
from mofang.studio.errors import UserError
from mofang.training import distributed
from mofang.training.precision import Precision, autocast
from mofang.training.update import update

INSIDE = ["to_q", "to_k", "to_v", "to_out.0"]
"""The linear maps of attention, beside which the adapter stands."""
JUDGED_AT = (0.1, 0.3, 0.5, 0.7)
"""Shares of the noise schedule a validation looks at."""


@dataclass(frozen=True)
class AdaptSettings:
    """`wordless` is the share of examples that lose their caption, so that guidance goes on working; `prior_weight` weighs
    DreamBooth's pictures of the class against those of the subject."""

    rank: int = 8
    batch: int = 1
    lr: float = 1e-4
    wordless: float = 0.1
    prior_weight: float = 1.0
    clip: float = 1.0
    precision: Precision = "auto"
    seed: int = 0


class Adapter(nn.Module):
    """The weights of a network that learn, as a module of their own: what a run saves, averages and resumes. They are the
    network's, not copies."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        for name, weight in network.named_parameters():
            if weight.requires_grad:
                self.register_parameter(name.replace(".", "/"), weight)  # A dot would be a module.


class Examples:
    """Pictures (N, rows, columns, 3) as the autoencoder's distributions, and what is said of each; made once."""

    def __init__(self, pipe: Any, pictures: NDArray[np.uint8], captions: Sequence[str]) -> None:
        means, deviations = [], []
        with torch.no_grad():
            for picture in pictures:
                pixels = torch.from_numpy(picture[..., :3].copy()).to(pipe.vae.device, pipe.vae.dtype).permute(2, 0, 1)[None]
                found = pipe.vae.encode(pixels / 127.5 - 1).latent_dist
                means.append(found.mean)
                deviations.append(found.std)
        self.mean, self.deviation = torch.cat(means), torch.cat(deviations)
        self.captions = list(captions)
        self.side = pictures.shape[1]

    def __len__(self) -> int:
        return len(self.captions)


def adapted(pipe: Any, settings: AdaptSettings) -> None:
    """Put an adapter that as yet changes nothing beside the attention of the pipeline's U-Net; all else learns nothing."""
    from peft import LoraConfig

    for part in pipe.components.values():
        if isinstance(part, nn.Module):
            part.requires_grad_(False)
    torch.manual_seed(settings.seed)
    pipe.unet.add_adapter(LoraConfig(r=settings.rank, lora_alpha=settings.rank, init_lora_weights="gaussian", target_modules=INSIDE))


class Adapting:
    """An `Experiment`: the pipeline's U-Net learns to take noise off pictures like these."""

    def __init__(self, pipe: Any, data: Examples, held_out: Examples, prior: Examples | None, settings: AdaptSettings,
                 prompts: Sequence[str]) -> None:  # fmt: skip
        adapted(pipe, settings)
        self.pipe, self.unet, self.settings, self.prompts = pipe, pipe.unet, settings, tuple(prompts)
        self.data, self.held_out, self.prior = data, held_out, prior
        self.schedule = library().DDPMScheduler.from_config(pipe.scheduler.config)
        kind = self.schedule.config.prediction_type
        if kind not in ("epsilon", "v_prediction"):
            raise UserError(f"the checkpoint predicts '{kind}', which is not fine-tuned here; choose another")
        every = ["", *(caption for part in (data, held_out, prior) if part for caption in part.captions)]
        self._words = {caption: number for number, caption in enumerate(dict.fromkeys(every))}
        self._said, self._pooled = conditions(pipe, list(self._words))
        self.adapter = Adapter(pipe.unet)
        self.modules: dict[str, nn.Module] = {"model": self.adapter}
        self.optimizers: dict[str, Optimizer] = {"adamw": AdamW(self.adapter.parameters(), settings.lr, weight_decay=0.01)}

    @property
    def tokens_per_step(self) -> int:
        """Pictures of one step over all processes."""
        return self.settings.batch * (2 if self.prior else 1)

    def step(self, step: int) -> dict[str, float]:
        """One update on batch number `step`."""
        self.unet.train()
        rng = np.random.default_rng((self.settings.seed, step))
        losses = {"loss": 0.0}

        def parts() -> Iterator[Tensor]:
            loss = self._drawn(self.data, rng)
            if self.prior:
                prior = self._drawn(self.prior, rng)
                losses["prior"] = float(prior.detach())
                loss = loss + self.settings.prior_weight * prior
            yield loss

        losses["loss"], norm = update(parts(), 1, self.optimizers.values(), self.settings.clip)
        return {**losses, "norm": norm}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """The loss on at most 16 held-out pictures, each at four places of the schedule, always with the same noise."""
        self.unet.eval()
        losses = []
        for number in range(min(len(self.held_out), 16)):
            for share in JUDGED_AT:
                time = torch.tensor([int(share * self.schedule.config.num_train_timesteps)])
                losses.append(float(self._loss(self.held_out, np.array([number]), [self.held_out.captions[number]], time)))
        return {"loss": float(np.mean(losses))}

    def samples(self, folder: Path, step: int) -> str:
        """A picture of each prompt, side by side in one file."""
        from PIL import Image

        self.unet.eval()
        self.pipe.set_progress_bar_config(disable=True)
        side = self.data.side
        made = []
        for prompt in self.prompts:
            with torch.inference_mode():
                noise = torch.Generator("cpu").manual_seed(self.settings.seed)
                made.append(self.pipe(prompt, width=side, height=side, num_inference_steps=20, generator=noise,
                                      output_type="np").images[0])  # fmt: skip
        sheet = (np.clip(np.concatenate(made, 1), 0, 1) * 255).round().astype(np.uint8)
        Image.fromarray(sheet).save(folder / f"{step:07}.png")
        return " · ".join(self.prompts)

    def _drawn(self, examples: Examples, rng: np.random.Generator) -> Tensor:
        chosen = rng.integers(len(examples), size=self.settings.batch)
        wordless = rng.random(len(chosen)) < self.settings.wordless
        mine = slice(distributed.rank(), None, distributed.world())
        said = ["" if bare else examples.captions[number] for number, bare in zip(chosen, wordless, strict=True)]
        times = torch.from_numpy(rng.integers(self.schedule.config.num_train_timesteps, size=len(chosen)))
        return self._loss(examples, chosen[mine], said[mine], times[mine])

    def _loss(self, examples: Examples, chosen: NDArray[np.int64], captions: Sequence[str], times: Tensor) -> Tensor:
        """Mean squared error of what was predicted (Ho et al. 2020, equation 14; velocity: Salimans & Ho 2022)."""
        device = examples.mean.device
        numbers = torch.from_numpy(chosen).to(device)
        mean, deviation, times = examples.mean[numbers], examples.deviation[numbers], times.to(device)
        latents = (mean + deviation * torch.randn(mean.shape).to(mean)) * self.pipe.vae.config.scaling_factor
        noise = torch.randn(latents.shape).to(latents)
        noisy = self.schedule.add_noise(latents, noise, times)
        words = torch.tensor([self._words[caption] for caption in captions], device=device)
        more = {}
        if self._pooled is not None:
            # SDXL is told of each picture how large it was and where it was cut: whole, at this size.
            ids = torch.tensor([[examples.side, examples.side, 0, 0, examples.side, examples.side]] * len(words)).to(latents)
            more = {"added_cond_kwargs": {"text_embeds": self._pooled[words], "time_ids": ids}}
        with autocast(device, self.settings.precision):
            predicted = self.unet(noisy, times, encoder_hidden_states=self._said[words], **more).sample
        velocity = self.schedule.config.prediction_type == "v_prediction"
        target = self.schedule.get_velocity(latents, noise, times) if velocity else noise
        return F.mse_loss(predicted.float(), target.float())
