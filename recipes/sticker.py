"""The pictures of the shipped model `sticker`: seven openly licensed emoji sets, captioned in Chinese and English.

    python recipes/sticker.py FOLDER

Fetches the pinned npm packages below and writes `FOLDER/STYLE/HEXCODE.png` (160×160, transparent) with a caption beside
each (`.json`: subject, style, and a label followed by its tags in both languages, from Unicode CLDR through emojibase).
Skin tones are left out (they say the same five times), and so are flags, signs and digits, which are not drawings.
"""

import hashlib
import io
import json
import re
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import resvg_py
from PIL import Image

from mofang.models import client
from mofang.studio.errors import UserError

LABELS = ("emojibase-data@17.0.0", "d01d0e2ca4e22cb402679532155342c71e2e871f25c32223c013b8b166ebdf5a")
PACKAGES = {
    "noto": ("@iconify-json/noto@1.2.9", "3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad"),
    "blob": ("@iconify-json/noto-v1@1.2.5", "2bf62c26c2c2884aa99e90aec942cdaee17a5921f05690694f4978ad4b017c37"),
    "flat": ("@iconify-json/fluent-emoji-flat@1.2.6", "7d064769dee690815f823bc5bcc511d957198caf9f5edd8dd9c1aa48a6aeb175"),
    "twemoji": ("@iconify-json/twemoji@1.2.5", "19046dff7d8707ce96212ec86468b36ac5f8e60409629dd13f809265c6d0ebb7"),
    "outline": ("@iconify-json/openmoji@1.2.29", "03181e2c156cab35cf4a62f1f7886bd971d59212e75ac3f189d5a4cae3930fc5"),
    "emojione": ("@iconify-json/emojione@1.2.3", "26a14f44284407e8bcde91799388dca2bfd91dbcd55a97f425524a1c5b73610e"),
    "3d": ("@lobehub/fluent-emoji-3d@1.1.0", "c1bb7eee7de090205a232518a9ab4adb3df458bfbe8a1f78232991194c8b2e58"),
}
"""Style → package and its SHA-256. Licences: Apache-2.0 (noto, blob), MIT (flat, 3d), CC BY 4.0 (twemoji,
emojione), CC BY-SA 4.0 (outline: OpenMoji)."""

SIZE = 160
GROUPS = {0, 1, 3, 4, 5, 6, 7}
"""CLDR groups: smileys, people, animals, food, places, activities, objects."""


def package(name: str, sha256: str, folder: Path) -> tarfile.TarFile:
    """An npm package, verified."""
    path = client.npm(name, folder / ".npm" / name.strip("@").replace("/", "-"), lambda share: None)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != sha256:
        path.unlink()
        raise UserError(f"{path.name} is not the file this recipe pins (SHA-256 {digest}); run it again")
    return tarfile.open(path)


def read(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(f"package/{name}")
    assert file is not None
    return file.read()


def captions(tar: tarfile.TarFile) -> dict[str, dict[str, Any]]:
    """Hexcode without variation selectors → label and tags in both languages, and the name icons go by."""
    english = {each["hexcode"]: each for each in json.loads(read(tar, "en/data.json")) if each.get("group") in GROUPS}
    chinese = {each["hexcode"]: each for each in json.loads(read(tar, "zh/data.json"))}
    return {
        plain(code): {
            "en": ", ".join([one["label"], *one.get("tags", [])]),
            "zh": "，".join([chinese[code]["label"], *chinese[code].get("tags", [])]),
        }
        for code, one in english.items()
        if code in chinese
    }


def plain(hexcode: str) -> str:
    """One spelling of an emoji: upper case, no variation selector."""
    return "-".join(part for part in hexcode.upper().split("-") if part != "FE0F")


def svgs(tar: tarfile.TarFile, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Hexcode and SVG of every icon of an Iconify set whose emoji is known: by its table, or by its name in `names`."""
    icons = json.loads(read(tar, "icons.json"))
    width, height = icons.get("width", 16), icons.get("height", icons.get("width", 16))
    table = {name: plain(code) for code, name in json.loads(read(tar, "chars.json")).items()} or names
    for name, icon in icons["icons"].items():
        if code := table.get(name):
            box = f'{icon.get("left", 0)} {icon.get("top", 0)} {icon.get("width", width)} {icon.get("height", height)}'
            yield code, f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{icon["body"]}</svg>'


def drawings(style: str, tar: tarfile.TarFile, names: dict[str, str]) -> Iterator[tuple[str, Image.Image]]:
    """Hexcode and RGBA picture of everything in a set."""
    if style != "3d":
        for code, svg in svgs(tar, names):
            try:
                png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=SIZE, height=SIZE, skip_system_fonts=True))
            except ValueError:  # A few icons point at symbols their set does not hold.
                continue
            yield code, Image.open(io.BytesIO(png)).convert("RGBA")
        return
    for name in sorted(tar.getnames()):
        if name.endswith(".webp"):
            image = Image.open(io.BytesIO(read(tar, name.removeprefix("package/")))).convert("RGBA")
            yield plain(Path(name).stem), image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


def main(folder: Path) -> None:
    known = captions(package(*LABELS, folder))
    noto = package(*PACKAGES["noto"], folder)
    names = {name: plain(code) for code, name in json.loads(read(noto, "chars.json")).items()}
    names |= {re.sub(r"[^a-z0-9]+", "-", one["en"].split(",")[0].lower()): code for code, one in known.items()}
    for style, (name, sha256) in PACKAGES.items():
        (folder / style).mkdir(parents=True, exist_ok=True)
        count = 0
        for code, image in drawings(style, package(name, sha256, folder), names):
            if code in known and image.getchannel("A").getextrema()[1] > 0:
                image.save(folder / style / f"{code}.png")
                caption = {"subject": code, "style": style, **known[code]}
                (folder / style / f"{code}.json").write_text(json.dumps(caption, ensure_ascii=False) + "\n", "utf-8")
                count += 1
        sys.stdout.write(f"{style}: {count} pictures\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
