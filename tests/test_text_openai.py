"""The OpenAI-compatible engine against services that misbehave in every way we know."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mofang.studio.errors import UserError
from mofang.text.engines.openai import OpenAIEngine, Patience
from mofang.text.engines.sse import MAX_EVENT, SSEParser

KEY = "sk-test-5f3c2a"
QUICK = Patience(connect=2.0, idle=0.4, total=3.0, tries=3, backoff=0.01)
Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers as the test says, and keeps what it was sent."""

    protocol_version = "HTTP/1.1"
    answer: Answer
    seen: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append({"path": self.path, "body": json.loads(body), "key": self.headers.get("Authorization")})
        self.close_connection = True
        with suppress(BrokenPipeError, ConnectionResetError):
            type(self).answer(self)

    def reply(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, *portions: bytes, pause: float = 0.0) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for portion in portions:
            self.wfile.write(portion)
            self.wfile.flush()
            time.sleep(pause)

    def log_message(self, *args: object) -> None:
        """Tests stay quiet."""


@contextmanager
def service(answer: Answer) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    seen: list[dict[str, Any]] = []
    kind = type("Made", (Handler,), {"answer": staticmethod(answer), "seen": seen})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        server.server_close()


def event(text: str, finish: str | None = None) -> bytes:
    chunk = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def ask(url: str, **more: Any) -> Any:
    return OpenAIEngine(url, "m", patience=QUICK).generate("你好", **more)


def test_streams_whole_characters_and_sends_what_it_should() -> None:
    raw = event("秋天") + b": ping\n\n" + event("来了🦊") + event("", "stop") + b"data: [DONE]\n\n"

    def answer(handler: Handler) -> None:
        handler.stream(*(raw[at : at + 7] for at in range(0, len(raw), 7)))

    got: list[str] = []
    with service(answer) as (url, seen):
        done = ask(url + "/", seed=5, stop=["\n"], on_text=got.append)
    assert done.text == "秋天来了🦊" and done.finish == "stop" and got == ["秋天", "来了🦊"]
    assert seen[0]["path"] == "/v1/chat/completions" and seen[0]["key"] == f"Bearer {KEY}"
    assert seen[0]["body"]["seed"] == 5 and seen[0]["body"]["messages"] == [{"role": "user", "content": "你好"}]


def test_an_answer_in_one_piece_is_taken() -> None:
    whole = {"choices": [{"message": {"content": "好"}, "finish_reason": "length"}], "usage": {"completion_tokens": 7}}
    with service(lambda handler: handler.reply(200, json.dumps(whole).encode())) as (url, _):
        done = ask(url)
    assert (done.text, done.finish, done.tokens) == ("好", "length", 7)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_failures_that_pass_are_tried_again(status: int) -> None:
    times: list[float] = []

    def answer(handler: Handler) -> None:
        times.append(time.monotonic())
        if len(times) < 3:
            handler.reply(status, b'{"error": {"message": "busy"}}', Retry_After="0.05")
        else:
            handler.stream(event("好", "stop"))

    with service(answer) as (url, seen):
        assert ask(url).text == "好"
    assert len(seen) == 3 and times[1] - times[0] >= 0.05


def test_a_stream_that_breaks_off_is_tried_again_unless_it_was_shown() -> None:
    def answer(handler: Handler) -> None:
        handler.stream(event("半句"))

    with service(answer) as (url, seen):
        with pytest.raises(UserError, match="broke off"):
            ask(url)
        assert len(seen) == QUICK.tries
        seen.clear()
        with pytest.raises(UserError, match="broke off"):
            ask(url, on_text=lambda text: None)
        assert len(seen) == 1


def hang(handler: Handler) -> None:
    time.sleep(1.5)


def drip(handler: Handler) -> None:
    handler.stream(*[b": still here\n\n"] * 200, pause=0.05)


def flood(handler: Handler) -> None:
    handler.stream(*[b"data: " + b"x" * 100_000] * 100)


