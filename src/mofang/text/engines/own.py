"""Own models behind the Protocol of all engines, for stories that any engine may write."""

from collections.abc import Callable, Sequence
from pathlib import Path

from mofang.text.engines.base import Completion, OnText, Prompt, check_prompt
from mofang.text.own import OwnModel
from mofang.text.sampling import Constraint, Sampling


class OwnEngine:
    """A model trained here, loaded on first use. It continues texts and follows no instructions."""

    chats = False
    constrains = True
    weak = True

    def __init__(self, folder: Path, *, threads: int = 0) -> None:
        self.folder, self._threads = folder, threads
        self.model = folder.resolve().name
        self._own: OwnModel | None = None

    def generate(self, prompt: Prompt, *, max_tokens: int = 256, temperature: float = 0.8, top_p: float = 0.95,
                 seed: int = 0, stop: Sequence[str] = (), grammar: str | None = None,
                 on_text: OnText | None = None) -> Completion:  # fmt: skip
        """See `TextEngine.generate`. Of a conversation, the words of all turns are continued."""
        check_prompt(prompt)
        text = prompt if isinstance(prompt, str) else "\n".join(message["content"] for message in prompt)
        own = self._loaded()
        rule: Callable[[], Constraint] | None = None
        if grammar:
            from mofang.text.forms.gbnf import constraint

            rule = constraint(grammar, own.tokenizer)
        written = own.write(text, max_tokens=max_tokens, sampling=Sampling(temperature=temperature, top_p=top_p), stop=stop,
                            seed=seed % 2**63, constraint=rule, on_text=on_text)[0]  # fmt: skip
        return Completion(written.text, len(written.tokens), written.finish, self.model, written.logprob)

    def close(self) -> None:
        """Free the model's memory; the next `generate` loads it again."""
        self._own = None

    def _loaded(self) -> OwnModel:
        if self._own is None:
            self._own = OwnModel.open(self.folder, self._threads)
        return self._own
