"""What a run's folder may hold, what may stop a run, and what it may be told: one line is said, and no work is lost."""

import errno
import io
import json
import math
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save_file as numpy_file
from safetensors.torch import load_file, save_file

from mofang.cli import mofang as cli
from mofang.cli.training import Watch
from mofang.image.data.prepare import Preparing, prepare
from mofang.models import own
from mofang.studio import atomic
from mofang.studio.errors import UserError
from mofang.training import budget, checkpoint, history, report
from mofang.training.loop import BEST, LAST, LOG, SAMPLES, train
from mofang.training.run import SETTINGS, apart, open_run
from mofang.training.state import State
from training_toy import Toy, plan

STEPS = 12
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
DEEP = "[" * 100_000
HUGE = "1" + "0" * 400


pytestmark = pytest.mark.usefixtures("one_thread")


def learn(folder, toy=None, *, settings=None, fresh=False, steps=STEPS, listen=lambda record: None):
    """A run as the commands run it: its model is the best weights."""
    toy = toy or Toy()

    def write(done):
        save_file(checkpoint.load(folder / BEST)[0], folder / "model.safetensors")

    with open_run(folder, settings or {"lr": 0.01}, fresh) as run:
        run.train(toy, plan(steps, checkpoint_seconds=0.0), listen, write)
    return toy


def stopped(folder, at=7, **more):
    """A run that Ctrl-C stopped in step `at`."""
    toy = Toy(**more)
    toy.before_step = {at: [signal.SIGINT]}
    with pytest.raises(KeyboardInterrupt):
        learn(folder, toy)


def facts(path):
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["facts"])


def rewritten(path, tensors=None, **more):
    """The checkpoint with other tensors or facts."""
    kept, said = checkpoint.load(path)
    save_file({**kept, **(tensors or {})}, path, {"format": checkpoint.FORMAT, "facts": json.dumps({**said, **more})})


def refused(folder, match):
    """The run is refused in one line, and everything in its folder stays as it was."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(UserError, match=match) as caught:
        learn(folder)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """The run without a stop: its model, and its log without the times."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("straight") / "run"
    learn(folder)
    return folder


def as_straight(folder, straight):
    """The model, the weights and the log are those of the run without a stop."""
    for name in ("model.safetensors", LAST):
        one, other = load_file(folder / name), load_file(straight / name)
        assert one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one), name
    told = [[{key: value for key, value in json.loads(line).items() if key != "seconds"}
             for line in (each / LOG).read_text("utf-8").splitlines()] for each in (folder, straight)]  # fmt: skip
    assert told[0] == told[1]


# -- what stands in the folder -----------------------------------------------------------------------------------------

RUBBISH = {
    "empty": b"", "random": np.random.default_rng(0).bytes(5000), "pickle": b"\x80\x04K\x01.", "text": b"hello",
    "header": b"\xff" * 8 + b"{}", "long header": (10**12).to_bytes(8, "little") + b"{" * 100,
    "deep header": (100_000).to_bytes(8, "little") + DEEP.encode(),
}  # fmt: skip


@pytest.mark.parametrize("name, said", [(LAST, "is damaged.*delete it to start"), (BEST, "no best checkpoint.*delete it")])
@pytest.mark.parametrize("kind", [*RUBBISH, "truncated", "headless"])
def test_rubbish_for_a_checkpoint_is_refused(tmp_path, name, said, kind):
    stopped(tmp_path)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes({**RUBBISH, "truncated": whole[:-9], "headless": whole[8:]}[kind])
    refused(tmp_path, said)


@pytest.mark.parametrize("name", [LAST, BEST, LOG, SETTINGS, report.NAME])
@pytest.mark.parametrize("kind", ["folder", "pipe"])
@pytest.mark.parametrize("fresh", [False, True])
def test_a_folder_or_a_pipe_for_a_file_is_refused_and_not_waited_for(tmp_path, name, kind, fresh):
    folder = tmp_path / "run"
    stopped(folder)
    (folder / name).unlink()
    (folder / name).mkdir() if kind == "folder" else os.mkfifo(folder / name)
    with pytest.raises(UserError, match=r"is no file; move it away|holds something that is no run"):
        learn(folder, fresh=fresh)
    kept = {LAST, BEST} - {name}
    assert all((folder / each).stat().st_size for each in kept)


