"""Trainings on sound and music that cannot fit into memory are refused before any is taken."""

import resource

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

from mofang.cli import mofang  # noqa: E402
from mofang.sound.jukebox import data as recordings  # noqa: E402
from mofang.sound.music import data as music  # noqa: E402
from mofang.sound.music.score import Note, Score, Track  # noqa: E402
from mofang.sound.own import corpus as speech  # noqa: E402
from mofang.sound.own.features import HOP, SIZE  # noqa: E402
from mofang.studio.errors import UserError  # noqa: E402
from mofang.training import memory  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """A corpus of speech, one of music, one of recordings, and a codec hardly trained at all."""
    folder, rng = tmp_path_factory.mktemp("shelf"), np.random.default_rng(0)
    takes = [speech.Take(rng.normal(0, 0.1, 200 * HOP).astype(np.float32), rng.normal(0, 1, (200, SIZE)).astype(np.float32), 0, "a",
                         (1, 2, 3), (50, 100, 50)) for _ in range(4)]  # fmt: skip
    speech.write(folder / "speech", takes, ["Lin"], {"works": [{"name": "a", "synthetic": True, "licence": "CC0-1.0"}]})
    music.write(folder / "music", [music.Piece(Score((Track(tuple(Note(at * 6, 6, 60 + int(pitch)) for at, pitch in
                                   enumerate(rng.integers(0, 12, 200)))),)), "a test", "CC0-1.0") for _ in range(4)], {})  # fmt: skip
    recordings.write(folder / "juke", [recordings.Take(rng.normal(0, 0.1, 40_000).astype(np.float32), f"{at}", "noise", "CC0-1.0")
                                       for at in range(4)], 8000, {"passed_over": []})  # fmt: skip
    done = run(folder, "jukebox", "train", folder / "juke", "--channels", 8, "--codes", 32, "--name", "codec", "--batch", 1)
    assert done.exit_code == 0, done.exception
    return folder


def run(folder, *arguments):
    base = ["--studio", folder / "studio", *arguments, "--budget", "1steps", "--precision", "float32"]
    return CliRunner().invoke(mofang, list(map(str, base)))


COMMANDS = {
    "wavenet": ("sound", "train", "speech", "--window", 24, "--layers", 10, "--residual", 32, "--skip", 16, "--batch", 4),
    "acoustic": ("sound", "train", "speech", "--kind", "acoustic", "--width", 64, "--batch", 2),
    "score": ("music", "train", "music", "--size", "micro", "--batch", 8, "--context", 128),
    "codec": ("jukebox", "train", "juke", "--channels", 16, "--batch", 2),
    "prior": ("jukebox", "train", "juke", "--kind", "prior", "--codec", "codec", "--context", 64, "--width", 32, "--heads", 2),
}  # fmt: skip
LARGE = {
    "wavenet": ("--batch", 4096, "--window", 4000),
    "wavenet wide": ("--layers", 200, "--residual", 1024, "--skip", 4096, "--window", 4000),
    "acoustic": ("--width", 2048, "--batch", 4096), "score": ("--size", "base", "--batch", 4096, "--context", 4096),
    "codec": ("--channels", 1024, "--batch", 4096, "--window", 1 << 20),
    "prior": ("--layers", 96, "--width", 8192, "--heads", 64), "prior batch": ("--batch", 4096, "--context", 16_384, "--layers", 24),
}  # fmt: skip


def command(shelf, name):
    group, verb, folder, *rest = COMMANDS[name.split()[0]]
    return group, verb, shelf / folder, *rest


@pytest.mark.parametrize("name", list(LARGE))
def test_what_cannot_fit_is_refused_before_memory_is_taken(shelf, name, monkeypatch):
    if name == "acoustic":
        monkeypatch.setattr(memory, "free", lambda: 4e9)  # Four short clips of the widest fit into most computers.
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = run(shelf, *command(shelf, name), *LARGE[name], "--name", "large")
    assert isinstance(done.exception, UserError), (done.output, done.exception)
    assert "GB of memory or more" in str(done.exception) and "take a smaller --" in str(done.exception)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 << 10
    assert not (shelf / "studio" / "runs" / "large").exists()


@pytest.mark.parametrize("name", list(COMMANDS))
def test_what_is_said_to_be_kept_is_kept(shelf, name, monkeypatch):
    """A bound that is too high would refuse what fits; one far too low refuses nothing."""
    said, kept = [], {}
    monkeypatch.setattr(memory, "must_fit", lambda build, numbers, *_: said.append(numbers))

    def pack(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        done = run(shelf, *command(shelf, name), "--name", f"kept-{name}")
    assert done.exit_code == 0, done.exception
    found = sum(tensor.untyped_storage().nbytes() / 4 for tensor in kept.values() if not isinstance(tensor, torch.nn.Parameter))
    assert 0.25 < said[0] / found <= 1, (said[0], found)


def test_memory_that_runs_out_is_told():
    for error in (MemoryError(), RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory")):
        with pytest.raises(UserError, match="not enough memory"), memory.told():
            raise error
    with pytest.raises(RuntimeError, match="another"), memory.told():
        raise RuntimeError("another")
    assert memory.free() > 1e6
