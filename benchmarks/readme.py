"""Put what the benchmarks printed into both READMEs: `python benchmarks/readme.py` after `make bench`.

Every row of `benchmarks/out/*.json` that has a goal or a peer goes in, missed goals too; not the development halves of the
test sets, on which rules were tuned. Benchmarks that were not run here keep the rows they had.
"""

import json
import re
from pathlib import Path

HERE = Path(__file__).parent
NAMES = ("make", "render", "text_speedrun", "text_lstm", "text_generate", "text_poem", "text_prepare", "image_restore",
         "image_gan", "image_sticker", "image_flow", "wavenet_sampling", "music_speed", "sound_edit", "jukebox", "speech",
         "wavenet_speech", "polyphones", "scene_reading", "brief")  # fmt: skip
DETAIL = ("SSIM", "structure", "seconds")
"""Units of rows that stand in the benchmark's own table only: they say again what the row above them says."""
HEADS = {"README.md": ("what", "unit", "Mofang", "peer", "goal"), "README.zh.md": ("项目", "单位", "墨坊", "对比", "目标")}


def cell(value: object) -> str:
    """A number as a person writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)) and abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def rows(name: str) -> list[tuple[str, ...]]:
    """A benchmark's rows: what, unit, ours, peer with its name, goal and whether it was met."""
    found = []
    for row in json.loads((HERE / "out" / f"{name}.json").read_text("utf-8"))["rows"]:
        peer = f"{cell(row['peer'])} ({row['peer_name']})" if row.get("peer") is not None else ""
        goal = f"{cell(row['goal'])} {'✓' if row.get('met') else '✗'}" if row.get("goal") not in (None, "") else ""
        if (peer or goal) and not re.search(r"\bdev\b|, words$", row["what"]) and row["unit"] not in DETAIL:
            found.append((f"{name}: {row['what']}", row["unit"], cell(row["ours"]), peer, goal))
    return found


def table(heads: tuple[str, ...], before: str) -> str:
    """Markdown; `before` is the table as it stood."""
    lines = [" | ".join(heads), " | ".join(["---"] * len(heads))]
    for name in NAMES:
        if (HERE / "out" / f"{name}.json").exists():
            lines += [" | ".join(row) for row in rows(name)]
        else:
            lines += [line[2:-2] for line in before.splitlines() if line.startswith(f"| {name}: ")]
    return "\n".join(f"| {line} |" for line in lines)


def main() -> None:
    """Rewrite the part between the marks."""
    for name, heads in HEADS.items():
        path = HERE.parent / name
        text = path.read_text("utf-8")
        path.write_text(re.sub(r"<!-- measured -->.*<!-- /measured -->", lambda found, heads=heads: (
            f"<!-- measured -->\n{table(heads, found[0])}\n<!-- /measured -->"), text, flags=re.DOTALL), "utf-8")  # fmt: skip


if __name__ == "__main__":
    main()