@pytest.mark.parametrize(
    "wrong, said",
    [({"step": "3"}, "another network"), ({"step": 1.5}, "another network"), ({"step": -1}, "another network"),
     ({"step": True}, "another network"), ({"step": int(HUGE)}, "another network"), ({"best": int(HUGE)}, "another network"),
     ({"best": math.nan}, "another network"), ({"best": None}, "another network"), ({"seconds": math.inf}, "another network"),
     ({"seconds": [1]}, "another network"), ({"more": 1}, "another network"), ({"mark": "other"}, "is another run's")],
)  # fmt: skip
def test_a_checkpoint_that_counts_what_no_run_counts_is_refused(tmp_path, wrong, said):
    stopped(tmp_path)
    rewritten(tmp_path / LAST, **wrong)
    refused(tmp_path, said)


@pytest.mark.parametrize("said", ["[]", "null", "3", DEEP, '{"step": 1', "{}", '{"step": ' + "9" * 5000 + "}"])
def test_facts_that_are_none_are_refused(tmp_path, said):
    stopped(tmp_path)
    save_file(load_file(tmp_path / LAST), tmp_path / LAST, {"format": checkpoint.FORMAT, "facts": said})
    if said == "{}":  # Nothing done yet, says the checkpoint: so be it.
        rewritten(tmp_path / LAST, step=None)
    refused(tmp_path, "is damaged|another network")


@pytest.mark.parametrize("part", ["module:model:0.weight", "ema:0.weight", "optimizer:adamw/0/exp_avg"])
@pytest.mark.parametrize(
    "change, said",
    [(lambda tensor: tensor * math.nan, "no number"), (lambda tensor: tensor + math.inf, "no number"),
     (lambda tensor: tensor[:1, ...].clone(), "another network"), (lambda tensor: torch.zeros(7, 7), "another network")],
    ids=["nan", "infinite", "broadcasts", "another shape"],
)  # fmt: skip
def test_weights_of_another_shape_or_that_are_no_numbers_are_refused(tmp_path, part, change, said):
    stopped(tmp_path)
    if part.startswith("optimizer") and said == "another network":
        change = lambda tensor: torch.zeros(7, 7)  # noqa: E731
    rewritten(tmp_path / LAST, {part: change(load_file(tmp_path / LAST)[part])})
    refused(tmp_path, said)


