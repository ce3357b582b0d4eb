"""Any model that Transformers runs: causal ones continue or chat, encoder–decoders (T5, BART) answer."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mofang.models import hub
from mofang.studio.errors import UserError
from mofang.text import pretrained
from mofang.text.engines.base import Completion, Message, OnText, Prompt, check_prompt
from mofang.text.engines.gguf import WEAK_BELOW
from mofang.text.engines.spelling import Spelling
from mofang.text.sampling.stream import Stream


class TransformersEngine:
    """A local folder in the Hugging Face layout, or a repository of the hub, `owner/model`; its weights are loaded on first
    use. Only safetensors are read, and no program a model brings is run.

    `threads` 0 leaves torch's own choice. Generation is serialised: two threads may share one engine. Raises `UserError`
    for what is no such model, and if Transformers or torch is not installed.
    """

    constrains = False

    def __init__(self, where: str | Path, *, threads: int = 0) -> None:
        hub.transformers()
        self._found = pretrained.find(where)
        self._tokenizer = pretrained.tokenizer(self._found)
        self.model = self._found.name
        self.weak = self._found.parameters < WEAK_BELOW
        self.chats = bool(getattr(self._tokenizer, "chat_template", None))
        self._threads = threads
        self._network: Any = None
        self._lock = threading.Lock()

    def generate(self, prompt: Prompt, *, max_tokens: int = 256, temperature: float = 0.8, top_p: float = 0.95,
                 seed: int = 0, stop: Sequence[str] = (), grammar: str | None = None,
                 on_text: OnText | None = None) -> Completion:  # fmt: skip
        """See `TextEngine.generate`. Of a conversation with a model that has no template for one, the words of all turns
        are continued. `logprob` is of the model's own distribution, before temperature."""
        import torch

        check_prompt(prompt)
        with self._lock, torch.random.fork_rng(), torch.inference_mode():
            network = self._loaded()
            inputs = self._inputs(prompt).to(network.device)
            most = self._room(network, inputs["input_ids"].shape[1], max_tokens)
            settings = self._settings(network, most, temperature, top_p)
            before = [] if self._found.writes_after_reading else inputs["input_ids"][0].tolist()
            writer = _Writer(Spelling(self._tokenizer, before), settings.eos_token_id, Stream(stop, on_text))
            torch.manual_seed(seed % 2**63)
            try:
                network.generate(**inputs, generation_config=settings, logits_processor=[writer.see],
                                 stopping_criteria=[writer.take])  # fmt: skip
            except (ValueError, RuntimeError, IndexError, TypeError) as error:
                raise UserError(f"{self.model} could not write ({hub.first_line(error)}); try another model") from error
            return writer.completion(self.model)

    def close(self) -> None:
        """Free the model's memory; the next `generate` loads it again."""
        with self._lock:
            self._network = None

    def _loaded(self) -> Any:
        if self._network is None:
            import torch

            if self._threads:
                torch.set_num_threads(self._threads)
            # A processor is slow at half precision, and a weak model is small enough to be kept whole.
            small = self.weak and not torch.cuda.is_available()
            network = pretrained.network(self._found, torch.float32 if small else "auto")
            self._network = network.to("cuda") if torch.cuda.is_available() else network
        return self._network

    def _inputs(self, prompt: Prompt) -> Any:
        if isinstance(prompt, str):
            found = self._tokenizer(prompt, return_tensors="pt")
        elif not self.chats:
            found = self._tokenizer("\n".join(message["content"] for message in prompt), return_tensors="pt")
        else:
            found = self._chat(prompt)
        # Some tokenizers add what only encoders of pairs know.
        found.pop("token_type_ids", None)
        if not found["input_ids"].shape[1]:
            raise UserError(f"{self.model} cannot begin with nothing; give a first word")
        return found

    def _chat(self, prompt: Sequence[Message]) -> Any:
        from jinja2 import TemplateError

        how: dict[str, Any] = {"add_generation_prompt": True, "return_tensors": "pt", "return_dict": True,
                               "enable_thinking": False}  # fmt: skip
        turns = [dict(message) for message in prompt]
        try:
            return self._tokenizer.apply_chat_template(turns, **how)
        except TemplateError as error:
            if turns[0]["role"] != "system" or len(turns) < 2:
                raise UserError(f"{self.model} cannot be told this ({error}); try another model") from error
        # Some models (Gemma) know no system: what it says then stands before the first turn.
        system, first, *rest = turns
        try:
            merged = {**first, "content": f"{system['content']}\n\n{first['content']}"}
            return self._tokenizer.apply_chat_template([merged, *rest], **how)
        except TemplateError as error:
            raise UserError(f"{self.model} cannot be told this ({error}); try another model") from error

    def _room(self, network: Any, length: int, max_tokens: int) -> int:
        """Tokens that may be written: an encoder–decoder's answer has a room of its own, a continuation shares the prompt's."""
        context = getattr(network.config.get_text_config(), "max_position_embeddings", None)
        if not isinstance(context, int) or context <= 0:
            return max_tokens
        if length > context or (length == context and not self._found.writes_after_reading):
            raise UserError(f"the text is too long for {self.model}: {length} tokens of at most {context}; shorten it or choose a "
                            "model with a larger context")  # fmt: skip
        return min(max_tokens, context - (1 if self._found.writes_after_reading else length))

    def _settings(self, network: Any, most: int, temperature: float, top_p: float) -> Any:
        """The model's own settings (its end, its penalties), with the caller's for how and how long."""
        library = hub.transformers()
        ours: dict[str, Any] = {"max_new_tokens": most, "max_length": None, "min_length": 0, "num_beams": 1, "num_return_sequences": 1,
                                "do_sample": temperature > 0, "temperature": None, "top_p": None, "top_k": None, "min_p": None,
                                "typical_p": None}  # fmt: skip
        if temperature > 0:
            ours |= {"temperature": temperature, "top_p": top_p, "top_k": 0}
        settings = library.GenerationConfig(**{**network.generation_config.to_dict(), **ours})
        if settings.eos_token_id is None:
            settings.eos_token_id = self._tokenizer.eos_token_id
        if settings.pad_token_id is None:
            ends = settings.eos_token_id
            settings.pad_token_id = ends[0] if isinstance(ends, list) else ends
        return settings


class _Writer:
    """Follows one text as it is drawn, token by token: what may be shown, how likely it was, whether it is over."""

    def __init__(self, spelling: Spelling, ends: int | list[int] | None, stream: Stream) -> None:
        self._spelling, self._stream = spelling, stream
        self._ends = set(ends if isinstance(ends, list) else [] if ends is None else [ends])
        self._count, self._logprob = 0, 0.0
        self._chances: Any = None
        self._over = False

    def see(self, ids: Any, scores: Any) -> Any:
        """A logits processor that changes nothing: it keeps the distribution the next token is drawn from."""
        self._chances = scores[0].float().log_softmax(-1)
        return scores

    def take(self, ids: Any, scores: Any, **more: Any) -> Any:
        """A stopping criterion: takes the newest token."""
        import torch

        if not self._over:
            token = int(ids[0, -1])
            self._count += 1
            self._logprob += float(self._chances[token])
            self._over = token in self._ends or self._stream.push(self._spelling.push(token))
        return torch.tensor([self._over], device=ids.device)

    def completion(self, model: str) -> Completion:
        """What was written."""
        mean = self._logprob / self._count if self._count else None
        return Completion(self._stream.close(), self._count, "stop" if self._over else "length", model, mean)
