"""How well a model of scores foretells music, and how its own pieces compare with real ones.

    python benchmarks/music_nll.py [--quick] [--minutes 20] [--noncommercial] [--size small] [--seed 0]

Data: `recipes/score.py` (music21's corpus). The chorales are split by BWV number: those whose number ends in 3 are the test, in
7 validation, the others are learned from. Tunes are split by their melodies (one in twenty each), so that variants stay
together. Four models see the same events and train for the same minutes on the same cores, each keeping its best weights on
validation: ours (`mofang music train`), an interpolated Kneser–Ney 6-gram (which needs no minutes; it learns from every piece in
five keys), an LSTM and a plain Music Transformer of as many parameters. Nats an event are over the first events of the test
pieces, as many as the training context; every model is told the same beginning, the first event.

Of ours, pieces are composed in each style and compared with held-out ones: a classifier of styles (nearest mean of melody
features, learned from real pieces), notes inside the best scale, total variation between histograms of pitch classes above the
tonic and of durations, against what halves of the real pieces differ by (95th percentile), and melodies copied (12 notes and more).
"""

import argparse
import importlib.util
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from common import Row, report
from kneser_ney import KneserNey
from mofang.models import own
from mofang.sound.music import compose, copying, data, tokens
from mofang.sound.music.learn import SIZES, Course, learn
from mofang.sound.music.network import Network
from mofang.sound.music.score import DRUMS, Key, Score
from mofang.sound.music.train import Settings
from mofang.sound.nets.score import ScoreNet
from mofang.training.budget import Budget
from mofang.training.loop import Plan
from music_peers import fit, lstm_like, nats, size_of, transformer_like

ROOT = Path(__file__).parents[1]
ORDER, KEYS = 6, (-4, -2, 0, 2, 4)
Ids = np.ndarray


@dataclass(frozen=True)
class Options:
    """One run's measures."""

    minutes: float
    noncommercial: bool
    size: str
    seed: int
    most: int | None
    composed: int
    context: int = 512
    batch: int = 16


def corpus(options: Options, folder: Path) -> data.Data:
    """The pieces of the recipe with the chorales' parts by BWV number."""
    place = ROOT / "recipes" / "score.py"
    spec = importlib.util.spec_from_file_location("score_recipe", place)
    assert spec and spec.loader
    recipe = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["score_recipe"] = recipe  # its dataclasses look their module up
    spec.loader.exec_module(recipe)
    if options.most:  # its books of airs take minutes to parse
        recipe.FOLDERS = tuple(each for each in recipe.FOLDERS if each.style in ("chorale", "irish"))

    def parted() -> list[data.Piece]:
        found = []
        for piece in recipe.pieces(options.noncommercial, options.most):
            if number := re.search(r"bwv(\d+)", piece.source):
                last = int(number[1]) % 10
                piece = replace(piece, part="test" if last == 3 else "validation" if last == 7 else "train")
            found.append(piece)
        return found

    return data.write(folder, parted(), {"name": "music_nll"})


def ngram(train: list[Ids]) -> KneserNey:
    """Kneser–Ney over pieces in several keys, apart from one another by blanks."""
    gap = np.zeros(ORDER - 1, np.int64)
    stream = []
    for piece in train:
        for semitones in KEYS:
            try:
                stream += [gap, tokens.transpose(piece, semitones).astype(np.int64)]
            except ValueError:
                continue
    return KneserNey(np.concatenate(stream), tokens.VOCABULARY, ORDER)


def ngram_nats(model: KneserNey, piece: Ids) -> np.ndarray:
    """−ln p of every event but the first."""
    padded = np.concatenate((np.zeros(ORDER - 1, np.int64), piece.astype(np.int64)))
    return model.bits(padded)[1:] * np.log(2)


def our_nats(net: ScoreNet, piece: Ids) -> np.ndarray:
    """The same of ours; the places of events follow from the events before them."""
    ids, places = torch.from_numpy(piece.astype(np.int64))[None], torch.from_numpy(tokens.places(piece))[None]
    with torch.inference_mode():
        logits, _ = net(ids[:, :-1], places[:, :-1])
    return torch.nn.functional.cross_entropy(logits[0].float(), ids[0, 1:], reduction="none").numpy()


