"""Learning, composing and playing: the network against numpy, exact resume, grammar, form, cadence, copying, the room."""

import io
import os
import shutil
from itertools import pairwise

import numpy as np
import pytest
from click.testing import CliRunner

from hostile_data import claim_in
from mofang import models
from mofang.apps.remake import remake
from mofang.cli import mofang
from mofang.models import own
from mofang.sound.music import band, compose, copying, data, midi, tokens
from mofang.sound.music.grammar import Grammar, triad_of
from mofang.sound.music.mood import scale_of
from mofang.sound.music.network import Network
from mofang.sound.music.score import DRUMS, GRID, Key, Metre, Note, Score, Track
from mofang.sound.reverb import equalise, reverb
from mofang.studio import Studio, UserError
from mofang.studio.works import Consent, add, all_works, revoke

torch = pytest.importorskip("torch")

from mofang.sound.music.learn import Course, learn  # noqa: E402
from mofang.sound.music.tasks import window  # noqa: E402
from mofang.sound.music.train import Composer, Settings  # noqa: E402
from mofang.sound.nets.score import ScoreNet, config_for  # noqa: E402
from mofang.training.budget import Budget  # noqa: E402
from mofang.training.loop import Plan  # noqa: E402


def tune(seed, style="folk-zh", metre=Metre(2, 4)):  # noqa: B008
    """A tune that walks about a pentatonic scale."""
    rng = np.random.default_rng(seed)
    scale, place, at, notes = (60, 62, 64, 67, 69, 72, 74, 76), 3, 0, []
    while at < 8 * metre.bar:
        place = int(np.clip(place + rng.integers(-2, 3), 0, 7))
        size = int(rng.choice((6, 6, 12)))
        notes.append(Note(at, size, scale[place]))
        at += size
    return Score((Track(tuple(notes), 73),), Key(0), metre, 84.0, style, f"tune {seed}")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    pieces = [data.Piece(tune(seed), "a test", "CC0-1.0") for seed in range(40)]
    return data.write(tmp_path_factory.mktemp("music") / "data", pieces, {})


@pytest.fixture(scope="module")
def model(prepared, tmp_path_factory):
    plan = Plan(Budget(60, "steps"), ema=0.9, validations=2, samples=1)
    course = Course("nano", Settings(context=128, batch=8, precision="float32"), plan)
    return learn(prepared, tmp_path_factory.mktemp("run") / "tunes", course)


def test_numpy_is_the_network():
    torch.manual_seed(0)
    net = ScoreNet(config_for(2, 32, 4, 256)).eval()
    with torch.no_grad():
        for weight in net.parameters():
            weight.normal_(0, 0.2)
    ids = tokens.encode(tune(0))
    places = tokens.places(ids)
    with torch.no_grad():
        wanted, _ = net(torch.from_numpy(ids.astype(np.int64))[None], torch.from_numpy(places)[None])
        first, cache = net(torch.from_numpy(ids[:20].astype(np.int64))[None], torch.from_numpy(places[:20])[None])
        second, _ = net(torch.from_numpy(ids[20:].astype(np.int64))[None], torch.from_numpy(places[20:])[None], cache)
    assert torch.allclose(torch.cat((first, second), 1), wanted, atol=1e-4)
    plain = Network(net.config, {name: tensor.numpy() for name, tensor in net.state_dict().items()})
    made = np.stack([plain.feed([event], [place]) for event, place in zip(ids.tolist(), places.tolist(), strict=True)])
    assert np.abs(made - wanted[0].numpy()).max() < 1e-3 * np.abs(made).max()
    plain.length = 11  # some together, after some that stand
    assert np.abs(plain.feed(ids[11:40].tolist(), places[11:40].tolist()) - made[39]).max() < 1e-3 * np.abs(made).max()


def test_a_fresh_network_knows_nothing_and_the_loss_says_so(prepared):
    torch.manual_seed(0)
    loss = Composer(ScoreNet(config_for(1, 16, 2, 256)), prepared, Settings(context=64)).validate()["loss"]
    assert abs(loss - np.log(tokens.VOCABULARY)) < 0.1


