"""Voices and music of others: a service against a local server, and tiny checkpoints for Transformers built here."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from mofang.cli import mofang
from mofang.models.service import Patience
from mofang.sound import pcm, speak
from mofang.sound.engines.openai_speech import OpenAIVoices
from mofang.sound.frontend import phonemize
from mofang.studio.errors import UserError
from mofang.trust import verify

KEY = "sk-test-77cd"
QUICK = Patience(connect=2.0, idle=1.0, total=5.0, tries=3, backoff=0.01)


@pytest.fixture(scope="module")
def tone(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("tone") / "a.wav"
    sound = (0.3 * np.sin(np.arange(16_000) * 0.2)).astype(np.float32)
    pcm.write_wav(path, np.concatenate([np.zeros(3200, np.float32), sound, np.zeros(3200, np.float32)]), 16_000)
    return path.read_bytes()


class Handler(BaseHTTPRequestHandler):
    answer: Callable[["Handler"], None]
    seen: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append({"path": self.path, "body": body, "key": self.headers.get("Authorization")})
        with suppress(BrokenPipeError, ConnectionResetError):
            type(self).answer(self)

    def send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Tests stay quiet."""


@contextmanager
def service(answer: Callable[[Handler], None], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    seen: list[dict[str, Any]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Made", (Handler,), {"answer": staticmethod(answer), "seen": seen}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()


def test_a_service_speaks_sentence_by_sentence(monkeypatch, tone, tmp_path) -> None:
    text = "你好，世界。Good night, Owl."
    with service(lambda handler: handler.send(200, tone), monkeypatch) as seen:
        speech = speak(text, "openai:tts-1/alloy", speed=1.25)
        done = CliRunner().invoke(mofang, ["--studio", str(tmp_path / "s"), "speech", "say", text, str(tmp_path / "a.wav"), "--voice",
                                           "openai:tts-1/alloy"])  # fmt: skip
    assert done.exit_code == 0, done.exception
    assert seen[0]["path"] == "/v1/audio/speech" and seen[0]["key"] == f"Bearer {KEY}"
    assert seen[0]["body"] == {"model": "tts-1", "voice": "alloy", "input": "你好，世界。", "response_format": "wav", "speed": 1.25}
    assert "".join(each["body"]["input"] for each in seen[:2]).replace(" ", "") == text.replace(" ", "")
    assert "".join(piece.text for piece in speech.alignment) == text and 2.0 < speech.duration < 3.5
    assert all(a.end <= b.start + 1e-6 for a, b in pairwise(speech.alignment))
    report = verify(tmp_path / "a.wav", tmp_path / "s")
    assert report.ok and KEY not in str(report.credentials)


@pytest.mark.parametrize(("answer", "said"), [
    (lambda handler: handler.send(404, b'{"error": {"message": "no such model"}}'), "model name 'tts-1'"),
    (lambda handler: handler.send(400, f'{{"error": {{"message": "bad key {KEY}"}}}}'.encode()), "check the model and the voice"),
    (lambda handler: handler.send(200, b"<html>hello</html>"), "sent no sound"),
    (lambda handler: handler.send(200, b""), "sent no sound"),
    (lambda handler: handler.send(503, b"busy"), "try again later"),
])  # fmt: skip
def test_what_goes_wrong_is_said_in_one_line(monkeypatch, answer, said) -> None:
    units = phonemize("Hello there.", "en")
    with service(answer, monkeypatch), pytest.raises(UserError, match=said) as refused:
        OpenAIVoices(patience=QUICK).speak(units, "openai:tts-1/alloy", 1.0)
    assert "\n" not in str(refused.value) and KEY not in str(refused.value)


def test_a_voice_must_be_named(monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for name, said in (("openai:", "name the voice"), ("openai:tts-1", "MODEL/VOICE"), ("transformers:/no/where", "neither there")):
        with pytest.raises(UserError, match=said):
            speak("Hello.", name)


@pytest.fixture(scope="module")
def vits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("vits")
    letters = list("_abcdefghijklmnopqrstuvwxyz '")
    (folder / "vocab.json").write_text(json.dumps({letter: place for place, letter in enumerate(letters)}))
    words = transformers.VitsTokenizer(str(folder / "vocab.json"), pad_token="_", unk_token="_", phonemize=False, is_uroman=False)
    torch.manual_seed(1)
    config = transformers.VitsConfig(
        vocab_size=len(letters), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, ffn_dim=32, flow_size=16,
        spectrogram_bins=9, num_speakers=2, speaker_embedding_size=8, upsample_initial_channel=16, upsample_rates=[8, 8],
        upsample_kernel_sizes=[16, 16], resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1]], prior_encoder_num_flows=1,
        posterior_encoder_num_wavenet_layers=1, prior_encoder_num_wavenet_layers=1, duration_predictor_num_flows=1,
        depth_separable_num_layers=1, duration_predictor_flow_bins=4, sampling_rate=16_000)  # fmt: skip
    transformers.VitsModel(config).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def test_a_vits_checkpoint_says_what_its_own_class_says(vits) -> None:
    import torch
    from transformers import AutoTokenizer, VitsModel

    from mofang.sound.engines.transformers_speech import TransformersVoices

    units = phonemize("hello there", "en")
    engine = TransformersVoices()
    said = engine.speak(units, f"transformers:{vits}#1", 1.0)
    again = engine.speak(units, f"transformers:{vits}#1", 1.0)
    assert np.array_equal(said.samples, again.samples) and "".join(piece.text for piece in said.alignment) == "hello there"
    model, words = VitsModel.from_pretrained(vits).eval(), AutoTokenizer.from_pretrained(vits)
    torch.manual_seed(0)
    with torch.inference_mode():
        theirs = model(**words("hello there", return_tensors="pt"), speaker_id=1).waveform[0].numpy()
    theirs = pcm.resample(theirs, 16_000, 24_000)
    assert np.allclose(said.samples, theirs / max(1, np.abs(theirs).max()), atol=1e-5)
    assert engine.speak(units, f"transformers:{vits}", 0.5).duration > 1.5 * engine.speak(units, f"transformers:{vits}", 1.5).duration
    with pytest.raises(UserError, match="no speaker 7"):
        engine.speak(units, f"transformers:{vits}#7", 1.0)


def test_checkpoints_that_bring_programs_or_pickles_are_refused(vits, tmp_path) -> None:
    import shutil

    def copy(name: str) -> Path:
        return Path(shutil.copytree(vits, tmp_path / name))

    def refusal(folder: Path) -> str:
        with pytest.raises(UserError) as caught:
            speak("hello", f"transformers:{folder}")
        assert "\n" not in str(caught.value)
        return str(caught.value)

    folder = copy("pickle")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "safetensors" in refusal(folder)
    folder = copy("code")
    (folder / "config.json").write_text(json.dumps({"model_type": "x", "auto_map": {"AutoConfig": "evil.Config"}}))
    assert "programs of its own" in refusal(folder)
    folder = copy("cut")
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[: len(data) // 2])
    assert "model.safetensors" in refusal(folder)
    folder = copy("other")
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
    assert "VITS" in refusal(folder)


def test_performances_and_books_tell_the_terms_of_their_voices(vits, tmp_path) -> None:
    import shutil

    folder = Path(shutil.copytree(vits, tmp_path / "mms"))
    (folder / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    (tmp_path / "play.txt").write_text("Fox: good day\nOwl: good night\nThey slept.\n", "utf-8")
    voice = f"transformers:{folder}"
    done = CliRunner().invoke(mofang, ["--studio", str(tmp_path / "studio"), "speech", "perform", str(tmp_path / "play.txt"),
                                       str(tmp_path / "play.wav"), "--cast", f"Fox={voice}#0", "--cast", f"Owl={voice}#1",
                                       "--cast", "narrator=hibari"])  # fmt: skip
    assert done.exit_code == 0, done.exception
    assert done.stderr.count("cc-by-nc-4.0") == 1 and "may not be used to earn money" in done.stderr
    (tmp_path / "book.txt").write_text("good day", "utf-8")
    for name, times in ((voice, 1), ("hibari", 0)):
        done = CliRunner().invoke(mofang, ["--studio", str(tmp_path / "studio"), "speech", "book", str(tmp_path / "book.txt"),
                                           str(tmp_path / "book.mp3"), "--voice", name])  # fmt: skip
        assert done.exit_code == 0 and done.stderr.count("cc-by-nc-4.0") == times, (done.stderr, done.exception)