def test_weights_missing_or_of_another_run_are_refused(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    stopped(one)
    with open_run(other, {"lr": 0.02}) as run:
        run.train(Toy(), plan(STEPS), lambda record: None, lambda done: None)
    mine = {name: (one / name).read_bytes() for name in (LAST, BEST)}
    for name, said in ((LAST, "is another run's"), (BEST, "no best checkpoint")):
        (one / name).write_bytes((other / name).read_bytes())
        refused(one, said)
        (one / name).write_bytes(mine[name])
    wide = tmp_path / "wide"
    learn(wide, Toy(width=24))
    (one / BEST).write_bytes((wide / BEST).read_bytes())
    refused(one, "no best checkpoint")
    tensors, said = checkpoint.load(wide / LAST)
    del tensors["ema:0.weight"]
    save_file(tensors, wide / LAST, {"format": checkpoint.FORMAT, "facts": json.dumps(said)})
    with pytest.raises(UserError, match="another network"):
        learn(wide, Toy(width=24))


def test_a_checkpoint_of_before_runs_were_marked_goes_on(tmp_path, straight):
    stopped(tmp_path)
    for name in (LAST, BEST):
        tensors, said = checkpoint.load(tmp_path / name)
        del said["mark"]
        save_file(tensors, tmp_path / name, {"format": checkpoint.FORMAT, "facts": json.dumps(said)})
    learn(tmp_path)
    assert torch.equal(load_file(tmp_path / LAST)["module:model:0.weight"], load_file(straight / LAST)["module:model:0.weight"])


def test_without_its_best_a_run_goes_on_and_keeps_the_best_from_here(tmp_path):
    stopped(tmp_path)
    (tmp_path / BEST).unlink()
    learn(tmp_path)
    assert facts(tmp_path / BEST)["step"] >= 8 and facts(tmp_path / LAST)["best"] == facts(tmp_path / BEST)["best"]
    assert (tmp_path / "model.safetensors").is_file()


@pytest.mark.parametrize(
    "line",
    ["", "null", "[]", "3", DEEP, '{"a":' * 50_000, '{"kind": "validate", "step": 1}', '{"kind": 3}', "\x00\x01", "\ufeff{}",
     f'{{"kind": "train", "step": {HUGE}, "tokens": 1, "seconds": 1, "loss": 1}}',
     f'{{"kind": "train", "step": 1, "tokens": 1, "seconds": 1, "loss": {HUGE}}}',
     '{"kind": "train", "step": 1, "tokens": 1, "seconds": 1, "loss": "much"}',
     '{"kind": "train", "step": 1, "tokens": 1, "seconds": 1, "loss": 1, "scale": "x"}',
     '{"kind": "validate", "step": "1", "tokens": 1, "seconds": 1, "loss": 1}',
     '{"kind": "validate", "step": NaN, "tokens": 1, "seconds": 1, "loss": 1}', '{"kind": "train", "ste'],
    ids=range(17),
)  # fmt: skip
def test_a_log_with_lines_the_loop_did_not_write_goes_on_without_them(tmp_path, straight, line):
    stopped(tmp_path)
    told = (tmp_path / LOG).read_bytes().splitlines(keepends=True)
    (tmp_path / LOG).write_bytes(b"".join(told[:3]) + line.encode() + b"\n\xff\xfe\n" + b"".join(told[3:]) + line.encode())
    report.write(tmp_path)
    learn(tmp_path)
    as_straight(tmp_path, straight)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_record_or_none(data):
    record = history.read_record(data)
    assert record is None or {"kind", "step", "tokens", "seconds"} <= record.keys()


ANYTHING = st.one_of(st.integers(), st.floats(), st.text(max_size=3), st.none(), st.booleans(), st.just(int(HUGE)))


@given(st.dictionaries(st.sampled_from(["step", "tokens", "seconds", "best", "best_step", "stale", "x"]), ANYTHING))
def test_any_facts_are_a_state_or_none(said):
    try:
        state = State.read(said)
    except ValueError:
        return
    assert 0 <= state.step <= history.MOST and math.isfinite(state.seconds) and not math.isnan(state.best)


@pytest.mark.parametrize("text", ["", "null", "[1]", DEEP, '{"lr": 0.01', "\x00", '{"lr": ' + "9" * 5000 + "}"])
def test_settings_that_are_none_are_refused(tmp_path, text):
    stopped(tmp_path)
    (tmp_path / SETTINGS).write_text(text, "utf-8")
    refused(tmp_path, "is damaged; start over with --fresh")


def test_settings_that_differ_are_named_shortly(tmp_path):
    stopped(tmp_path)
    (tmp_path / SETTINGS).write_text(json.dumps({"lr": int(HUGE), "\n" * 500: 1}), "utf-8")
    refused(tmp_path, "was begun with")


# -- whose folder it is ------------------------------------------------------------------------------------------------


def test_two_cannot_train_in_one_folder(tmp_path, straight):
    folder = tmp_path / "run"

    def another(record):
        for fresh in (False, True):
            with pytest.raises(UserError, match=r"another process is training in .*wait until it is done"), \
                    open_run(folder, {"lr": 0.01}, fresh):  # fmt: skip
                pass

    learn(folder, listen=another)
    as_straight(folder, straight)
    # Whoever ends, however, lets go.
    script = (f"import os; from pathlib import Path; from mofang.training.run import open_run\n"
              f"with open_run(Path({str(folder)!r}), {{'lr': 0.01}}): os.kill(os.getpid(), 9)")  # fmt: skip
    assert subprocess.run([sys.executable, "-c", script], env=ENVIRONMENT).returncode == -signal.SIGKILL
    learn(folder)


def test_what_a_kill_left_is_swept_and_does_not_count_as_something_else(tmp_path):
    folder = tmp_path / "run"
    (folder / f"{atomic.PREFIX}abc").mkdir(parents=True)
    (folder / f"{atomic.PREFIX}abc" / "new").write_bytes(b"half a checkpoint")
    learn(folder)
    assert not list(folder.glob(atomic.PREFIX + "*"))


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file" / "run", tmp_path / ("x" * 300), Path("/proc/none/run")):
        with pytest.raises(UserError, match="cannot train in"), open_run(folder, {}):
            pass


# -- what stops it -----------------------------------------------------------------------------------------------------


@contextmanager
def stop_at(number, call):
    """What `call` does, instead of renaming for the `number`-th time."""
    real, count = Path.replace, 0

    def replace(self, target):
        nonlocal count
        count += 1
        if count == number:
            call()
        return real(self, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        yield


def full():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("number", range(1, 26, 3))
def test_a_disk_that_is_full_at_any_write_loses_nothing(tmp_path, straight, number):
    with stop_at(number, full), pytest.raises(UserError, match="No space left") as caught:
        learn(tmp_path)
    assert "\n" not in str(caught.value) and not list(tmp_path.glob(atomic.PREFIX + "*"))
    for name in (LAST, BEST):
        if (tmp_path / name).exists():
            checkpoint.load(tmp_path / name)
    learn(tmp_path)
    as_straight(tmp_path, straight)


@pytest.mark.parametrize("number", [2, 9, 19, 24, 27])
@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_killed_while_it_writes_goes_on_as_if_nothing_had_been(tmp_path, straight, number, kill):
    child = os.fork()
    if child == 0:
        try:
            with stop_at(number, lambda: os.kill(os.getpid(), kill)):
                learn(tmp_path)
        finally:
            os._exit(1)
    os.waitpid(child, 0)
    learn(tmp_path)
    as_straight(tmp_path, straight)


def test_what_a_system_that_shuts_down_sends_finishes_the_step_and_saves(tmp_path, straight):
    toy = Toy()
    toy.before_step = {5: [signal.SIGTERM]}
    with pytest.raises(KeyboardInterrupt):
        learn(tmp_path, toy)
    assert facts(tmp_path / LAST)["step"] == 6 and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    learn(tmp_path)
    as_straight(tmp_path, straight)


def test_a_run_that_is_over_stays_as_it_is(tmp_path, straight):
    for _ in range(3):
        learn(tmp_path)
    as_straight(tmp_path, straight)


def test_what_stopped_a_run_is_said_even_if_its_model_cannot_be_written(tmp_path):
    def write(done):
        assert not done
        raise UserError("cannot write the model")

    toy = Toy()
    toy.before_step = {7: [signal.SIGINT]}
    with pytest.raises(KeyboardInterrupt), open_run(tmp_path, {}) as run:
        run.train(toy, plan(STEPS), lambda record: None, write)


class Wild(Toy):
    """Its weights, or what they are judged by, leave all numbers at a step while its loss does not."""

    weights = judged = 99

    def step(self, step):
        said = super().step(step)
        if step == self.weights:
            with torch.no_grad():
                self.model[0].weight[0, 0] = math.inf
            return {"loss": 0.5}
        return said if math.isfinite(said["loss"]) else {"loss": 0.5}

    def validate(self):
        return super().validate() if len(self.seen) < self.judged else {"loss": math.nan}


@pytest.mark.parametrize("wild", [{"weights": 6}, {"judged": 9}, {"nan_at": 7}], ids=["weights", "judged", "loss"])
def test_a_run_that_leaves_all_numbers_is_stopped_and_its_good_checkpoints_stay(tmp_path, wild):
    toy = Toy() if "nan_at" in wild else Wild()
    vars(toy).update(wild)
    with pytest.raises(UserError, match=r"(not a number|no numbers) at step .*under another name, or with --fresh.*half the"):
        learn(tmp_path, toy)
    for name in (LAST, BEST, "model.safetensors"):
        assert all(tensor.isfinite().all() for tensor in load_file(tmp_path / name).values()), name
    learn(tmp_path, settings={"lr": 0.005}, fresh=True)


def test_a_rate_far_too_high_leaves_no_model_and_says_so(tmp_path):
    with pytest.raises(UserError, match=r"nothing had been learned yet.*half the learning rate"):
        learn(tmp_path, Toy(lr=1e38), steps=1)
    assert not (tmp_path / "model.safetensors").exists() and not (tmp_path / BEST).exists()


@pytest.mark.parametrize("text", ["nanmin", "infsteps", "-1steps", "1h30", "0.0h", "9" * 400 + "steps", "1e3steps", "0xffsteps",
                                  "5 min 5", "٣", "1step\x00", "stepssteps", "1" * 5000])  # fmt: skip
def test_budgets_that_are_none(text):
    with pytest.raises(UserError, match="no budget"):
        budget.parse(text)


@pytest.mark.parametrize("text, amount", [("1step", 1), ("1000000000000steps", 1e12), ("３steps", 3), ("0.5steps", 0.5)])
def test_budgets_at_the_edge(text, amount):
    assert budget.parse(text) == budget.Budget(amount, "steps")


def test_a_run_of_one_step_is_judged_sampled_and_kept(tmp_path):
    learn(tmp_path, steps=1)
    assert facts(tmp_path / BEST)["step"] == 1 and (tmp_path / SAMPLES).is_dir() and (tmp_path / report.NAME).is_file()
    assert train(Toy(), tmp_path / "half", plan(0.5)).step == 1


# -- the commands ------------------------------------------------------------------------------------------------------


def mofang(studio, *words):
    return CliRunner().invoke(cli, ["--studio", str(studio), *map(str, words)])


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """Pictures of three and of four channels with captions and of no style, and models of two kinds trained on the first."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("shelf")
    rng = np.random.default_rng(0)
    for name, channels in (("opaque", 3), ("clear", 4)):
        (folder / f"{name}-pictures").mkdir()
        for number in range(20):
            place = folder / f"{name}-pictures" / f"{number:02}.png"
            Image.fromarray(rng.integers(0, 255, (16, 16, channels), np.uint8)).save(place)
            place.with_suffix(".txt").write_text(f"a {('red', 'blue')[number % 2]} square {number}", "utf-8")
        prepare([folder / f"{name}-pictures"], folder / name, Preparing(16, channels == 4, licence="own", val=0.2))
    for kind in ("latent", "dcgan"):
        done = mofang(folder, *shlex.split("image train --size nano --budget 1step --batch 8"), folder / "opaque", "--kind", kind,
                      "--name", kind)  # fmt: skip
        assert done.exit_code == 0, (done.output, done.exception)
    for name, break_it in (("nan", lambda weights: {key: value * np.nan for key, value in weights.items()}), ("cut", None)):
        shutil.copytree(folder / "runs" / "latent" / "model", folder / name)
        weights = folder / name / own.WEIGHTS
        if break_it:
            numpy_file(break_it(own.read_tensors(folder / name)), weights)
        else:
            weights.write_bytes(weights.read_bytes()[:-100])
    return folder


@pytest.mark.parametrize(
    "words, said",
    [("opaque --kind latent --from dcgan", "another network than the one to be trained"),
     ("opaque --kind latent --size micro --from latent", "another network than the one to be trained"),
     ("clear --kind latent --from latent", "another network than the one to be trained"),
     ("opaque --kind latent --from nan", "no numbers"), ("opaque --kind latent --from cut", "not a whole safetensors"),
     ("opaque --kind latent --from /etc/hostname", "no model"), ("opaque --kind latent --from ../runs", "is no model|no model"),
     ("opaque --kind latent --from latnet", "did you mean latent"), ("opaque --kind latent --from ''", "no model ''"),
     ("opaque --kind flow --base dcgan", "no autoencoder"), ("clear --kind flow --base latent", "knows pictures of 3 channels"),
     ("opaque --kind flow --base nan", "no numbers"), ("opaque --kind flow --base latent --heads 3", "does not divide"),
     ("opaque --kind flow --base latent --width 5 --heads 5", "does not divide"), ("opaque --kind flow", "give it as --base"),
     ("opaque --kind vae --base latent", "has no --base"), ("opaque --kind dcgan --name ../x", "no name for a model"),
     ("opaque --kind dcgan --name ..", "no name for a model"), ("opaque --kind dcgan --budget 1h30", "is no budget"),
     ("opaque --kind dcgan --name latent", "was begun with kind = 'latent', not 'dcgan'"),
     ("opaque --kind vae --lr 1e9 --name astray", "at step 1; nothing had been learned yet")],
)  # fmt: skip
def test_what_cannot_be_trained_is_said_in_a_line(shelf, words, said):
    data, *options = shlex.split(words)
    options = [str(shelf / each) if each in ("nan", "cut") else each for each in options]
    small = ["--size", "nano", "--batch", 8] if "--size" not in options else ["--batch", 8]
    budget = [] if "--budget" in options else ["--budget", "2steps"]
    name = [] if "--name" in options else ["--name", "refused"]
    done = mofang(shelf, "image", "train", shelf / data, *small, *budget, *name, *options)
    assert isinstance(done.exception, UserError), (done.output, done.exception)
    assert re.search(said, str(done.exception)) and len(str(done.exception)) < 500, str(done.exception)


def test_a_flow_learns_from_captions_without_styles_and_reads_one_word(shelf):
    done = mofang(shelf, "image", "train", shelf / "opaque", *shlex.split("--kind flow --size nano --budget 1step --batch 4"),
                  "--words", 1, "--base", "latent", "--name", "flow")  # fmt: skip
    assert done.exit_code == 0, (done.output, done.exception)
    assert (shelf / "runs" / "flow" / "model" / "flow.onnx").is_file()


def test_mode_collapse_is_told_on_every_screen_and_in_the_report(shelf, tmp_path):
    done = mofang(shelf, "image", "train", shelf / "opaque", *shlex.split("--kind dcgan --size nano --budget 3steps --batch 8"),
                  "--lr", 1e9, "--out", tmp_path / "run")  # fmt: skip
    assert done.exit_code == 0 and done.output.count("mode collapse") >= 2, done.output
    assert "mode collapse" in (tmp_path / "run" / report.NAME).read_text("utf-8")
    record = next(record for line in (tmp_path / "run" / LOG).read_bytes().splitlines()
                  if (record := history.read_record(line)) and record["kind"] == "sample")  # fmt: skip
    out = io.StringIO()
    Watch(budget.parse("3steps"), out=out, live=True)(record)
    assert "best checkpoint" in out.getvalue().replace("\x1b[K", "").replace("\n│ ", "")


def test_what_a_model_writes_cannot_steer_the_terminal():
    out = io.StringIO()
    record = {"kind": "sample", "step": 1, "tokens": 1, "seconds": 1.0, "text": "a\x1b[2Jb\n\x9b1mc"}
    Watch(budget.parse("3steps"), out=out, live=False)(record)
    assert out.getvalue() == "  a [2Jb\n   1mc\n"


def test_weights_too_large_for_half_precision_are_kept_whole():
    small, large = {"a": torch.ones(3), "b": torch.ones(2)}, {"a": torch.ones(3), "b": torch.tensor([1e9])}
    assert {tensor.dtype for tensor in checkpoint.narrowed(small, torch.float16).values()} == {torch.float16}
    assert torch.equal(checkpoint.narrowed(large, torch.float16)["b"], large["b"])


def test_works_and_runs_lie_apart(tmp_path):
    (tmp_path / "works").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "works")
    for folder, work in (("works", "works"), ("works/run", "works"), ("works", "works/run"), ("link/run", "works")):
        with pytest.raises(UserError, match="one in the other"):
            apart(tmp_path / folder, [tmp_path / "else", tmp_path / work])
    apart(tmp_path / "works-run", [tmp_path / "works"])


def test_a_batch_cannot_be_taken_in_more_parts_than_it_has(tmp_path):
    (tmp_path / "book.txt").write_text("\n\n".join(f"the {number} lamps of an old harbour are lit" for number in range(200)), "utf-8")
    assert mofang(tmp_path, "text", "prepare", tmp_path / "book.txt", "--out", tmp_path / "corpus", "--licence", "own").exit_code == 0
    done = mofang(tmp_path, "text", "train", tmp_path / "corpus", *shlex.split("--size nano --budget 1step --batch 4 --accumulate 5"))
    assert isinstance(done.exception, UserError) and "take --accumulate 4" in str(done.exception), (done.output, done.exception)
