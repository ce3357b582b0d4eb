"""The one loop: a run that was stopped, killed or spread over processes is the run that was not."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mofang.studio.errors import UserError
from mofang.training import budget, checkpoint, history, report
from mofang.training.ema import Ema
from mofang.training.loop import BEST, LAST, LOG, SAMPLES, Plan, train
from mofang.training.muon import Muon, orthogonalise
from mofang.training.run import SETTINGS, open_run
from mofang.training.schedule import trapezoid
from training_toy import Toy, plan

TOY = Path(__file__).with_name("training_toy.py")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


pytestmark = pytest.mark.usefixtures("one_thread")


def records(folder, kind):
    lines = [json.loads(line) for line in (folder / LOG).read_text("utf-8").splitlines()]
    return [line for line in lines if line["kind"] == kind]


def losses(folder):
    return [(line["step"], line["loss"], line["scale"]) for line in records(folder, "train")]


def same_state(one, other):
    """Every tensor of two checkpoints, to the bit: weights, averages, the optimizers' memories."""
    ours, theirs = load_file(one / LAST), load_file(other / LAST)
    assert ours.keys() == theirs.keys() and len(ours) >= 14
    for name, tensor in ours.items():
        assert tensor.dtype == theirs[name].dtype and torch.equal(tensor, theirs[name]), name
    facts = [checkpoint.load(folder / LAST)[1] for folder in (one, other)]
    assert all({**fact, "seconds": 0} == {**facts[0], "seconds": 0} for fact in facts)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """40 steps without a stop."""
    folder = tmp_path_factory.mktemp("straight")
    torch.set_num_threads(1)
    train(Toy(), folder, plan(40))
    return folder


# -- stop and go on ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stops", [[1], [13], [5, 6, 30]])
def test_ctrl_c_finishes_the_step_saves_and_the_run_goes_on_as_if_nothing_had_been(straight, tmp_path, stops):
    for stop in stops:
        toy = Toy()
        toy.before_step = {stop: [signal.SIGINT]}
        with pytest.raises(KeyboardInterrupt):
            train(toy, tmp_path, plan(40))
        assert toy.seen[-1] == stop and checkpoint.load(tmp_path / LAST)[1]["step"] == stop + 1
    last = Toy()
    state = train(last, tmp_path, plan(40))
    assert last.seen == list(range(stops[-1] + 1, 40)) and state.step == 40
    same_state(straight, tmp_path)
    assert losses(tmp_path) == losses(straight)
    assert (tmp_path / BEST).read_bytes()[8:] and load_file(tmp_path / BEST).keys() == load_file(straight / BEST).keys()
    for kind in ("validate", "sample", "done"):
        assert [line["step"] for line in records(tmp_path, kind)] == [line["step"] for line in records(straight, kind)]


