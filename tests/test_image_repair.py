"""The network that repairs: what it learns from, that it learns, resumes, is exported, and is used where it is found."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mofang.cli import mofang
from mofang.image.edit.diffuse import diffused
from mofang.image.edit.unjpeg import coarseness, table_at, table_of

torch = pytest.importorskip("torch")

from mofang.image.data.store import digest, write_split  # noqa: E402
from mofang.image.edit import repair  # noqa: E402
from mofang.image.nets.repair import Repair, RepairShape  # noqa: E402
from mofang.image.train import damage  # noqa: E402
from mofang.models import own  # noqa: E402
from mofang.training import checkpoint  # noqa: E402
from mofang.training.loop import LAST  # noqa: E402


def pictures(count, seed):
    """(64, 64, 3) smooth grounds with a few bars."""
    import cv2

    rng = np.random.default_rng(seed)
    for _ in range(count):
        image = cv2.resize(rng.uniform(40, 210, (4, 4, 3)).astype(np.float32), (64, 64), interpolation=cv2.INTER_CUBIC)
        ends = [tuple(map(int, each)) for each in rng.integers(0, 64, (2, 2))]
        cv2.line(image, *ends, rng.uniform(0, 255, 3).tolist(), 5)
        yield np.clip(image, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repair") / "data"
    folder.mkdir()
    counts = {"train": 24, "val": 4}
    for number, (name, count) in enumerate(counts.items()):
        lines = [{"file": f"{n}.png", "caption": {}} for n in range(count)]
        write_split(folder, name, pictures(count, number), lines, (64, 64, 3))
    manifest = {"version": 1, "size": 64, "channels": 3, "counts": counts, "licence": "own", "works": [], "sha256": digest(folder)}
    (folder / "dataset.json").write_text(json.dumps(manifest))
    return folder


def command(dataset, out):
    arguments = ["--studio", str(out.parent / "studio"), "image", "train", str(dataset), "--kind", "repair", "--out", str(out),
                 "--size", "nano", "--batch", "4", "--budget", "8steps", "--samples", "1", "--threads", "1",
                 "--precision", "float32"]  # fmt: skip
    return CliRunner().invoke(mofang, arguments)


def train(dataset, out):
    result = command(dataset, out)
    assert result.exit_code == 0, (result.output, result.exception)
    return out / "model"


@pytest.fixture(scope="module")
def model(dataset, tmp_path_factory):
    return train(dataset, tmp_path_factory.mktemp("run") / "run")


def test_what_flows_into_a_hole_is_harmonic_and_the_rest_is_kept():
    y, x = np.mgrid[0:48, 0:64].astype(np.float32)
    ramp = np.dstack([x / 64, y / 48, (x + y) / 112])  # Its own harmonic continuation.
    hole = np.zeros((48, 64), bool)
    hole[14:30, 20:41] = True
    found = diffused(np.where(hole[..., None], 0, ramp).astype(np.float32), hole)
    assert np.array_equal(found[~hole], ramp[~hole])
    assert np.abs(found - ramp).max() < 0.05
    assert np.all(diffused(ramp, np.ones_like(hole)) == 0.5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 100))
def test_damage_is_as_its_maps_say(seed, quality):
    clean = next(pictures(1, 3))
    image, maps = damage.damaged(clean, np.random.default_rng(seed))
    again = damage.damaged(clean, np.random.default_rng(seed))
    assert np.array_equal(image, again[0]) and np.array_equal(maps, again[1])
    assert image.shape == maps.shape == clean.shape and image.dtype == maps.dtype == np.float32 and np.isfinite(image).all()
    if not maps[..., 1:].any():
        assert np.array_equal(image[maps[..., 0] == 0], (clean / np.float32(255))[maps[..., 0] == 0])
    assert 0 < coarseness(table_at(quality)) < 1


def test_tables_are_the_library_s(tmp_path):
    for quality in (5, 30, 50, 75, 95):
        path = tmp_path / f"{quality}.jpg"
        Image.fromarray(next(pictures(1, 5))).save(path, quality=quality)
        assert np.array_equal(table_of(path), table_at(quality))


def test_at_first_nothing_is_changed():
    image = torch.rand(1, 3, 16, 24)
    assert torch.equal(Repair(RepairShape(8, 1))(image, torch.zeros(1, 3, 16, 24)), image)


def test_a_run_that_was_stopped_is_the_uninterrupted_run(dataset, model, tmp_path, monkeypatch):
    from mofang.image.train.repair import RepairTraining

    taken = []
    step = RepairTraining.step

    def stopping(self, number):
        if number == 5 and not taken:
            taken.append(number)
            raise KeyboardInterrupt
        return step(self, number)

    monkeypatch.setattr(RepairTraining, "step", stopping)
    assert command(dataset, tmp_path / "run").exit_code != 0 and taken
    train(dataset, tmp_path / "run")
    one, other = (checkpoint.load(folder / LAST)[0] for folder in (model.parent, tmp_path / "run"))
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_the_graph_is_the_network_whatever_the_sides(model):
    shape = RepairShape(**{key: value for key, value in own.read_config(model).items() if key != "model_type"})
    network = Repair(shape).eval()
    from safetensors.torch import load_file

    network.load_state_dict(load_file(model / own.WEIGHTS))
    image = np.random.default_rng(0).random((45, 61, 3), np.float32)
    ours = repair.cleaned(image, model / "model.onnx", 0.1)
    padded = np.pad(image, ((0, 3), (0, 3), (0, 0)), mode="edge")
    maps = np.zeros_like(padded)
    maps[..., 1] = 0.1
    with torch.no_grad():
        theirs = network(*(torch.from_numpy(np.moveaxis(each, 2, 0)[None].copy()) for each in (padded, maps)))
    assert np.abs(ours - theirs[0].permute(1, 2, 0).clamp(0, 1).numpy()[:45, :61]).max() < 1e-4


def test_what_is_no_repairing_model_is_said(dataset, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "mofang-restore"}')
    with pytest.raises(repair.UserError, match="repairs nothing"):
        repair.graph_of(folder)


def test_verbs_use_it_and_say_which(model, tmp_path):
    def run(*words):
        return CliRunner().invoke(mofang, ["--studio", str(tmp_path / "studio"), *map(str, words)])

    picture = tmp_path / "a.png"
    Image.fromarray(next(pictures(1, 9))).save(picture)
    for verb, more in (("inpaint", ("--box", "20,20,5,9")), ("denoise", ("--sigma", 20)), ("scratches", ())):
        done = run("image", "edit", verb, picture, tmp_path / f"{verb}.png", "--model", model, *more)
        assert done.exit_code == 0, (done.output, done.exception)
    before, after = (np.asarray(Image.open(path).convert("RGB")) for path in (picture, tmp_path / "inpaint.png"))
    hole = np.zeros((64, 64), bool)
    hole[20:29, 20:25] = True
    assert np.array_equal(before[~hole], after[~hole])
    wrong = run("image", "edit", "denoise", picture, tmp_path / "o.png", "--model", "nosuch")
    assert isinstance(wrong.exception, repair.UserError) and "no model" in str(wrong.exception)
