"""A pretrained model that learns a style: small matrices beside its own, which stay as they are (Hu et al. 2021, LoRA,
arXiv 2106.09685)."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from mofang.studio.errors import UserError
from mofang.text.train import LanguageModel, Settings

TOGETHER = 256
"""Documents a tokenizer is given at once."""


class Spoken:
    """A tokenizer of Transformers as training asks for it. Documents begin as the model's own did, and end with its end."""

    def __init__(self, tokenizer: Any) -> None:
        if tokenizer.eos_token_id is None:
            raise UserError("the model's tokenizer names no end of a text (eos_token); add one to its tokenizer_config.json")
        self.tokenizer = tokenizer
        self.end = int(tokenizer.eos_token_id)

    def encode(self, text: str) -> list[int]:
        """Text as tokens, with the beginning the model expects."""
        ids: list[int] = self.tokenizer(text)["input_ids"]
        return ids[:-1] if ids and ids[-1] == self.end else ids

    def decode(self, ids: Sequence[int]) -> str:
        """Tokens as text."""
        text: str = self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def stream(self, documents: Iterable[str]) -> tuple[NDArray[np.uint32], int]:
        """All documents one after another, each with its end, (tokens,); and how many bytes of text they are."""
        parts: list[NDArray[np.uint32]] = []
        size, waiting = 0, list[str]()

        def flush() -> None:
            for ids in self.tokenizer(waiting)["input_ids"] if waiting else ():
                parts.append(np.array(ids if ids and ids[-1] == self.end else [*ids, self.end], np.uint32))
            waiting.clear()

        for document in documents:
            size += len(document.encode())
            waiting.append(document)
            if len(waiting) == TOGETHER:
                flush()
        flush()
        return np.concatenate(parts) if parts else np.zeros(0, np.uint32), size


class Adapter(nn.Module):
    """The weights of a network that learn, as a module of their own: what a run saves, averages and resumes. They are the
    network's, not copies."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        for name, weight in network.named_parameters():
            if weight.requires_grad:
                self.register_parameter(name.replace(".", "/"), weight)  # A dot would be a module.


class StyleTuning(LanguageModel):
    """Next-token prediction by a network of Transformers with adapters in it."""

    def __init__(self, network: nn.Module, train: NDArray[np.unsignedinteger], held_out: NDArray[np.unsignedinteger],
                 spoken: Spoken, settings: Settings, prompts: Sequence[str] = ()) -> None:  # fmt: skip
        super().__init__(network, train, held_out, spoken, settings, prompts)
        self.adapter = Adapter(network)
        self.modules = {"model": self.adapter}

    def loss(self, windows: NDArray[np.int64]) -> Tensor:
        """Mean loss over windows (B, T + 1), nats per token."""
        ids = torch.from_numpy(windows).to(self.device)
        logits = self.model(input_ids=ids[:, :-1], use_cache=False).logits
        return F.cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].flatten())

    @torch.no_grad()
    def continued(self, prompt: str, most: int = 80, temperature: float = 0.8) -> str:
        """What the model writes after `prompt`, up to `most` tokens or the end of a document."""
        ids = self.tokenizer.encode(prompt)[-max(1, self.settings.context - most) :] or [self.tokenizer.end]
        given = torch.tensor([ids], device=self.device)
        written = self.model.generate(  # type: ignore[operator]
            input_ids=given, attention_mask=torch.ones_like(given), max_new_tokens=most, do_sample=True, temperature=temperature,
            top_k=0, top_p=1.0, eos_token_id=self.tokenizer.end, pad_token_id=self.tokenizer.end)  # fmt: skip
        return self.tokenizer.decode(written[0, len(ids) :].tolist())
