"""Jukebox: numpy against torch, learning and exact resume, sampling by windows, continuing, bad recordings, the command line."""

import json
import os
import shlex
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from hostile_data import claim_in
from mofang import trust
from mofang.apps.remake import remake
from mofang.cli import mofang
from mofang.models import own
from mofang.sound import pcm
from mofang.sound.jukebox import conditions, data
from mofang.sound.jukebox.codec import Codec
from mofang.sound.jukebox.join import join
from mofang.sound.jukebox.network import Prior, Told
from mofang.sound.jukebox.sample import Jukebox, Wish, sample
from mofang.sound.jukebox.shape import CodecShape, PriorShape, read
from mofang.sound.sampling import nucleus
from mofang.studio import Made, Studio, UserError
from mofang.studio.works import Consent, add, all_works, revoke

torch = pytest.importorskip("torch")

from mofang.sound.jukebox.learn import Course, learn, prior_shape  # noqa: E402
from mofang.sound.jukebox.train import Settings  # noqa: E402
from mofang.sound.nets.jukebox_codec import CodecNet, spectral_loss  # noqa: E402
from mofang.sound.nets.jukebox_prior import PriorNet  # noqa: E402
from mofang.training.budget import Budget  # noqa: E402
from mofang.training.codebook import Codebook, perplexity  # noqa: E402
from mofang.training.loop import Plan  # noqa: E402

RATE = 8000
SMALL = CodecShape(RATE, ((4, 2), (4, 4, 2)), width=16, depth=2, latent=8, codes=32)


