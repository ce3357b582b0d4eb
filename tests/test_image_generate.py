"""Pictures, sheets, films and projections of a model of one's own, from the command line to the label in the file."""

import av
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from mofang import trust
from mofang.apps.generate import seeds_of
from mofang.apps.remake import remake
from mofang.cli import mofang
from mofang.image.data import Pictures
from mofang.image.data.prepare import Preparing, prepare
from mofang.image.sampler import Sampler, slerp
from mofang.image.train.learn import learn
from mofang.models import own
from mofang.studio import Studio, UserError
from mofang.training.budget import Budget
from mofang.training.loop import Plan
from test_image_data import folder_of

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A dataset and a model of two steps."""
    folder = tmp_path_factory.mktemp("own")
    data = prepare([folder_of(folder, 40)], folder / "data", Preparing(16, val=0.3))
    options = {"dial": "nano", "batch": 4, "width": 4, "latent": 8, "precision": "float32"}
    model = learn(data, folder / "run", "gan", Plan(Budget(2, "steps"), validations=1, samples=1), options)
    return folder, model


def run(studio, *arguments):
    return CliRunner().invoke(mofang, ["--studio", str(studio), "image", *map(str, arguments)])


def test_samples_are_labelled_and_made_again(tmp_path, made):
    folder, model = made
    result = run(tmp_path / "studio", "sample", model, "--seeds", "3,5", "--out", tmp_path / "o", "--nearest", folder / "data")
    assert result.exit_code == 0, (result.output, result.exception)
    assert {path.name for path in (tmp_path / "o").iterdir()} == {"seed-00003.png", "seed-00005.png", "nearest.png"}
    for path in (tmp_path / "o").iterdir():
        assert trust.verify(path, tmp_path / "studio").ok and Image.open(path).width >= 256
    studio = Studio(tmp_path / "studio")
    for asset in studio.assets("image"):
        assert remake(studio, asset)[0] == asset.id
    other = run(tmp_path / "again", "sample", model, "--seeds", "5", "--out", tmp_path / "p")
    assert other.exit_code == 0
    assert {asset.id for asset in Studio(tmp_path / "again").assets("image")} < {asset.id for asset in studio.assets("image")}


def test_copies_are_left_out(tmp_path, made, monkeypatch):
    """A generator that recites at odd seeds."""
    folder, model = made
    train = Pictures.open(folder / "data").split("train").take(np.arange(4))
    honest = Sampler.sample

    def reciting(self, seeds, *more):
        made = honest(self, seeds, *more)
        return np.stack([train[seed % 4] if seed % 2 else picture for seed, picture in zip(seeds, made, strict=True)])

    monkeypatch.setattr(Sampler, "sample", reciting)
    result = run(tmp_path / "s", "sample", model, "--seeds", "1-4", "--new", folder / "data", "--out", tmp_path / "o")
    assert result.exit_code == 0, (result.output, result.exception)
    assert {path.name for path in (tmp_path / "o").iterdir()} == {"seed-00002.png", "seed-00004.png"}
    assert "left out" in result.output and "1, 3" in result.output
    none = run(tmp_path / "s", "sample", model, "--seeds", "1,3", "--new", folder / "data", "--out", tmp_path / "p")
    assert isinstance(none.exception, UserError) and "other seeds" in str(none.exception) and not (tmp_path / "p").exists()


def test_sheets_and_mixed_styles(tmp_path, made):
    _, model = made
    assert run(tmp_path / "s", "sample", model, "--seeds", "0-5", "--grid", "--out", tmp_path).exit_code == 0
    mixed = run(tmp_path / "s", "sample", model, "--mix", "0-1", "7,8", "--out", tmp_path)
    assert mixed.exit_code == 0, mixed.exception
    assert (tmp_path / "grid.png").exists() and (tmp_path / "mix.png").exists()
    sampler = Sampler(model)
    a, b = (sampler.latents(sampler.noise([seed])) for seed in (0, 7))
    table = np.asarray(Image.open(Studio(tmp_path / "s").assets("image")[0].path))
    both = b.copy()
    both[:, : sampler.levels // 2] = a[:, : sampler.levels // 2]
    cell = table.shape[0] // (3 * 18 + 2)
    # The middle of the first cell of the table shows the two mixed.
    shown = table[(18 + 10) * cell, (18 + 10) * cell].astype(int)
    assert np.abs(shown - sampler.pictures(both)[0, 7:10, 7:10].astype(int).mean((0, 1))).max() < 90


def test_a_film_between_pictures(tmp_path, made):
    _, model = made
    result = run(tmp_path / "s", "interpolate", model, "--seeds", "1,2", "--seconds", "1.3", "--out", tmp_path / "a.mp4")
    assert result.exit_code == 0, (result.output, result.exception)
    assert trust.verify(tmp_path / "a.mp4", tmp_path / "s").ok
    with av.open(str(tmp_path / "a.mp4")) as film:
        assert sum(1 for _ in film.decode(video=0)) == 78


def test_projection_finds_what_the_model_can_make(tmp_path, made):
    from mofang.image.train.project import project

    _, model = made
    sampler = Sampler(model)
    target = sampler.sample([400])[0]
    first, _ = project(sampler, target, steps=1)
    found, latents = project(sampler, target, steps=60)
    assert np.abs(found.astype(int) - target).mean() <= np.abs(first.astype(int) - target).mean()
    assert np.array_equal(sampler.pictures(latents)[0].shape, found.shape)
    Image.fromarray(target).save(tmp_path / "t.png")
    result = run(tmp_path / "s", "project", model, tmp_path / "t.png", "--steps", 3, "--out", tmp_path / "o.png")
    assert result.exit_code == 0 and "mean difference" in result.output, result.exception


def test_evaluation_goes_into_the_card(tmp_path, made):
    _, model = made
    before = own.read_card(model)["measured"]
    result = run(tmp_path / "s", "evaluate", model, "--count", 32)
    assert result.exit_code == 0 and "copy rate" in result.output
    after = own.read_card(model)["measured"]
    assert before.keys() == after.keys() and after["kid"] != before["kid"] and "kid_floor" in after


def test_bad_input_in_one_line(tmp_path, made):
    _, model = made
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake" / "config.json").write_text('{"model_type": "mofang-gan", "size": 99999999, "channels": 3, "latent": 4}')
    (tmp_path / "broken").mkdir()
    for name in ("config.json", "mapping.onnx"):
        (tmp_path / "broken" / name).write_bytes((model / name).read_bytes())
    (tmp_path / "broken" / "model.onnx").write_bytes((model / "model.onnx").read_bytes()[:500])
    for arguments, message in (
        (("sample", model, "--seeds", "a-b", "--out", tmp_path / "o"), "are no seeds"),
        (("sample", tmp_path / "fake", "--out", tmp_path / "o"), "no size that makes sense"),
        (("sample", tmp_path / "broken", "--out", tmp_path / "o"), "not a whole ONNX file"),
        (("sample", "nobody", "--out", tmp_path / "o"), "there is no model"),
        (("sample", model, "--seeds", "1", "--nearest", tmp_path, "--out", tmp_path / "o"), "is no dataset"),
        (("interpolate", model, "--seeds", "1", "--out", tmp_path / "a.mp4"), "two seeds or more"),
        (("interpolate", model, "--seeds", "1,2", "--seconds", "0.2", "--out", tmp_path / "a.mp4"), "shorter than"),
        (("project", model, tmp_path / "no.png", "--out", tmp_path / "o.png"), "there is no picture"),
    ):
        failed = run(tmp_path / "s", *arguments)
        assert isinstance(failed.exception, UserError) and message in str(failed.exception), (arguments, failed.exception)


def test_seeds_and_the_way_between():
    assert seeds_of("0-3,7") == [0, 1, 2, 3, 7] and seeds_of("1，2") == [1, 2]
    for wrong in ("", "3-1", "-", "1-999999999", "٣x"):
        with pytest.raises(UserError):
            seeds_of(wrong)
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 500)).astype(np.float32)
    assert np.allclose(slerp(a, b, 0.0), a, atol=1e-5) and np.allclose(slerp(a, b, 1.0), b, atol=1e-5)
    assert np.linalg.norm(slerp(a, b, 0.5)) == pytest.approx((np.linalg.norm(a) + np.linalg.norm(b)) / 2, rel=0.02)
    assert np.allclose(slerp(a, a, 0.3), a)
