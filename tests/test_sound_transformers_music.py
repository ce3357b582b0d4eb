"""Music from words: a tiny MusicGen built here, against Transformers' own way of running it."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

import tiny_audio
from mofang.apps import recall as recalling
from mofang.apps.remake import remake
from mofang.cli import mofang
from mofang.models.licences import licence_of, noncommercial, warning
from mofang.sound import pcm
from mofang.sound.engines import musical_words
from mofang.sound.engines.musical_words import BETWEEN, LEADING, Told, in_english, table
from mofang.sound.engines.musicgen import MusicGen, Wish, joined
from mofang.sound.frontend.voicing import simplified
from mofang.studio import Studio
from mofang.studio.errors import UserError
from mofang.trust import verify

pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def mono(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_audio.musicgen(tmp_path_factory.mktemp("music") / "mono")


@pytest.fixture(scope="module")
def stereo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_audio.musicgen(tmp_path_factory.mktemp("music") / "stereo", channels=2)


@pytest.fixture(scope="module")
def melodic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_audio.musicgen(tmp_path_factory.mktemp("music") / "melodic", melody=True)


@pytest.mark.parametrize("kind", ["mono", "stereo", "melodic"])
def test_one_window_is_what_transformers_makes(kind: str, request: pytest.FixtureRequest) -> None:
    import torch
    import transformers

    folder = request.getfixturevalue(kind)
    model = MusicGen.open(str(folder))
    made = model.make(Wish("calm piano", 0.98, seed=7, guidance=2.5, temperature=0.9, top_k=9))
    name = "MusicgenMelodyForConditionalGeneration" if kind == "melodic" else "MusicgenForConditionalGeneration"
    theirs = getattr(transformers, name).from_pretrained(folder).eval()
    words = transformers.AutoTokenizer.from_pretrained(folder)("calm piano", return_tensors="pt")
    torch.manual_seed(7)
    sound = theirs.generate(input_ids=words["input_ids"], attention_mask=words["attention_mask"], do_sample=True, guidance_scale=2.5,
                            temperature=0.9, top_k=9, max_new_tokens=49 + 3)[0].numpy().T  # fmt: skip
    assert model.rate == 1600 and model.channels == (2 if kind == "stereo" else 1)
    assert len(made) == 1568 and np.abs(made).max() > 0.01
    np.testing.assert_allclose(made.reshape(sound.shape), sound, atol=1e-6)


def test_the_same_wish_makes_the_same_sound_and_each_part_of_it_matters(mono: Path) -> None:
    model = MusicGen.open(str(mono))
    wish = Wish("calm piano", 1.0)
    made = model.make(wish)
    assert np.array_equal(model.make(wish), made)
    for other in (Wish("wild drums", 1.0), Wish("calm piano", 1.0, seed=1), Wish("calm piano", 1.0, guidance=1.0),
                  Wish("calm piano", 1.0, temperature=0.3), Wish("calm piano", 1.0, top_k=2)):
        assert model.make(other).shape == made.shape
        assert not np.array_equal(model.make(other), made), other
    assert np.array_equal(model.make(Wish("calm piano", 1.0, top_k=0)), made)  # Of all; there are fewer than 250 codes here.


@pytest.mark.parametrize("kind", ["mono", "stereo"])
def test_windows_are_one_sequence_of_codes(kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    model = MusicGen.open(str(request.getfixturevalue(kind)))
    seen: list[Any] = []
    whole = model._decoded
    monkeypatch.setattr(model, "_decoded", lambda codes: (seen.append(codes.clone()), whole(codes))[1])
    shares: list[float] = []
    long = model.make(Wish("calm piano", 3.0, seed=4), progress=lambda share, what: shares.append(share), window=1.0, step=0.6)
    first = model.make(Wish("calm piano", 1.0, seed=4), window=1.0, step=0.6)
    codes, begun = seen
    assert codes.shape == (4 * model.channels, 150) and len(long) == 4800
    assert torch.equal(codes[:, :50], begun)  # What a window drew stays as it is when the next goes on.
    np.testing.assert_allclose(long[:1400], first[:1400], atol=2e-3)  # But for what the codec hears coming.
    assert shares == sorted(shares) and shares[-1] == 1.0
    # Each window has heard the last 20 frames: another first window, another second.
    other = model.make(Wish("calm piano", 3.0, seed=5), window=1.0, step=0.6)
    assert not np.allclose(other[-800:], long[-800:])


def test_the_codec_decodes_in_pieces_what_it_would_at_once(mono: Path) -> None:
    import torch

    model = MusicGen.open(str(mono))
    codes = torch.randint(0, 16, (4, 500), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        at_once, parts = model._codec.decode(codes), model._codec.decode(codes, piece=2.0, overlap=1.0)
    assert at_once.shape == parts.shape == (16_000,)
    assert np.abs(at_once - parts).max() < 1e-5 * np.abs(at_once).max() + 1e-6


@pytest.mark.parametrize("kind", ["mono", "stereo"])
def test_a_beginning_is_kept_and_gone_on_from(kind: str, request: pytest.FixtureRequest) -> None:
    model = MusicGen.open(str(request.getfixturevalue(kind)))
    rng = np.random.default_rng(0)
    given = (0.3 * rng.standard_normal((1637,) if model.channels == 1 else (1637, 2))).astype(np.float32)
    made = model.make(Wish("calm piano", 2.0), given)
    blend = round(0.02 * model.rate)
    assert made.shape[0] == 3200 and np.array_equal(made[: 1637 - blend], given[:-blend])
    assert not np.array_equal(model.make(Wish("calm piano", 2.0), -given)[1700:], made[1700:])
    with pytest.raises(UserError, match="ask for more --seconds"):
        model.make(Wish("calm piano", 1.0), given)


def test_the_end_of_a_beginning_turns_into_the_codecs_account_of_it() -> None:
    whole = joined(np.ones(10, np.float32), np.full(20, 3, np.float32), 8, 16, 3)
    np.testing.assert_allclose(whole, [1] * 7 + [1.5, 2, 2.5] + [3] * 6)
    assert np.array_equal(joined(np.zeros(0, np.float32), np.ones(5, np.float32), 0, 4, 3), np.ones(4))


def test_a_melody_is_followed(melodic: Path, mono: Path) -> None:
    from mofang.sound.engines.chroma import chroma

    tones = [np.sin(2 * np.pi * hertz * np.arange(32_000) / 32_000).astype(np.float32) for hertz in (261.63, 440.0, 392.0)]
    heard = chroma(np.concatenate(tones), 32_000)
    assert heard.shape == (1 + 96_000 // 4096, 12) and (heard.sum(1) == 1).all()
    assert [int(heard[frame].argmax()) for frame in (4, 12, 20)] == [0, 9, 7]  # C, A, G
    model = MusicGen.open(str(melodic))
    tunes = [np.resize(tone[::20], 4000) for tone in tones[1:]]  # A tune of nothing but C is what the model calls no tune.
    made = [model.make(Wish("calm piano", 2.0), melody=tune, window=1.0, step=0.6) for tune in (*tunes, None)]
    assert not np.array_equal(made[0], made[1]) and not np.array_equal(made[0], made[2])
    with pytest.raises(UserError, match="follows no melody"):
        MusicGen.open(str(mono)).make(Wish("calm piano", 1.0), melody=tunes[0])


@pytest.mark.parametrize(("wish", "said"), [
    (Wish(" \n"), "say in a few words"), (Wish("a", -1), "0.1 to 600"), (Wish("a", 1e9), "0.1 to 600"),
    (Wish("a", float("nan")), "0.1 to"), (Wish("a", guidance=0.5), "guidance"), (Wish("a", temperature=0), "temperature"),
    (Wish("a", top_k=-1), "top-k"),
    (Wish("piano " * 400, 1), "longer than the 512 tokens"), (Wish("钢" * 10**6, 1), "longer than the 512 tokens"),
    (Wish("钢琴", 1), "describe the music in English"),
])  # fmt: skip
def test_a_wish_that_cannot_be_met_is_refused(mono: Path, wish: Wish, said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        MusicGen.open(str(mono)).make(wish)
    assert "\n" not in str(refused.value)


def test_checkpoints_of_another_kind_or_broken_are_refused(mono: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    def copy(name: str, **changes: object) -> Path:
        folder = Path(shutil.copytree(mono, tmp_path / name))
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | changes))
        return folder

    def refusal(folder: Path | str) -> str:
        with pytest.raises(UserError) as caught:
            MusicGen.open(str(folder)).make(Wish("calm", 0.5))
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "makes no music" in refusal(copy("other", model_type="bert"))
    assert "neither there" in refusal("/no/where/at/all")
    cut = copy("cut") / "model.safetensors"
    cut.write_bytes(cut.read_bytes()[:5000])
    assert "model.safetensors" in refusal(cut.parent)
    lacking = copy("lacking") / "model.safetensors"
    save_file({name: value for name, value in load_file(lacking).items() if not name.startswith("text_encoder")},
              lacking, {"format": "pt"})  # fmt: skip
    assert "lacks" in refusal(lacking.parent)
    wordless = copy("wordless")
    (wordless / "tokenizer.json").unlink()
    assert "vocabulary" in refusal(wordless)
    pickled = copy("pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    assert "safetensors" in refusal(pickled)


def _run(studio: Path, *arguments: object) -> Result:
    return CliRunner().invoke(mofang, ["--studio", str(studio), *map(str, arguments)])


def test_the_command_publishes_with_recipe_label_and_terms(mono: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(mono, tmp_path / "music-small"))
    (folder / "README.md").write_text("---\ntags:\n- music\nlicense: cc-by-nc-4.0\n---\n# MusicGen\n")
    studio, target = tmp_path / "s", tmp_path / "a.wav"
    made = _run(studio, "music", "make", "宁静的钢琴 calm piano", target, "--engine", f"transformers:{folder}", "--seconds", 1.5)
    assert made.exit_code == 0, made.output
    assert "cc-by-nc-4.0" in made.stderr and made.stdout.strip() == str(target)
    report = verify(target, studio)
    assert report.generated and report.signed
    found = recalling.recall(Studio(studio), target)
    assert str(tmp_path) not in found.command.replace(str(target), "")
    assert found.arguments[:3] == ["music", "make", "--engine"] and found.arguments[3] == "transformers:music-small"
    again = [str(folder).join(("transformers:", "")) if each == "transformers:music-small" else each for each in found.arguments[:-1]]
    assert _run(studio, *again, tmp_path / "b.wav").exit_code == 0
    assert np.array_equal(pcm.read(tmp_path / "b.wav", 1600), pcm.read(target, 1600))
    # It lasts as long as was asked, after the audible label.
    asset = Studio(studio).assets("audio")[0]
    assert len(pcm.read(asset.path, 1600)) == 2400
    assert remake(Studio(studio), asset) == (asset.id, False)
    (folder / "model.safetensors").write_bytes((tiny_audio.musicgen(tmp_path / "o", 2) / "model.safetensors").read_bytes())
    with pytest.raises(UserError, match="another than the one"):
        remake(Studio(studio), asset)


@pytest.mark.parametrize(("chinese", "english", "left_out"), [
    ("缓慢忧伤的钢琴曲，伴着雨声", "slow sad piano piece, with rain", ()),
    ("輕快的吉他和口哨，夏天海邊的感覺", "lively guitar and whistling, summer beach", ()),
    ("一首適合夜晚開車的合成波，没有人声", "for night driving synthwave, no vocals", ()),
    ("史诗般的管弦乐，长生殿与铜管", "epic orchestra, brass", ("长生殿",)), ("上海的爵士酒吧", "jazz bar", ("上海",)),
    ("每分钟90拍的lo-fi钢琴独奏🎹……（轻柔）", "90 bpm lo-fi piano solo, gentle", ()),
    ("不要鼓，只有大提琴", "no drums, only cello", ()),
    ("钢琴，没有乌托邦", "piano", ("乌托邦",)), ("calm piano", "calm piano", ()),
])  # fmt: skip
def test_chinese_words_of_music_have_english_ones(chinese: str, english: str, left_out: tuple[str, ...]) -> None:
    assert in_english(chinese) == Told(english, left_out)


def test_the_table_has_every_word_once_and_the_models_own_letters() -> None:
    lines = (Path(musical_words.__file__).parent / "musical_words.tsv").read_text("utf-8").splitlines()
    entries = [word for row in lines if not row.startswith("#") for word in row.partition("\t")[0].split()]
    assert len(entries) == len(set(entries)) == len(table()) > 500
    assert all(row.startswith("#") or row.count("\t") == 1 for row in lines)
    assert all(english.isascii() and english == english.strip() for english in table().values())
    assert not any(word.translate(simplified()) != word for word in entries)
    assert {*LEADING, *BETWEEN} <= {*table().values()}


@given(st.text("钢琴和没有的，乌托邦 a1,.。\n（🎹", max_size=30))
def test_any_words_are_told_or_refused_in_a_line(text: str) -> None:
    try:
        told = in_english(text)
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert told.english.isascii() and told.english and told.english == told.english.strip(" ,")
        assert told.english.split()[-1] not in {*LEADING, *BETWEEN}


@pytest.mark.parametrize("words", ["乌托邦辩证法的钢琴", "的", "量子纠缠", "钢" * 3000])
def test_what_is_mostly_unknown_is_refused(mono: Path, tmp_path: Path, words: str) -> None:
    refused = _run(tmp_path / "s", "music", "make", words, tmp_path / "a.wav", "--engine", f"transformers:{mono}").exception
    assert isinstance(refused, UserError) and "\n" not in str(refused) and not (tmp_path / "a.wav").exists()


def test_chinese_words_make_what_their_english_makes_and_the_creator_is_told(mono: Path, tmp_path: Path) -> None:
    studio, engine = tmp_path / "s", ("--engine", f"transformers:{mono}", "--seconds", 1)
    made = _run(studio, "music", "make", "宁静的钢琴，上海", tmp_path / "a.wav", *engine)
    assert made.exit_code == 0 and made.stderr.count("calm piano (") == 1 and "上海" in made.stderr
    asset = Studio(studio).assets("audio")[0]
    assert Studio(studio).making(asset).recipe.prompt == "宁静的钢琴，上海" and remake(Studio(studio), asset) == (asset.id, False)
    assert _run(studio, "music", "make", "calm piano", tmp_path / "b.wav", *engine).exit_code == 0
    assert np.array_equal(pcm.read(tmp_path / "a.wav", 1600), pcm.read(tmp_path / "b.wav", 1600))
    told = _run(studio, "recall", tmp_path / "a.wav")
    assert "'calm piano'" in told.stdout and f"--engine transformers:{mono.name}" in told.stdout and "is not here" in told.stderr
    told = _run(studio, "recall", tmp_path / "a.wav", "--model", mono)
    assert f"--engine transformers:{mono} " in told.stdout and not told.stderr


def test_a_model_that_reads_chinese_is_told_it(tmp_path: Path) -> None:
    folder = tiny_audio.musicgen(tmp_path / "model")
    tokens = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    vocabulary = tokens["model"]["vocab"]
    tokens["model"]["vocab"] = {{"x": "钢", "y": "琴"}.get(word, word): place for word, place in vocabulary.items()}
    (folder / "tokenizer.json").write_text(json.dumps(tokens), "utf-8")
    made = _run(tmp_path / "s", "music", "make", "钢琴", tmp_path / "a.wav", "--engine", f"transformers:{folder}", "--seconds", 1)
    assert made.exit_code == 0 and "told" not in made.stderr
    assert "told" not in Studio(tmp_path / "s").making(Studio(tmp_path / "s").assets("audio")[0]).recipe.params


def test_a_published_piece_is_gone_on_from_and_remade(stereo: Path, tmp_path: Path) -> None:
    studio, begun, longer = tmp_path / "s", tmp_path / "a.flac", tmp_path / "b.m4a"
    engine = ("--engine", f"transformers:{stereo}")
    assert _run(studio, "music", "make", "a", begun, *engine, "--seconds", 1).exit_code == 0
    done = _run(studio, "music", "make", "drums", longer, *engine, "--seconds", 2, "--continue", begun)
    assert done.exit_code == 0, done.output
    recipe = recalling.recall(Studio(studio), longer)
    assert recipe.recipe.params["parents"] == ["continue"] and str(begun) in recipe.arguments
    asset = next(each for each in Studio(studio).assets("audio") if Studio(studio).making(each).recipe.prompt == "drums")
    assert len(pcm.read(asset.path, 1600, 2)) == 3200
    assert remake(Studio(studio), asset)[0] == asset.id


@pytest.mark.parametrize(("arguments", "said"), [
    (("--engine", "openai:x"), "no engine for music"), (("--engine", "transformers:"), "no engine for music"),
    (("--engine", "transformers:/no/where"), "neither there"), (("--seconds", "-3"), "0.1 to 600"),
    (("--seconds", "nan"), "0.1 to 600"), (("--continue", "/no/such.wav"), "such.wav"), (("--melody", __file__), "test_sound"),
])  # fmt: skip
def test_mistakes_on_the_command_line_are_told_in_one_line(mono: Path, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    engine = () if "--engine" in arguments else ("--engine", f"transformers:{mono}")
    failed = _run(tmp_path / "s", "music", "make", "calm", tmp_path / "a.wav", *engine, *arguments)
    assert failed.exit_code != 0 and isinstance(failed.exception, UserError), failed.output
    assert said in str(failed.exception) and "\n" not in str(failed.exception)
    assert not (tmp_path / "a.wav").exists()


def test_without_transformers_it_says_what_to_install(mono: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UserError, match=r"pip install 'mofang\[hf\]'"):
        MusicGen.open(str(mono))


def test_licences_are_read_and_what_they_forbid_is_told(tmp_path: Path) -> None:
    assert licence_of(tmp_path) == "unknown" and "read its terms" in warning("m", "unknown")
    for text, name in (("---\nlicense: cc-by-nc-4.0\n---", "cc-by-nc-4.0"), ('---\nlicense: "mit"\n---', "mit"),
                       ("---\nlicense: other\nlicense_name: some-nc-terms\n---", "some-nc-terms"),
                       ("no front matter", "unknown")):  # fmt: skip
        (tmp_path / "README.md").write_text(text)
        assert licence_of(tmp_path) == name
    assert noncommercial("CC-BY-NC-4.0") and noncommercial("cc-by-nc-sa-3.0") and noncommercial("PolyForm-Noncommercial-1.0.0")
    assert not noncommercial("Apache-2.0") and not noncommercial("ncsa") and not noncommercial("cc-by-4.0")
    assert warning("m", "mit") == "" and "earn money" in warning("m", "cc-by-nc-4.0")


def test_a_film_gets_music_as_long_as_itself(mono: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    from mofang.apps.make import music, soundtrack
    from mofang.apps.make.storyboard import Picture, Shot, Storyboard, loads
    from mofang.sound.mix import RATE, mix

    studio, asked = Studio(tmp_path / "s"), f"transformers:{mono}"
    film = Storyboard("x", "en", (Shot("s1", "The lake is calm.", Picture(words="a lake")),), seed=3)
    film = music.scored(film, asked, studio.folder)
    assert film.score is None and loads(film.dumps()).music == asked and not music.is_file(asked)
    made = soundtrack.composed(studio, film, "calm", 1.5)
    assert made.recipe.seed == 3 and "calm and gentle" in made.recipe.prompt
    assert soundtrack.composed(studio, film, "calm", 1.5).asset == made.asset  # Made once.
    told = soundtrack.composed(studio, replace(film, music=asked + "#wild drums"), "calm", 1.5)
    assert told.recipe.prompt == "wild drums" and remake(studio, made.asset) == (made.asset.id, False)
    under = mix((), 1.5, pcm.read(made.asset.path, RATE, channels=2))
    assert under.shape == (round(1.5 * RATE), 2)
    assert np.abs(under[-40:]).max() < 0.02 * np.abs(under).max()  # It fades out, and does not begin anew before it ends.
    assert [credit.title for credit in soundtrack.credits(film.music)] == ["mono"] and soundtrack.credits("a.mp3") == ()
    for wrong, said in (("transformers:", "names no model"), ("transformers:#words", "names no model"),
                        ("transformers:/no", "neither")):  # fmt: skip
        with pytest.raises(UserError, match=said):
            music.scored(film, wrong, studio.folder)