def test_windows_keep_the_heading_and_true_places():
    ids = tokens.encode(tune(1))
    cut, places = window(ids, 60, 4)
    assert list(cut[:10]) == list(ids[:10]) and cut[10] == tokens.BAR
    assert places[10].tolist() == [5, tune(1).bars - 5, 0] and places[0].tolist() == [0, tokens.NEAR_END, 0]


def test_resumed_is_uninterrupted(prepared, tmp_path):
    def run(name, stop):
        course = Course("nano", Settings(context=64, batch=4), Plan(Budget(8, "steps"), validations=2, samples=1, record_every=1))
        stopped = []

        def listen(record):
            if stop and record["kind"] == "train" and record["step"] == 5 and not stopped:
                stopped.append(5)
                os.kill(os.getpid(), 2)

        return learn(prepared, tmp_path / name, course, listen)

    run("whole", False)
    with pytest.raises(KeyboardInterrupt):
        run("parts", True)
    assert own.read_card(tmp_path / "parts" / "model")["licence"] == "CC0-1.0"
    run("parts", False)
    from safetensors.torch import load_file

    a, b = (load_file(tmp_path / name / "last.safetensors") for name in ("whole", "parts"))
    assert a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_learning_helps_and_says_so(model):
    card = own.read_card(model)
    assert card["measured"]["validation_loss"] < 2.5
    assert card["trained_on"] == [{"title": "folk-zh", "licence": "CC0-1.0", "pieces": 40}]


