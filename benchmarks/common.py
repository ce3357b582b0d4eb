"""What every benchmark shares: the machine's name, a table, a JSON file, a venv for peers."""

import json
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass
class Row:
    """One comparison. `ratio` above 1 means ours is better; `goal` and `met` say what was aimed at,
    `spread` is the standard deviation over seeds."""

    what: str
    unit: str
    ours: float
    peer: float | None = None
    peer_name: str = ""
    ratio: float | None = None
    goal: str = ""
    met: bool | None = None
    spread: float | None = None


def machine() -> str:
    """Processor, cores and memory."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
        memory = int(Path("/proc/meminfo").read_text().split()[1]) / 1e6
        return f"{names[0]}, {len(names)} cores, {memory:.0f} GB"
    except (OSError, IndexError, ValueError):
        return model


def report(name: str, rows: list[Row]) -> None:
    """Print the rows as a table and write `benchmarks/out/NAME.json`; of a quick look `NAME-quick.json`, which the README does
    not read."""
    heads = ("what", "unit", "ours", "peer", "peer's name", "ratio", "goal", "met")
    table = [heads]
    for row in rows:
        number = ["" if value is None else f"{value:.4g}" for value in (row.ours, row.peer, row.ratio)]
        met = "" if row.met is None else ("yes" if row.met else "NO")
        table.append((row.what, row.unit, number[0], number[1], row.peer_name, number[2], row.goal, met))
    widths = [max(len(line[column]) for line in table) for column in range(len(heads))]
    print(f"\n{name} on {machine()}")
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    out = HERE / "out"
    out.mkdir(exist_ok=True)
    body = {"machine": machine(), "rows": [asdict(row) for row in rows]}
    quick = "-quick" if "--quick" in sys.argv else ""
    (out / f"{name}{quick}.json").write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", "utf-8")


def peer_python(name: str, *packages: str) -> Path:
    """The Python of a venv with these packages, made on first use under `benchmarks/.peers/`."""
    folder = HERE / ".peers" / name
    python = folder / "bin" / "python"
    stamp = folder / "installed.txt"
    if not stamp.exists() or stamp.read_text() != "\n".join(packages):
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *packages], check=True)
        stamp.write_text("\n".join(packages))
    return python
