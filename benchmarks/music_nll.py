"""How well a model of scores foretells music, and how its own pieces compare with real ones.

    python benchmarks/music_nll.py [SECTION …] [--quick] [--minutes 18] [--size small] [--seed 0] [--data FOLDER] [--work FOLDER]

Sections are data, ours, lstm, transformer, ngram and pieces; without any all are run. Each leaves its results in the work
folder, so that a long run can be made in pieces and goes on where it was stopped; the table shows what there is so far.

Data: music21's corpus through `recipes/score.py`: Bach's chorales, O'Neill's Irish tunes, the Essen collection's Chinese folk
songs (for non-commercial use: nothing of this leaves the folder). The chorales are split by BWV number: those that end in 3 are
the test, in 7 validation, the others are learned from. Tunes are split by their melodies (one in twenty each), so that variants
stay together; what has the intervals of a melody before it is left out.

Four models see the same events and train for the same minutes on the same cores, each keeping its best weights on validation:
ours (`mofang music train`), an interpolated Kneser–Ney 6-gram (which needs no minutes; it learns from every piece in twelve
keys), an LSTM and a plain Music Transformer of as many parameters. Nats an event are the mean over the first events of the test
pieces, as many as the training context, of −ln p over the whole vocabulary; every model is told the first event. Of ours, pieces
are composed in each style and compared with held-out ones (`music_likeness.py`).
"""

import argparse
import importlib.util
import json
import re
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from common import HERE, Row, report
from kneser_ney import KneserNey
from mofang.models import own
from mofang.sound.music import data, tokens
from mofang.sound.music.learn import SIZES, Course, learn
from mofang.sound.music.train import Settings
from mofang.sound.nets.score import ScoreNet, config_for
from mofang.training.budget import Budget
from mofang.training.loop import Plan
from music_likeness import likeness
from music_peers import fit, lstm_like, nats, size_of, transformer_like

SECTIONS = ("data", "ours", "lstm", "transformer", "ngram", "pieces")
NAMES = {"ngram": "Kneser–Ney 6-gram", "lstm": "LSTM", "transformer": "Music Transformer"}
ORDER, KEYS = 6, range(-5, 7)
Ids = np.ndarray


@dataclass(frozen=True)
class Options:
    """One run's measures. `most`: pieces of each style; None for all."""

    minutes: float
    size: str
    seed: int
    composed: int = 24
    styles: tuple[str, ...] = ("chorale", "irish", "folk-zh")
    most: int | None = None
    context: int = 512
    batch: int = 16


QUICK = Options(0.12, "nano", 0, 3, ("chorale", "folk-zh"), 60, 128, 4)


def corpus(options: Options, folder: Path) -> data.Data:
    """The pieces of the recipe with the chorales' parts by BWV number."""
    spec = importlib.util.spec_from_file_location("score_recipe", HERE.parent / "recipes" / "score.py")
    assert spec and spec.loader
    recipe = importlib.util.module_from_spec(spec)
    sys.modules["score_recipe"] = recipe  # its dataclasses look their module up
    spec.loader.exec_module(recipe)
    recipe.FOLDERS = tuple(each for each in recipe.FOLDERS if each.style in options.styles)

    def parted():
        for piece in recipe.pieces(True, options.most):
            if number := re.search(r"bwv(\d+)", piece.source):
                last = int(number[1]) % 10
                piece = replace(piece, part="test" if last == 3 else "validation" if last == 7 else "train")
            yield piece

    return data.write(folder, parted(), {"name": "music_nll"})


def ngram(train: list[Ids]) -> KneserNey:
    """Kneser–Ney over pieces in every key, apart from one another by blanks."""
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


