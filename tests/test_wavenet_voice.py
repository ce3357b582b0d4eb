"""A voice of one's own: consent, recordings good and bad, corpora, training that resumes, speech without torch."""

import json
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

from mofang.apps.remake import remake  # noqa: E402
from mofang.cli import mofang  # noqa: E402
from mofang.models import own  # noqa: E402
from mofang.sound import pcm, speak  # noqa: E402
from mofang.sound import voice as find_voice  # noqa: E402
from mofang.sound.frontend.symbols import NUMBERS  # noqa: E402
from mofang.sound.own import consent, f0  # noqa: E402
from mofang.sound.own.acoustic import AcousticModel, AcousticShape, lengths, regulated  # noqa: E402
from mofang.sound.own.align import carried  # noqa: E402
from mofang.sound.own.corpus import CLIPS, SOUND, Corpus  # noqa: E402
from mofang.sound.own.features import HOP, RATE, SIZE, as_hertz, as_mel, features  # noqa: E402
from mofang.sound.own.learn import Course, learn, load_network  # noqa: E402
from mofang.sound.own.prepare import from_recordings, from_voice, pieces  # noqa: E402
from mofang.sound.own.train import Settings  # noqa: E402
from mofang.sound.wavenet.emphasis import emphasised, flattened  # noqa: E402
from mofang.sound.wavenet.shape import Shape  # noqa: E402
from mofang.studio import Studio, UserError  # noqa: E402
from mofang.studio.works import Consent, add, all_works, revoke  # noqa: E402
from mofang.training.budget import Budget  # noqa: E402
from mofang.training.loop import LOG, Plan  # noqa: E402

TEXTS = ["The lighthouse keeper counted every ship that passed.", "Rain fell softly on the old tin roof.",
         "Nobody remembered who had planted the tree.", "She wrote a letter and never sent it."]  # fmt: skip
