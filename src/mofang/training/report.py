"""A run as one HTML file to keep: curves, samples as they came, the recipe, and a verdict in plain words."""

import base64
import json
import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from mofang.studio.atomic import write_atomic
from mofang.studio.page import page
from mofang.studio.words import say
from mofang.training.history import History, Record, judge, rates, smooth, thin
from mofang.training.plot import PALETTE, Curve, plot

NAME = "report.html"
SHOWN_SAMPLES = 12
NOT_MEASURES = {"kind", "step", "tokens", "seconds", "progress", "loss", "best", "best_step"}


def write(folder: Path, title: str = "", recipe: Mapping[str, Any] | None = None) -> Path:
    """Write `folder/report.html` from `folder/log.jsonl`, whole or not at all, and return its path.

    Takes milliseconds for a log of thousands of steps, so it may be called at every validation. `recipe` is shown as
    a table: command, seed, budget, machine, whatever makes the run again.
    """
    target = folder / NAME
    write_atomic(target, render(History.read(folder / "log.jsonl"), title or folder.name, recipe or {}, folder / "samples"))
    return target


def kept(folder: Path, recipe: Mapping[str, Any], listen: Callable[[Record], None]) -> Callable[[Record], None]:
    """A listener for the loop that keeps the report up to date, and passes every record on to `listen`."""

    def told(record: Record) -> None:
        if record["kind"] in ("validate", "sample", "done"):
            write(folder, folder.name, recipe)
        listen(record)

    return told


def render(history: History, title: str, recipe: Mapping[str, Any], pictures: Path | None = None) -> str:
    """The report as a self-contained page. Samples that are names of PNG files in the folder `pictures` are shown."""
    state, verdict = judge(history)
    parts = [f'<p class="verdict {state}">{escape(verdict)}</p>', _facts(history), _curves(history), _samples(history, pictures)]
    if recipe:
        rows = [(str(key), value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
                for key, value in recipe.items()]  # fmt: skip
        parts.append(f"<h2>{say('Recipe', '配方')}</h2>" + _table(rows))
    return page(title, "\n".join(parts))


def _facts(history: History) -> str:
    last = max(
        (records[-1] for records in (history.train, history.validate) if records), key=lambda r: r["step"], default=None
    )
    if last is None:
        return f"<p>{say('Nothing has been logged yet.', '还没有记录。')}</p>"
    rows = [
        (say("steps", "步数"), f"{last['step']:,}"),
        (say("tokens or examples seen", "已看词元或样例"), f"{last['tokens']:,}"),
        (say("training time", "训练用时"), _clock(last["seconds"])),
    ]
    if best := history.best():
        rows.append((
            say("best checkpoint", "最佳检查点"),
            say(f"step {best['step']:,}, validation loss {best['loss']:.4f}",
                f"第 {best['step']:,} 步，验证损失 {best['loss']:.4f}"),
        ))  # fmt: skip
    if not history.done:
        rows.append((say("state", "状态"), say("under way, or interrupted: run the command again to go on",
                                             "进行中或已中断：再运行同一命令即可继续")))  # fmt: skip
    return _table(rows)


def _curves(history: History) -> str:
    train, validate = history.train, history.validate
    if not train:
        return ""
    steps = thin([float(record["step"]) for record in train])
    losses = [float(record["loss"]) for record in train]
    axis = say("step", "步")
    curves = [
        Curve("", steps, thin(losses), PALETTE[0], faint=True),
        Curve(say("training, smoothed", "训练（平滑）"), steps, thin(smooth(losses, max(5, len(losses) / 60)))),
    ]
    if validate:
        # Validation runs on the averaged weights (EMA): those are what is kept.
        name = say("validation (averaged weights)", "验证（平均权重）")
        curves.append(Curve(name, *_series(validate, "loss"), PALETTE[1], dots=len(validate) <= 60))
    plots = [plot(curves, say("Loss", "损失"), axis)]
    for key in _measures(validate):
        plots.append(plot([Curve(key, *_series(validate, key), PALETTE[2], dots=len(validate) <= 60)], key, axis,
                          width=350, height=220))  # fmt: skip
    if any("scale" in record for record in train):
        scale = thin([float(record.get("scale", math.nan)) for record in train])
        plots.append(plot([Curve("", steps, scale, PALETTE[3])], say("Learning rate, share of its peak", "学习率（占峰值）"),
                          axis, from_zero=True, width=350, height=220))  # fmt: skip
    speed_steps, speed = rates(train)
    if speed:
        plots.append(plot([Curve("", speed_steps, speed, PALETTE[4])], say("Tokens (or examples) per second", "每秒词元或样例"),
                          axis, from_zero=True, width=350, height=220))  # fmt: skip
    return f"<h2>{say('Curves', '曲线')}</h2>" + "".join(f'<span class="plot">{drawn}</span>' for drawn in plots)


def _samples(history: History, pictures: Path | None) -> str:
    if not history.sample:
        return ""
    count = len(history.sample)
    # The first, the last and others evenly between: how it developed, not how long the page can get.
    chosen = sorted({round(index * (count - 1) / max(1, SHOWN_SAMPLES - 1)) for index in range(SHOWN_SAMPLES)})
    parts = [f"<h2>{say('What it made by then', '当时的作品')}</h2>"]
    for record in (history.sample[index] for index in chosen if index < count):
        parts.append(
            f"<h3>{say('step', '第')} {record['step']:,}{say('', ' 步')} · {_clock(record['seconds'])}</h3>"
            + _sample(str(record.get("text", "")), pictures)
        )
    return "".join(parts)


def _sample(text: str, pictures: Path | None) -> str:
    """Text as it is; a picture, named in the first line, in the page itself, with what is said of it."""
    name, _, said = text.partition("\n")
    path = pictures / name if pictures and name == Path(name).name and name.endswith(".png") else None
    if path is None or not path.is_file():
        return f"<pre>{escape(text)}</pre>"
    data = base64.b64encode(path.read_bytes()).decode()
    shown = f'<img alt="{escape(name)}" style="max-width:100%" src="data:image/png;base64,{data}">'
    return shown + (f'<p class="verdict warn">{escape(said)}</p>' if said else "")


def _measures(records: Sequence[Record]) -> list[str]:
    """What else validation measured, in the order first seen."""
    return list(dict.fromkeys(key for record in records for key, value in record.items()
                              if key not in NOT_MEASURES and isinstance(value, int | float)))  # fmt: skip


def _series(records: Sequence[Record], key: str) -> tuple[list[float], list[float]]:
    kept = [record for record in records if isinstance(record.get(key), int | float)]
    return [float(record["step"]) for record in kept], [float(record[key]) for record in kept]


def _table(rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{cells}</table>"


def _clock(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"