class Run:
    """The sections of a run, in its folder."""

    def __init__(self, options: Options, folder: Path, given: Path | None) -> None:
        self.options, self.folder, self.given = options, folder, given
        self.size = size_of(ScoreNet(config_for(*SIZES[options.size], context=4096)))

    def music(self) -> data.Data:
        """What is learned from, made once."""
        place = self.given or self.folder / "data"
        return data.open_data(place) if place.exists() else corpus(self.options, place)

    def measured(self, model: Callable[[Ids], np.ndarray], music: data.Data) -> dict:
        """Mean nats, their number and that of the pieces in every style."""
        found = {}
        for style in sorted({entry.style for entry in music.entries if entry.part == "test"}):
            pieces = [piece[: self.options.context + 1] for piece in music.pieces("test", style)]
            every = np.concatenate([model(piece) for piece in pieces])
            found[style] = {"nats": float(every.mean()), "events": len(every), "pieces": len(pieces)}
        return found

    def data(self) -> dict:
        music = self.music()
        return {part: len(music.pieces(part)) for part in data.PARTS} | {"sha256": music.manifest["sha256"]}

    def ours(self) -> dict:
        options = self.options
        settings = Settings(context=options.context, batch=options.batch, seed=options.seed)
        plan = Plan(Budget(options.minutes * 60, "seconds"), options.seed, 0.995, validations=10)
        model = learn(music := self.music(), self.folder / "run", Course(options.size, settings, plan, 0.1))
        net = opened(model)
        return {"parameters": size_of(net), "test": self.measured(lambda piece: our_nats(net, piece), music)}

    def lstm(self) -> dict:
        return self.neural(lstm_like(self.size), 2e-3)

    def transformer(self) -> dict:
        layers, _, heads = SIZES[self.options.size]
        return self.neural(transformer_like(self.size, layers, heads, self.options.context), 1e-3)

    def neural(self, net: torch.nn.Module, lr: float) -> dict:
        """A peer after its minutes."""
        music, options = self.music(), self.options
        entries = [entry for entry in music.entries if entry.part == "train"]
        sizes = {entry.style: 0 for entry in entries}
        for entry in entries:
            sizes[entry.style] += entry.length
        # As ours: styles by the square root of their size.
        weights = np.array([entry.length * sizes[entry.style] ** -0.5 for entry in entries])
        shares, held = np.cumsum(weights / weights.sum()), music.pieces("validation")[:100]
        fit(net, music.pieces("train"), shares, held, options.minutes * 60, lr, options.batch, options.context, print)
        return {"parameters": size_of(net), "test": self.measured(lambda piece: nats(net, piece), music)}

    def ngram(self) -> dict:
        model = ngram((music := self.music()).pieces("train"))
        return {"test": self.measured(lambda piece: ngram_nats(model, piece), music)}

    def pieces(self) -> dict:
        rows = likeness(self.music(), self.folder / "run" / "model", self.options.composed, self.options.seed, print)
        return {"rows": [asdict(row) for row in rows]}

    def do(self, section: str) -> None:
        """A section, unless it is done."""
        place = self.folder / f"{section}.json"
        if place.exists():
            return
        torch.manual_seed(self.options.seed)
        start = time.perf_counter()
        found = getattr(self, section)()
        print(f"{section}: {time.perf_counter() - start:.0f} s", {key: value for key, value in found.items() if key != "rows"})
        place.write_text(json.dumps(found, ensure_ascii=False, indent=1), "utf-8")

    def rows(self) -> list[Row]:
        """What there is so far."""
        done = {section: json.loads(place.read_text("utf-8")) for section in SECTIONS
                if (place := self.folder / f"{section}.json").exists()}  # fmt: skip
        rows = []
        for style, mine in done.get("ours", {"test": {}})["test"].items():
            for name in NAMES:
                if name in done and (theirs := done[name]["test"].get(style)):
                    assert theirs["events"] == mine["events"], "not the same events"
                    rows.append(Row(f"{style}, {mine['pieces']} test pieces", "nats/event", mine["nats"], theirs["nats"], NAMES[name],
                                    theirs["nats"] / mine["nats"], "lower", mine["nats"] < theirs["nats"]))  # fmt: skip
        return rows + [Row(**row) for row in done.get("pieces", {"rows": []})["rows"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], metavar="SECTION")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--minutes", type=float, default=18.0)
    parser.add_argument("--size", choices=list(SIZES), default="small")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, help="a folder of `mofang music prepare`'s instead")
    parser.add_argument("--work", type=Path, help="by default a folder beside the results")
    asked = parser.parse_args()
    options = QUICK if asked.quick else Options(asked.minutes, asked.size, asked.seed)
    folder = asked.work or HERE / "out" / ("music_nll.quick" if asked.quick else "music_nll.work")
    if asked.quick and not asked.sections:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    facts, kept = json.dumps({**asdict(options), "data": str(asked.data or "")}), folder / "options.json"
    if kept.exists() and kept.read_text("utf-8") != facts:
        sys.exit(f"{folder} holds a run with other measures; delete it or give another --work")
    kept.write_text(facts, "utf-8")
    run = Run(options, folder, asked.data)
    for section in asked.sections or SECTIONS:
        run.do(section)
    report("music_nll", run.rows())


if __name__ == "__main__":
    main()
