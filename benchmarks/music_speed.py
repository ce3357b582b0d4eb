"""How long a minute of music takes: a four-part piece composed, then played through the SoundFont and mixed.

    python benchmarks/music_speed.py [--quick] [--model score] [--seed 0]

The piece has four tracks and lasts a minute: as many bars of a chorale as a minute has, its tempo moved so that they fill it. Model
and SoundFont are opened inside the time, as a person who asks for one piece meets them. Without a model that knows chorales one of
the same shape with random weights composes: it is as fast, and its music is noise.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from common import Row, report
from mofang.models import own
from mofang.sound.music import band, compose
from mofang.sound.music.network import Network
from mofang.sound.music.score import GRID, Score
from mofang.studio.errors import UserError

SECONDS, GOAL = 60.0, 10.0


def shaped(folder: Path, size: str) -> Path:
    """A model folder with random weights."""
    from safetensors.numpy import save_file

    from mofang.sound.music.learn import SIZES
    from mofang.sound.nets.score import ScoreNet, config_for

    config = config_for(*SIZES[size], context=4096)
    weights = {name: value.detach().numpy().astype(np.float16) for name, value in ScoreNet(config).state_dict().items()}
    save_file(weights, folder / own.WEIGHTS)
    (folder / own.CONFIG).write_text(own.dumps({**config, "styles": ["chorale"]}), "utf-8")
    return folder


def once(folder: Path, seconds: float, seed: int) -> tuple[float, float, Score, float]:
    """Seconds of composing and of playing, the piece, and the length of its sound."""
    manner = compose.MANNERS["chorale"]
    bars = round(seconds * manner.tempo / 60 * GRID / manner.metre.bar / 4) * 4
    start = time.perf_counter()
    score = compose.compose(Network.open(folder), compose.styles(folder), compose.Wish("chorale", max(4, bars), seed=seed))
    composed = time.perf_counter()
    score = replace(score, tempo=score.end / GRID * 60 / seconds)
    sound = band.play(score)
    return composed - start, time.perf_counter() - composed, score, len(sound) / band.RATE


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--model", default="score")
    parser.add_argument("--size", choices=("nano", "micro", "small", "base"), default="small")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rounds, seconds = (1, 20.0) if options.quick else (3, SECONDS)
    with tempfile.TemporaryDirectory() as name:
        try:
            folder = own.find(options.model)
            if "chorale" not in compose.styles(folder):
                raise UserError("no chorales")
        except UserError:
            folder = shaped(Path(name), options.size)
        shape = own.read_config(folder)
        runs = [once(folder, seconds, options.seed + number) for number in range(rounds)]
    composing, playing = (np.array([run[part] for run in runs]) for part in (0, 1))
    total, score = composing + playing, runs[0][2]
    notes = sum(len(track.notes) for track in score.tracks)
    layers, width = shape["num_hidden_layers"], shape["hidden_size"]
    print(f"{len(score.tracks)} tracks, {notes} notes, {runs[0][3]:.1f} s of sound, {layers} layers of {width}")
    goal = GOAL * seconds / SECONDS
    report("music_speed", [
        Row(f"{seconds:.0f} s of four tracks composed and mixed", "s", float(total.mean()), goal=f"≤ {goal:.3g} s",
            met=bool(total.mean() <= goal), spread=float(total.std())),
        Row("of it composing", "s", float(composing.mean())), Row("of it playing and mixing", "s", float(playing.mean())),
    ])  # fmt: skip


if __name__ == "__main__":
    main()
