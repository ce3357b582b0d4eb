"""A run's folder: the settings it was begun with, so that going on means going on with the same."""

import json
import shutil
from pathlib import Path
from typing import Any

from mofang.studio.atomic import write_atomic
from mofang.studio.errors import UserError
from mofang.training.loop import BEST, LAST, LOG, SAMPLES

SETTINGS = "run.json"


def open_run(folder: Path, settings: dict[str, Any], fresh: bool = False) -> bool:
    """Begin a run in `folder`, or find the one begun there with the same settings. Returns whether it goes on.

    `settings` is JSON; a run begun with others is refused, naming the first that differs. `fresh` starts over, which
    deletes the earlier run's files and no others. A folder with something else in it is left alone.
    """
    settings = json.loads(json.dumps(settings))
    path = folder / SETTINGS
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; give a folder for the run")
    if path.is_file() and not fresh:
        try:
            before = json.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise UserError(f"{path} is damaged; start over with --fresh") from error
        differing = sorted(key for key in {*before, *settings} if before.get(key) != settings.get(key))
        if differing:
            key = differing[0]
            raise UserError(f"the run in {folder} was begun with {key} = {before.get(key)!r}, not {settings.get(key)!r}; "
                            "give the same settings, another folder, or --fresh")  # fmt: skip
        return (folder / LAST).exists()
    if folder.is_dir() and not path.is_file() and any(folder.iterdir()):
        raise UserError(f"{folder} holds something that is no run; give another folder")
    for name in (LAST, BEST, LOG):
        (folder / name).unlink(missing_ok=True)
    if (folder / SAMPLES).is_dir():
        shutil.rmtree(folder / SAMPLES)
    write_atomic(path, json.dumps(settings, ensure_ascii=False, indent=1) + "\n")
    return False
