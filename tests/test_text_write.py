"""`mofang text write`: what is typed, what is kept, what is made again, what is refused in one line."""

import json
import re
import shutil

import pytest
from click.testing import CliRunner

import text_models
from mofang.apps.make.script import text_engine
from mofang.apps.remake import remake
from mofang.apps.write import Order
from mofang.cli import mofang
from mofang.models import own
from mofang.studio import Recipe, Studio, UserError
from mofang.text.own import OwnModel
from mofang.text.sampling import Sampling
from mofang.trust.verify import verify


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    folder = tmp_path_factory.mktemp("write")
    text_models.transformer(folder / "moon", layers=1)
    text_models.recurrent(folder / "frost", "gru")
    return folder


@pytest.fixture
def say(tmp_path, shelf, monkeypatch):
    """Run the command in a studio of its own, in English."""
    monkeypatch.setenv("MOFANG_LANG", "en")
    monkeypatch.setenv("MOFANG_WEIGHTS", str(shelf))
    monkeypatch.delenv("MOFANG_STUDIO", raising=False)

    def run(*arguments, **settings):
        return CliRunner().invoke(mofang, ["--studio", str(tmp_path / "studio"), *arguments], **settings)

    return run


@pytest.fixture
def studio(tmp_path):
    return Studio(tmp_path / "studio")


def refused(result):
    assert isinstance(result.exception, UserError), result.output
    line = str(result.exception)
    assert "\n" not in line and ";" in line
    return line


def texts(studio):
    return [asset.path.read_bytes().decode() for asset in studio.assets("text")]


def test_goes_on_with_a_prompt(say, shelf, studio):
    result = say("text", "write", "moon", "床前", "--tokens", "12", "--seed", "3")
    (written,) = OwnModel.open(shelf / "moon").write("床前", max_tokens=12, seed=3, sampling=Sampling())
    assert result.exit_code == 0 and result.stdout == f"床前{written.text}\n"
    assert texts(studio) == [f"床前{written.text}"]
    making = studio.making(studio.assets()[0])
    assert making.recipe.engine == "own-text" and making.recipe.seed == 3 and making.recipe.prompt == "床前"
    assert making.recipe.model == f"moon@{own.read_card(shelf / 'moon')['sha256']}"
    assert making.made.credits[0].licence == "CC0-1.0"
    # The same again is not written again, and not another asset.
    assert say("text", "write", "moon", "床前", "--tokens", "12", "--seed", "3").stdout == result.stdout
    assert len(studio.assets()) == 1


@pytest.mark.parametrize("options", [
    ["--n", "3", "--temperature", "1.2", "--top-k", "20", "--top-p", "0.9", "--min-p", "0.01", "--repetition", "1.3",
     "--no-repeat", "3"],
    ["--typical", "0.8", "--stop", "光", "--stop", "霜", "--n", "2"],
    ["--beams", "4", "--n", "3"],
    ["--bias", "月=2.5", "--ban", "a", "--ban", "明月", "--n", "2"],
    ["--temperature", "0"],
])  # fmt: skip
@pytest.mark.parametrize("model", ["moon", "frost"])
def test_every_text_is_made_again(say, studio, model, options):
    result = say("text", "write", model, "疑是 moon", "--tokens", "15", *options)
    assert result.exit_code == 0, result.exception
    count = int(options[options.index("--n") + 1]) if "--n" in options else 1
    assert len({studio.making(asset).recipe.key for asset in studio.assets()}) >= len(studio.assets())
    assert 1 <= len(studio.assets()) <= count
    for asset in studio.assets():
        assert asset.path.read_bytes().decode() in result.stdout
        assert remake(studio, asset) == (asset.id, False)


def test_orders_come_back_from_recipes():
    order = Order("a", 9, 3, 5, 0.5, 4, 0.9, 0.1, 0.8, 1.1, 2, 6, ("x",), {"y": 1.0}, ("z",), "七绝")
    recipe = Recipe.from_json(json.loads(json.dumps(Recipe("own-text", "1", "m@0", "a", order.params(2), 5).to_json())))
    assert Order.of(recipe) == order


def test_a_model_that_has_moved(say, studio, shelf, tmp_path, monkeypatch):
    shutil.copytree(shelf / "frost", tmp_path / "elsewhere")
    assert say("text", "write", str(tmp_path / "elsewhere"), "a", "--tokens", "9").exit_code == 0
    (asset,) = studio.assets()
    (tmp_path / "elsewhere").rename(tmp_path / "studio" / "models" / "kept")
    assert remake(studio, asset)[0] == asset.id
    shutil.rmtree(tmp_path / "studio" / "models" / "kept")
    monkeypatch.setenv("MOFANG_WEIGHTS", str(tmp_path))
    with pytest.raises(UserError, match="gone; put it back"):
        remake(studio, asset)