VOCODER = Shape(layers=4, cycle=4, residual=16, skip=16, conditioning=8, emphasis=0.85)
ACOUSTIC = AcousticShape(width=16, encoder=1, timing=1, decoder=1)
QUICK = Settings(window=6, batch=1, precision="float32", validation=2)


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Four sentences of the small English voice."""
    return from_voice(TEXTS, ["hibari"], tmp_path_factory.mktemp("voice") / "corpus", threads=1)


def run(*arguments, code=0):
    done = CliRunner().invoke(mofang, list(map(str, arguments)))
    assert done.exit_code == code or isinstance(done.exception, UserError), (done.output, done.exception)
    return done.output if code == 0 else str(done.exception)


def recording(path, seconds=12.0, rate=24_000, level=0.3, seed=0):
    """Something like speech: gliding tones that come and go."""
    t = np.arange(int(seconds * rate)) / rate
    tone = 160 + 40 * np.sin(2 * np.pi * 0.7 * t + seed)
    phase = 2 * np.pi * np.cumsum(tone) / rate
    sound = sum(np.sin(k * phase) / k for k in range(1, 12)) * (np.sin(2 * np.pi * 1.3 * t) > -0.6)
    samples = (level * sound / np.abs(sound).max()).astype(np.float32)
    pcm.write_wav(path, samples, rate)
    return samples


# -- corpora ------------------------------------------------------------------------------------------------------------


def test_a_ready_voice_makes_an_aligned_corpus(corpus):
    assert corpus.speakers == ["hibari"] and corpus.languages == ["en"] and len(corpus.clips) == 4
    assert sum(clip.held_out for clip in corpus.clips) >= 1
    for clip in corpus.clips:
        assert len(clip.symbols) == len(clip.durations) and sum(clip.durations) == clip.frames
        assert clip.symbols[0] == clip.symbols[-1] == 0 and set(clip.symbols[1:-1]) <= set(NUMBERS.values())
        sound = corpus.sound[clip.start * HOP : (clip.start + clip.frames) * HOP].astype(np.float32) / 32768
        kept = corpus.features[clip.start : clip.start + clip.frames].astype(np.float32)
        again = features(sound)
        assert np.abs(as_mel(kept) - as_mel(again))[:, 5:].mean() < 0.1
    again = Corpus.open(corpus.folder)
    assert again.clips == corpus.clips and again.manifest["works"][0]["synthetic"] is True


def test_damaged_corpora(corpus, tmp_path):
    import shutil

    with pytest.raises(UserError, match="no corpus"):
        Corpus.open(tmp_path)
    for name, damage in ((SOUND, lambda p: p.write_bytes(p.read_bytes()[:-2])), (CLIPS, lambda p: p.write_text("{}\n")),
                         (CLIPS, lambda p: p.write_text(p.read_text().replace('"frames": ', '"frames": -')))):  # fmt: skip
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(corpus.folder, copy)
        damage(copy / name)
        with pytest.raises(UserError, match="damaged"):
            Corpus.open(copy)


MANIFESTS = {"endless": {"frames": 1e400}, "no hash": {"data_sha256": 7}, "hash that climbs": {"data_sha256": "../" * 30},
             "no works": {"works": None}, "works that are none": {"works": ["Lin"]}, "nobody": {"speakers": []},
             "speakers": {"speakers": 5}, "seconds": {"seconds": []}, "format": {"format": {"a": 1}}}  # fmt: skip
LINES = {"speaker": {"speaker": 1}, "text": {"text": ["hello"]}, "held out": {"held_out": "yes"}, "longer": {"frames": 10**30},
         "symbols": {"symbols": [10**6], "durations": None}, "more": {"path": "/etc/passwd"}}  # fmt: skip


@pytest.mark.parametrize("name", [*MANIFESTS, *LINES, "deep"])
def test_a_corpus_that_says_what_no_corpus_says(corpus, tmp_path, name):
    """Nothing is trained on it, so nothing is lost at the end of a training."""
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(corpus.folder, copy)
    manifest, lines = copy / "corpus.json", (copy / CLIPS).read_text().splitlines()
    if name == "deep":
        manifest.write_text("[" * 100_000)
    elif name in MANIFESTS:
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | MANIFESTS[name]))
    else:
        clip = json.loads(lines[0]) | LINES[name]
        clip["durations"] = clip["durations"] or [clip["frames"]]
        (copy / CLIPS).write_text("\n".join([json.dumps(clip), *lines[1:]]))
    said = run("--studio", tmp_path / "studio", "sound", "train", copy, "--budget", "1steps", code=1)
    assert "damaged" in said and "\n" not in said and len(said) < 300


def test_too_little_text(tmp_path):
    with pytest.raises(UserError, match="too short"):
        from_voice(["Hi."], ["hibari"], tmp_path / "corpus")
    with pytest.raises(UserError, match="no voice"):
        from_voice(TEXTS, ["zf_nobody_at_all"], tmp_path / "corpus")
    assert not (tmp_path / "corpus").exists()


# -- consent ------------------------------------------------------------------------------------------------------------


def test_no_consent_no_corpus(tmp_path):
    path, place = tmp_path / "me.wav", tmp_path / "studio"
    recording(path)
    for studio in (None, place):
        with pytest.raises(UserError, match="no consent on record"):
            from_recordings([path], tmp_path / "corpus", studio)
    studio = Studio(place)
    add(studio, path, "own", Consent("Lin", "train,publish"))
    with pytest.raises(UserError, match="does not cover clone-voice"):
        from_recordings([path], tmp_path / "corpus", place)
    add(studio, path, "own", Consent("Lin", "train,clone-voice", "2020-01-01"))
    with pytest.raises(UserError, match="ended on 2020-01-01"):
        from_recordings([path], tmp_path / "corpus", place)
    add(studio, path, "own", Consent("Lin", "train,clone-voice", "2999-01-01"))
    corpus = from_recordings([path], tmp_path / "corpus", place)
    assert corpus.speakers == ["Lin"] and corpus.manifest["works"][0]["until"] == "2999-01-01"
    recording(path, seed=1)  # another recording under the same name
    with pytest.raises(UserError, match="no consent on record"):
        from_recordings([path], tmp_path / "corpus", place)
    # Training asks again: the corpus is there, the consent is not.
    course = Course(VOCODER, QUICK, Plan(Budget(1, "steps")))
    with pytest.raises(UserError, match="no consent on record"):
        learn(corpus, tmp_path / "run", course, None)
    revoke(studio, all_works(studio)[0])
    with pytest.raises(UserError, match="was taken back"):
        learn(corpus, tmp_path / "run", course, place)
    assert not (tmp_path / "run").exists()


def test_a_voice_falls_silent_when_its_consent_ends(tmp_path):
    consent.may_speak({"trained_on": [{"name": "a", "consent": "Lin", "until": "2999-01-01"}, {"synthetic": True, "until": ""}]})
    with pytest.raises(UserError, match="Lin for this voice ended on 2020-01-01"):
        consent.may_speak({"trained_on": [{"consent": "Lin", "until": "2020-01-01"}]})
    with pytest.raises(UserError):
        consent.may_speak({"trained_on": [{"consent": "Lin", "until": "some day"}]})
    recording(tmp_path / "a.wav", 1)
    studio = Studio(tmp_path / "studio")
    ((work,), _) = add(studio, tmp_path / "a.wav", "own", Consent("Lin", "train,clone-voice"))
    card = {"trained_on": [{"name": "a.wav", "sha256": work.id, "consent": "Lin", "until": ""}]}
    consent.may_speak(card, tmp_path / "studio")
    revoke(studio, work)
    with pytest.raises(UserError, match="took back"):
        consent.may_speak(card, tmp_path / "studio")


def test_consent_by_command(tmp_path):
    recording(tmp_path / "a.wav")
    studio = ["--studio", tmp_path / "studio", "sound"]
    assert "1 " in run(*studio, "consent", "add", tmp_path / "a.wav", "--who", "林晓", "--until", "2999-12-31")
    assert "林晓" in run(*studio, "consent", "list")
    run(*studio, "prepare", tmp_path / "a.wav", "--out", tmp_path / "corpus")
    run(*studio, "consent", "revoke", "林晓")
    assert "taken back" in run(*studio, "prepare", tmp_path / "a.wav", "--out", tmp_path / "other", code=1)
    assert "neither" in run(*studio, "consent", "revoke", "nobody", code=1)


# -- recordings ---------------------------------------------------------------------------------------------------------


def consented(tmp_path, *paths):
    studio = Studio(tmp_path / "studio")
    for path in paths:
        add(studio, path, "own", Consent("self", "train,clone-voice"))
    return tmp_path / "studio"


def write_raw(path, samples, rate, width, channels=1):
    with wave.open(str(path), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(rate)
        scaled = samples[:, None].repeat(channels, 1)
        data = (scaled * 127 + 128).astype(np.uint8) if width == 1 else (scaled * 32767).astype("<i2")
        out.writeframes(data.tobytes())


def test_recordings_of_every_sort(tmp_path):
    samples = recording(tmp_path / "plain.wav", 11)
    write_raw(tmp_path / "eight.wav", samples, 24_000, 1)
    write_raw(tmp_path / "six.wav", samples, 24_000, 2, 6)
    pcm.write_wav(tmp_path / "high.wav", pcm.resample(samples, 24_000, 192_000), 192_000, 24)
    pcm.write(tmp_path / "coded.mp3", samples, 24_000)
    paths = sorted(path for path in tmp_path.iterdir() if path.suffix in (".wav", ".mp3"))
    corpus = from_recordings(paths, tmp_path / "corpus", consented(tmp_path, *paths))
    assert len(corpus.clips) == 5 and not corpus.manifest["passed_over"]
    heard = [as_mel(corpus.features[clip.start : clip.start + clip.frames].astype(np.float32)) for clip in corpus.clips]
    lengths = {len(part) for part in heard}
    assert max(lengths) - min(lengths) < 12  # mp3 has a delay
    means = [part.mean(0)[5:40] for part in heard]
    for number, mean in enumerate(means):
        assert np.abs(mean - means[-1]).mean() < (1.6 if paths[number].name == "eight.wav" else 0.4), paths[number]


@pytest.mark.parametrize(("name", "why"), [("silent", "silent"), ("short", "shorter than a second"), ("clipped", "clipped"),
                                           ("text", "cannot be read"), ("empty", "cannot be read|no sound")])  # fmt: skip
def test_recordings_that_are_none(tmp_path, name, why):
    path = tmp_path / f"{name}.wav"
    if name == "silent":
        pcm.write_wav(path, np.zeros(RATE * 12, np.float32), RATE)
    elif name == "short":
        recording(path, 0.6)
    elif name == "clipped":
        pcm.write_wav(path, np.clip(recording(path) * 30, -1, 1), 24_000)
    elif name == "text":
        path.write_text("this is a poem, not a wave\n" * 200)
    else:
        path.write_bytes(b"RIFF\0\0\0\0WAVE")
    good = tmp_path / "good.wav"
    recording(good, 14)
    studio = consented(tmp_path, path, good)
    with pytest.raises(UserError, match=why) as error:
        from_recordings([path], tmp_path / "corpus", studio)
    assert "\n" not in str(error.value) and not (tmp_path / "corpus").exists()
    corpus = from_recordings([path, good], tmp_path / "corpus", studio)
    assert [passed["name"] for passed in corpus.manifest["passed_over"]] == [path.name] and len(corpus.manifest["works"]) == 1


@pytest.mark.parametrize(("words", "why"), [("他说了什么".encode("gb18030"), "save what is spoken as UTF-8"),
                                            (b"\xff" * 99, "as UTF-8"),
                                            (b"la " * 9999, "longer than any"), (b"", "nothing to align"),
                                            (b"\x00\x01\x02", "nothing to align")])  # fmt: skip
def test_words_that_are_none(tmp_path, words, why):
    """Words in another encoding would be learned as the wrong ones."""
    path, good = tmp_path / "said.wav", tmp_path / "good.wav"
    recording(path, 12)
    recording(good, 14, seed=1)
    path.with_suffix(".txt").write_bytes(words)
    corpus = from_recordings([path, good], tmp_path / "corpus", consented(tmp_path, path, good))
    (passed,) = corpus.manifest["passed_over"]
    assert passed["name"] == "said.wav" and why in passed["why"]


def test_hidden_files_links_and_what_is_given_twice(tmp_path):
    """A computer lays ._NAME.wav beside NAME.wav; nobody's consent is asked for those."""
    folder = tmp_path / "takes"
    folder.mkdir()
    recording(folder / "one.wav", 14)
    (folder / "._one.wav").write_bytes(b"Mac OS X")
    (folder / "link.wav").symlink_to(folder / "one.wav")
    studio = consented(tmp_path, folder / "one.wav")
    corpus = from_recordings([folder, folder / "one.wav"], tmp_path / "corpus", studio)
    assert [work["name"] for work in corpus.manifest["works"]] == ["one.wav"] and corpus.manifest["seconds"] < 15


