"""The README's examples do what they say, and the Chinese README shows the same ones."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def examples(name: str) -> list[str]:
    """The commands in the `sh` blocks of a README that call mofang."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / name).read_text("utf-8"), re.DOTALL)
    lines = [line.split("    #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("mofang ")]


def test_both_readmes_show_the_same_commands():
    assert examples("README.md") == examples("README.zh.md") and len(examples("README.md")) > 8


@pytest.mark.models
def test_the_examples_run(tmp_path):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    launcher = tmp_path / "bin" / "mofang"
    launcher.parent.mkdir()
    launcher.write_text(f'#!/bin/sh\nexec {sys.executable} -m mofang "$@"\n')
    launcher.chmod(0o755)
    environment = {**os.environ, "PATH": f"{launcher.parent}:{os.environ['PATH']}", "MOFANG_STUDIO": str(tmp_path / "studio")}
    for command in examples("README.md"):
        done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
    assert (tmp_path / "out" / "静夜思" / "film.mp4").exists() and (tmp_path / "hello.mp3").exists()


def test_pictures_and_files_named_in_the_readmes_are_there():
    for name in ("README.md", "README.zh.md"):
        text = (ROOT / name).read_text("utf-8")
        for target in re.findall(r"\]\(((?!http)[^)#]+)\)", text):
            if "chong2" not in target:
                assert (ROOT / target).exists(), target
