"""What every text engine can do, whatever runs the model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypedDict

from mofang.studio.errors import UserError


class Message(TypedDict):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


Prompt = str | Sequence[Message]
"""Text to continue, or a conversation to answer."""

OnText = Callable[[str], None]
"""Called with each new run of whole characters as it is written."""

Finish = Literal["stop", "length"]
"""Why the model ended: it was done (or met a stop word, or the end of the grammar), or `max_tokens` were spent."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model wrote. `logprob` is the mean natural log-likelihood per token, where the engine knows it."""

    text: str
    tokens: int
    finish: Finish
    model: str
    logprob: float | None = None


class TextEngine(Protocol):
    """A model that writes text.

    `chats` says whether the model follows instructions (else it can only continue a text), `constrains` whether it
    honours a `grammar`, `weak` whether it is too small to be trusted with a story of its own.
    """

    model: str
    chats: bool
    constrains: bool
    weak: bool

    def generate(self, prompt: Prompt, *, max_tokens: int = 256, temperature: float = 0.8, top_p: float = 0.95,
                 seed: int = 0, stop: Sequence[str] = (), grammar: str | None = None,
                 on_text: OnText | None = None) -> Completion:  # fmt: skip
        """Continue `prompt`. `grammar` is GBNF; engines that do not constrain ignore it. Raises `UserError`."""
        ...

    def close(self) -> None:
        """Free the model's memory or the connection."""
        ...


def check_prompt(prompt: Prompt) -> None:
    """Raise `UserError` if the prompt holds half a character, which no model can be sent."""
    for text in [prompt] if isinstance(prompt, str) else [message["content"] for message in prompt]:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise UserError(f"the prompt has half a character (a lone surrogate) at position {error.start}; delete it"
                            ) from error
