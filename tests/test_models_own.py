"""Folders of own models: found by path and by name, read within bounds, refused in one line."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from mofang.models import own
from mofang.studio import UserError


def folder(path, tensors=None, config=None):
    path.mkdir(parents=True)
    (path / own.CONFIG).write_text(json.dumps(config or {"model_type": "mofang-rnn"}))
    save_file(tensors or {"a": np.ones((2, 3), np.float32)}, path / own.WEIGHTS)
    return path


def test_a_model_is_found_by_path_run_and_name(tmp_path, monkeypatch):
    mine = folder(tmp_path / "shelf" / "poems")
    run = folder(tmp_path / "run" / "model")
    monkeypatch.setenv("MOFANG_WEIGHTS", str(tmp_path / "shelf"))
    assert own.find(mine) == mine
    assert own.find(tmp_path / "run") == run
    assert own.find("poems") == mine
    assert own.names()["poems"] == mine


def test_the_studios_own_runs_and_models_come_first(tmp_path, monkeypatch):
    monkeypatch.delenv("MOFANG_WEIGHTS", raising=False)
    studio = tmp_path / "studio"
    kept = folder(studio / "models" / "mine")
    run = folder(studio / "runs" / "today" / "model")
    assert own.find("mine", studio) == kept
    assert own.find("today", studio) == run


@pytest.mark.parametrize("name", ["poem", "nothing-like-it", "../escape", "", "x" * 5000, "a\x00b"])
def test_what_is_no_model_is_refused_in_one_line(tmp_path, monkeypatch, name):
    folder(tmp_path / "poems")
    monkeypatch.setenv("MOFANG_WEIGHTS", str(tmp_path))
    with pytest.raises(UserError) as error:
        own.find(name)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


@pytest.mark.parametrize("bad", [b"", b"[]", b"{", b'{"model_type": 3}', b"\xff\xfe", b"[" * 100_000])
def test_a_broken_configuration_is_refused(tmp_path, bad):
    path = folder(tmp_path / "m")
    (path / own.CONFIG).write_bytes(bad)
    with pytest.raises(UserError):
        own.read_config(path)


def test_half_precision_weights_are_read_as_float32(tmp_path):
    import torch
    from safetensors.torch import save_file as save_torch

    value = torch.randn(4, 5)
    path = folder(tmp_path / "m")
    save_torch({"h": value.half(), "b": value.bfloat16(), "f": value}, path / own.WEIGHTS)
    tensors = own.read_tensors(path)
    for name, kind in (("h", torch.float16), ("b", torch.bfloat16), ("f", torch.float32)):
        assert tensors[name].dtype == np.float32
        np.testing.assert_array_equal(tensors[name], value.to(kind).float().numpy())


def test_weights_of_other_types_and_cut_files_are_refused(tmp_path):
    path = folder(tmp_path / "m", {"a": np.ones(4, np.int64)})
    with pytest.raises(UserError, match="I64"):
        own.read_tensors(path)
    (path / own.WEIGHTS).write_bytes((path / own.WEIGHTS).read_bytes()[:-3])
    with pytest.raises(UserError):
        own.read_tensors(path)


def test_a_card_carries_the_hash_of_its_weights(tmp_path):
    from mofang.studio.library import file_hash

    path = folder(tmp_path / "m")
    assert own.read_card(path) == {}
    own.write_card(path, {"name": "诗", "measured": {"bits": 1.5}})
    assert own.read_card(path) == {"name": "诗", "measured": {"bits": 1.5}, "sha256": file_hash(path / own.WEIGHTS)}
