"""`mofang models`, as it is typed."""

import pytest
from click.testing import CliRunner

from models_shelf import shelf  # noqa: F401
from mofang import models
from mofang.cli.models import models as group
from mofang.studio import UserError


def run(*arguments: str):
    return CliRunner().invoke(group, arguments)


@pytest.fixture
def toy(shelf, tmp_path):  # noqa: F811
    (tmp_path / "a").write_bytes(b"weights")
    shelf.card(f'{{ file = "{tmp_path}/a" }}', b"weights", extra='notes = "一个小模型"')
    return shelf


def test_pull_shows_the_licence_then_says_where_the_files_are(toy):
    done = run("pull", "toy", "toy")
    assert done.exit_code == 0 and "MIT" in done.stderr and done.stdout == f"toy: {toy.cache / 'toy'}\n"
    assert "MIT" not in run("pull", "toy").stderr  # It is here: nothing is fetched, nothing asked.


def test_pull_of_nothing_says_how(toy):
    assert "--default" in run("pull").output


def test_a_misspelt_model_fetches_none_of_the_others(toy):
    assert isinstance(run("pull", "toy", "kokoro").exception, UserError)
    assert not models.installed("toy")


def test_a_licence_that_asks_is_agreed_to_by_word_where_nobody_can_be_asked(toy, tmp_path):
    toy.card(f'{{ file = "{tmp_path}/a" }}', b"weights", extra="accept = true")
    assert "--accept-licence" in str(run("pull", "toy").exception) and not models.installed("toy")
    assert run("pull", "toy", "--accept-licence").exit_code == 0 and models.installed("toy")


@pytest.mark.parametrize(("language", "words"), [("en", ["default", "files missing", "licence"]),
                                                 ("zh", ["默认", "缺 1 个文件", "许可"])])  # fmt: skip
def test_list_and_info_in_both_languages(toy, monkeypatch, language, words):
    monkeypatch.setenv("MOFANG_LANG", language)
    text = run("list").output + run("info", "toy").output
    assert all(word in text for word in words) and "一个小模型" in text and "kokoro-82m" in text
    assert {line[:1] for line in run("list").output.splitlines()} == {"○", "●"}  # The last line explains both.


def test_verify_finds_damage_and_exits_1(toy):
    run("pull", "toy")
    assert run("verify").exit_code == 0 and "toy: whole" in run("verify").output
    (toy.cache / "toy" / "toy.bin").write_bytes(b"weIghts")
    done = run("verify", "toy")
    assert done.exit_code == 1 and "damaged: toy.bin" in done.output


def test_remove_frees_the_space(toy):
    run("pull", "toy")
    assert run("remove", "toy").output == "freed 0.0 MB\n" and not (toy.cache / "toy").exists()
    assert run("remove", "toy").exit_code == 0