def test_one_second_and_truncated(tmp_path):
    one, cut = tmp_path / "one.wav", tmp_path / "cut.wav"
    recording(one, 1.2)
    with pytest.raises(UserError, match="too little"):
        from_recordings([one], tmp_path / "corpus", consented(tmp_path, one))
    recording(cut, 24)
    cut.write_bytes(cut.read_bytes()[: 24_000 * 2 * 13])
    corpus = from_recordings([cut], tmp_path / "corpus", consented(tmp_path, cut))
    assert 11 < corpus.manifest["seconds"] < 13.1
    with pytest.raises(UserError, match="does not exist"):
        from_recordings([tmp_path / "none.wav"], tmp_path / "corpus", None)
    (tmp_path / "void").mkdir()
    with pytest.raises(UserError, match="no recording"):
        from_recordings([tmp_path / "void"], tmp_path / "corpus", None)


def test_long_recordings_are_cut_at_rests():
    t = np.arange(RATE * 40) / RATE
    sound = np.sin(2 * np.pi * 200 * t).astype(np.float32) * (np.sin(2 * np.pi * t / 3) > -0.7)
    found = pieces(sound)
    assert all(1 <= (b - a) / RATE <= 12 for a, b in found) and sum(b - a for a, b in found) > 36 * RATE
    for _, end in found[:-1]:
        assert np.abs(sound[end - 100 : end + 100]).max() < 0.01
    assert pieces(np.zeros(50, np.float32)) == []