def test_published_texts_are_labelled_and_signed(say, tmp_path):
    result = say("text", "write", "frost", "The moon", "--n", "2", "--tokens", "20", "--out", str(tmp_path / "night.md"))
    assert result.exit_code == 0, result.exception
    for name in ("night-1.md", "night-2.md"):
        assert "The moon" in (tmp_path / name).read_text()
        report = verify(tmp_path / name, tmp_path / "studio")
        assert "compositeWithTrainedAlgorithmicMedia" in str(report)


def test_prompts_from_files_and_pipes(say, tmp_path):
    (tmp_path / "gbk.txt").write_bytes("床前明月光，疑是地上霜。举头望明月，低头思故乡。\r\n".encode("gb18030"))
    result = say("text", "write", "moon", f"@{tmp_path / 'gbk.txt'}", "--tokens", "1")
    assert result.stdout.startswith("床前明月光，疑是地上霜。举头望明月，低头思故乡。") and "\r" not in result.stdout
    assert say("text", "write", "frost", "-", "--tokens", "1", input="The frost\n").stdout.startswith("The frost")
    assert say("text", "write", "frost", "--tokens", "5").exit_code == 0


def test_a_prompt_past_the_context_is_said(say):
    result = say("text", "write", "moon", "月" * 400, "--tokens", "3")
    assert result.exit_code == 0 and "oldest 273 tokens" in result.stderr
    assert "oldest" not in say("text", "write", "frost", "月" * 400, "--tokens", "3").stderr


@pytest.mark.parametrize(("arguments", "says"), [
    (["moom", "x"], "did you mean moon"),
    (["moon", "@/no/such/file"], "cannot read"),
    (["moon", "x", "--top-p", "0"], "top_p"),
    (["moon", "x", "--temperature", "nan"], "temperature"),
    (["moon", "x", "--bias", "雨"], "no bias"),
    (["moon", "x", "--bias", "雨=inf"], "no bias"),
    (["moon", "x", "--beams", "2", "--n", "3"], "beams"),
    (["moon", "x", "--ban", ""], "bias is a word"),
    (["moon", "x\udcff"], "half a character"),
    (["moon", "x", "--stop", "\udcff"], "half a character"),
    (["moon", "x", "--out", "x.mp3"], ".txt or .md"),
    (["openai:m", "x", "--top-k", "3"], "--top-k"),
    (["transformers:m", "x", "--ban", "a"], "--ban"),
    (["no.gguf", "x", "--beams", "3"], "--beams"),
    (["no.gguf", "x"], "no.gguf"),
])  # fmt: skip
def test_what_cannot_be_is_said_in_one_line(say, studio, arguments, says):
    assert says in refused(say("text", "write", *arguments))
    assert not studio.assets()


def test_interactive(say, studio):
    result = say("text", "write", "moon", "床前", "-i", "--n", "2", "--tokens", "6", input="1\nq\n")
    assert result.exit_code == 0, result.exception
    assert "2. " in result.stdout and len(studio.assets()) >= 1


def test_forms(say, studio):
    result = say("text", "write", "moon", "床前", "--form", 'gbnf:root ::= [一-龥]{3} "。"', "--seed", "4")
    assert result.exit_code == 0, result.exception
    assert re.fullmatch("床前[一-龥]{3}。", result.stdout.strip())
    (asset,) = studio.assets()
    assert remake(studio, asset)[0] == asset.id
    assert "form" in refused(say("text", "write", "moon", "床前", "--form", "七不像"))


def test_rules_in_files_go_into_the_recipe(say, studio, tmp_path):
    rule = tmp_path / "rule.gbnf"
    rule.write_text('root ::= "月"{4}')
    assert say("text", "write", "moon", "床前", "--form", f"gbnf:{rule}").stdout == "床前月月月月\n"
    rule.write_text('root ::= "a"')
    (asset,) = studio.assets()
    assert remake(studio, asset)[0] == asset.id


def test_gguf_too(say, studio, shelf, tmp_path):
    """The same model in llama.cpp's format, written with through the engine all of them share, and made again."""
    from mofang.text.export import export

    export(shelf / "moon", tmp_path / "moon.gguf", dtype="f32")
    result = say("text", "write", str(tmp_path / "moon.gguf"), "床前", "--tokens", "8", "--temperature", "0")
    assert result.exit_code == 0 and result.stdout.startswith("床前"), result.exception
    (asset,) = studio.assets()
    assert studio.making(asset).recipe.engine == "gguf-text" and remake(studio, asset)[0] == asset.id


def test_own_models_write_stories_too(shelf, monkeypatch):
    monkeypatch.setenv("MOFANG_WEIGHTS", str(shelf))
    engine = text_engine("own:moon", "zh")
    shown = []
    found = engine.generate("床前", max_tokens=9, seed=2, on_text=shown.append)
    assert found.text == "".join(shown) and found.model == "moon" and found.logprob < 0 and not engine.chats
    told = [{"role": "user", "content": "床前"}]
    assert engine.generate(told, max_tokens=9, seed=2).text == found.text
    assert re.fullmatch("[月光]{4}", engine.generate("床前", grammar="root ::= [月光]{4}").text)
    engine.close()
