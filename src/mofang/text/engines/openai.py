"""Any service that speaks OpenAI's chat completions: OpenAI, DeepSeek, Ollama, vLLM, LM Studio, llama.cpp's server.

Protocol: https://platform.openai.com/docs/api-reference/chat
"""

import http.client
import json
from collections.abc import Sequence
from typing import Any

from mofang.models.service import Patience, Refused, Retry, Service, short
from mofang.studio.errors import UserError
from mofang.text.engines.base import Completion, OnText, Prompt, check_prompt
from mofang.text.engines.sse import SSEParser

MAX_ANSWER = 8_000_000
"""Bytes an answer may have; more is not an answer."""


class OpenAIEngine:
    """Chat completions at `base_url` (with its `/v1`), streamed; see `Service` for keys, waiting and trying again."""

    chats = True
    constrains = False

    def __init__(self, base_url: str, model: str, *, key_name: str = "OPENAI_API_KEY", weak: bool = False,
                 patience: Patience | None = None) -> None:  # fmt: skip
        self._service = Service(base_url, key_name=key_name, patience=patience or Patience(idle=60.0), largest=MAX_ANSWER)
        if not model or not model.isprintable():
            raise UserError("name the model the service should use, such as gpt-4o-mini or qwen2.5:7b")
        self.model, self.weak, self.host = model, weak, self._service.host

    def __repr__(self) -> str:
        return f"OpenAIEngine({self.host}, {self.model})"

    def generate(self, prompt: Prompt, *, max_tokens: int = 256, temperature: float = 0.8, top_p: float = 0.95,
                 seed: int = 0, stop: Sequence[str] = (), grammar: str | None = None,
                 on_text: OnText | None = None) -> Completion:  # fmt: skip
        """See `TextEngine.generate`. A plain prompt is sent as a user's message."""
        check_prompt(prompt)
        messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else [dict(message) for message in prompt]
        body: dict[str, Any] = {"model": self.model, "messages": messages, "max_tokens": max_tokens, "temperature": temperature,
                                "top_p": top_p, "seed": seed, "stream": True}  # fmt: skip
        if stop:
            body["stop"] = list(stop)[:4]
        answer = _Answer(self.model, on_text)

        def read(response: http.client.HTTPResponse, deadline: float) -> Completion:
            answer.begin()
            self._take(response, deadline, answer)
            return answer.completion()

        try:
            # Words already shown cannot be taken back, so a broken stream is not started over.
            return self._service.stream("/chat/completions", body, read, lambda: not (answer.pieces and on_text))
        except Refused as refused:
            advice = "check the model and the request"
            if refused.status == 404:
                advice = f"check the address (it usually ends in /v1) and the model name '{self.model}'"
            raise UserError(f"{self.host} answered {refused.status} ({refused.said}); {advice}") from refused

    def close(self) -> None:
        """Nothing is kept open between requests."""

    def _take(self, response: http.client.HTTPResponse, deadline: float, answer: "_Answer") -> None:
        portions = self._service.portions(response, deadline)
        try:
            if "event-stream" in (response.headers.get("Content-Type") or ""):
                parser = SSEParser()
                for portion in portions:
                    for event in parser.feed(portion):
                        answer.take(event)
                        if answer.done:
                            return
                for event in parser.feed(b"\n\n", final=True):
                    answer.take(event)
            else:  # Some services answer in one piece whatever was asked.
                answer.take(b"".join(portions).decode("utf-8", "replace"))
                answer.done = True
        except ValueError as error:
            raise UserError(f"{self.host} did not answer like a chat service ({short(error)}); check the address and the model"
                            ) from error
        if not answer.done:
            raise Retry("broke off in the middle of its answer")


class _Answer:
    """Gathers an answer, streamed or whole."""

    def __init__(self, model: str, on_text: OnText | None) -> None:
        self._model, self._on_text = model, on_text
        self.begin()

    def begin(self) -> None:
        """Nothing gathered yet."""
        self.pieces: list[str] = []
        self.finish = "stop"
        self.tokens = 0
        self.done = False

    def take(self, event: str) -> None:
        if event.strip() == "[DONE]":
            self.done = True
            return
        try:
            chunk = json.loads(event)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        if not isinstance(chunk, dict):
            raise ValueError("not an object")
        if trouble := chunk.get("error"):
            said = trouble.get("message", trouble) if isinstance(trouble, dict) else trouble
            raise Retry(f"reported an error ({short(said)})")
        choices = chunk.get("choices")
        if not isinstance(choices, list):
            raise ValueError("no choices")
        for choice in choices[:1]:
            if not isinstance(choice, dict):
                raise ValueError("a choice is no object")
            turn = choice.get("delta") or choice.get("message") or {}
            text = turn.get("content") if isinstance(turn, dict) else None
            if isinstance(text, str) and text:
                # JSON may smuggle in half a character; no text has one.
                text = text.encode("utf-8", "replace").decode()
                self.pieces.append(text)
                if self._on_text:
                    self._on_text(text)
            if reason := choice.get("finish_reason"):
                self.finish = str(reason)
                self.done = True
        usage = chunk.get("usage")
        if isinstance(usage, dict) and isinstance(usage.get("completion_tokens"), int):
            self.tokens = usage["completion_tokens"]

    def completion(self) -> Completion:
        return Completion("".join(self.pieces), self.tokens or len(self.pieces), "length" if self.finish == "length" else "stop",
                          self._model)  # fmt: skip
