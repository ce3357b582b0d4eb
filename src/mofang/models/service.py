"""A service on the network that speaks OpenAI's way: asked patiently, answered in bounded size, its key kept to itself."""

import email.utils
import http.client
import json
import os
import random
import ssl
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from mofang.studio.errors import UserError

T = TypeVar("T")
Read = Callable[[http.client.HTTPResponse, float], T]

RETRIED = {408, 409, 425, 429, 500, 502, 503, 504, 529}
LONGEST_WAIT = 60.0


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds: for a connection, for the next bytes, for the whole answer; and how often to try."""

    connect: float = 10.0
    idle: float = 180.0
    total: float = 600.0
    tries: int = 4
    backoff: float = 1.0


@dataclass(frozen=True)
class File:
    """A file that a form carries."""

    name: str
    content: bytes
    kind: str


class Refused(Exception):
    """The service declines: HTTP `status`, what it `said`, and its `code` if it gave one."""

    def __init__(self, status: int, said: str, code: str) -> None:
        super().__init__(said)
        self.status, self.said, self.code = status, said, code


class Retry(Exception):
    """A failure that may pass. `wait` is what the server asked for, if it did."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class Service:
    """Requests to `base_url` (with its `/v1`).

    The key is read from the environment variable `key_name` at each request, sent nowhere but to `base_url`'s host, and
    kept out of messages and representations; local services need none. Failures that may pass (429, 5xx, a lost
    connection) are tried again with growing waits, as long as Retry-After says if it does. Redirects are not followed:
    they would carry the key elsewhere.
    """

    def __init__(self, base_url: str, *, key_name: str = "OPENAI_API_KEY", patience: Patience | None = None,
                 largest: int = 8_000_000) -> None:  # fmt: skip
        """`largest`: bytes an answer may have. Raises `UserError` for what is no address."""
        self._secure, self.host, self._port, self._path = address(base_url)
        if "@" in urlsplit(base_url).netloc:
            raise UserError(f"put the key into {key_name}, not into the service address")
        self._key_name, self._largest = key_name, largest
        self._patience = patience or Patience()

    def __repr__(self) -> str:
        return f"Service({self.host})"

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """What the service answers to JSON, parsed. Raises `Refused` and `UserError`."""
        return self._parsed(self._patiently("POST", self._path + path, json.dumps(body).encode(), "application/json"))

    def post_for_bytes(self, path: str, body: Mapping[str, Any]) -> bytes:
        """What the service answers to JSON with, as it is: a sound, a picture. Raises `Refused` and `UserError`."""
        return self._patiently("POST", self._path + path, json.dumps(body).encode(), "application/json")

    def stream(self, path: str, body: Mapping[str, Any], read: "Read[T]", again: Callable[[], bool]) -> T:
        """What `read` makes of the answer to JSON as it comes, given the response and when it must be done (see `portions`).

        `read` may raise `Retry` for an answer that breaks off; it is asked for again while `again` says so. Raises `Refused`
        and `UserError`.
        """
        return self._tried("POST", self._path + path, json.dumps(body).encode(), "application/json", read, again)

    def post_form(self, path: str, fields: Mapping[str, str], files: Sequence[tuple[str, File]]) -> Any:
        """What it answers to a form with files (RFC 7578), parsed. Raises `Refused` and `UserError`."""
        body, kind = form(fields, files)
        return self._parsed(self._patiently("POST", self._path + path, body, kind))

    def fetch(self, url: str) -> bytes:
        """A file the service points at, without the key. Only over TLS, or from the service's own address."""
        try:
            secure, host, port, path = address(url)
        except UserError as error:
            raise UserError(f"{self.host} points at something that is no address; try another model") from error
        if not secure and (host, port) != (self.host, self._port):
            raise UserError(f"{self.host} points at a file on {host} that would come unprotected, which is not fetched")
        query = urlsplit(url).query
        there = Service.__new__(Service)
        there._secure, there.host, there._port, there._path = secure, host, port, ""
        there._key_name, there._largest, there._patience = "", self._largest, self._patience
        try:
            return there._patiently("GET", (path or "/") + (f"?{query}" if query else ""), None, "")
        except Refused as error:
            raise UserError(f"{host} does not give the file ({error.status}); ask again") from error

    # -- one request ---------------------------------------------------------------------------------------------------

    def _patiently(self, method: str, path: str, body: bytes | None, kind: str) -> bytes:
        return self._tried(method, path, body, kind, self._whole, lambda: True)

    def _tried(self, method: str, path: str, body: bytes | None, kind: str, read: "Read[T]", again: Callable[[], bool]) -> T:
        patience, rng = self._patience, random.Random()
        deadline = time.monotonic() + patience.total
        for tried in range(patience.tries):
            try:
                return self._once(method, path, body, kind, lambda response: read(response, deadline))
            except Retry as trouble:
                wait = trouble.wait if trouble.wait is not None else patience.backoff * 2**tried * rng.uniform(0.75, 1.25)
                if tried + 1 == patience.tries or not again() or wait > LONGEST_WAIT or time.monotonic() + wait > deadline:
                    raise UserError(f"{self.host} {trouble}; check the service, or try again later") from trouble
                time.sleep(wait)
        raise AssertionError("unreachable: the last try returns or raises")

    def _once(self, method: str, path: str, body: bytes | None, kind: str,
              read: Callable[[http.client.HTTPResponse], T]) -> T:  # fmt: skip
        headers = {"Accept": "*/*", "User-Agent": "mofang"} | ({"Content-Type": kind} if kind else {})
        if key := self._key():
            headers["Authorization"] = f"Bearer {key}"
        connection = self._connection()
        try:
            connection.request(method, path, body, headers)
            if connection.sock:
                connection.sock.settimeout(self._patience.idle)
            response = connection.getresponse()
            if response.status != 200:
                self._refuse(response, key)
            return read(response)
        except TimeoutError as error:
            raise Retry(f"sent nothing for {self._patience.idle:g} seconds") from error
        except ssl.SSLCertVerificationError as error:
            raise UserError(f"the certificate of {self.host} cannot be verified ({error.verify_message}); check the address"
                            ) from error
        except (OSError, http.client.HTTPException) as error:
            said = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Retry(f"cannot be reached ({short(said)})") from error
        except UnicodeEncodeError as error:
            raise UserError(f"{self._key_name} has characters no key has; copy the key again") from error
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if self._secure:
            return http.client.HTTPSConnection(self.host, self._port, timeout=self._patience.connect,
                                               context=ssl.create_default_context())  # fmt: skip
        return http.client.HTTPConnection(self.host, self._port, timeout=self._patience.connect)

    def _key(self) -> str:
        if not self._key_name:
            return ""
        key = os.environ.get(self._key_name, "").strip()
        if any(not character.isprintable() for character in key):
            raise UserError(f"{self._key_name} has characters no key has; copy the key again")
        if not key and self.host.endswith("openai.com"):
            raise UserError(f"{self.host} needs a key; put it into the environment variable {self._key_name}")
        return key

    def portions(self, response: http.client.HTTPResponse, deadline: float) -> Iterator[bytes]:
        """An answer as it comes, bounded in size and time."""
        total = 0
        while portion := response.read1(65_536):
            total += len(portion)
            if total > self._largest:
                raise UserError(f"{self.host} answers with more than {self._largest / 1e6:.0f} MB, which is none; check the address")
            yield portion
            if time.monotonic() > deadline:
                raise UserError(f"{self.host} was not done after {self._patience.total:g} seconds; ask for less, or allow more time")

    def _whole(self, response: http.client.HTTPResponse, deadline: float) -> bytes:
        answer = b"".join(self.portions(response, deadline))
        promised = response.headers.get("Content-Length", "")
        if promised.isdecimal() and len(answer) < int(promised):
            raise Retry("broke off in the middle of its answer")
        return answer

    def _parsed(self, raw: bytes) -> Any:
        try:
            return json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{self.host} did not answer in JSON; check the address (it usually ends in /v1)") from error

    def _refuse(self, response: http.client.HTTPResponse, key: str) -> None:
        status = response.status
        said, code = _said(response.read(4096))
        if key:
            said = said.replace(key, "***")  # Some services quote the key they refuse.
        if status in RETRIED and code != "insufficient_quota":
            raise Retry(f"answered {status} ({said})", _retry_after(response.headers.get("Retry-After")))
        if 300 <= status < 400:
            raise UserError(f"{self.host} sends requests elsewhere ({status}), which is not followed; give the final address")
        advice = {
            401: f"put a valid key into {self._key_name}",
            402: "the account has no credit",
            403: f"the key in {self._key_name} may not use this",
            413: "send something smaller",
            429: "the account has no credit",
        }
        if status in advice:
            raise UserError(f"{self.host} answered {status} ({said}); {advice[status]}")
        raise Refused(status, said, code)


