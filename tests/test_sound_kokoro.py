"""Kokoro: the derived graphs, Mandarin, and damage."""

import shutil

import numpy as np
import pytest

from mofang import models
from mofang.models.session import load
from mofang.sound import speak
from mofang.sound.engines import kokoro
from mofang.sound.frontend import phonemize, visible
from mofang.studio.errors import UserError

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def weights():
    return models.ensure("kokoro-82m").file("model")


def test_the_derived_graphs_say_the_same(weights, tmp_path):
    units = phonemize("下雨了。", "zh")
    said = {}
    for kind in ("integer", "signed", "float32"):
        kokoro.derive(weights, tmp_path / f"{kind}.onnx", kind)
        engine = kokoro.Kokoro(2)
        engine.__dict__["_session"] = load(tmp_path / f"{kind}.onnx", 2)
        said[kind] = engine.speak(units, "zf_xiaoxiao", 1.0)
        (tmp_path / f"{kind}.onnx").unlink()
    from mofang.sound.engines.graphs import exact_signed_products

    if exact_signed_products():
        assert np.array_equal(said["integer"].samples, said["signed"].samples)
    # Rounding activations moves durations by a frame or two, not the words.
    assert abs(said["integer"].duration - said["float32"].duration) <= 0.1
    spectra = [np.abs(np.fft.rfft(said[kind].samples, 1 << 17))[: 1 << 14] for kind in ("integer", "float32")]
    assert np.corrcoef(*(np.log(s.reshape(256, -1).mean(axis=1) + 1e-6) for s in spectra))[0, 1] > 0.95


def test_mandarin_with_words_in_latin_and_numbers():
    text = "他花了¥1,299.00，买了3本Python书……\n\n“[重](chong2)来！”他说。"
    speech = speak(text, "zm_yunxi")
    assert "".join(piece.text for piece in speech.alignment) == visible(text)
    assert speech.alignment[-1].end <= speech.duration
    assert next(p for p in speech.alignment if p.text.startswith("¥")).end > 1.0  # a long number, one piece
    assert np.array_equal(speech.samples, speak(text, "zm_yunxi").samples)


def test_a_damaged_derived_file_is_made_again(weights, tmp_path):
    source = tmp_path / "model.onnx"
    shutil.copy(weights, source)
    target = kokoro.derived(source)
    whole = target.read_bytes()
    assert kokoro.derived(source) == target
    target.write_bytes(whole[: len(whole) // 2])
    assert kokoro.derived(source).read_bytes() == whole
    assert not list(tmp_path.glob(".tmp-*"))


def test_damaged_weights_say_so(weights, tmp_path):
    source = tmp_path / "model.onnx"
    source.write_bytes(weights.read_bytes()[:1_000_000])
    with pytest.raises(UserError, match="damaged"):
        kokoro.derived(source)
    assert not list(tmp_path.glob("*signed*")) and not list(tmp_path.glob("*float32*"))

    class Damaged:
        def file(self, role):
            return source

    engine = kokoro.Kokoro(1)
    engine.__dict__["_model"] = Damaged()
    with pytest.raises(UserError, match="damaged"):
        engine._style("zf_xiaoxiao")
    with pytest.raises(UserError, match="cannot be opened"):
        load(source, 1)