def test_ctrl_c_twice_stops_at_once_and_the_checkpoint_before_stays(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    toy = Toy()
    toy.before_step = {4: [signal.SIGINT]}
    with pytest.raises(KeyboardInterrupt):
        train(toy, tmp_path, plan(40))
    kept = (tmp_path / LAST).read_bytes()
    toy = Toy()
    toy.before_step = {9: [signal.SIGINT, signal.SIGINT]}
    with pytest.raises(KeyboardInterrupt):
        train(toy, tmp_path, plan(40))
    assert toy.seen[-1] == 9 and (tmp_path / LAST).read_bytes() == kept
    assert signal.getsignal(signal.SIGINT) is before


def test_a_killed_run_goes_on_as_if_nothing_had_been(straight, tmp_path):
    running = subprocess.Popen([sys.executable, str(TOY), str(tmp_path), "40", "0.05", "0.2"], env=ENVIRONMENT)
    # At least one checkpoint and a few steps after it; a step takes 50 ms, saving comes after each.
    while not (tmp_path / LAST).exists() or len((tmp_path / LOG).read_bytes().splitlines()) < 8:
        assert running.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    running.kill()
    running.wait()
    with (tmp_path / LOG).open("a") as log:
        log.write('{"kind": "train", "ste')  # a line the kill cut short
    toy = Toy()
    train(toy, tmp_path, plan(40))
    assert 0 < toy.seen[0] < 40
    same_state(straight, tmp_path)
    assert losses(tmp_path) == losses(straight)


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    train(Toy(dropout=0.0), folders[0], plan(12))
    subprocess.run([sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(TOY),
                    str(folders[1]), "12", "0", "0"], env=ENVIRONMENT, check=True, timeout=120, capture_output=True)  # fmt: skip
    one, two = (np.array([loss for _, loss, _ in losses(folder)]) for folder in folders)
    assert len(one) == len(two) == 12 and np.abs(one - two).max() < 1e-5
    ours, theirs = (load_file(folder / LAST) for folder in folders)
    assert all(torch.allclose(ours[name], theirs[name], atol=2e-4) for name in ours if name.startswith("module"))


# -- budgets and rates -------------------------------------------------------------------------------------------------


def test_a_budget_of_steps_or_tokens_ends_exactly_and_the_rate_with_it(tmp_path):
    toy = Toy()
    assert train(toy, tmp_path / "steps", plan(50)).step == 50
    scales = [scale for *_, scale in losses(tmp_path / "steps")]
    assert max(scales) == 1.0 and scales[-1] == pytest.approx(1 / 50 / 0.5) and toy.seen == list(range(50))
    state = train(Toy(), tmp_path / "tokens", Plan(budget.parse("100 tokens")))
    assert (state.step, state.tokens) == (13, 104)  # 8 a step: the first step at or past the budget is the last
    # A finished run has nothing left to do.
    again = Toy()
    assert train(again, tmp_path / "steps", plan(50)).step == 50 and again.seen == []
    assert len(records(tmp_path / "steps", "done")) == 1


def test_a_budget_of_seconds_counts_training_and_not_judging(tmp_path):
    class Slow(Toy):
        def validate(self):
            time.sleep(0.2)
            return super().validate()

    toy = Slow()
    toy.pause = 0.02
    state = train(toy, tmp_path, Plan(budget.Budget(0.4, "seconds"), validations=3))
    assert 0.4 <= state.seconds < 0.8 and state.step >= 3
    assert records(tmp_path, "done")[0]["progress"] == 1.0


@pytest.mark.parametrize(
    "text, amount, unit",
    [("30min", 1800, "seconds"), ("1.5h", 5400, "seconds"), ("90s", 90, "seconds"), ("2000steps", 2000, "steps"),
     ("5M tokens", 5e6, "tokens"), ("2k steps", 2000, "steps"),
     ("10分钟", 600, "seconds"), ("2小时", 7200, "seconds"), ("500步", 500, "steps")],
)  # fmt: skip
def test_budgets_as_people_write_them(text, amount, unit):
    assert budget.parse(text) == budget.Budget(amount, unit)


@pytest.mark.parametrize("text", ["", "30", "min", "-5min", "0steps", "1e9h", "5 parsecs", "5min5"])
def test_what_is_no_budget_is_refused(text):
    with pytest.raises(UserError, match="no budget"):
        budget.parse(text)


def test_the_rate_rises_holds_and_falls_to_nothing():
    rates = [trapezoid(progress, 0.1, 0.5) for progress in (0.0, 0.05, 0.1, 0.3, 0.5, 0.75, 0.999, 1.0)]
    assert rates == pytest.approx([0.01, 0.5, 1, 1, 1, 0.5, 0.002, 0])
    assert trapezoid(0.7, 0.0, 0.0) == 1.0


def test_a_run_that_gains_nothing_more_stops_early_and_keeps_its_best(tmp_path):
    class Worse(Toy):
        count = 0

        def validate(self):
            self.count += 1
            return {"loss": abs(self.count - 2.0)}

    state = train(Worse(), tmp_path, plan(400, patience=2))
    assert (state.best, state.best_step) == (0.0, 200) and state.step == 400 and state.stale >= 2
    state = train(Worse(), tmp_path / "more", Plan(budget.Budget(400, "steps"), validations=40, patience=3))
    assert state.step == 50 and state.best_step == 20
    assert checkpoint.load(tmp_path / "more" / BEST)[1]["step"] == 20


# -- what goes wrong ---------------------------------------------------------------------------------------------------


def test_a_loss_that_is_no_number_stops_the_run_and_the_last_good_checkpoint_stays(tmp_path):
    toy = Toy()
    toy.before_step = {20: [signal.SIGINT]}
    with pytest.raises(KeyboardInterrupt):
        train(toy, tmp_path, plan(40))
    kept = (tmp_path / LAST).read_bytes()
    toy = Toy()
    toy.nan_at = 25
    with pytest.raises(UserError, match=r"not a number at step 25.*half the learning rate"):
        train(toy, tmp_path, plan(40))
    assert (tmp_path / LAST).read_bytes() == kept
    assert all(math.isfinite(float(tensor.sum())) for tensor in load_file(tmp_path / LAST).values())


def test_a_full_disk_is_said_and_the_checkpoint_before_stays(tmp_path):
    toy = Toy()
    toy.before_step = {3: [signal.SIGINT]}
    with pytest.raises(KeyboardInterrupt):
        train(toy, tmp_path, plan(40))
    kept = (tmp_path / LAST).read_bytes()
    # The system refuses to let any file grow past 1,500 bytes, less than a checkpoint: as a full disk does, in the midst.
    done = subprocess.run([sys.executable, str(TOY), str(tmp_path), "40", "0", "0.2", "1500"], env=ENVIRONMENT,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode != 0 and "UserError: cannot write" in done.stderr.splitlines()[-1], done.stderr
    assert (tmp_path / LAST).read_bytes() == kept and not list(tmp_path.glob(".tmp-*"))


def test_checkpoints_of_something_else_are_refused_in_a_line(tmp_path):
    train(Toy(), tmp_path, plan(4))
    with pytest.raises(UserError, match="belongs to another network"):
        train(Toy(width=24), tmp_path, plan(8))
    whole = (tmp_path / LAST).read_bytes()
    for damaged in (whole[:-40], whole[:100], b"", b"\x80\x04K\x01.", os.urandom(5000)):
        (tmp_path / LAST).write_bytes(damaged)
        with pytest.raises(UserError, match=r"is damaged.*delete it"):
            train(Toy(), tmp_path, plan(8))
    save_file({"x": torch.zeros(3)}, tmp_path / LAST)
    with pytest.raises(UserError, match="not a checkpoint of this program"):
        train(Toy(), tmp_path, plan(8))
    save_file({"module:model:x": torch.zeros(3)}, tmp_path / LAST, {"format": checkpoint.FORMAT, "facts": '{"steps": 1}'})
    with pytest.raises(UserError, match="belongs to another network"):
        train(Toy(), tmp_path, plan(8))
    save_file({"stray": torch.zeros(3)}, tmp_path / LAST, {"format": checkpoint.FORMAT, "facts": "{}"})
    with pytest.raises(UserError, match="belongs to another network"):
        train(Toy(), tmp_path, plan(8))


def test_a_run_keeps_its_settings_and_touches_nothing_else(tmp_path):
    folder = tmp_path / "run"
    with open_run(folder, {"lr": 0.1, "shape": (1, 2)}):
        pass
    (folder / LAST).write_bytes(b"x")
    (folder / "notes.txt").write_text("mine")
    with open_run(folder, {"lr": 0.1, "shape": (1, 2)}):
        assert (folder / LAST).read_bytes() == b"x"
    with pytest.raises(UserError, match=r"begun with lr = 0.1, not 0.2; .*--fresh"), open_run(folder, {"lr": 0.2, "shape": (1, 2)}):
        pass
    (folder / LAST).unlink()
    (folder / "prior").mkdir()
    with open_run(folder, {"lr": 0.1, "shape": (1, 2)}, made=["prior"]):
        assert (folder / "prior").is_dir()
    with open_run(folder, {"lr": 0.3}, made=["prior"]):  # Nothing had been learned.
        assert not (folder / "prior").exists() and json.loads((folder / SETTINGS).read_text()) == {"lr": 0.3}
    (folder / SAMPLES).mkdir()
    with open_run(folder, {"lr": 0.2}, fresh=True):
        pass
    assert sorted(path.name for path in folder.iterdir()) == ["notes.txt", SETTINGS]
    (folder / SETTINGS).write_text("{")
    with pytest.raises(UserError, match="is damaged; start over with --fresh"), open_run(folder, {"lr": 0.2}):
        pass
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="is a file"), open_run(tmp_path / "file", {}):
        pass
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "novel.txt").write_text("x")
    for fresh in (False, True):
        with pytest.raises(UserError, match="holds something that is no run"), open_run(tmp_path / "home", {}, fresh):
            pass


