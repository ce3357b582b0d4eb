"""What came of preparing, for a person: a contact sheet and a page."""

import base64
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.image.data.store import MANIFEST
from mofang.image.safe import on_white
from mofang.studio.page import page, table
from mofang.studio.words import say

SHEET = 400
"""Pictures on the contact sheet at most."""

REASONS = {
    "unreadable": ("could not be read", "无法读取"), "blank": ("show nothing", "空白"), "duplicate": ("are there already", "重复"),
    "near-duplicate": ("are nearly there already", "近似重复"),
}  # fmt: skip


def families(labels: NDArray[np.int64], names: Sequence[str]) -> dict[str, Any]:
    """How many near-duplicates there are, in how many clusters, and the first few clusters by name."""
    values, counts = np.unique(labels, return_counts=True)
    several = values[counts > 1]
    shown = several[np.argsort(-counts[counts > 1], kind="stable")][:12]
    return {
        "pictures": int(counts[counts > 1].sum()), "clusters": len(several),
        "examples": [[names[number] for number in np.flatnonzero(labels == label)[:6]] for label in shown],
    }  # fmt: skip


def write(folder: Path, manifest: Mapping[str, Any], examples: Mapping[str, Sequence[str]], pixels: NDArray[np.uint8],
          parts: Mapping[str, NDArray[np.int64]]) -> None:  # fmt: skip
    """Write the manifest, `contact.png`, `report.txt` and `report.html` into `folder`."""
    (folder / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", "utf-8")
    contact(pixels, np.concatenate([parts["train"], parts["val"]]), folder / "contact.png")
    lines = summary(manifest)
    lines += [f"{reason}: {each}" for reason, names in examples.items() for each in names]
    (folder / "report.txt").write_text("\n".join(lines) + "\n", "utf-8")
    (folder / "report.html").write_text(_html(manifest, examples, folder / "contact.png"), "utf-8")


def contact(pixels: NDArray[np.uint8], chosen: NDArray[np.int64], path: Path) -> None:
    """A sheet of the pictures, evenly chosen if there are more than `SHEET`."""
    from PIL import Image

    shown = chosen[np.arange(min(SHEET, len(chosen))) * len(chosen) // min(SHEET, max(len(chosen), 1))]
    columns = max(1, min(20, round(len(shown) ** 0.5)))
    tile, gap = (96 if len(shown) <= 100 else 64), 2
    rows = -(-len(shown) // columns)
    sheet = Image.new("RGB", (columns * (tile + gap) + gap, rows * (tile + gap) + gap), (225, 221, 212))
    for place, number in enumerate(shown):
        picture = np.asarray(pixels[number])
        rgb = on_white(picture) if picture.shape[-1] == 4 else picture
        small = Image.fromarray(rgb).resize((tile, tile), Image.Resampling.LANCZOS)
        sheet.paste(small, (gap + place % columns * (tile + gap), gap + place // columns * (tile + gap)))
    sheet.save(path)


def summary(manifest: Mapping[str, Any]) -> list[str]:
    """A few lines for the terminal: what there is, what was left out and why, what to know before training."""
    train, val, size = manifest["counts"]["train"], manifest["counts"]["val"], manifest["size"]
    kind = say(" with transparency", "、带透明") if manifest["channels"] == 4 else ""
    lines = [say(f"{train:,} pictures to train on and {val:,} held out, {size}×{size}{kind}",
                 f"训练图 {train:,} 张，验证图 {val:,} 张，{size}×{size}{kind}")]  # fmt: skip
    for reason, count in manifest["left_out"].items():
        lines.append(say(f"left out: {count:,} that {REASONS[reason][0]}", f"舍弃：{count:,} 张（{REASONS[reason][1]}）"))
    if near := manifest["near"]["pictures"]:
        lines.append(say(f"{near:,} are near-duplicates, in {manifest['near']['clusters']:,} clusters: each stays on one side",
                         f"{near:,} 张近似重复，分 {manifest['near']['clusters']:,} 组：每组不跨训练与验证"))  # fmt: skip
    named = sum(count for source, count in manifest["captions"].items() if source != "none")
    if named:
        lines.append(say(f"{named:,} have a caption", f"{named:,} 张有说明文字"))
    return lines + warnings(manifest)


def warnings(manifest: Mapping[str, Any]) -> list[str]:
    """What the creator should know before training on this."""
    found = []
    count = manifest["counts"]["train"]
    if count < 100:
        found.append(say(f"{count:,} pictures are few: a model will copy them; a few hundred is a beginning",
                         f"只有 {count:,} 张，太少：模型只会照抄。至少几百张为好"))  # fmt: skip
    if not manifest["counts"]["val"]:
        found.append(say("nothing is held out, so training cannot see whether it learns or copies",
                         "没有留出验证图，看不出是学会了还是照抄"))  # fmt: skip
    if manifest["enlarged"] > count / 10:
        found.append(say(f"{manifest['enlarged']:,} pictures are smaller than {manifest['size']} pixels and were enlarged",
                         f"有 {manifest['enlarged']:,} 张不足 {manifest['size']} 像素，已放大"))  # fmt: skip
    if "unknown" in manifest["licence"].split(" AND "):
        found.append(say("no licence is stated for some of the pictures; add --licence own for your own",
                         "有些图片没有写明许可；自己的作品可加 --licence own"))  # fmt: skip
    return found


def _html(manifest: Mapping[str, Any], examples: Mapping[str, Sequence[str]], sheet: Path) -> str:
    lines = summary(manifest)
    parts = [f"<p class=\"verdict {'warn' if warnings(manifest) else 'good'}\">" + "<br>".join(map(escape, lines)) + "</p>"]
    data = base64.b64encode(sheet.read_bytes()).decode()
    parts.append(f'<h2>{say("Contact sheet", "小样")}</h2><img alt="" style="max-width:100%" src="data:image/png;base64,{data}">')
    for reason, names in examples.items():
        count = manifest["left_out"][reason]
        head = say(f"{count:,} {REASONS[reason][0]}", f"{count:,} 张：{REASONS[reason][1]}")
        more = [] if count <= len(names) else ["…"]
        parts.append(f"<h2>{escape(head)}</h2><pre>" + escape("\n".join([*names, *more])) + "</pre>")
    if clusters := manifest["near"]["examples"]:
        rows = [" ~ ".join(names) for names in clusters]
        parts.append(f"<h2>{say('Near-duplicates', '近似重复')}</h2><pre>" + escape("\n".join(rows)) + "</pre>")
    works = [(str(work["name"]), int(work["pictures"]), str(work["licence"] or "?"), str(work["sha256"])[:16])
             for work in manifest["works"]]  # fmt: skip
    heads = (say("works", "作品"), say("pictures", "张数"), say("licence", "许可"), "SHA-256")
    parts.append(f"<h2>{say('Works', '作品')}</h2>" + table(heads, works))
    return page(say("Pictures to train on", "训练图集"), "\n".join(parts))
