"""A run's folder: one process at a time, the settings it was begun with, and the model that comes of it."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from mofang.studio.atomic import hold, sweep, write_atomic
from mofang.studio.errors import UserError
from mofang.training import distributed, memory, report
from mofang.training.history import read_object
from mofang.training.loop import BEST, LAST, LOG, SAMPLES, Experiment, Listener, Plan, Refused, train

SETTINGS = "run.json"
LARGEST = 16 << 20
"""Bytes of settings; more is something else."""


@dataclass(frozen=True)
class Run:
    """A folder that is this process's own until the run is over, and the settings of the run."""

    folder: Path
    settings: Mapping[str, Any]

    def train(self, experiment: Experiment, plan: Plan, listen: Listener, write: Callable[[bool], None]) -> None:
        """Run the loop to the end of the budget, keeping the report, then `write(True)` the model of the best validation.

        A run that is stopped writes the best so far, if there is one, with `write(False)`, which should be quick; what
        stopped it is raised. Of several processes the first one writes.
        """
        told = report.kept(self.folder, self.settings, listen)
        mark = hashlib.sha256(json.dumps(self.settings, sort_keys=True).encode()).hexdigest()
        writes = distributed.rank() == 0
        try:
            with memory.told():
                train(experiment, self.folder, plan, told, mark)
        except Refused:
            raise
        except BaseException:
            if writes and (self.folder / BEST).is_file():
                # Should this fail too, the creator is still told what stopped the run.
                with contextlib.suppress(UserError, OSError, SafetensorError):
                    write(False)
            raise
        if writes:
            try:
                write(True)
            except SafetensorError as error:  # What the library makes of a full disk.
                raise UserError(f"cannot write the model in {self.folder} ({str(error)[:80]}); free some space and run the same "
                                "command again") from error  # fmt: skip


def apart(folder: Path, works: Sequence[Path]) -> None:
    """Raise `UserError` if the run's folder lies in the works or they in it: it would learn from what it makes, or clear them."""
    run = folder.resolve()
    for work in works:
        place = work.resolve()
        if run == place or place in run.parents or run in place.parents:
            raise UserError(f"{folder} and {work} lie one in the other; give the run a folder elsewhere (--out)")


@contextmanager
def open_run(folder: Path, settings: Mapping[str, Any], fresh: bool = False, made: Sequence[str] = ()) -> Iterator[Run]:
    """Begin a run in `folder`, or go on with the one begun there with the same settings; no other process can meanwhile.

    `settings` is JSON; a run begun with others is refused, naming the first that differs, unless it never came to a
    checkpoint. `fresh` starts over, which deletes the earlier run's files and no others: what the loop writes, and the
    folders `made` on the way to it. A folder with something else in it is left alone. Raises `UserError`.
    """
    settings = json.loads(json.dumps(settings))
    handle = None
    if distributed.rank() == 0:
        try:
            if folder.exists() and not folder.is_dir():
                raise UserError(f"{folder} is a file; give a folder for the run")
            folder.mkdir(parents=True, exist_ok=True)
            handle = _held(folder)
            sweep(folder)
            _prepare(folder, settings, fresh, made)
        except OSError as error:
            _let_go(handle)
            raise UserError(f"cannot train in {folder}: {error.strerror or error}; check its permissions and the disk, or give "
                            "another folder") from error  # fmt: skip
        except BaseException:
            _let_go(handle)
            raise
    try:
        yield Run(folder, settings)
    finally:
        _let_go(handle)


def _held(folder: Path) -> int | None:
    """The handle that holds the folder; None where folders cannot be locked (Windows, some networks)."""
    try:
        return hold(folder)
    except BlockingIOError as error:
        raise UserError(f"another process is training in {folder}; wait until it is done, or give another folder") from error
    except OSError:
        return None


def _let_go(handle: int | None) -> None:
    if handle is not None:
        os.close(handle)


def _prepare(folder: Path, settings: Mapping[str, Any], fresh: bool, made: Sequence[str]) -> None:
    """See that the folder holds this run or nothing. Raises `UserError` and `OSError`."""
    path = folder / SETTINGS
    if not path.is_file() and any(folder.iterdir()):
        raise UserError(f"{folder} holds something that is no run; give another folder")
    # A pipe would be waited for without end.
    for name in (LAST, BEST, LOG, report.NAME):
        if (folder / name).exists() and not (folder / name).is_file():
            raise UserError(f"{folder / name} is no file; move it away, then run the same command again")
    if (folder / SAMPLES).exists() and not (folder / SAMPLES).is_dir():
        raise UserError(f"{folder / SAMPLES} is no folder; move it away, then run the same command again")
    if path.is_file() and not fresh:
        before = read_object(path.read_bytes()) if path.stat().st_size <= LARGEST else None
        if before is None:
            raise UserError(f"{path} is damaged; start over with --fresh")
        # In the order of the settings, which begin with what says most.
        key = next((key for key in {**settings, **before} if before.get(key) != settings.get(key)), None)
        if key is None:
            return
        if (folder / LAST).exists() or (folder / BEST).exists():
            raise UserError(f"the run in {folder} was begun with {key[:60]} = {before.get(key)!r:.60}, not "
                            f"{settings.get(key)!r:.60}; give the same settings, another folder, or --fresh")  # fmt: skip
    for name in (LAST, BEST, LOG):
        (folder / name).unlink(missing_ok=True)
    for name in (SAMPLES, *made):
        if (folder / name).is_dir():
            shutil.rmtree(folder / name)
    write_atomic(path, json.dumps(settings, ensure_ascii=False, indent=1) + "\n")
