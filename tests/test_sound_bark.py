"""Bark as a voice: a tiny one built here, against Transformers' own way of running it; speakers' files of every kind."""

import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import tiny_audio
from mofang.cli import mofang
from mofang.sound import pcm, speak
from mofang.sound.engines import presets
from mofang.sound.engines.bark import LEAST, Bark
from mofang.sound.engines.transformers_files import find
from mofang.sound.engines.transformers_speech import TransformersVoices, key
from mofang.sound.frontend import phonemize
from mofang.studio.errors import UserError
from mofang.trust import verify

pytest.importorskip("torch")
pytest.importorskip("transformers")
SIZES = presets.Sizes(50, 16, 2, 4)


@pytest.fixture(scope="module")
def bark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_audio.bark(tmp_path_factory.mktemp("bark") / "bark")


@pytest.mark.parametrize(("speaker", "preset"), [("en", 0), ("zh", 1), ("zh_speaker_0", 1), ("v2/en_speaker_6", 0)])
def test_one_breath_is_what_transformers_says(bark: Path, speaker: str, preset: int) -> None:
    import torch
    import transformers

    voice = Bark(find(str(bark)))
    torch.manual_seed(1)
    with torch.inference_mode():
        said, _ = voice.say(" hi\n there ", speaker, 1.0)
    theirs = transformers.BarkModel.from_pretrained(bark).eval()
    words = transformers.AutoTokenizer.from_pretrained(bark)("hi there", padding="max_length", max_length=24,
                                                             add_special_tokens=False, return_tensors="pt")  # fmt: skip
    prompts = {name: torch.from_numpy(codes) for name, codes in tiny_audio.speaker_of(preset).items()}
    torch.manual_seed(1)
    sound = theirs.generate(input_ids=words["input_ids"], attention_mask=words["attention_mask"], history_prompt=prompts,
                            min_eos_p=0.015, semantic_min_new_tokens=LEAST)[0].numpy()  # fmt: skip
    assert len(said) and np.array_equal(said, sound)


def test_a_text_longer_than_a_breath_is_said_in_several(bark: Path) -> None:
    engine, text = TransformersVoices(), "hello there. — my friend"
    units = phonemize(text, "en")
    said = engine.speak(units, f"transformers:{bark}", 1.0)
    assert "".join(piece.text for piece in said.alignment) == text
    assert np.array_equal(engine.speak(units, f"transformers:{bark}", 1.0).samples, said.samples)
    # One breath is 0.96 s here: nothing was cut, and each part begins where the one before ends.
    assert said.duration > 1.5 and np.abs(said.samples).max() <= 1
    times = [(piece.start, piece.end) for piece in said.alignment]
    assert times == sorted(times) and times[-1][1] <= said.duration + 1e-6
    chinese = [engine.speak(phonemize("你好", "zh"), f"transformers:{bark}", speed) for speed in (1.0, 0.5)]
    assert "".join(piece.text for piece in chinese[0].alignment) == "你好"
    assert abs(chinese[1].duration / chinese[0].duration - 2) < 0.02
    # A word without an end is said in pieces too.
    assert engine.speak(phonemize("a" * 30, "en")[:1], f"transformers:{bark}", 1.0).duration > 1


def test_what_the_voice_cannot_read_is_refused(bark: Path) -> None:
    with pytest.raises(UserError, match="none of these letters"):
        Bark(find(str(bark))).say("Привет", "", 1.0)


def test_a_speaker_of_ones_own_is_read_from_a_file(bark: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "me.npz", **tiny_audio.speaker_of(7))
    voice = f"transformers:{bark}#{tmp_path / 'me.npz'}"
    units = phonemize("hi", "en")
    mine = TransformersVoices().speak(units, voice, 1.0).samples
    assert not np.array_equal(mine, TransformersVoices().speak(units, f"transformers:{bark}", 1.0).samples)
    before = key(voice)
    np.savez(tmp_path / "me.npz", **tiny_audio.speaker_of(8))
    assert key(voice) != before and key(f"transformers:{bark}") == before.partition("+")[0]
    done = CliRunner().invoke(mofang, ["--studio", str(tmp_path / "s"), "speech", "say", "Hi. My friend.", str(tmp_path / "a.wav"),
                                       "--voice", voice])  # fmt: skip
    assert done.exit_code == 0, done.exception
    assert "does not say its licence" in done.stderr and verify(tmp_path / "a.wav", tmp_path / "s").generated
    assert len(pcm.read(tmp_path / "a.wav", 24_000))


def _npz(**arrays: object) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def _bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("semantic_prompt.npy", bytes(64 << 20))
    return file.getvalue()


def _liar() -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<i8", "fortran_order": False, "shape": (1 << 40,)})
    archived = io.BytesIO()
    with zipfile.ZipFile(archived, "w") as archive:
        archive.writestr("semantic_prompt.npy", file.getvalue() + bytes(80))
    return archived.getvalue()


GOOD = tiny_audio.speaker_of(0)


