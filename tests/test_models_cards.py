"""Model cards: what ships can be read, and what a card must not be able to say."""

import re

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from models_shelf import quiet, shelf  # noqa: F401
from mofang import models
from mofang.cli.models import models as group
from mofang.models.card import is_inside, parse
from mofang.studio import UserError


def test_every_card_that_ships_says_whose_it_is_and_pins_each_file():
    names = [card.name for card in models.cards()]
    assert names == sorted(names)
    assert {"kokoro-82m", "gemma3-270m", "smollm2-135m", "whisper-base", "font-noto-sans-sc", "font-noto-serif-sc",
            "font-lxgw-wenkai", "art-noto", "art-fluent-flat", "art-twemoji", "art-openmoji",
            "emojibase"} <= set(names)  # fmt: skip
    for card in models.cards():
        assert card.licence and card.author and card.licence_url.startswith("https://") and card.credit.line()
        assert all(file.sources and re.fullmatch("[0-9a-f]{64}", file.sha256) for file in card.files)


def test_what_the_default_film_needs_binds_nobody_and_stays_small():
    default = [card for card in models.cards() if card.default]
    assert sum(card.size for card in default) < 250_000_000
    for card in default:
        assert card.licence in ("Apache-2.0", "MIT", "OFL-1.1") and not card.accept
    assert models.card("gemma3-270m").accept


def test_kokoro_has_all_its_voices():
    voices = [file.role for file in models.card("kokoro-82m").files if file.role.startswith("voices/")]
    assert len(voices) == 54 and sum(voice.startswith("voices/z") for voice in voices) == 8


def test_an_own_card_stands_in_for_the_program_s(shelf):  # noqa: F811
    shelf.card('{ file = "/x" }', b"x", name="kokoro-82m")
    assert models.card("kokoro-82m").title == "Toy"
    assert [card.name for card in models.cards()].count("kokoro-82m") == 1


def test_a_broken_card_breaks_no_other(shelf):  # noqa: F811
    (shelf.folder / "cards" / "mine.toml").write_bytes(b"\xff\xfe")
    assert models.card("art-noto").title == "Noto Emoji"
    with pytest.raises(UserError, match=r"mine\.toml cannot be read.*mend it"):
        models.cards()
    with pytest.raises(UserError, match=r"mine\.toml"):
        models.ensure("mine")


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a\\\\..\\\\b", "x/../../y", "C:evil", "~/x", "", ".toy.bin.verified",
                                  ".partial/x", "a\\u0000b"])  # fmt: skip
def test_a_card_cannot_write_outside_its_folder(shelf, name):  # noqa: F811
    shelf.card('{ file = "a" }', b"x", file=name)
    with pytest.raises(UserError, match="card"):
        models.card("toy")


@pytest.mark.parametrize("origin", [
    '{ pip = "--index-url=evil==1:a" }', '{ pip = "toy:a" }', '{ pip = "git+https://x/y==1:a" }', '{ npm = "toy@latest:a" }',
    '{ npm = "-g@1.0.0:a" }', '{ npm = "https://x/y.tgz:a" }', '{ npm = "toy@1.0.0:../../a" }', '{ hub = "a/../b:c" }',
    '{ hub = "me/toy:../x" }', '{ ftp = "x" }', '{ pip = 3 }', '{ file = "" }', '"file"', "3",
])  # fmt: skip
def test_a_source_is_a_package_and_never_an_option_or_an_address(shelf, origin):  # noqa: F811
    shelf.card(origin, b"x")
    with pytest.raises(UserError, match="card"):
        models.card("toy")


@pytest.mark.parametrize("extra", ['accept = "no"', "kind2 = 1", "languages = 3", 'author = 3', "[[[", "default = 1"])
def test_a_card_of_wrong_types_is_refused(shelf, extra):  # noqa: F811
    shelf.card('{ file = "a" }', b"x", extra=extra)
    with pytest.raises(UserError, match="card"):
        models.card("toy")


@pytest.mark.parametrize("size", [0, -1, 1 << 60, "true", "1.5", '"3"'])
def test_a_size_is_a_number_of_bytes(shelf, size):  # noqa: F811
    shelf.card('{ file = "a" }', b"x", size=size)
    with pytest.raises(UserError, match="card"):
        models.card("toy")


@given(st.text(max_size=200))
def test_any_text_is_a_card_or_a_user_error(text):
    with pytest.raises(UserError):
        parse(text, "x.toml")


@given(st.text(max_size=60))
def test_any_name_is_a_model_or_a_user_error(name):
    if name not in {card.name for card in models.cards()}:
        with pytest.raises(UserError, match="there is no model"):
            models.card(name)


@given(st.text(max_size=40))
def test_what_is_inside_stays_inside(name):
    from pathlib import Path, PureWindowsPath

    if is_inside(name):
        path = Path("/base", name)
        assert path.is_relative_to("/base") and ".." not in path.parts and not PureWindowsPath(name).is_absolute()


def test_an_unknown_model_names_the_nearest():
    with pytest.raises(UserError, match="did you mean kokoro-82m"):
        models.ensure("kokoro")


def test_a_card_for_a_file_of_one_s_own_works_at_once(shelf, tmp_path):  # noqa: F811
    path = tmp_path / "我的 Writer \"v1\".safetensors"
    path.write_bytes(b"\x02" + bytes(7) + b"{}")
    done = CliRunner().invoke(group, ["card", str(path), "--author", "墨", "--licence", "CC-BY-4.0"])
    assert done.exit_code == 0, done.output
    (shelf.folder / "cards" / "writer-v1.toml").write_text(done.stdout, "utf-8")
    model = models.ensure("writer-v1", notify=quiet)
    assert model.file("model").read_bytes() == path.read_bytes() and model.card.author == "墨"


@pytest.mark.parametrize(("name", "content"), [
    ("小说.gguf", b"GGUF"), ("x.bin", b"\x80\x04N."), ("小.safetensors", b"\x02" + bytes(7) + b"{}"),
])  # fmt: skip
def test_no_card_for_what_will_not_do(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError):
        models.draft(tmp_path / name, author="x", licence="MIT")
    with pytest.raises(UserError):
        models.draft(tmp_path / "none.gguf", author="x", licence="MIT")