def opened(folder: Path) -> ScoreNet:
    """Our model's network, to be asked for many events at once."""
    net = ScoreNet(own.read_config(folder))
    net.load_state_dict({name: torch.from_numpy(value) for name, value in own.read_tensors(folder).items()})
    return net.eval()


def foretelling(options: Options, music: data.Data, model: Path) -> list[Row]:
    """Nats an event of every model in every style."""
    seconds, context = options.minutes * 60, options.context
    train, held = music.pieces("train"), music.pieces("validation")[:100]
    entries = [entry for entry in music.entries if entry.part == "train"]
    sizes = {style: sum(entry.length for entry in entries if entry.style == style) for style in {entry.style for entry in entries}}
    # As ours: styles by the square root of their size.
    weights = np.array([entry.length * sizes[entry.style] ** -0.5 for entry in entries])
    shares = np.cumsum(weights / weights.sum())
    ours = opened(model)
    size, (layers, _, heads) = size_of(ours), SIZES[options.size]
    torch.manual_seed(options.seed)
    peers = {"LSTM": (lstm_like(size), 2e-3), "Music Transformer": (transformer_like(size, layers, heads, context), 1e-3)}
    known = {name: fit(net, train, shares, held, seconds, lr, options.batch, context, print) for name, (net, lr) in peers.items()}
    kneser = ngram(train)
    print({"ours": size, **{name: size_of(net) for name, net in known.items()}}, "parameters")
    rows = []
    for style in sorted({entry.style for entry in music.entries if entry.part == "test"}):
        pieces = [piece[: context + 1] for piece in music.pieces("test", style)]
        mean = float(np.concatenate([our_nats(ours, piece) for piece in pieces]).mean())
        others = {"Kneser–Ney 6-gram": float(np.concatenate([ngram_nats(kneser, piece) for piece in pieces]).mean())}
        others |= {name: float(np.concatenate([nats(net, piece) for piece in pieces]).mean()) for name, net in known.items()}
        rows += [Row(f"{style}, {len(pieces)} test pieces", "nats/event", mean, value, name, value / mean, "lower", mean < value)
                 for name, value in others.items()]  # fmt: skip
    return rows