# -- the parts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parts", [2, 4, 8])
def test_micro_batches_descend_what_the_whole_batch_descends(parts):
    whole, divided = Toy(dropout=0.0), Toy(dropout=0.0, parts=parts)
    for step in range(5):
        one, other = whole.step(step), divided.step(step)
        assert one["loss"] == pytest.approx(other["loss"], abs=1e-6) and one["norm"] == pytest.approx(other["norm"], rel=1e-4)
    for a, b in zip(whole.model.parameters(), divided.model.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("shape", [(8, 8), (5, 20), (20, 5), (3, 12, 7)])
def test_newton_schulz_makes_matrices_nearly_orthogonal_and_keeps_their_directions(shape):
    matrix = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
    found = orthogonalise(matrix, steps=10)
    values = torch.linalg.svdvals(found)
    assert found.shape == matrix.shape and values.min() > 0.6 and values.max() < 1.3
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    turned = u.mT @ found @ v.mT
    off = turned - torch.diag_embed(torch.diagonal(turned, dim1=-2, dim2=-1))
    assert off.abs().max() < 1e-4
    # Once, by the equation: a X + (b A + c A²) X with A = X Xᵀ, X of Frobenius norm 1.
    x = (matrix / torch.linalg.matrix_norm(matrix, keepdim=True)).double().numpy()
    x = x.swapaxes(-1, -2) if shape[-2] > shape[-1] else x
    gram = x @ x.swapaxes(-1, -2)
    once = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    once = once.swapaxes(-1, -2) if shape[-2] > shape[-1] else once
    assert np.abs(orthogonalise(matrix, steps=1).numpy() - once).max() < 1e-5


def test_muon_steps_by_its_equation():
    weights = [torch.nn.Parameter(torch.randn(6, 4, generator=torch.Generator().manual_seed(seed))) for seed in (0, 1)]
    optimizer = Muon(weights, lr=0.1, momentum=0.9, weight_decay=0.5)
    expected, momentum = [weight.detach().clone() for weight in weights], [torch.zeros(6, 4) for _ in weights]
    for step in range(3):
        for index, weight in enumerate(weights):
            weight.grad = torch.randn(6, 4, generator=torch.Generator().manual_seed(10 * step + index))
            momentum[index] = 0.9 * momentum[index] + 0.1 * weight.grad
            ahead = 0.1 * weight.grad + 0.9 * momentum[index]
            expected[index] = expected[index] * (1 - 0.1 * 0.5) - 0.1 * (6 / 4) ** 0.5 * orthogonalise(ahead)
        optimizer.step()
    for weight, wanted in zip(weights, expected, strict=True):
        assert torch.allclose(weight, wanted, atol=1e-5)


def test_averaged_weights_follow_their_formula_and_step_aside():
    module = torch.nn.BatchNorm1d(2)
    average, wanted = Ema(module, 0.9), module.weight.detach().clone()
    for step in range(1, 120):
        with torch.no_grad():
            module.weight.fill_(float(step))
            module.num_batches_tracked.fill_(step)
        average.update(step)
        decay = min(0.9, (1 + step) / (10 + step))
        wanted = decay * wanted + (1 - decay) * step
    assert torch.allclose(average.tensors["weight"], wanted, rtol=1e-5) and int(average.tensors["num_batches_tracked"]) == 119
    with average.applied():
        assert torch.equal(module.weight, average.tensors["weight"])
    assert module.weight.tolist() == [119.0, 119.0]


# -- what a run says of itself -----------------------------------------------------------------------------------------


def curve(train_losses, held_out):
    found = history.History()
    for step, loss in enumerate(train_losses):
        found.add({"kind": "train", "step": step, "loss": loss, "tokens": step * 8, "seconds": step * 0.1})
    for step, loss in enumerate(held_out):
        found.add({"kind": "validate", "step": step * 10, "loss": loss, "tokens": step * 80, "seconds": float(step)})
    return found


@pytest.mark.parametrize(
    "trained, held_out, state",
    [([4.0] * 10, [4.0, 3.9], "early"),
     ([4 - step / 40 for step in range(120)], [4, 3.5, 3, 2.5, 2, 1.5, 1.2, 1.0], "learning"),
     ([4 - step / 40 for step in range(120)], [4, 3.5, 3, 2.5, 2.6, 2.8, 3.0, 3.2], "overfits"),
     ([2.0] * 120, [2.0, 1.9] + [1.9] * 8, "level"),
     ([2.0] * 100 + [9.0] * 20, [2.0, 1.9, 1.9], "diverged"),
     ([2.0] * 30 + [math.nan], [2.0, 1.9, 1.9], "diverged")],
)  # fmt: skip
def test_the_verdict_says_what_the_curves_show(trained, held_out, state):
    assert history.judge(curve(trained, held_out))[0] == state


def test_the_report_is_one_file_that_shows_curves_samples_and_recipe(straight, tmp_path):
    (tmp_path / LOG).write_bytes((straight / LOG).read_bytes() + b'{"kind": "tra')
    page = report.write(tmp_path, "<b>墨</b>", {"command": "mofang text train <x>", "seed": 3}).read_text("utf-8")
    assert page.count("<svg") >= 3 and "after 20" in page and "&lt;b&gt;墨&lt;/b&gt;" in page and "train &lt;x&gt;" in page
    assert "http://" not in page.replace("http://www.w3.org", "") and "<script" not in page
    assert "nan" not in page.split("<svg")[1]
    report.write(tmp_path / "none", "empty")
