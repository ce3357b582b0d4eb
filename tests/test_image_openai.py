"""Image services against a local server: what each family of models is asked, and every way an answer can go wrong."""

import base64
import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from mofang.cli import mofang
from mofang.image.engines.base import Request
from mofang.image.engines.openai import OpenAIPictures
from mofang.models.service import Patience
from mofang.studio import UserError

KEY = "sk-test-91ab"
QUICK = Patience(connect=2.0, idle=1.0, total=5.0, tries=3, backoff=0.01)
Answer = Callable[["Handler"], None]


def png(wide: int = 64, high: int = 64, channels: int = 3) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((high, wide, channels), 200, np.uint8)).save(file, "PNG")
    return file.getvalue()


class Handler(BaseHTTPRequestHandler):
    answer: Answer
    seen: list[dict[str, Any]]

    def do_GET(self) -> None:
        self.seen.append({"path": self.path, "key": self.headers.get("Authorization")})
        self.send(200, png(), "image/png")

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        kind = self.headers["Content-Type"]
        body: dict[str, Any] = {}
        if kind == "application/json":
            body = json.loads(raw)
        else:
            form = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + raw)
            for part in form.iter_parts():
                value = part.get_payload(decode=True)
                body[part.get_param("name", header="content-disposition")] = value if part.get_filename() else value.decode()
        self.seen.append({"path": self.path, "body": body, "key": self.headers.get("Authorization")})
        with suppress(BrokenPipeError, ConnectionResetError):
            type(self).answer(self)

    def send(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def pictures(self, *raw: bytes) -> None:
        data = [{"b64_json": base64.b64encode(each).decode(), "revised_prompt": "a fox, told at length"} for each in raw]
        self.send(200, json.dumps({"data": data}).encode())

    def refuse(self, status: int, message: str, code: str = "", **headers: str) -> None:
        self.send(status, json.dumps({"error": {"message": message, "code": code}}).encode(), **headers)

    def log_message(self, *args: object) -> None:
        """Tests stay quiet."""


@contextmanager
def service(answer: Answer) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    seen: list[dict[str, Any]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Made", (Handler,), {"answer": staticmethod(answer), "seen": seen}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def paint(url: str, model: str = "gpt-image-1", words: str = "a fox", **more: Any) -> Any:
    return OpenAIPictures(url, model, patience=QUICK).paint(Request(words, **more))


@pytest.mark.parametrize(("model", "more", "asked"), [
    ("dall-e-2", {"size": (500, 500)}, {"size": "512x512", "response_format": "b64_json"}),
    ("dall-e-3", {"size": (1080, 1920), "quality": "hd", "style": "natural"},
     {"size": "1024x1792", "quality": "hd", "style": "natural", "response_format": "b64_json"}),
    ("gpt-image-1", {"size": (1920, 1080), "background": "transparent", "quality": "low"},
     {"size": "1536x1024", "background": "transparent", "quality": "low", "output_format": "png"}),
    ("flux-of-somebody", {"size": (640, 360)}, {"size": "640x360", "response_format": "b64_json"}),
])  # fmt: skip
def test_each_family_is_asked_in_its_own_way(model: str, more: dict[str, Any], asked: dict[str, Any]) -> None:
    with service(lambda handler: handler.pictures(png())) as (url, seen):
        done = paint(url, model, **more)
    assert seen[0]["path"] == "/v1/images/generations" and seen[0]["key"] == f"Bearer {KEY}"
    assert seen[0]["body"] == {"model": model, "prompt": "a fox", "n": 1, **asked}
    assert done.images[0].shape[:2] == (more["size"][1], more["size"][0])
    assert done.facts["revised"] == ["a fox, told at length"]


def test_several_at_once_or_one_by_one() -> None:
    def answer(handler: Handler) -> None:
        handler.pictures(*[png()] * int(handler.seen[-1]["body"]["n"]))

    with service(answer) as (url, seen):
        assert len(paint(url, "dall-e-2", count=12).images) == 12 and [each["body"]["n"] for each in seen] == [10, 2]
        assert len(paint(url, "dall-e-3", count=2).images) == 2 and [each["body"]["n"] for each in seen[2:]] == [1, 1]


def test_an_edit_sends_the_mask_as_transparency_and_keeps_what_is_outside() -> None:
    image = np.random.default_rng(0).integers(0, 255, (40, 60, 3)).astype(np.uint8)
    mask = np.zeros((40, 60), bool)
    mask[10:30, 20:40] = True
    with service(lambda handler: handler.pictures(png(1536, 1024))) as (url, seen):
        done = paint(url, image=image, mask=mask)
    assert seen[0]["path"] == "/v1/images/edits" and seen[0]["body"]["prompt"] == "a fox"
    sent = np.asarray(Image.open(io.BytesIO(seen[0]["body"]["mask"])))
    assert sent.shape == (1024, 1536, 4) and sent[512, 768, 3] == 0 and sent[0, 0, 3] == 255
    assert np.array_equal(done.images[0][~mask], image[~mask]) and (done.images[0][18:22, 28:32] == 200).all()


def test_a_picture_without_words_is_varied() -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    with service(lambda handler: handler.pictures(png(1024, 1024))) as (url, seen):
        done = paint(url, "dall-e-2", "", image=image)
        assert done.images[0].shape == (40, 60, 3) and seen[0]["path"] == "/v1/images/variations" and "prompt" not in seen[0]["body"]
        for model, said in (("gpt-image-1", "add words"), ("dall-e-3", "does not start from a picture")):
            with pytest.raises(UserError, match=said):
                paint(url, model, "", image=image)


def test_an_answer_by_address_is_fetched_without_the_key() -> None:
    here = ""
    with service(lambda handler: handler.send(200, json.dumps({"data": [{"url": here}]}).encode())) as (url, seen):
        here = url.removesuffix("/v1") + "/files/a.png?x=1"
        assert paint(url).images[0].shape == (64, 64, 3)
        assert seen[1] == {"path": "/files/a.png?x=1", "key": None}
        here = "http://example.invalid/a.png"
        with pytest.raises(UserError, match="unprotected"):
            paint(url)
        here = "file:///etc/hostname"
        with pytest.raises(UserError, match="no address"):
            paint(url)


def test_failures_that_pass_are_tried_again() -> None:
    times: list[int] = []

    def answer(handler: Handler) -> None:
        times.append(1)
        if len(times) < 3:
            handler.refuse(429, "slow down", Retry_After="0.02")
        else:
            handler.pictures(png())

    with service(answer) as (url, _):
        assert paint(url).images and len(times) == 3


@pytest.mark.parametrize(("answer", "said"), [
    (lambda handler: handler.refuse(400, "Your request was rejected", "moderation_blocked"), "declines these words"),
    (lambda handler: handler.refuse(400, "blocked by our safety system"), "declines these words"),
    (lambda handler: handler.refuse(401, f"Incorrect API key: {KEY}"), r"Incorrect API key: \*\*\*"),
    (lambda handler: handler.refuse(404, "no such model"), "check the address"),
    (lambda handler: handler.refuse(429, "no money", "insufficient_quota"), "no credit"),
    (lambda handler: handler.refuse(500, "oh"), "try again later"),
    (lambda handler: handler.send(302, b"", Location="http://elsewhere.invalid"), "not followed"),
    (lambda handler: handler.send(200, b"<html>"), "JSON"),
    (lambda handler: handler.send(200, b'{"data": []}'), "no picture"),
    (lambda handler: handler.send(200, b'{"data": [{"b64_json": "!!"}]}'), "damaged"),
    (lambda handler: handler.pictures(b"GIF89a"), "damaged"),
])  # fmt: skip
def test_what_goes_wrong_is_one_line_without_the_key(answer: Answer, said: str) -> None:
    with service(answer) as (url, _), pytest.raises(UserError, match=said) as caught:
        paint(url)
    assert KEY not in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(("model", "more", "said"), [
    ("dall-e-2", {"words": "x" * 1001}, "reads 1,000 characters"), ("dall-e-2", {"quality": "hd"}, "leave --quality out"),
    ("gpt-image-1", {"quality": "hd"}, "low, medium, high, auto"), ("dall-e-3", {"words": " "}, "no words"),
    ("gpt-image-1", {"negative": "rain"}, "--negative"), ("", {}, "name the model"),
])  # fmt: skip
def test_what_a_model_does_not_take_is_said_before_it_is_sent(model: str, more: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        paint("http://127.0.0.1:9/v1", model, **{"words": "fox", **more})


def test_the_command_keeps_the_key_out_of_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with service(lambda handler: handler.pictures(png(1024, 1024))) as (url, _):
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        done = CliRunner().invoke(mofang, ["--studio", str(tmp_path / "s"), "image", "make", "一只狐狸", str(tmp_path / "a.png"),
                                           "--engine", "openai:gpt-image-1", "--size", "512x512"], catch_exceptions=False)  # fmt: skip
    assert done.exit_code == 0, done.output
    assert Image.open(tmp_path / "a.png").size == (512, 512)
    for file in [tmp_path / "a.png", *(tmp_path / "s").rglob("*")]:
        assert not file.is_file() or KEY.encode() not in file.read_bytes()