def features(score: Score) -> np.ndarray:
    """A melody's steps, durations and places in the bar as shares, (25 + 24 + 24,)."""
    notes = next(track.notes for track in score.tracks if track.notes)
    steps = np.clip(np.diff([note.pitch for note in notes]), -12, 12) + 12
    lengths = np.minimum([note.duration for note in notes], 48) // 2 - 1
    places = [note.start % score.metre.bar * 24 // score.metre.bar for note in notes]
    counts = (np.bincount(steps, minlength=25), np.bincount(np.maximum(lengths, 0), minlength=24), np.bincount(places, minlength=24))
    return np.concatenate([np.sqrt(count / max(1, count.sum())) for count in counts])


def classes(score: Score) -> np.ndarray:
    """Time on each pitch class above the tonic, (12,)."""
    out = np.zeros(12)
    for track in score.tracks:
        for note in track.notes if track.program != DRUMS else ():
            out[(note.pitch - score.key.tonic) % 12] += note.duration
    return out


def rhythm(score: Score) -> np.ndarray:
    """Notes of each duration up to a whole, (48,)."""
    lengths = [min(note.duration, 48) - 1 for track in score.tracks for note in track.notes]
    return np.bincount(lengths, minlength=48).astype(float)


def inside(score: Score) -> float:
    """Share of the time that lies in the best of the major scales."""
    heard = np.roll(classes(score), score.key.tonic)
    scales = [np.roll([1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1], Key(fifths).tonic) for fifths in range(-5, 7)]
    return float(max(heard @ scale for scale in scales) / max(1e-9, heard.sum()))


def variation(a: list[np.ndarray], b: list[np.ndarray]) -> float:
    """Total variation between what two sets of pieces add up to, each piece counting alike."""
    p, q = (np.mean([each / max(1e-9, each.sum()) for each in pieces], 0) for pieces in (a, b))
    return float(np.abs(p - q).sum() / 2)


def spread(pieces: list[np.ndarray], size: int, rng: np.random.Generator) -> float:
    """What `size` real pieces and the others differ by: the 95th percentile of 200 splits."""
    size = min(size, len(pieces) // 2)
    found = []
    for _ in range(200):
        order = rng.permutation(len(pieces))
        found.append(variation([pieces[at] for at in order[:size]], [pieces[at] for at in order[size:]]))
    return float(np.quantile(found, 0.95))


def making(options: Options, music: data.Data, model: Path) -> list[Row]:
    """How pieces that ours composes compare with held-out ones."""
    known, network, rng = compose.styles(model), Network.open(model), np.random.default_rng(options.seed)
    real = {style: [tokens.decode(piece) for piece in music.pieces("train", style)] for style in known}
    held = {style: [tokens.decode(piece) for part in ("validation", "test") for piece in music.pieces(part, style)] for style in known}
    known = [style for style in known if len(held[style]) >= 4 and style in compose.MANNERS]
    means = {style: np.mean([features(score) for score in real[style] if len(score.tracks[0].notes) > 8], 0) for style in known}

    def named(score: Score) -> str:
        return min(known, key=lambda style: float(np.square(features(score) - means[style]).sum()))

    rows, right, right_real, copied = [], [], [], []
    index = copying.open_index(model)
    for style in known:
        own_pieces = [compose.compose(network, known, compose.Wish(style, 16, seed=options.seed * 1000 + number))
                      for number in range(options.composed)]  # fmt: skip
        right += [named(score) == style for score in own_pieces]
        right_real += [named(score) == style for score in held[style]]
        copied += [index.copied(score).share for score in own_pieces]
        kept = float(np.mean([inside(score) for score in own_pieces]))
        usual = [inside(score) for score in held[style]]
        low = float(np.quantile(usual, 0.05))
        rows.append(Row(f"{style}: time inside the best scale", "share", kept, float(np.mean(usual)), "held-out pieces",
                        goal=f"≥ {low:.2f}, their 5 %", met=kept >= low))  # fmt: skip
        for what, measure in (("pitch classes", classes), ("durations", rhythm)):
            theirs = [measure(score) for score in held[style]]
            far, usual_far = variation([measure(score) for score in own_pieces], theirs), spread(theirs, options.composed, rng)
            rows.append(Row(f"{style}: {what}, distance to held-out", "variation", far, usual_far, "real against real, 95 %",
                            usual_far / max(far, 1e-9), "inside", far <= usual_far))  # fmt: skip
    share, rate = float(np.mean(right)), float(np.mean(copied))
    told = float(np.mean(right_real))
    rows.append(Row("style told from the melody", "share", share, told, "of real pieces", goal="≥ 0.8", met=share >= 0.8))
    rows.append(Row("melodies copied, runs of 12 notes", "share", rate, goal="≤ 0.02", met=rate <= 0.02))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--noncommercial", action="store_true")
    parser.add_argument("--size", choices=list(SIZES), default="small")
    parser.add_argument("--composed", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    options = Options(asked.minutes, asked.noncommercial, asked.size, asked.seed, None, asked.composed)
    if asked.quick:
        options = replace(options, minutes=0.15, size="nano", most=24, composed=2, context=128, batch=4)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        music = corpus(options, folder / "data")
        print({part: len(music.pieces(part)) for part in data.PARTS}, "pieces")
        settings = Settings(context=options.context, batch=options.batch, seed=options.seed)
        plan = Plan(Budget(options.minutes * 60, "seconds"), options.seed, 0.995, validations=10)
        model = learn(music, folder / "run", Course(options.size, settings, plan, 0.1))
        report("music_nll", foretelling(options, music, model) + making(options, music, model))


if __name__ == "__main__":
    main()