NONSENSE: list[tuple[str, Answer, str]] = [
    ("hangs", hang, "sent nothing"),
    ("drips forever", drip, "not done after"),
    ("floods one event", flood, "far too long"),
    ("floods one body", lambda handler: handler.reply(200, b"[" * 9_000_000), "MB"),
    ("speaks HTML", lambda handler: handler.reply(200, b"<html>Login</html>", "text/html"), "did not answer like"),
    ("nests deeply", lambda handler: handler.reply(200, b"[" * 200_000), "did not answer like"),
    ("streams garbage", lambda handler: handler.stream(b"data: \xff\xfe{{{\n\n"), "did not answer like"),
    ("streams a list", lambda handler: handler.stream(b"data: [1]\n\n"), "did not answer like"),
    ("streams wrong shapes", lambda handler: handler.stream(b'data: {"choices": [3]}\n\n'), "did not answer like"),
    ("reports an error", lambda handler: handler.stream(b'data: {"error": {"message": "overloaded"}}\n\n'), "overloaded"),
    ("redirects", lambda handler: handler.reply(302, b"", Location="http://127.0.0.1:9/v1"), "not followed"),
    ("refuses the key", lambda handler: handler.reply(401, f'{{"error": {{"message": "bad {KEY}"}}}}'.encode()), "OPENAI_API_KEY"),
    ("knows no such model", lambda handler: handler.reply(404, b"no\nsuch\x1b[31m model"), "/v1"),
    ("closes at once", lambda handler: handler.connection.shutdown(socket.SHUT_RDWR), "cannot be reached"),
    ("asks for an hour", lambda handler: handler.reply(429, b"slow down", Retry_After="3600"), "slow down"),
    ("speaks no HTTP", lambda handler: handler.wfile.write(b"\x00\x01garbage\r\n\r\n") and None, "cannot be reached"),
]


@pytest.mark.parametrize(("answer", "word"), [case[1:] for case in NONSENSE], ids=[case[0] for case in NONSENSE])
def test_every_misbehaviour_ends_in_one_line(answer: Answer, word: str) -> None:
    with service(answer) as (url, _), pytest.raises(UserError) as caught:
        ask(url)
    message = str(caught.value)
    assert word in message and "\n" not in message and KEY not in message and message.isprintable()


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UserError, match="cannot be reached"):
        ask(f"http://127.0.0.1:{port}/v1")


@pytest.mark.parametrize("url", ["", "localhost:11434", "ftp://x/v1", "http://", "http://a b/v1", "http://[::1/v1", "http://x:99999/v1",
                                 "http://user:secret@x/v1", "http://x/\r\nHost: y"])  # fmt: skip
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(UserError) as caught:
        OpenAIEngine(url, "m")
    assert "secret" not in str(caught.value)


def test_keys_missing_or_mistyped(monkeypatch: pytest.MonkeyPatch) -> None:
    assert KEY not in repr(OpenAIEngine("https://api.openai.com/v1", "m"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-钥匙")
    with service(lambda handler: handler.stream(event("x", "stop"))) as (url, _), pytest.raises(UserError, match="copy the key"):
        ask(url)
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(UserError, match="OPENAI_API_KEY"):
        OpenAIEngine("https://api.openai.com/v1", "m").generate("x")
    with service(lambda handler: handler.stream(event("x", "stop"))) as (url, seen):
        assert ask(url).text == "x" and seen[0]["key"] is None
        with pytest.raises(UserError, match="surrogate"):
            OpenAIEngine(url, "m").generate("\ud800")


def test_an_exception_of_the_listener_passes_through() -> None:
    def stop(text: str) -> None:
        raise KeyboardInterrupt

    with service(lambda handler: handler.stream(event("x", "stop"))) as (url, _), pytest.raises(KeyboardInterrupt):
        ask(url, on_text=stop)


EVENTS = st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=("Cs",)), max_size=20), max_size=6)


@given(EVENTS, st.sampled_from(["\n", "\r\n", "\r"]), st.lists(st.integers(1, 9), min_size=1, max_size=20))
def test_events_survive_any_division(events: list[str], newline: str, sizes: list[int]) -> None:
    raw = "".join(f"data: {text}{newline}id: 7{newline}{newline}" for text in events).encode()
    parser, got, at, turn = SSEParser(), [], 0, 0
    while at < len(raw):
        size = sizes[turn % len(sizes)]
        got += parser.feed(raw[at : at + size])
        at, turn = at + size, turn + 1
    got += parser.feed(b"", final=True)
    assert got == events or (events and got == [text.removeprefix("\ufeff") for text in events])


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_any_bytes_are_parsed_without_harm(portions: list[bytes]) -> None:
    parser = SSEParser()
    for portion in portions:
        assert all(isinstance(data, str) for data in parser.feed(portion))


def test_events_are_bounded() -> None:
    parser = SSEParser()
    with pytest.raises(ValueError, match="too long"):
        for _ in range(MAX_EVENT // 1000 + 2):
            list(parser.feed(b"x" * 1000))
