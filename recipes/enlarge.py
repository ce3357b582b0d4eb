"""The photographs of the shipped networks `enlarge` and `repair`, cut into a dataset that `mofang image train` reads.

    python recipes/enlarge.py PHOTOS DATA
    mofang image train DATA --kind enlarge --size small --budget 3400steps --decay 0.6
    mofang image train DATA --kind repair --size small --budget 12min --decay 0.6

PHOTOS is a folder with photographs of the Debian packages lomiri-wallpapers-16.04, lomiri-wallpapers-20.04 and
ukui-wallpapers (20.04): CC0, CC BY 4.0, CC BY-SA 4.0 and CC BY-SA 3.0; what is drawn, blurred or noise is left out by name below.
Each is brought to three sizes, so that its pixels are sharp and its textures of several scales, and cut into squares that
have something in them. Two photographs are held out whole.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from mofang.image.data.store import digest, write_split
from mofang.image.safe import open_picture
from mofang.studio.atomic import atomic_folder

SIDE, STEP = 192, 128
LONGER = (1600, 1000, 640)
LEAST = 5.0  # mean step between neighbouring pixels, of 255: sky teaches nothing
LEFT_OUT = ("analog", "umang", "Fossa", "Painting", "firstgen", "the-mouse", "Infinite")
HELD_OUT = ("friends", "Picture_0B")
LICENCES = {"seeding": "CC0-1.0", "Kleiber": "CC-BY-SA-3.0", "2004default": "CC-BY-SA-3.0", "string": "CC-BY-SA-3.0"} | dict.fromkeys(
    ("aitzgorri", "friends", "life", "picosdeeuropa", "sunset", "Picture_", "Wine"), "CC-BY-4.0")


def squares(picture):
    """(SIDE, SIDE, 3) parts of a photograph at all sizes."""
    import cv2

    for longer in LONGER:
        scale = longer / max(picture.shape[:2])
        sized = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else picture
        if longer == LONGER[0]:
            picture = sized
        for y in range(0, sized.shape[0] - SIDE + 1, STEP):
            for x in range(0, sized.shape[1] - SIDE + 1, STEP):
                part = sized[y : y + SIDE, x : x + SIDE]
                grey = part.mean(2)
                if np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean() >= LEAST:
                    yield part


def main():
    photos, data = Path(sys.argv[1]), Path(sys.argv[2])
    parts, works = {"train": [], "val": []}, []
    for path in sorted(photos.iterdir()):
        if path.suffix.lower() not in (".jpg", ".png") or path.stem.startswith(LEFT_OUT):
            continue
        found = list(squares(open_picture(path)))
        parts["val" if path.stem.startswith(HELD_OUT) else "train"] += [(path.name, part) for part in found]
        licence = next((each for name, each in LICENCES.items() if path.stem.startswith(name)), "CC-BY-SA-4.0")
        works.append({"name": path.name, "licence": licence, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})
    parts["val"] = parts["val"][:: max(len(parts["val"]) // 48, 1)]
    order = np.random.default_rng(0).permutation(len(parts["train"]))
    parts["train"] = [parts["train"][k] for k in order]
    with atomic_folder(data, "dataset.json") as folder:
        for name, some in parts.items():
            lines = [{"file": file, "caption": {}} for file, _ in some]
            write_split(folder, name, iter([np.ascontiguousarray(part) for _, part in some]), lines, (SIDE, SIDE, 3))
        manifest = {"version": 1, "size": SIDE, "channels": 3, "counts": {name: len(some) for name, some in parts.items()},
                    "licence": "CC-BY-SA-4.0 AND CC-BY-SA-3.0 AND CC-BY-4.0", "works": works, "sha256": digest(folder)}  # fmt: skip
        (folder / "dataset.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