def tone(seed, seconds=3.0):
    """Notes of a scale with overtones."""
    rng = np.random.default_rng(seed)
    notes = [np.sin(np.outer(2 * np.pi * 220 * 2 ** (rng.integers(0, 12) / 12) * np.arange(1, 4), np.arange(RATE // 4) / RATE)).sum(0)
             * np.exp(-np.arange(RATE // 4) / RATE * 6) for _ in range(int(seconds * 4))]  # fmt: skip
    return (0.2 * np.concatenate(notes)).astype(np.float32)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    takes = [data.Take(tone(seed), f"tune {seed}", "waltz" if seed % 2 else "march", "CC0-1.0", "la la 啦") for seed in range(8)]
    return data.write(tmp_path_factory.mktemp("juke") / "data", takes, RATE, {"passed_over": []})


def plan(steps):
    return Plan(Budget(steps, "steps"), ema=0.9, validations=1, samples=1, record_every=1)


@pytest.fixture(scope="module")
def parts(corpus, tmp_path_factory):
    """A codec and a prior of each level, trained for some steps."""
    folder = tmp_path_factory.mktemp("runs")
    how = Settings(batch=4, window=2048, lr=3e-3, precision="float32", validation=4)
    codec = learn(corpus, folder / "codec", Course(SMALL, how, plan(60)))
    priors = []
    for level, lyrics in ((1, 8), (0, 0)):
        shape = prior_shape(corpus, SMALL, level, context=64, layers=1, width=32, heads=2, lyrics=lyrics)
        priors.append(learn(corpus, folder / f"prior{level}", Course(shape, how, plan(30), codec)))
    return codec, priors


@pytest.fixture(scope="module")
def model(parts, tmp_path_factory):
    return join(parts[0], parts[1], tmp_path_factory.mktemp("models") / "juke")


def shaken(net, size):
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(torch.randn_like(weight) * size)
    return net.eval(), {name: tensor.numpy() for name, tensor in net.state_dict().items()}


@pytest.mark.parametrize("level", [0, 1])
def test_numpy_codec_is_the_network_across_stretches(level):
    net, tensors = shaken(CodecNet(SMALL), 0.1)
    sound = torch.randn(1, RATE * 20) * 0.3
    with torch.no_grad():
        made, codes, _, _ = net.levels[level](sound)
    codec = Codec(SMALL, tensors)
    assert (codec.encode(sound[0].numpy(), level) != codes.numpy()).mean() < 1e-3  # Ties between entries may fall otherwise.
    assert np.abs(codec.decode(codes.numpy(), level) - made[0].numpy()).max() < 1e-5
    assert len(codes) == RATE * 20 // SMALL.hops[level]


def test_numpy_prior_is_the_network_however_it_is_fed():
    shape = PriorShape(0, 32, 1000.0, ("a", "b"), 64, 2, 32, 2, 8, 16, 2)
    net, tensors = shaken(PriorNet(shape), 0.2)
    codes, times = torch.randint(32, (1, 64)), torch.randint(64, (1, 64, 3))
    words, upper = torch.randint(257, (1, 8)), torch.randint(32, (1, 16))
    with torch.no_grad():
        wanted = net(codes, torch.tensor([1]), times, words, upper)[0].numpy()
    plain = Prior(shape, tensors)
    for first in (0, 1, 40):
        plain.begin(Told(1, times[0].numpy(), words[0].numpy(), upper[0].numpy()))
        rest = [plain.feed(codes[0, at : at + 1].numpy()) for at in range(first, 63)] if first else []
        plain.begin(Told(1, times[0].numpy(), words[0].numpy(), upper[0].numpy()))
        rows = plain.feed_all(codes[0, :first].numpy())
        rest = [plain.feed(codes[0, at : at + 1].numpy()) for at in range(first, 63)]
        assert np.abs(np.concatenate((rows, np.stack(rest))) - wanted).max() < 1e-4
    with pytest.raises(ValueError, match="longer"):
        plain.feed(codes[0, :1].numpy())


def test_the_prior_hears_no_future_and_all_it_is_told():
    shape = PriorShape(0, 16, 500.0, ("a", "b"), 32, 1, 16, 2, 4, 8, 1)
    net, _ = shaken(PriorNet(shape), 0.3)
    codes, times, style = torch.randint(16, (1, 32)), torch.zeros(1, 32, 3, dtype=torch.long), torch.tensor([0])
    words, upper = torch.zeros(1, 4, dtype=torch.long), torch.zeros(1, 8, dtype=torch.long)
    other = codes.clone()
    other[:, 20:] = (other[:, 20:] + 1) % 16
    with torch.no_grad():
        base = net(codes, style, times, words, upper)
        assert torch.allclose(base[:, :21], net(other, style, times, words, upper)[:, :21], atol=1e-5)
        for changed in ((style + 1, times, words, upper), (style, times + 1, words, upper), (style, times, words + 1, upper),
                        (style, times, words, upper + 1)):  # fmt: skip
            assert not torch.allclose(base, net(codes, *changed), atol=1e-4)


def test_a_codebook_begins_at_vectors_and_restarts_what_is_not_used():
    torch.manual_seed(0)
    vectors = torch.randn(64, 4) + 5
    book = Codebook(16, 4)
    book.begin(vectors)
    assert float(torch.cdist(book.entries, vectors).min(1).values.max()) < 0.2
    book.entries[3], book.counts[3] = 1e3, 0.0
    assert book.follow(vectors, book.nearest(vectors)) == 1 and float(book.entries[3].abs().max()) < 20
    assert perplexity(torch.ones(8)) == pytest.approx(8) and perplexity(torch.tensor([4.0, 0, 0])) == pytest.approx(1)


def test_the_spectral_loss_is_nothing_for_the_same_and_hears_a_pitch():
    a = torch.from_numpy(tone(0))[None]
    assert float(spectral_loss(a, a)) < 1e-3
    assert float(spectral_loss(torch.from_numpy(tone(1))[None], a)) > 0.3


@given(st.integers(0, 5000), st.integers(1, 5000), st.text(max_size=60), st.integers(1, 32))
@settings(max_examples=60, deadline=None)
def test_what_is_told_of_time_and_words_stays_in_bounds(start, total, text, size):
    bins = conditions.times(start, 16, total, 125.0)
    assert bins.shape == (16, 3) and bins.min() >= 0 and bins.max() < 64
    words = conditions.lyrics(text, start, 16, total, size)
    assert words.shape == (size,) and words.min() >= 0 and words.max() <= conditions.SILENT


def test_a_draw_keeps_to_the_nucleus():
    rng, logits = np.random.default_rng(0), np.log(np.array([0.6, 0.3, 0.06, 0.04], np.float32))
    counts = np.bincount([nucleus(logits, rng, 1.0, 0.8) for _ in range(600)], minlength=4)
    assert counts[2:].sum() == 0 and counts[0] / counts.sum() == pytest.approx(2 / 3, abs=0.06)
    assert {nucleus(logits, rng, 0.01, 1.0) for _ in range(20)} == {0}


def test_learning_helps_and_the_card_says_so(parts, corpus):
    codec, (top, _) = parts
    log = [json.loads(line) for line in (codec.parent / "log.jsonl").read_text().splitlines()]
    losses = [record["loss"] for record in log if record["kind"] == "train"]
    assert np.mean(losses[-5:]) < 0.85 * np.mean(losses[:5])
    last = [record for record in log if record["kind"] == "validate"][-1]
    assert last["used0"] > 4 and {"snr0", "snr1", "spectral0"} <= last.keys()
    assert list((codec.parent / "samples").glob("*.png")) and (codec.parent / "report.html").is_file()
    card = own.read_card(top)
    assert card["measured"]["validation_loss"] < np.log(32) and card["licence"] == "CC0-1.0"
    assert sum(each["pieces"] for each in card["trained_on"]) == len(corpus.entries)


def stopped_at(folder, corpus, course, step):
    def listen(record):
        if record["kind"] == "train" and record["step"] == step:
            os.kill(os.getpid(), 2)

    with pytest.raises(KeyboardInterrupt):
        learn(corpus, folder, course, None, listen)


@pytest.mark.parametrize("kind", ["codec", "prior"])
def test_resumed_is_uninterrupted(kind, corpus, parts, tmp_path):
    how = Settings(batch=2, window=1024, precision="float32", validation=2)
    if kind == "codec":
        course = Course(SMALL, how, plan(5))
    else:
        course = Course(prior_shape(corpus, SMALL, 0, context=32, layers=1, width=16, heads=2), how, plan(5), parts[0])
    learn(corpus, tmp_path / "whole", course)
    stopped_at(tmp_path / "parts", corpus, course, 3)
    learn(corpus, tmp_path / "parts", course)
    from safetensors.torch import load_file

    a, b = (load_file(tmp_path / name / "last.safetensors") for name in ("whole", "parts"))
    assert a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_samples_are_as_long_as_asked_and_the_same_again(model):
    jukebox = Jukebox.open(model)
    wish = Wish("waltz", 1.5, "la la", seed=3)
    made = sample(jukebox, wish)
    assert abs(len(made) - 1.5 * RATE) <= SMALL.hops[-1] and np.isfinite(made).all()
    assert np.array_equal(made, sample(jukebox, wish))
    assert not np.array_equal(made, sample(jukebox, Wish("waltz", 1.5, "la la", seed=4)))


def test_what_was_given_stays(model):
    given_, whole = tone(5, 1.0), sample(Jukebox.open(model), Wish("march", 2.0), tone(5, 1.0))
    assert np.array_equal(whole[: len(given_) - 256], given_[:-256]) and len(whole) >= 1.9 * RATE
    with pytest.raises(UserError, match="beginning alone"):
        sample(Jukebox.open(model), Wish("march", 0.5), given_)
    with pytest.raises(UserError, match="choose one of: march, waltz"):
        sample(Jukebox.open(model), Wish("polka", 1.0))


def test_parts_that_do_not_belong_together_are_refused(parts, tmp_path):
    codec, (top, bottom) = parts
    with pytest.raises(UserError, match="one prior for level 1"):
        join(codec, [bottom], tmp_path / "x")
    only = Jukebox.open(join(codec, [top], tmp_path / "top"))
    assert len(sample(only, Wish("march", 1.0))) == pytest.approx(RATE, abs=32)
    with pytest.raises(UserError, match="no codec"):
        Codec.open(top)
    with pytest.raises(UserError, match="no network of this kind"):
        read(PriorShape, {**own.read_config(top), "width": 1 << 40})


def test_bad_recordings_are_named_and_left_out(tmp_path):
    folder = tmp_path / "songs" / "waltz"
    folder.mkdir(parents=True)
    pcm.write_wav(folder / "good.wav", np.stack((tone(0), tone(0)), 1), RATE, 24)
    (folder / "good.txt").write_text("啦啦啦", "utf-8")
    pcm.write_wav(folder / "fast.wav", pcm.resample(tone(1), RATE, 192_000), 192_000)
    pcm.write_wav(folder / "silent.wav", np.zeros(3 * RATE, np.float32), RATE)
    pcm.write_wav(folder / "second.wav", tone(2)[:RATE], RATE)
    (folder / "text.wav").write_text("la la la")
    (folder / "cut.flac").write_bytes(b"fLaC" + bytes(20))
    made = data.prepare([tmp_path / "songs"], tmp_path / "out", rate=RATE)
    assert [entry.title for entry in made.entries] == ["fast", "good"] and made.styles == ("waltz",)
    assert made.entries[1].lyrics == "啦啦啦" and len(made.manifest["passed_over"]) == 4
    assert all("\n" not in why for why in made.manifest["passed_over"])
    with pytest.raises(UserError, match="is silent"):
        data.prepare([folder / "silent.wav"], tmp_path / "none", rate=RATE)
    with pytest.raises(UserError, match="jukebox prepare"):
        data.Corpus.open(tmp_path / "none")


CLAIMS = {"endless rate": {"rate": 1e400}, "no hash": {"data_sha256": None}, "hash that climbs": {"data_sha256": "a/../../../b"},
          "no seconds": {"seconds": {}}, "format": {"format": []}, "one part": {"part": "test"}, "style": {"style": ["waltz"]},
          "title": {"title": 7}, "a half": {"start": 0.5}, "beyond": {"length": 10**30}, "more": {"path": "/etc/passwd"}}  # fmt: skip


@pytest.mark.parametrize("name", [*CLAIMS, "deep", "odd"])
def test_data_that_say_what_no_data_say(corpus, tmp_path, name):
    copy = tmp_path / "copy"
    shutil.copytree(corpus.folder, copy)
    manifest = copy / data.MANIFEST
    if name == "odd":
        (copy / data.SOUND).write_bytes((copy / data.SOUND).read_bytes() + b"x")
    elif name == "deep":
        manifest.write_text("[" * 100_000)
    else:
        claim_in(manifest, CLAIMS[name], "recordings")
    done = CliRunner().invoke(mofang, ["--studio", str(tmp_path / "studio"), "jukebox", "train", str(copy), "--budget", "1steps"])
    assert isinstance(done.exception, UserError), (done.output, done.exception)
    assert "no recordings to learn from" in str(done.exception) and "\n" not in str(done.exception)
    assert not (tmp_path / "studio" / "runs").exists()


def test_a_codec_that_cannot_be_clears_no_run_and_one_of_no_numbers_teaches_nothing(corpus, parts, tmp_path):
    from safetensors.numpy import save_file

    run = tmp_path / "codec"
    shutil.copytree(parts[0].parent, run)
    before = (run / "best.safetensors").read_bytes()
    with pytest.raises(UserError, match="take a multiple of 32"):
        learn(corpus, run, Course(SMALL, Settings(window=2049), plan(1)), fresh=True)
    assert (run / "best.safetensors").read_bytes() == before
    weights = own.read_tensors(run / "model")
    name = next(name for name in weights if name.startswith("levels.0.decoder"))
    save_file({**weights, name: weights[name] * np.nan}, run / "model" / own.WEIGHTS)
    with pytest.raises(UserError, match="train or fetch the model again"):
        Codec.open(run / "model")


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "none", "large"])
def test_damaged_codes_of_a_run_are_told(corpus, parts, tmp_path, damage):
    shape = prior_shape(corpus, SMALL, 1, context=64, layers=1, width=32, heads=2)
    course = Course(shape, Settings(batch=2, precision="float32", validation=2), plan(1), parts[0])
    learn(corpus, tmp_path / "run", course)
    (kept,) = (tmp_path / "run").glob("codes-*.npz")
    with np.load(kept) as file:
        codes = {name: file[name] for name in file.files}
    whole = kept.read_bytes()
    if damage in ("none", "large"):
        first = next(iter(codes))
        np.savez(kept, **codes | {first: codes[first][:0] if damage == "none" else codes[first] + 30_000})
    else:
        kept.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "text": b"hello"}[damage])
    with pytest.raises(UserError, match="delete it and run the same command again"):
        learn(corpus, tmp_path / "run", course)
    kept.unlink()
    learn(corpus, tmp_path / "run", course)


def test_consent_is_asked_when_preparing_and_again_when_training(tmp_path):
    studio = Studio(tmp_path / "studio")
    pcm.write_wav(tmp_path / "hers.wav", tone(1), RATE)
    add(studio, tmp_path / "hers.wav", "CC-BY-4.0", Consent("Li"))
    made = data.prepare([tmp_path / "hers.wav"], tmp_path / "out", rate=RATE, studio=studio.folder)
    assert {entry.licence for entry in made.entries} == {"CC-BY-4.0"} and len(made.part("validation")) == 1
    revoke(studio, all_works(studio)[0])
    course = Course(SMALL, Settings(batch=2, window=1024), plan(2))
    for again in (lambda: data.prepare([tmp_path / "hers.wav"], tmp_path / "o2", rate=RATE, studio=studio.folder),
                  lambda: learn(made, tmp_path / "run", course, studio.folder)):  # fmt: skip
        with pytest.raises(UserError, match="consent of Li was taken back"):
            again()


@pytest.fixture
def outside(tmp_path, model, parts):
    """A studio, a jukebox and a codec that lie outside it, a song, and a way to run commands there."""
    shutil.copytree(model, tmp_path / "else" / "juke")
    shutil.copytree(parts[0], tmp_path / "else" / "codec")
    pcm.write_wav(tmp_path / "song.wav", np.stack((tone(5), tone(6)), 1), RATE, 24)

    def run(*arguments, studio="studio"):
        done = CliRunner().invoke(mofang, ["--studio", str(tmp_path / studio), *map(str, arguments)])
        assert done.exit_code == 0 or isinstance(done.exception, UserError), (done.output, done.exception)
        return done

    return tmp_path, run


MADE = {
    "sample": ["sample", "--style", "waltz", "--seconds", "1.5", "--seed", "3", "--lyrics", "-- la la\n啦 'o", "--temperature", "0.9"],
    "continue": ["continue", "song.wav", "--style", "march", "--seconds", "3.5", "--top-p", "0.9", "--lyrics", "words.txt"],
    "reconstruct": ["reconstruct", "song.wav", "--level", "1"],
}


@pytest.mark.parametrize("verb", MADE)
def test_what_was_made_tells_its_command_and_comes_again_bit_for_bit(outside, monkeypatch, verb):
    folder, run = outside
    monkeypatch.chdir(folder)
    (folder / "words.txt").write_text("Row, row\n划船\n", "utf-8")
    name = "codec" if verb == "reconstruct" else "juke"
    words = [MADE[verb][0], *(["song.wav"] if verb != "sample" else []), "a.wav", *MADE[verb][2 if verb != "sample" else 1 :]]
    assert run("jukebox", *words, "--model", f"else/{name}").exit_code == 0
    # Its own folder is nobody's business: where no model of that name is, a line says which is missing, and what to do.
    told = run("recall", "a.wav")
    assert str(folder) not in told.stdout and f"--model {name}" in told.stdout and told.stderr.count("\n") == 1
    assert f"{name} (SHA-256 {own.key(folder / 'else' / name).partition('@')[2]}…), which is not here" in told.stderr
    told = run("recall", "a.wav", "--model", f"else/{name}")
    assert not told.stderr
    command = shlex.split(told.stdout)
    assert command[:3] == ["mofang", "jukebox", verb] and command[-1] == "a.wav"
    # In another studio nothing can come from what is kept.
    assert run(*command[1:-1], "b.wav", studio="other").exit_code == 0
    assert np.array_equal(pcm.read(folder / "a.wav", RATE), pcm.read(folder / "b.wav", RATE))
    assert trust.verify(folder / "b.wav", folder / "other").ok
    told = json.loads(run("recall", "a.wav", "--json").stdout)
    assert told["recipe"]["version"] == "1" and told["model"]["name"] == name and not told["model"]["here"]
    studio = Studio(folder / "studio")
    asset = next(each for each in studio.assets() if studio.making(each).recipe.engine.startswith("jukebox"))
    with pytest.raises(UserError, match=r"not here: .*put its folder into"):
        remake(studio, asset)
    # On the shelf it is found, under another name too; and then the command names it so.
    shutil.copytree(folder / "else" / name, folder / "studio" / "models" / "renamed")
    assert remake(studio, asset) == (asset.id, False)
    told = run("recall", "a.wav")
    assert not told.stderr and "--model renamed " in told.stdout


def _tone_into(path):
    pcm.write_wav(path, tone(1), RATE)
    return Made((), {"rate": RATE})


def test_another_model_is_not_taken_for_the_one_that_made_it(outside, parts):
    folder, run = outside
    run("jukebox", "sample", folder / "a.flac", "--model", folder / "else" / "juke", "--style", "waltz", "--seconds", 1)
    assert "another model than the one" in str(run("recall", folder / "a.flac", "--model", parts[0]).exception)
    assert "nothing at" in str(run("recall", folder / "a.flac", "--model", folder / "none").exception)
    join(parts[0], parts[1][:1], folder / "studio" / "models" / "juke")
    assert "which is not here" in run("recall", folder / "a.flac").stderr
    # What an older version made has no credits, and goes out all the same.
    studio = Studio(folder / "studio")
    studio.make(studio.making(studio.assets()[0]).recipe, ".wav", _tone_into, fresh=True)
    run("jukebox", "sample", folder / "c.flac", "--model", folder / "else" / "juke", "--style", "waltz", "--seconds", 1)
    assert run("recall", folder / "c.flac", "--model", folder / "else" / "juke").exit_code == 0
    run("sound", "effect", "rain", folder / "rain.wav", "--seconds", 1)
    assert "leave --model out" in str(run("recall", folder / "rain.wav", "--model", parts[0]).exception)


def test_what_goes_on_from_a_generated_piece_hears_no_label(outside, monkeypatch):
    folder, run = outside
    monkeypatch.chdir(folder)
    made = ["--model", "else/juke", "--style", "waltz", "--seconds"]
    run("jukebox", "sample", "a.wav", *made, 1)
    run("jukebox", "continue", "a.wav", "b.wav", *made, 2)
    studio = Studio(folder / "studio")
    first, second = sorted((each for each in studio.assets() if studio.making(each).recipe.engine == "jukebox"), key=lambda e: e.size)
    given_, whole = pcm.read(first.path, RATE), pcm.read(second.path, RATE)
    assert np.abs(whole[: len(given_) - 256] - given_[:-256]).max() < 1e-4
    assert len(studio.making(second).recipe.parents) == 1 and trust.verify(folder / "b.wav", studio.folder).generated


def test_from_recordings_to_music_on_the_command_line(tmp_path, parts):
    def run(*arguments, status=0):
        result = CliRunner().invoke(mofang, ["--studio", str(tmp_path / "studio"), *map(str, arguments)])
        if status:
            assert isinstance(result.exception, UserError) and "\n" not in str(result.exception)
        else:
            assert result.exit_code == 0, result.output + repr(result.exception)
        return result

    for seed in range(3):
        (tmp_path / "songs" / "march").mkdir(parents=True, exist_ok=True)
        pcm.write_wav(tmp_path / "songs" / "march" / f"{seed}.wav", tone(seed), RATE)
    run("jukebox", "prepare", tmp_path / "songs", "--out", tmp_path / "data", "--rate", RATE)
    small = ("--batch", 2, "--budget", "3steps", "--validations", 1, "--name")
    run("jukebox", "train", tmp_path / "data", "--codes", 32, "--channels", 8, "--window", 2048, *small, "codec")
    run("jukebox", "train", tmp_path / "data", "--kind", "prior", *small, "top", status=2)
    run("jukebox", "train", tmp_path / "data", "--kind", "prior", "--codec", "codec", "--context", 32, "--layers", 1, "--width", 16,
        "--heads", 2, *small, "top")  # fmt: skip
    run("jukebox", "join", "codec", "top", "--name", "mine")
    target = tmp_path / "a.wav"
    run("jukebox", "sample", target, "--model", "mine", "--style", "march", "--seconds", 1)
    assert trust.verify(target, tmp_path / "studio").ok
    studio = Studio(tmp_path / "studio")
    asset = studio.assets()[0]
    assert remake(studio, asset)[0] == asset.id
    run("jukebox", "continue", tmp_path / "songs" / "march" / "0.wav", tmp_path / "b.mp3", "--model", "mine", "--style", "march",
        "--seconds", 4)  # fmt: skip
    run("jukebox", "reconstruct", tmp_path / "songs" / "march" / "0.wav", tmp_path / "c.flac", "--model", "codec", "--level", 1)
    assert trust.verify(tmp_path / "c.flac", tmp_path / "studio").ok and (tmp_path / "b.mp3").stat().st_size > 1000
    run("jukebox", "sample", tmp_path / "a.txt", "--model", "mine", "--style", "march", status=2)
    run("jukebox", "sample", target, "--model", "mine", "--style", "polka", status=2)
    run("jukebox", "reconstruct", tmp_path / "none.wav", target, "--model", "codec", status=2)