def address(url: str) -> tuple[bool, str, int | None, str]:
    """Whether it is https, host, port, path without the last slash. Raises `UserError`."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in ("http", "https") or not host or not url.isascii() or any(map(str.isspace, url.strip())):
        raise UserError(f"'{ascii(url)[1:81]}' is no service address; write it like https://api.openai.com/v1")
    return parts.scheme == "https", host, port, parts.path.rstrip("/")


def form(fields: Mapping[str, str], files: Sequence[tuple[str, File]]) -> tuple[bytes, str]:
    """A multipart/form-data body and its content type (RFC 7578)."""
    line = f"mofang-{uuid.uuid4().hex}"
    parts = []
    for name, value in fields.items():
        head = f'--{line}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        parts.append(f"{head}{value}\r\n".encode())
    for name, file in files:
        head = f'--{line}\r\nContent-Disposition: form-data; name="{name}"; filename="{file.name}"\r\n'
        parts.append(f"{head}Content-Type: {file.kind}\r\n\r\n".encode() + file.content + b"\r\n")
    return b"".join(parts) + f"--{line}--\r\n".encode(), f"multipart/form-data; boundary={line}"


def short(text: object) -> str:
    """What was said, on one line of at most 160 characters."""
    line = " ".join("".join(character if character.isprintable() else " " for character in str(text)).split())
    return (line[:160] + "…" if len(line) > 160 else line) or "no reason given"


def _said(raw: bytes) -> tuple[str, str]:
    """The message and code of an error, in OpenAI's form or any other."""
    text, code = raw.decode("utf-8", "replace"), ""
    try:
        error = json.loads(text)["error"]
        if isinstance(error, dict):
            text, code = str(error.get("message") or error), str(error.get("code") or error.get("type") or "")
        else:
            text = str(error)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return short(text), code


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