def test_a_transcript_is_aligned(corpus, tmp_path):
    # The reader's own reading, recorded: the durations it knows come back.
    clip = corpus.clips[0]
    kept = corpus.features[clip.start : clip.start + clip.frames].astype(np.float32)
    same = carried(clip.durations, kept, kept)
    assert np.abs(np.cumsum(same) - np.cumsum(clip.durations)).max() <= 2  # in silence any path is as good
    slower = kept[np.minimum(np.arange(int(len(kept) * 1.3)) * 10 // 13, len(kept) - 1)]
    moved = carried(clip.durations, kept, slower)
    assert sum(moved) == len(slower)
    assert np.abs(np.cumsum(moved) - 1.3 * np.cumsum(clip.durations)).max() < 6
    path = tmp_path / "read.wav"
    said = speak(" ".join(TEXTS), "hibari")
    pcm.write_wav(path, said.samples, said.rate)
    path.with_suffix(".txt").write_text(" ".join(TEXTS))
    made = from_recordings([path], tmp_path / "corpus", consented(tmp_path, path))
    assert made.clips[0].text.startswith("The lighthouse") and sum(made.clips[0].durations) == made.clips[0].frames
    assert len(made.clips[0].symbols) > 100


def test_pitch():
    t = np.arange(RATE) / RATE
    glide = 120 * 2 ** (t * 1.2)
    phase = 2 * np.pi * np.cumsum(glide) / RATE
    sound = (sum(np.sin(k * phase) / k for k in range(1, 8)) * 0.2).astype(np.float32)
    sound[: RATE // 5] = np.random.default_rng(0).normal(0, 0.02, RATE // 5)
    pitch, voiced = f0.track(sound, RATE, HOP)
    assert not voiced[2:14].any() and voiced[20:-4].all()
    middle = np.arange(20, 76)
    assert np.abs(pitch[middle] / glide[middle * HOP + HOP // 2] - 1).max() < 0.02
    assert not f0.track(np.zeros(RATE, np.float32), RATE, HOP)[1].any()
    both = features(sound)
    assert both.shape == (80, SIZE) and np.abs(as_hertz(both)[middle] - pitch[middle]).max() < 1


def test_emphasis_is_undone():
    sound = np.random.default_rng(0).normal(0, 0.1, 5000).astype(np.float32)
    assert np.allclose(flattened(emphasised(sound, 0.85), 0.85), sound, atol=1e-5)


# -- training -----------------------------------------------------------------------------------------------------------


def plan(steps):
    return Plan(Budget(steps, "steps"), validations=2, samples=1, record_every=1, checkpoint_seconds=1e9)


@pytest.mark.parametrize("shape", [VOCODER, replace(VOCODER, output="logistics", mixtures=3), ACOUSTIC])
def test_resumed_is_uninterrupted(corpus, tmp_path, shape):
    course = Course(shape, replace(QUICK, batch=2), plan(8))
    whole = learn(corpus, tmp_path / "whole", course, None)

    def stop(record):
        if record["kind"] == "train" and record["step"] == 5:
            import signal

            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        learn(corpus, tmp_path / "part", course, None, stop)
    assert (tmp_path / "part" / "last.safetensors").exists()
    again = learn(corpus, tmp_path / "part", course, None)
    first, second = own.read_tensors(whole), own.read_tensors(again)
    assert all(np.array_equal(first[name], second[name]) for name in first)
    logs = [[(record["step"], record["loss"]) for line in (tmp_path / name / LOG).read_text().splitlines()
             if (record := json.loads(line))["kind"] == "train"] for name in ("whole", "part")]  # fmt: skip
    assert logs[0] == logs[1]
    card = own.read_card(whole)
    assert card["trained_on"] == corpus.manifest["works"] and card["measured"]["validation_loss"] > 0
    samples = list((tmp_path / "whole" / "samples").iterdir())
    assert samples and all(path.suffix in (".wav", ".png") and path.stat().st_size > 1000 for path in samples)


def test_the_loss_falls(corpus, tmp_path):
    course = Course(ACOUSTIC, Settings(batch=4, lr=5e-3, precision="float32"), plan(60))
    learn(corpus, tmp_path / "run", course, None)
    records = [json.loads(line) for line in (tmp_path / "run" / LOG).read_text().splitlines()]
    losses = [record["loss"] for record in records if record["kind"] == "train"]
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])


def test_shapes_that_do_not_fit(corpus, tmp_path):
    with pytest.raises(UserError, match="receptive field"):
        learn(corpus, tmp_path / "run", Course(Shape(), QUICK, plan(1)), None)
    with pytest.raises(UserError, match="features"):
        learn(corpus, tmp_path / "run", Course(replace(VOCODER, features=80), QUICK, plan(1)), None)


def test_the_numpy_acoustic_model_is_torchs(corpus):
    from mofang.sound.nets.acoustic import Acoustic

    torch.manual_seed(0)
    shape = AcousticShape(width=24, encoder=2, timing=1, decoder=2, speakers=2)
    net = Acoustic(shape).eval()
    made = AcousticModel(shape, {name: tensor.numpy() for name, tensor in net.state_dict().items()})
    symbols = corpus.clips[0].symbols
    drawn, durations = made.features(symbols, 1)
    index, places = regulated(durations)
    with torch.no_grad():
        mask = torch.ones(1, len(symbols), 1)
        x, logs = net.encoded(torch.tensor([symbols]), torch.tensor([1]), mask)
        out = net.decoded(x, torch.from_numpy(index)[None], torch.from_numpy(places)[None], torch.ones(1, len(index), 1))
    assert np.array_equal(lengths(logs[0].numpy()), durations)
    expected = out[0].numpy()
    assert np.allclose(drawn[:, :-1], expected[:, :-1], atol=1e-4)
    assert np.allclose(drawn[:, -1], 1 / (1 + np.exp(-expected[:, -1])), atol=1e-4)
    # A batch is its clips: padding changes nothing.
    shorter = symbols[:20]
    padded = torch.zeros(2, len(symbols), dtype=torch.int64)
    padded[0], padded[1, :20] = torch.tensor(symbols), torch.tensor(shorter)
    held = torch.ones(2, len(symbols), 1)
    held[1, 20:] = 0
    with torch.no_grad():
        both = net.encoded(padded, torch.tensor([1, 1]), held)[1]
        alone = net.encoded(torch.tensor([shorter]), torch.tensor([1]), torch.ones(1, 20, 1))[1]
    assert torch.allclose(both[1, :20], alone[0], atol=1e-5)


def test_foretold_features_keep_the_pitch(corpus):
    from mofang.sound.own.train import foretold

    torch.manual_seed(0)
    from mofang.sound.nets.acoustic import Acoustic

    shape = AcousticShape(width=16, encoder=1, timing=1, decoder=1)
    model = AcousticModel(shape, {name: tensor.numpy() for name, tensor in Acoustic(shape).state_dict().items()})
    made, kept = foretold(corpus, model), np.asarray(corpus.features)
    assert made.shape == kept.shape and np.array_equal(made[:, -2:], kept[:, -2:]) and not np.allclose(made[:, :-2], kept[:, :-2])


def test_durations_round_without_drift():
    logs = np.log1p(np.full(100, 2.5)).astype(np.float32)
    assert lengths(logs).sum() == 250 and lengths(logs, 2.0).sum() == 125
    assert lengths(np.full(3, -5, np.float32)).sum() == 1


# -- the whole way ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(corpus, tmp_path_factory):
    """A voice hardly trained at all, by the commands."""
    folder = tmp_path_factory.mktemp("trained")
    base = ["--studio", folder / "studio", "sound"]
    common = ["--budget", "3steps", "--validations", "1", "--precision", "float32", "--threads", 1, "--batch", 1]
    run(*base, "train", corpus.folder, "--kind", "acoustic", "--width", 16, "--name", "ac", *common)
    run(*base, "train", corpus.folder, "--kind", "wavenet", "--acoustic", "ac", "--layers", 4, "--residual", 16, "--skip", 16,
        "--window", 6, "--name", "wn", *common)  # fmt: skip
    run(*base, "join", "ac", "wn", "--name", "demo")
    return folder


def test_speech_from_one_end_to_the_other(trained):
    voice = find_voice("demo", trained / "studio")
    assert voice.engine == "own" and voice.language == "en"
    speech = speak("Hello, 世界！", voice.name)
    assert "".join(piece.text for piece in speech.alignment) == "Hello, 世界！"
    assert speech.rate == RATE and 0.2 < speech.duration < 20 and np.isfinite(speech.samples).all()
    assert np.array_equal(speech.samples, speak("Hello, 世界！", voice.name).samples)
    run("--studio", trained / "studio", "sound", "speak", "Good evening.", trained / "out.wav", "--voice", "demo")
    assert (trained / "out.wav").stat().st_size > 1000
    studio = Studio(trained / "studio")
    (line,) = [asset for asset in studio.assets() if asset.path.suffix == ".wav"]
    assert studio.making(line).recipe.engine == "own" and remake(studio, line) == (line.id, False)
    assert "hibari" in studio.making(line).made.credits[0].author
    assert run("--studio", trained / "studio", "speech", "voices").startswith(voice.name)
    assert own.read_card(Path(voice.name))["trained_on"][0]["name"] == "hibari"


def test_speaking_needs_no_torch(trained):
    import subprocess
    import sys

    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from mofang.sound import speak\n"
        f"print(speak('Good evening.', {str(trained / 'studio' / 'models' / 'demo')!r}).duration > 0.1)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "True", done.stderr


def test_voices_that_are_none(trained, tmp_path):
    import shutil

    studio = trained / "studio"
    with pytest.raises(UserError, match="no acoustic model"):
        run_join = __import__("mofang.sound.own.join", fromlist=["join"]).join
        run_join(studio / "runs" / "wn" / "model", studio / "runs" / "wn" / "model", tmp_path / "voice")
    with pytest.raises(UserError, match="no voice"):
        find_voice("wn", studio)
    with pytest.raises(UserError, match="no teacher"):
        from_voice(TEXTS, [str(studio / "models" / "demo")], tmp_path / "corpus")
    with pytest.raises(UserError, match="no speaker"):
        speak("Hello.", find_voice("demo#nobody", studio).name)
    copy = tmp_path / "copy"
    shutil.copytree(studio / "models" / "demo", copy)
    card = json.loads((copy / own.CARD).read_text())
    card["trained_on"] = [{"name": "a.wav", "consent": "Lin", "until": "2020-01-01"}]
    (copy / own.CARD).write_text(json.dumps(card))
    with pytest.raises(UserError, match="ended on"):
        speak("Hello.", find_voice(str(copy)).name)
    weights = (copy / own.WEIGHTS).read_bytes()
    (copy / own.WEIGHTS).write_bytes(weights[: len(weights) // 2])
    (copy / own.CARD).unlink()
    with pytest.raises(UserError):
        speak("Hello.", find_voice(str(copy)).name)


def test_a_voice_is_joined_of_numbers_however_large_and_of_consents_that_hold(trained, tmp_path):
    import shutil

    from safetensors.numpy import save_file

    from mofang.sound.own.join import join

    runs = trained / "studio" / "runs"
    copy, weights = tmp_path / "ac", own.read_tensors(runs / "ac" / "model")
    shutil.copytree(runs / "ac" / "model", copy)
    save_file({**weights, "length.bias": np.float32([70_000])}, copy / own.WEIGHTS)
    made = join(copy, runs / "wn" / "model", tmp_path / "voice")
    assert own.read_tensors(made)["acoustic.length.bias"] == 70_000
    save_file({**weights, "length.bias": np.float32([np.nan])}, copy / own.WEIGHTS)
    with pytest.raises(UserError, match="no numbers"):
        join(copy, runs / "wn" / "model", tmp_path / "other")
    recording(tmp_path / "lin.wav", 1)
    studio = Studio(tmp_path / "studio")
    add(studio, tmp_path / "lin.wav", "own", Consent("Lin", "train,clone-voice"))
    (work,) = all_works(studio)
    (copy / own.CARD).write_text(json.dumps(own.read_card(copy) | {"trained_on": [{"name": "lin.wav", "sha256": work.id}]}))
    revoke(studio, work)
    with pytest.raises(UserError, match="Lin took back"):
        join(copy, runs / "wn" / "model", tmp_path / "other", studio=studio.folder)
    assert not (tmp_path / "other").exists()


def test_a_corpus_without_words_clears_no_run(corpus, tmp_path):
    import shutil

    made = learn(corpus, tmp_path / "run", Course(ACOUSTIC, QUICK, plan(1)), None)
    wordless = tmp_path / "wordless"
    shutil.copytree(corpus.folder, wordless)
    lines = [json.loads(line) | {"symbols": [], "durations": []} for line in (wordless / CLIPS).read_text().splitlines()]
    (wordless / CLIPS).write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(UserError, match="nobody has said what is spoken"):
        learn(Corpus.open(wordless), tmp_path / "run", Course(ACOUSTIC, QUICK, plan(1)), None, fresh=True)
    assert (made / own.WEIGHTS).is_file() and (tmp_path / "run" / "best.safetensors").is_file()


def test_a_trained_network_opens_again(trained):
    for name in ("ac", "wn"):
        net = load_network(trained / "studio" / "runs" / name / "model")
        assert sum(weight.numel() for weight in net.parameters()) > 1000


@pytest.mark.parametrize("of", ["ac", "wn", "voice"])
def test_a_training_begins_with_another_models_weights(corpus, trained, tmp_path, of):
    """With a rate of nothing it ends where that model, or that part of a voice, was."""
    runs = trained / "studio" / "runs"
    origin = runs / ("wn" if of == "wn" else "ac") / "model"
    start = trained / "studio" / "models" / "demo" if of == "voice" else origin
    config = own.read_config(origin)
    shape, other = (Shape.read(config), VOCODER) if of == "wn" else (AcousticShape.read(config), replace(ACOUSTIC, width=32))
    still = replace(QUICK, lr=1e-12, matrix_lr=0.0)
    with pytest.raises(UserError, match="is another network"):
        learn(corpus, tmp_path / "other", Course(other, still, plan(1), start=start), None)
    made = learn(corpus, tmp_path / "on", Course(shape, still, replace(plan(1), ema=0.0), start=start), None)
    before, after = own.read_tensors(origin), own.read_tensors(made)
    assert all(np.allclose(before[name], after[name], atol=2e-3 if of == "voice" else 1e-6) for name in before)  # A voice has halves.
    assert own.read_card(made)["recipe"]["from_sha256"] == own.read_card(start)["sha256"]


def test_what_it_began_with_is_on_the_card_and_its_consent_binds(corpus, trained, tmp_path):
    import shutil

    start = tmp_path / "start"
    shutil.copytree(trained / "studio" / "runs" / "ac" / "model", start)
    card = json.loads((start / own.CARD).read_text())
    shape = AcousticShape.read(own.read_config(start))
    other = {"name": "lin.wav", "sha256": "0" * 64, "consent": "Lin", "licence": "CC-BY-4.0"}
    (start / own.CARD).write_text(json.dumps({**card, "trained_on": [other]}))
    made = learn(corpus, tmp_path / "on", Course(shape, QUICK, plan(1), start=start), None)
    found = json.loads((made / own.CARD).read_text())
    assert other in found["trained_on"] and len(found["trained_on"]) == 1 + len(corpus.manifest["works"])
    assert "CC-BY-4.0" in found["licence"]
    (start / own.CARD).write_text(json.dumps({**card, "trained_on": [{**other, "until": "2020-01-01"}]}))
    with pytest.raises(UserError, match="ended on"):
        learn(corpus, tmp_path / "late", Course(shape, QUICK, plan(1), start=start), None)


NAMED = {"no card": "has no card.json", "card of numbers": "does not say what it learned from", "names alone": "does not say what",
         "not a number": "no numbers", "other names": "another network than", "other shapes": "another network than",
         "halved": "model.safetensors", "another kind": "of kind 'wavenet'", "long words": "is another network"}  # fmt: skip


@pytest.mark.parametrize("name", list(NAMED))
def test_no_training_begins_with_a_model_that_is_damaged_or_hides_whose_voice_it_learned(corpus, trained, tmp_path, name):
    """It is refused before the run's folder is touched, even one that is to be started over."""
    import shutil

    from safetensors.numpy import save_file

    start, shape = tmp_path / "start", AcousticShape.read(own.read_config(trained / "studio" / "runs" / "ac" / "model"))
    shutil.copytree(trained / "studio" / "runs" / ("wn" if name == "another kind" else "ac") / "model", start)
    card, weights = json.loads((start / own.CARD).read_text()), own.read_tensors(start)
    first = "symbols.weight"
    if name == "no card":
        (start / own.CARD).unlink()
    elif name in ("card of numbers", "names alone"):
        (start / own.CARD).write_text(json.dumps(card | {"trained_on": 7 if name == "card of numbers" else ["Lin"]}))
    elif name == "halved":
        (start / own.WEIGHTS).write_bytes((start / own.WEIGHTS).read_bytes()[:1000])
    elif name == "long words":
        (start / own.CONFIG).write_text(json.dumps(own.read_config(start) | {"width": "w\n" * 9999}))
    elif name != "another kind":
        value = weights.pop(first)
        other = {"not a number": {first: value * np.nan}, "other names": {"x": value}, "other shapes": {first: value[1:]}}
        save_file(weights | {key: np.ascontiguousarray(each) for key, each in other[name].items()}, start / own.WEIGHTS)
    learn(corpus, tmp_path / "run", Course(shape, QUICK, plan(1)), None)
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    with pytest.raises(UserError, match=NAMED[name]) as caught:
        learn(corpus, tmp_path / "run", Course(shape, QUICK, plan(1), start=start), None, fresh=True)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == before


def test_a_model_it_began_with_that_was_replaced_or_is_gone_is_told(corpus, trained, tmp_path):
    """Resumed it must be the same model, whatever its card claims; and the card it had when the training began is the one told."""
    import shutil

    start = tmp_path / "start"
    shutil.copytree(trained / "studio" / "runs" / "ac" / "model", start)
    shape = AcousticShape.read(own.read_config(start))
    made = learn(corpus, tmp_path / "run", Course(shape, QUICK, plan(2), start=start), None,
                 lambda record: (start / own.CARD).unlink(missing_ok=True))  # fmt: skip
    assert own.read_card(made)["trained_on"] == own.read_card(trained / "studio" / "runs" / "ac" / "model")["trained_on"]
    shutil.copytree(trained / "studio" / "runs" / "ac" / "model", start, dirs_exist_ok=True)
    data = bytearray((start / own.WEIGHTS).read_bytes())
    data[-4:] = np.float32(0.5).tobytes()
    (start / own.WEIGHTS).write_bytes(data)
    with pytest.raises(UserError, match="from_sha256"):
        learn(corpus, tmp_path / "run", Course(shape, QUICK, plan(2), start=start), None)


def test_commands_refuse_in_one_line(corpus, tmp_path):
    base = ["--studio", tmp_path / "studio", "sound"]
    assert "one of the two" in run(*base, "prepare", "--out", tmp_path / "x", code=1)
    assert "--texts" in run(*base, "prepare", "--voice", "hibari", "--out", tmp_path / "x", code=1)
    assert "no corpus" in run(*base, "train", tmp_path, code=1)
    assert "sixteens" in run(*base, "train", corpus.folder, "--residual", 24, code=1)
    for name in ("../../out", "/etc/voice", ".hidden", ".."):
        assert "is no name for a voice" in run(*base, "join", "a", "b", "--name", name, code=1)
    assert "no voice" in run(*base, "speak", "hi", tmp_path / "a.wav", "--voice", "nobody-here", code=1)
