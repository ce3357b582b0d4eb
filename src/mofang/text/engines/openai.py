"""Any service that speaks OpenAI's chat completions: OpenAI, DeepSeek, Ollama, vLLM, LM Studio, llama.cpp's server.

Protocol: https://platform.openai.com/docs/api-reference/chat
"""

import email.utils
import http.client
import json
import os
import random
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from mofang.studio.errors import UserError
from mofang.text.engines.base import Completion, OnText, Prompt, check_prompt
from mofang.text.engines.sse import SSEParser

MAX_ANSWER = 8_000_000
"""Bytes an answer may have; more is not an answer."""
_RETRIED = {408, 409, 425, 429, 500, 502, 503, 504, 529}
_LONGEST_WAIT = 60.0


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds: for a connection, for the next bytes, for the whole answer; and how often to try."""

    connect: float = 10.0
    idle: float = 60.0
    total: float = 600.0
    tries: int = 4
    backoff: float = 1.0


class _Retry(Exception):
    """A failure that may pass. `wait` is what the server asked for, if it did."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class OpenAIEngine:
    """Chat completions at `base_url` (with its `/v1`), streamed.

    The key is read from the environment variable `key_name` at each request, sent nowhere but to `base_url`'s host, and
    kept out of messages and representations; local services need none. Failures that may pass (429, 5xx, a lost
    connection before the first words) are tried again with growing waits, as long as Retry-After says if it does.
    Redirects are not followed: they would carry the key elsewhere.
    """

    chats = True
    constrains = False

    def __init__(self, base_url: str, model: str, *, key_name: str = "OPENAI_API_KEY", weak: bool = False,
                 patience: Patience | None = None) -> None:  # fmt: skip
        try:
            parts = urlsplit(base_url.strip())
            host, port = parts.hostname, parts.port
        except ValueError:
            parts, host, port = urlsplit(""), None, None
        if parts.scheme not in ("http", "https") or not host or not base_url.isascii() or any(map(str.isspace, base_url.strip())):
            raise UserError(f"'{base_url!a}' is no service address; write it like https://api.openai.com/v1".replace("''", "'"))
        if parts.username or parts.password:
            raise UserError(f"put the key into {key_name}, not into the service address")
        if not model or not model.isprintable():
            raise UserError("name the model the service should use, such as gpt-4o-mini or qwen2.5:7b")
        self.model, self.weak = model, weak
        self.host = host
        self._secure = parts.scheme == "https"
        self._port = port
        self._path = parts.path.rstrip("/") + "/chat/completions"
        self._key_name = key_name
        self._patience = patience or Patience()

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
        deadline = time.monotonic() + self._patience.total
        rng = random.Random(seed)
        for left in reversed(range(self._patience.tries)):
            answer = _Answer(self.model, on_text)
            try:
                self._ask(body, answer, deadline)
                return answer.completion()
            except _Retry as trouble:
                wait = trouble.wait
                if wait is None:
                    wait = self._patience.backoff * 2 ** (self._patience.tries - 1 - left) * rng.uniform(0.75, 1.25)
                # Words already shown cannot be taken back, so a broken stream is not started over.
                if not left or (answer.pieces and on_text) or wait > _LONGEST_WAIT or time.monotonic() + wait > deadline:
                    raise UserError(f"{self.host} {trouble}; check the service, or try again later") from trouble
                time.sleep(wait)
        raise AssertionError("unreachable: the last try returns or raises")

    def close(self) -> None:
        """Nothing is kept open between requests."""

    def _ask(self, body: dict[str, Any], answer: "_Answer", deadline: float) -> None:
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream, application/json", "User-Agent": "mofang"}
        if key := self._key():
            headers["Authorization"] = f"Bearer {key}"
        connection = self._connection()
        try:
            connection.request("POST", self._path, json.dumps(body).encode(), headers)
            if connection.sock:
                connection.sock.settimeout(self._patience.idle)
            response = connection.getresponse()
            if response.status != 200:
                self._refuse(response, key)
            if "event-stream" in (response.headers.get("Content-Type") or ""):
                for event in self._events(response, deadline):
                    answer.take(event)
                    if answer.done:
                        break
            else:  # Some services answer in one piece whatever was asked.
                answer.take(b"".join(self._portions(response, deadline)).decode("utf-8", "replace"))
                answer.done = True
        except TimeoutError as error:
            raise _Retry(f"sent nothing for {self._patience.idle:g} seconds") from error
        except ssl.SSLCertVerificationError as error:
            raise UserError(f"the certificate of {self.host} cannot be verified ({error.verify_message}); check the address"
                            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise _Retry(f"cannot be reached ({_why(error)})") from error
        except UnicodeEncodeError as error:
            raise UserError(f"{self._key_name} has characters no key has; copy the key again") from error
        except ValueError as error:
            raise UserError(f"{self.host} did not answer like a chat service ({_why(error)}); check the address and the model"
                            ) from error
        finally:
            connection.close()
        if not answer.done:
            raise _Retry("broke off in the middle of its answer")

    def _connection(self) -> http.client.HTTPConnection:
        if self._secure:
            return http.client.HTTPSConnection(self.host, self._port, timeout=self._patience.connect,
                                               context=ssl.create_default_context())  # fmt: skip
        return http.client.HTTPConnection(self.host, self._port, timeout=self._patience.connect)

    def _key(self) -> str:
        key = os.environ.get(self._key_name, "").strip()
        if any(not character.isprintable() for character in key):
            raise UserError(f"{self._key_name} has characters no key has; copy the key again")
        if not key and self.host.endswith("openai.com"):
            raise UserError(f"{self.host} needs a key; put it into the environment variable {self._key_name}")
        return key

    def _portions(self, response: http.client.HTTPResponse, deadline: float) -> Iterator[bytes]:
        total = 0
        while portion := response.read1(16_384):
            total += len(portion)
            if total > MAX_ANSWER:
                raise ValueError(f"more than {MAX_ANSWER / 1e6:.0f} MB")
            yield portion
            if time.monotonic() > deadline:
                raise UserError(f"{self.host} was not done after {self._patience.total:g} seconds; ask for less, or allow more time")

    def _events(self, response: http.client.HTTPResponse, deadline: float) -> Iterator[str]:
        parser = SSEParser()
        for portion in self._portions(response, deadline):
            yield from parser.feed(portion)
        yield from parser.feed(b"\n\n", final=True)

    def _refuse(self, response: http.client.HTTPResponse, key: str) -> None:
        status = response.status
        said = _said(response.read(4096))
        if key:
            said = said.replace(key, "***")  # Some services quote the key they refuse.
        if status in _RETRIED:
            raise _Retry(f"answered {status} ({said})", _retry_after(response.headers.get("Retry-After")))
        advice: dict[int, Callable[[], str]] = {
            401: lambda: f"put a valid key into {self._key_name}",
            403: lambda: f"the key in {self._key_name} may not use this",
            404: lambda: f"check the address (it usually ends in /v1) and the model name '{self.model}'",
            402: lambda: "the account has no credit",
            413: lambda: "shorten the text",
        }
        if 300 <= status < 400:
            raise UserError(f"{self.host} sends requests elsewhere ({status}), which is not followed; give the final address")
        raise UserError(f"{self.host} answered {status} ({said}); {advice.get(status, lambda: 'check the model and the request')()}")


class _Answer:
    """Gathers an answer, streamed or whole."""

    def __init__(self, model: str, on_text: OnText | None) -> None:
        self.pieces: list[str] = []
        self.finish = "stop"
        self.tokens = 0
        self.done = False
        self._model, self._on_text = model, on_text

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
            raise _Retry(f"reported an error ({_short(said)})")
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


def _said(raw: bytes) -> str:
    text = raw.decode("utf-8", "replace")
    try:
        error = json.loads(text)["error"]
        text = error["message"] if isinstance(error, dict) else str(error)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return _short(text)


def _short(text: object) -> str:
    line = " ".join("".join(character if character.isprintable() else " " for character in str(text)).split())
    return (line[:160] + "…" if len(line) > 160 else line) or "no reason given"


def _why(error: BaseException) -> str:
    return _short(getattr(error, "strerror", None) or str(error) or type(error).__name__)


def _retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header, which has seconds or a date (RFC 9110, 10.2.3)."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
