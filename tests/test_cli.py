"""The command line: what a person types, and the one line they get when it cannot be."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mofang.cli import COMMANDS


def mofang(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the real command in a process of its own."""
    import os

    command = [sys.executable, "-m", "mofang", "--studio", str(tmp_path / "studio"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path, check=False,
                          env={**os.environ, "MOFANG_LANG": "en", **environment})  # fmt: skip


def test_help_names_every_command_in_both_languages(tmp_path):
    english, chinese = mofang(tmp_path, "--help"), mofang(tmp_path, "--help", MOFANG_LANG="zh")
    assert english.returncode == chinese.returncode == 0
    for name, (_, en, zh) in COMMANDS.items():
        assert name in english.stdout and en.split()[0] in english.stdout and zh[:4] in chinese.stdout


def test_help_imports_nothing_heavy():
    code = "import sys\nfrom mofang.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\nprint(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = done.stdout.splitlines()[-1]
    for heavy in ("numpy", "cv2", "av", "jieba", "onnxruntime", "PIL", "xllamacpp", "c2pa", "torch"):
        assert f"'{heavy}'" not in modules, heavy


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_explains_itself(tmp_path, name):
    assert mofang(tmp_path, name, "--help").returncode == 0


BAD = {
    "empty.md": b"",
    "blank.md": b"  \n\n ",
    "binary.md": bytes(range(256)) * 40,
    "png.txt": b"\x89PNG\r\n\x1a\n" + bytes(500),
    "emoji.md": "🦊🦊🦊".encode(),
    "surrogate.md": b"\xed\xa0\xbd" * 5,
    "huge.md": "很久很久以前。".encode() * 150_000,
    "broken.json": b'{"storyboard": 1, "shots": [',
    "wrong.json": b'{"storyboard": 1, "title": "x", "lang": "zh", "shots": [{"id": 3}]}',
}


@pytest.mark.parametrize("name", list(BAD))
def test_bad_texts_get_one_line_and_status_two(tmp_path, name):
    (tmp_path / name).write_bytes(BAD[name])
    done = mofang(tmp_path, "make", name)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("0:")]
    assert done.returncode == 2 and len(lines) == 1 and lines[0].startswith("mofang: "), done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.models
@pytest.mark.parametrize("options, says", [
    (["--voice", "zf_xiaoxia"], "did you mean"),
    (["--style", "oil"], "choose one of"),
    (["--music", "none.mp3"], "no music file"),
    (["--pictures", "nowhere"], "no folder"),
    (["--aspect", "4:3"], "9:16"),
    (["--speed", "9"], "speed"),
])  # fmt: skip
def test_wishes_that_cannot_be_met(tmp_path, options, says):
    (tmp_path / "story.md").write_text("小狐狸看月亮。", "utf-8")
    done = mofang(tmp_path, "make", "story.md", *options)
    assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr


@pytest.mark.models
def test_corrupt_and_enormous_pictures_are_named(tmp_path):
    (tmp_path / "story.md").write_text("小狐狸看月亮。", "utf-8")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "1.png").write_bytes(b"not a picture")
    done = mofang(tmp_path, "make", "story.md", "--pictures", "own")
    assert done.returncode == 2 and "1.png" in done.stderr
    Image.fromarray(np.zeros((20_000, 20_000), np.uint8)).save(tmp_path / "own" / "1.png", compress_level=1)
    done = mofang(tmp_path, "make", "story.md", "--pictures", "own")
    assert done.returncode == 2 and "120 million pixels" in done.stderr


def test_without_network_or_key_or_licence(tmp_path):
    done = mofang(
        tmp_path,
        "make",
        "a story about the sea",
        "--text-engine",
        "openai:some-model",
        OPENAI_BASE_URL="http://127.0.0.1:9",
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    empty = {"MOFANG_MODELS": str(tmp_path / "none"), "MOFANG_OFFLINE": "1"}
    (tmp_path / "story.md").write_text("小狐狸看月亮。", "utf-8")
    done = mofang(tmp_path, "make", "story.md", **empty)
    assert done.returncode == 2 and "switched off" in done.stderr
    done = mofang(tmp_path, "make", "中秋节", "--text-engine", "gguf", MOFANG_MODELS=str(tmp_path / "none"))
    assert done.returncode == 2 and "accept-licence" in done.stderr


@pytest.mark.models
def test_a_picture_from_words_and_back_again(tmp_path):
    done = mofang(tmp_path, "image", "make", "雪山下的小木屋，一只红狐狸", "fox.png", "--size", "320x480", "--explain")
    assert done.returncode == 0, done.stderr
    assert "🦊" in done.stdout and Image.open(tmp_path / "fox.png").size == (320, 480)
    assert mofang(tmp_path, "verify", "fox.png").returncode == 0
    listed = mofang(tmp_path, "list").stdout
    asset = listed.split()[0]
    shown = json.loads(mofang(tmp_path, "show", asset).stdout)
    assert shown["recipe"]["engine"] == "collage" and shown["credits"]
    assert "byte for byte" in mofang(tmp_path, "remake", asset).stdout
    assert mofang(tmp_path, "export", asset, "again.png").returncode == 0
    assert mofang(tmp_path, "verify", "again.png").returncode == 0
    stored = Path(mofang(tmp_path, "show", asset, "--path").stdout.strip())
    stored.chmod(0o644)
    stored.write_bytes(stored.read_bytes()[:-3] + b"bad")
    assert mofang(tmp_path, "doctor").returncode == 1
    assert "whole again" in mofang(tmp_path, "remake", asset).stdout
    assert mofang(tmp_path, "doctor").returncode == 0


@pytest.mark.models
@pytest.mark.parametrize("suffix", ["wav", "mp3", "flac", "m4a"])
def test_text_spoken_into_files(tmp_path, suffix):
    done = mofang(tmp_path, "speech", "say", "你好，世界。", f"hello.{suffix}", "--voice", "xiaoyi")
    assert done.returncode == 0, done.stderr
    verified = mofang(tmp_path, "verify", f"hello.{suffix}")
    assert verified.returncode == 0, verified.stdout


def test_verify_says_so_when_a_file_says_nothing(tmp_path):
    (tmp_path / "plain.txt").write_text("words")
    done = mofang(tmp_path, "verify", "plain.txt")
    assert done.returncode == 1 and "says nothing" in done.stdout


def test_works_are_listed_with_their_papers(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.md").write_text("words")
    done = mofang(tmp_path, "works", "add", "mine", "--licence", "own", "--consent", "self")
    assert done.returncode == 0 and "1 works added" in done.stdout
    listed = mofang(tmp_path, "works", "list").stdout
    assert "own" in listed
    assert mofang(tmp_path, "works", "revoke", listed.split()[0]).returncode == 0
    assert "revoked" in mofang(tmp_path, "works", "list").stdout
    assert mofang(tmp_path, "works", "add", "none", "--licence", "own", "--consent", "self").returncode == 2


def test_a_studio_that_cannot_be(tmp_path):
    (tmp_path / "studio").write_text("a file where the folder should be")
    done = mofang(tmp_path, "list")
    assert done.returncode == 2 and done.stderr.startswith("mofang: ")