@pytest.mark.parametrize("seed", [0, 1])
def test_a_piece_has_form_scale_and_cadence(model, seed):
    network, known = Network.open(model), compose.styles(model)
    wish = compose.Wish("folk-zh", 16, key=Key(2), tempo=72.0, seed=seed)
    score = compose.compose(network, known, wish)
    assert score == compose.compose(network, known, wish)
    assert (score.bars, score.key, score.metre, score.tempo) == (16, Key(2), Metre(2, 4), 72.0)
    notes, bar = score.tracks[0].notes, score.metre.bar
    assert all(a.end <= b.start for a, b in pairwise(notes))
    assert {note.pitch % 12 for note in notes} <= scale_of(Key(2), "pentatonic")
    assert notes[-1].pitch % 12 == 2 and notes[-1].end == 16 * bar

    def part(number):
        return [(note.start - number * bar, note.duration, note.pitch) for note in notes if note.start // bar == number]

    assert all(part(number) == part(4 + number) == part(12 + number) for number in range(3))
    assert [part(number) for number in range(4)] != [part(8 + number) for number in range(4)]
    assert all(part(number) for number in range(16))


def test_four_parts_and_drums_stay_in_order(model):
    rng = np.random.default_rng(0)
    grammar = Grammar(Key(0), Metre(4, 4), (52, 52, 32, DRUMS), scale_of(Key(0), "western"))
    ids = tokens.heading(Score(tuple(Track((), program) for program in grammar.programs)))
    for bar in range(6):
        ids.append(tokens.BAR)
        grammar.begin_bar(closing=bar == 5)
        while (event := int(rng.choice(np.flatnonzero(grammar.mask())))) != tokens.BAR:
            ids.append(event)
            grammar.take(event)
    score = tokens.decode(ids)
    assert score.end <= 6 * 48
    for track in score.tracks:
        assert all(a.end <= b.start for a, b in pairwise(track.notes))
        if track.program != DRUMS:
            assert {note.pitch % 12 for note in track.notes if note.start >= 240} <= triad_of(Key(0))


def test_a_beginning_is_gone_on_from(model):
    beginning = tune(7)
    score = compose.compose(Network.open(model), compose.styles(model), compose.Wish("folk-zh", 12, seed=1, form=""), beginning)
    first = beginning.tracks[0].notes
    assert [note[:3] for note in score.tracks[0].notes[: len(first)]] == [note[:3] for note in first]
    assert score.bars == 12
    with pytest.raises(UserError, match="more than the beginning"):
        compose.compose(Network.open(model), compose.styles(model), compose.Wish("folk-zh", 4), beginning)


def test_copies_are_found_in_any_key(prepared):
    index = copying.index(prepared.pieces("train"))
    known = tokens.decode(prepared.pieces("train")[0])
    assert index.copied(known.transposed(5)) == (1.0, len(known.tracks[0].notes))
    rng = np.random.default_rng(3)
    new = [Note(at * 6, 6, int(pitch)) for at, pitch in enumerate(rng.integers(40, 90, 60))]
    assert index.copied(Score((Track(tuple(new)),))) == (0.0, 0)
    part = [Note(at * 6, 6, note.pitch + 3) for at, note in enumerate(known.tracks[0].notes[:15])]
    mixed = [*part, *(note._replace(start=note.start + 90) for note in new)]
    assert index.copied(Score((Track(tuple(mixed)),))) == (15 / 75, 15)


def test_the_room_decays_as_asked_and_the_equaliser_follows_its_curve():
    click = np.zeros((4800, 2), np.float32)
    click[0] = 1
    tail = reverb(click, 48_000, 1.0)
    energy = np.cumsum((tail**2).sum(1)[::-1])[::-1]
    decay = 10 * np.log10(energy[9600:33600:2400] / energy[0])
    slope = np.polyfit(np.arange(len(decay)) * 0.05, decay, 1)[0]
    assert -90 < slope < -55  # −60 dB a second, and the damping on top
    assert not tail[:1400].any() and abs(np.corrcoef(tail[5000:20000].T)[0, 1]) < 0.2
    time = np.arange(48_000) / 48_000
    for frequency, decibels in ((100, -6.0), (1000, 0.0), (4000, 6.0)):
        sine = np.sin(2 * np.pi * frequency * time).astype(np.float32)[:, None]
        out = equalise(sine, 48_000, ((100, -6), (1000, 0), (4000, 6)))
        assert abs(20 * np.log10(out[8000:40000].std() / sine[8000:40000].std()) - decibels) < 0.1


def run(tmp_path, *arguments):
    return CliRunner().invoke(mofang, ["--studio", str(tmp_path / "studio"), *map(str, arguments)])


def test_the_command_writes_scores(model, tmp_path):
    (tmp_path / "studio" / "models").mkdir(parents=True)
    (tmp_path / "studio" / "models" / "tunes").symlink_to(model)
    done = run(tmp_path, "music", "compose", "--model", "tunes", "--style", "folk-zh", "--bars", 8, "--key", "G", "--seed", 3,
               tmp_path / "a.mid", tmp_path / "a.musicxml", tmp_path / "a.png")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert midi.read(tmp_path / "a.mid").key == Key(1) and midi.read(tmp_path / "a.mid").bars == 8
    (asset,) = Studio(tmp_path / "studio").assets()
    assert remake(Studio(tmp_path / "studio"), asset)[0] == asset.id
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG" and "score-partwise" in (tmp_path / "a.musicxml").read_text("utf-8")


@pytest.mark.parametrize("arguments, said", [
    (("--style", "polka"), "not learned"), (("--style", "folk-zh", "--key", "H"), "no key"),
    (("--style", "folk-zh", "--continue", "none.mid"), "cannot be read"), (("--style", "folk-zh", "--metre", "3/5"), "no metre"),
    (("--style", "folk-zh", "--model", "nobody"), "no model"),
])  # fmt: skip
def test_what_cannot_be_composed_is_said_in_a_line(model, tmp_path, arguments, said):
    given = arguments if "--model" in arguments else (*arguments, "--model", model)
    done = run(tmp_path, "music", "compose", tmp_path / "a.mid", *given)
    assert isinstance(done.exception, UserError) and said in str(done.exception) and "\n" not in str(done.exception)
    done = run(tmp_path, "music", "compose", tmp_path / "a.doc", "--style", "folk-zh", "--model", model)
    assert "cannot write music" in str(done.exception)


def test_prepare_names_what_it_leaves_out(tmp_path):
    for number in range(3):
        midi.write(tmp_path / f"{number}.mid", tune(number))
    (tmp_path / "bad.mid").write_bytes(b"no")
    done = run(tmp_path, "music", "prepare", tmp_path, "--out", tmp_path / "d", "--style", "folk-zh")
    assert done.exit_code == 0 and "bad.mid is no MIDI file" in done.output and len(data.open_data(tmp_path / "d").entries) == 3


def test_consent_is_asked_when_preparing_and_again_when_training(tmp_path):
    for number in range(3):
        midi.write(tmp_path / "scores" / f"{number}.mid", tune(number))
    studio = Studio(tmp_path / "studio")
    add(studio, tmp_path / "scores" / "1.mid", "CC-BY-4.0", Consent("Li"))
    assert run(tmp_path, "music", "prepare", tmp_path / "scores", "--out", tmp_path / "d").exit_code == 0
    assert {entry.licence for entry in data.open_data(tmp_path / "d").entries} == {"LicenseRef-own", "CC-BY-4.0"}
    revoke(studio, all_works(studio)[0])
    for command in (("prepare", tmp_path / "scores", "--out", tmp_path / "e"), ("train", tmp_path / "d", "--budget", "1steps")):
        done = run(tmp_path, "music", *command)
        assert isinstance(done.exception, UserError) and "1.mid: the consent of Li was taken back" in str(done.exception)
    assert not (tmp_path / "e").exists() and not list((studio.folder / "runs").iterdir())


CLAIMS = {"no hash": {"sha256": None}, "other events": {"sha256": "0" * 64}, "no pieces": {"pieces": None},
          "style": {"style": ["own"]}, "a half": {"start": 0.5}, "within": {"start": 3}, "beyond": {"length": 10**30},
          "title": {"title": 7}, "more": {"path": "/etc/passwd"}}  # fmt: skip
STREAMS = {"empty": lambda good: b"", "cut": lambda good: good[: len(good) // 2], "text": lambda good: b"hello",
           "archive": lambda good: _npy(good, lambda file, found: np.savez(file, a=found)),
           "plane": lambda good: _npy(good, lambda file, found: np.save(file, found[None])),
           "objects": lambda good: _npy(good, lambda file, found: np.save(file, np.array([{}]), allow_pickle=True))}  # fmt: skip


def _npy(good, save):
    file = io.BytesIO()
    save(file, np.load(io.BytesIO(good)))
    return file.getvalue()


@pytest.mark.parametrize("name", [*CLAIMS, *STREAMS, "deep"])
def test_data_that_say_what_no_data_say(prepared, tmp_path, name):
    copy = tmp_path / "copy"
    shutil.copytree(prepared.folder, copy)
    manifest, stream = copy / data.MANIFEST, copy / data.TOKENS
    if name in STREAMS:
        stream.write_bytes(STREAMS[name](stream.read_bytes()))
    elif name == "deep":
        manifest.write_text("[" * 100_000)
    else:
        claim_in(manifest, CLAIMS[name], "pieces")
    done = CliRunner().invoke(mofang, ["--studio", str(tmp_path / "studio"), "music", "train", str(copy), "--budget", "1steps"])
    assert isinstance(done.exception, UserError), (done.output, done.exception)
    assert "no music to learn from" in str(done.exception) and "\n" not in str(done.exception)
    assert not (tmp_path / "studio" / "runs").exists()


def test_a_soundfont_that_is_none_is_said_in_a_line(tmp_path):
    (tmp_path / "a.sf2").write_text("hello")
    for path in (tmp_path / "a.sf2", tmp_path / "none.sf2"):
        with pytest.raises(UserError, match="SoundFont"):
            band.play(tune(0), path)
    with pytest.raises(UserError, match="no notes"):
        band.play(Score(()))


def test_the_band_plays_at_the_right_time_and_level():
    pytest.importorskip("tinysoundfont")
    if not models.installed(band.SOUNDFONT):
        pytest.skip("the SoundFont is not here")
    from mofang.sound.loudness import loudness, true_peak

    notes = tuple(Note(at * 2 * GRID, GRID, 60 + at) for at in range(6))
    sound = band.play(Score((Track(notes, 0), Track((Note(0, 12 * GRID, 40),), 32)), tempo=120.0))
    assert abs(loudness(sound, band.RATE) + 14) < 0.6 and true_peak(sound, band.RATE) <= -1
    assert len(sound) == round((6 + band.TAIL) * band.RATE) and np.abs(sound[-100:]).max() < 0.01
