"""Models in the GGUF format, run in this process by llama.cpp."""

import json
import os
import queue
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mofang.models.formats.gguf import gguf_header
from mofang.studio.errors import UserError
from mofang.text.engines.base import Completion, OnText, Prompt, check_prompt

_END = object()

WEAK_BELOW = 1_000_000_000
"""Parameters under which a model cannot be trusted to hold a story together by itself."""

BILINGUAL, ENGLISH = "gemma3-270m", "smollm2-135m"
"""The default models. The first writes both languages, and better (`benchmarks/brief.py`), but its licence must be agreed
to; the second needs no agreement."""


def default_engine(lang: str = "en", *, threads: int = 0) -> "GGUFEngine":
    """The default model for a language, fetched if it is not on disk yet."""
    from mofang import models

    name = BILINGUAL if lang == "zh" or models.installed(BILINGUAL) else ENGLISH
    return GGUFEngine(models.ensure(name).file("model"), name=name, threads=threads)


class GGUFEngine:
    """One GGUF model, loaded on first use.

    `threads` 0 means one for a weak model, else one per core, four at most: the layers of a small model are done sooner
    than two threads can meet, and on a busy machine waiting for one another costs many times what the second one gives.
    `context` is in tokens, prompt and answer together; it is lowered to what the model was trained for.
    Generation is serialised: two threads may share one engine. Raises `UserError` for a file that is no model.
    """

    constrains = True

    def __init__(self, path: str | Path, *, name: str = "", threads: int = 0, context: int = 2048) -> None:
        self.path = Path(path).expanduser()
        if self.path.is_dir():
            raise UserError(f"{path} is a folder; give the GGUF file inside it")
        header = gguf_header(self.path)
        self.model = name or self.path.stem
        self.parameters = header.parameters
        self.weak = header.parameters < WEAK_BELOW
        self.chats = bool(header.text("tokenizer.chat_template"))
        self.context = min(context, header.context or context)
        self.threads = threads or (1 if self.weak else min(4, os.cpu_count() or 1))
        self._server: Any = None
        self._lock = threading.Lock()

    def generate(self, prompt: Prompt, *, max_tokens: int = 256, temperature: float = 0.8, top_p: float = 0.95,
                 seed: int = 0, stop: Sequence[str] = (), grammar: str | None = None,
                 on_text: OnText | None = None) -> Completion:  # fmt: skip
        """See `TextEngine.generate`. `logprob` is of the model's own distribution, before grammar and temperature."""
        check_prompt(prompt)
        request: dict[str, Any] = {
            "temperature": temperature, "top_p": top_p, "top_k": 100, "min_p": 0.0, "seed": seed % 2**32,
            "stop": list(stop), "cache_prompt": True, "stream": True,
        }  # fmt: skip
        if grammar:
            request["grammar"] = grammar
        if not isinstance(prompt, str):
            request |= {"messages": [dict(message) for message in prompt], "max_tokens": max_tokens, "logprobs": True,
                        "stream_options": {"include_usage": True}}  # fmt: skip
        else:
            request |= {"prompt": prompt, "n_predict": max_tokens, "n_probs": 1}
        answer = _Answer(on_text)
        with self._lock:
            server = self._loaded()
            handle = server.handle_completions if isinstance(prompt, str) else server.handle_chat_completions
            for chunk in _streamed(handle, json.dumps(request)):
                if "error" in chunk:
                    raise self._refusal(chunk["error"])
                answer.take(chunk)
        return answer.completion(self.model)

    def close(self) -> None:
        """Free the model's memory; the next `generate` loads it again."""
        with self._lock:
            self._server = None

    def _loaded(self) -> Any:
        if self._server is None:
            import xllamacpp

            params = xllamacpp.CommonParams()
            params.model.path = str(self.path)
            params.n_ctx = self.context
            params.n_parallel = 1
            params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self.threads
            # Waiting threads that spin would fight for the cores with whatever else the machine does.
            params.cpuparams.poll = params.cpuparams_batch.poll = 0
            params.n_threads_http = 1
            params.warmup = False
            params.verbosity = -1
            params.cache_ram_mib = 0
            # llama.cpp also listens on a random local port; a key that nobody knows keeps it shut.
            params.api_keys = [secrets.token_hex(16)]
            params.ui = params.endpoint_slots = params.endpoint_metrics = False
            try:
                self._server = xllamacpp.Server(params)
            except (RuntimeError, ValueError, MemoryError) as error:
                raise UserError(f"llama.cpp cannot load {self.path.name} ({error or 'unknown kind of model'}); "
                                "fetch it again or choose another GGUF model") from error  # fmt: skip
        return self._server

    def _refusal(self, error: dict[str, Any]) -> UserError:
        said = str(error.get("message", error))
        if error.get("type") == "exceed_context_size_error":
            return UserError(f"the text is too long for {self.model}: {error.get('n_prompt_tokens', '?')} tokens of at most "
                             f"{self.context}; shorten it or choose a model with a larger context")  # fmt: skip
        if "grammar" in said:
            return UserError(f"{self.model} refused the grammar ({said}); write valid GBNF")
        return UserError(f"{self.model} could not write ({said}); try another model")


def _streamed(handle: Callable[[str, Callable[[Any], bool]], Any], request: str) -> Iterator[dict[str, Any]]:
    """The chunks llama.cpp streams. It runs in a thread of its own, so that Ctrl-C reaches Python and not a callback from
    C++, where it would be lost; leaving the iteration early makes llama.cpp stop at the next token."""
    chunks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    left = threading.Event()

    def take(chunk: Any) -> bool:
        chunks.put(chunk)
        return left.is_set()

    def work() -> None:
        try:
            chunks.put(handle(request, take))
        except Exception as error:
            chunks.put({"error": {"message": str(error)}})
        chunks.put(_END)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        while (chunk := chunks.get()) is not _END:
            for item in chunk if isinstance(chunk, list) else [chunk]:
                if item is not None:
                    yield json.loads(item) if isinstance(item, str | bytes) else item
    finally:
        left.set()
        worker.join()


class _Answer:
    """Gathers what llama.cpp streams. It holds back unfinished UTF-8 itself, so every piece is whole characters."""

    def __init__(self, on_text: OnText | None) -> None:
        self.pieces: list[str] = []
        self.logprobs: list[float] = []
        self.tokens = 0
        self.finish = "stop"
        self._on_text = on_text

    def take(self, chunk: dict[str, Any]) -> None:
        if usage := chunk.get("usage"):
            self.tokens = usage.get("completion_tokens", 0)
        for choice in chunk.get("choices", ()):
            text = choice.get("text") or (choice.get("delta") or {}).get("content") or ""
            if text:
                self.pieces.append(text)
                if self._on_text:
                    self._on_text(text)
            for token in (choice.get("logprobs") or {}).get("content") or ():
                self.logprobs.append(float(token["logprob"]))
            self.finish = choice.get("finish_reason") or self.finish

    def completion(self, model: str) -> Completion:
        mean = sum(self.logprobs) / len(self.logprobs) if self.logprobs else None
        return Completion("".join(self.pieces), self.tokens, "length" if self.finish == "length" else "stop", model, mean)