@pytest.mark.parametrize(("data", "said"), [
    (b"", "cannot be read"), (b"PK\x03\x04 and no more", "cannot be read"), (_bomb(), "far too large"),
    (_liar(), "header does not fit"),
    (_npz(**GOOD)[:-300], "cannot be read"), (_npz(semantic_prompt=GOOD["semantic_prompt"]), "coarse_prompt is missing"),
    (_npz(**{**GOOD, "semantic_prompt": np.array([{"a": 1}], object)}), "header does not fit"),
    (_npz(**{**GOOD, "fine_prompt": np.zeros((8, 9), int)}), "fine_prompt is missing or of another shape"),
    (_npz(**{**GOOD, "coarse_prompt": np.full((2, 9), 16)}), "codes the model does not have"),
    (_npz(**{**GOOD, "semantic_prompt": np.array([-1])}), "codes the model does not have"),
    (_npz(**{**GOOD, "semantic_prompt": np.zeros(3)}), "another shape"),
    (_npz(**{**GOOD, "semantic_prompt": np.zeros(0, int)}), "another"),
])  # fmt: skip
def test_files_that_are_no_speaker_are_refused_in_one_line(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "x.npz").write_bytes(data)
    with pytest.raises(UserError, match=said) as refused:
        presets.Presets("b", tmp_path, SIZES).find(str(tmp_path / "x.npz"), "")
    assert "\n" not in str(refused.value)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2000), st.binary(min_size=1, max_size=12))
def test_whatever_is_in_a_speakers_file_it_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, at: int, what: bytes) -> None:
    data = bytearray(_npz(**GOOD))
    data[at % len(data) : at % len(data) + len(what)] = what
    path = tmp_path_factory.getbasetemp() / "fuzz.npz"
    path.write_bytes(bytes(data))
    try:
        found = presets.Presets("b", path.parent, SIZES).find(str(path), "")
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert set(found) == set(presets.PARTS)


@pytest.mark.parametrize(("text", "tag"), [
    ("Hello", "en"), ("你好 world", "zh"), ("こんにちは世界", "ja"), ("안녕", "ko"), ("Привет", "ru"), ("नमस्ते", "hi"), ("", "en"),
])  # fmt: skip
def test_the_letters_tell_the_language(text: str, tag: str) -> None:
    assert presets.language_of(text) == tag


def test_speakers_are_looked_for_among_the_checkpoints_own(bark: Path, tmp_path: Path) -> None:
    known = presets.Presets("bark", bark, SIZES)
    same = [known.find(name, text) for name, text in (("", "你好"), ("zh", "hello"), ("zh_speaker_0", ""), ("v2/zh_speaker_0", ""))]
    for found in same:
        assert all(np.array_equal(found[part], tiny_audio.speaker_of(1)[part]) for part in presets.PARTS)
    assert known.find("", "Привет") == {} and presets.Presets("b", tmp_path, SIZES).find("", "hi") == {}
    for name, said in (("de", "no speaker of 'de'"), ("nobody", "it has v2/en_speaker_6"), ("/no/where.npz", "cannot be read")):
        with pytest.raises(UserError, match=said):
            known.find(name, "")
    copy = Path(shutil.copytree(bark, tmp_path / "copy"))
    index = json.loads((copy / presets.INDEX).read_text())
    for place in ("../../outside.npy", str(tmp_path / "outside.npy"), "a.pkl", 7):
        index["v2/zh_speaker_0"]["fine_prompt"] = place
        (copy / presets.INDEX).write_text(json.dumps(index))
        with pytest.raises(UserError, match="none of its own"):
            presets.Presets("copy", copy, SIZES).find("zh", "")
    for broken in ("{", "[]", '"x"'):
        (copy / presets.INDEX).write_text(broken)
        with pytest.raises(UserError, match="cannot be read"):
            presets.Presets("copy", copy, SIZES).find("zh", "")


def test_presets_of_the_hub_are_fetched_as_they_are_asked_for(bark: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = Path(shutil.copytree(bark, tmp_path / "bare", ignore=shutil.ignore_patterns("*.npy")))
    asked: list[list[str]] = []

    def fetch(name: str, wanted: list[str]) -> Path:
        assert name == "suno/bark-small"
        asked.append(list(wanted))
        return bark

    monkeypatch.setattr(presets, "fetch", fetch)
    assert presets.Presets("suno/bark-small", bare, SIZES).find("en", "")
    assert asked == [[f"speaker_embeddings/v2/en_speaker_6_{part}.npy" for part in presets.PARTS]]


def test_broken_checkpoints_are_refused(bark: Path, tmp_path: Path) -> None:
    def refusal(name: str, file: str, content: str | None) -> str:
        folder = Path(shutil.copytree(bark, tmp_path / name))
        (folder / file).unlink()
        if content is not None:
            (folder / file).write_text(content)
        with pytest.raises(UserError) as caught:
            speak("hello", f"transformers:{folder}")
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "generation_config.json" in refusal("bare", "generation_config.json", None)
    told = json.loads((bark / "generation_config.json").read_text())
    assert "describes no voice" in refusal("fast", "generation_config.json", json.dumps({**told, "sample_rate": 10**9}))
    endless = {**told, "semantic_config": {**told["semantic_config"], "max_new_tokens": 10**9}}
    assert "describes no voice" in refusal("endless", "generation_config.json", json.dumps(endless))
