"""Repairing photographs beside OpenCV and scikit-image: the same damaged pictures, the same measures, one run.

    python benchmarks/image_restore.py [--quick]

Pictures: photographs that ship with scikit-image and scikit-learn (NASA, CC0 and CC BY), none of which any of our networks
has seen. Measures, against the undamaged picture: PSNR (dB), SSIM (Wang et al. 2004, Gaussian window), and a distance of
local structure in the manner of LPIPS without its network: normalised responses of oriented filters at four scales. For
inpainting they are taken over the hole and a rim of eight pixels. A row's ratio is that of root-mean-square errors, of
1 − SSIM, of structure distances, or of seconds. Every peer runs with its best parameters of a few, chosen on the very
pictures it is judged on; ours with its defaults.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from common import HERE, Row, peer_python, report
from mofang.image.edit.blind import blur_of
from mofang.image.edit.blur import read_blur
from mofang.image.edit.deblur import blurred, deblur
from mofang.image.edit.denoise import denoise
from mofang.image.edit.enlarge import enlarge, shipped
from mofang.image.edit.inpaint import inpaint
from mofang.image.edit.unjpeg import table_of, unjpeg

PACKAGES = ("scikit-image", "opencv-python-headless", "scipy", "numpy", "scikit-learn", "PyWavelets")
SIDE = 256
QUICK = ("coffee",)


# -- damage --------------------------------------------------------------------------------------------------------------


def holes(kind, shape, rng):
    """(rows, columns) masks: lost pixels, scratches, words over the picture, a square, several blobs."""
    mask = np.zeros(shape, np.uint8)
    if kind == "80 % of pixels":
        return rng.random(shape) < 0.8
    if kind == "scratches":
        for _ in range(14):
            ends = rng.integers(0, SIDE, (2, 2))
            cv2.line(mask, tuple(map(int, ends[0])), tuple(map(int, ends[1])), 1, int(rng.integers(1, 4)))
    elif kind == "words":
        for line in range(6):
            cv2.putText(mask, "Lorem ipsum dolor sit", (6, 34 + 42 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 1, 2)
    elif kind == "square":
        y, x = rng.integers(60, SIDE - 110, 2)
        mask[y : y + 50, x : x + 50] = 1
    else:
        for _ in range(5):
            centre = tuple(map(int, rng.integers(30, SIDE - 30, 2)))
            cv2.ellipse(mask, centre, tuple(map(int, rng.integers(8, 20, 2))), int(rng.integers(180)), 0, 360, 1, -1)
    return mask > 0


HOLES = ("80 % of pixels", "scratches", "words", "square", "blobs")
BLURS = ("gaussian:1.6", "disk:3", "motion:13,30")


def tasks(pictures, folder):
    """(row name, damaged bytes, clean, facts for the methods) of every task; JPEG files go into `folder`."""
    for number, (name, clean) in enumerate(pictures.items()):
        rng = np.random.default_rng(number)
        for kind in HOLES:
            mask = holes(kind, clean.shape[:2], rng)
            damaged = clean.copy()
            damaged[mask] = 0
            yield f"inpaint {kind}", name, damaged, clean, {"mask": mask}
        for sigma in (15, 25, 50):
            noisy = np.clip(np.round(clean + rng.normal(0, sigma, clean.shape)), 0, 255).astype(np.uint8)
            yield f"denoise σ {sigma}", name, noisy, clean, {"sigma": sigma}
        for quality in (10, 25):
            path = folder / f"{name}-{quality}.jpg"
            Image.fromarray(clean).save(path, quality=quality)
            yield f"JPEG quality {quality}", name, np.asarray(Image.open(path)), clean, {"file": path}
        for factor in (2, 4):
            size = (clean.shape[1] // factor, clean.shape[0] // factor)
            yield f"enlarge ×{factor}", name, cv2.resize(clean, size, interpolation=cv2.INTER_AREA), clean, {"factor": factor}
        for blur in BLURS:
            soft = blurred((clean / 255).astype(np.float32), read_blur(blur)) * 255
            soft = np.clip(np.round(soft + rng.normal(0, 2, clean.shape)), 0, 255).astype(np.uint8)
            yield f"deblur {blur}, known", name, soft, clean, {"kernel": read_blur(blur)}
        yield "deblur motion:13,30, unknown", name, soft, clean, {"unknown": True}


def ours(row, damaged, facts):
    """What the program makes of it, and the seconds it took."""
    image = (damaged / np.float32(255)).astype(np.float32)
    start = time.perf_counter()
    if row.startswith("inpaint"):
        done = inpaint(image, facts["mask"])
    elif row.startswith("denoise"):
        done = denoise(image)
    elif row.startswith("JPEG"):
        done = unjpeg(image, table_of(facts["file"]))
    elif row.startswith("enlarge"):
        done = enlarge(image, facts["factor"], graph=shipped(facts["factor"]))
    elif "unknown" in facts:
        done = deblur(image, blur_of(image))
    else:
        done = deblur(image, facts["kernel"])
    seconds = time.perf_counter() - start
    return (np.clip(done, 0, 1) * 255).round().astype(np.uint8), seconds


# -- measures ------------------------------------------------------------------------------------------------------------


def measures(done, clean, mask=None, shift=False):
    """Root-mean-square error of 255, 1 − SSIM, and the structure distance; `shift` lets the picture lie up to 6 px aside."""
    if shift:
        done = aligned(done, clean)
        done, clean = done[8:-8, 8:-8], clean[8:-8, 8:-8]
    where = np.ones(clean.shape[:2], bool)
    if mask is not None and mask.mean() < 0.5:
        where = cv2.dilate(mask.astype(np.uint8), np.ones((17, 17))) > 0
    error = (done.astype(np.float64) - clean)[where]
    return float(np.sqrt((error**2).mean())), 1 - ssim(done, clean)[where].mean(), structure(done, clean)[where].mean()


def aligned(done, clean):
    """A blur that was found may sit beside its true place: the best whole-pixel shift is no fault of the picture."""
    errors = [((np.roll(done, s, (0, 1))[8:-8, 8:-8].astype(float) - clean[8:-8, 8:-8]) ** 2).mean() for s in SHIFTS]
    return np.roll(done, SHIFTS[int(np.argmin(errors))], (0, 1))


SHIFTS = [(y, x) for y in range(-6, 7) for x in range(-6, 7)]


def ssim(one, other):
    a, b = (cv2.cvtColor(each, cv2.COLOR_RGB2GRAY).astype(np.float64) for each in (one, other))
    blur = lambda x: cv2.GaussianBlur(x, (11, 11), 1.5)  # noqa: E731
    ma, mb = blur(a), blur(b)
    va, vb, ab = blur(a * a) - ma**2, blur(b * b) - mb**2, blur(a * b) - ma * mb
    return (2 * ma * mb + 6.5025) * (2 * ab + 58.5225) / ((ma**2 + mb**2 + 6.5025) * (va + vb + 58.5225))


def structure(one, other):
    """Mean squared difference of unit-length vectors of filter responses (8 Gabor filters and lightness), four scales."""
    total = np.zeros(one.shape[:2])
    for scale in range(4):
        size = (one.shape[1] >> scale, one.shape[0] >> scale)
        pair = []
        for picture in (one, other):
            grey = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
            maps = [cv2.filter2D(grey, -1, cv2.getGaborKernel((9, 9), 1.8, way * np.pi / 4, 4.0, 1.0, phase) / 8)
                    for way in range(4) for phase in (0, np.pi / 2)]  # fmt: skip
            stack = np.dstack([*maps, grey - cv2.GaussianBlur(grey, (0, 0), 2)])
            pair.append(stack / np.sqrt((stack**2).sum(2, keepdims=True) + 1e-3))
        total += cv2.resize(((pair[0] - pair[1]) ** 2).sum(2), one.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return total / 4


# -- peers, in their own venv --------------------------------------------------------------------------------------------

def peers(jobs, folder):
    """{(task number, method): (picture, seconds)} of every peer on every task."""
    python = peer_python("image", *PACKAGES)
    spec = []
    for number, (row, _, damaged, _, facts) in enumerate(jobs):
        arrays = {key: facts[key] for key in ("mask", "kernel") if key in facts}
        np.savez(folder / f"{number}.npz", image=damaged, **arrays)
        spec.append({"row": row, **{key: facts[key] for key in ("sigma", "factor", "unknown") if key in facts}})
    (folder / "spec.json").write_text(json.dumps(spec))
    subprocess.run([str(python), str(HERE / "image_restore_peer.py"), str(folder / "spec.json"), str(folder)], check=True)
    found = json.loads((folder / "peers.json").read_text())
    return {(number, name): (np.load(folder / f"{key}.npy"), seconds) for key, (number, name, seconds) in found.items()}


# -- the table -----------------------------------------------------------------------------------------------------------


def photographs(quick):
    """{name: (256, 256, 3)} parts of photographs in the peers' packages."""
    packages = peer_python("image", *PACKAGES).parent.parent
    data = next(packages.glob("lib/python*/site-packages"))
    places = {"astronaut": ("skimage/data/astronaut.png", 0, 110), "coffee": ("skimage/data/coffee.png", 60, 160),
              "cat": ("skimage/data/chelsea.png", 20, 80), "rocket": ("skimage/data/rocket.jpg", 100, 200),
              "china": ("sklearn/datasets/images/china.jpg", 120, 100),
              "flower": ("sklearn/datasets/images/flower.jpg", 90, 190)}  # fmt: skip
    found = {}
    for name, (path, top, left) in places.items():
        if quick and name not in QUICK:
            continue
        found[name] = np.asarray(Image.open(data / path).convert("RGB"))[top : top + SIDE, left : left + SIDE].copy()
    return found


WHY = {
    "inpaint square": "what stood in a large hole cannot be known: a smooth fill may err less than one that looks like a picture",
    "inpaint blobs": "as above",
    "JPEG quality 10": "BM3D smooths what weak texture the coarse steps left, which a structure measure counts",
    "inpaint scratches": "where scratches are few both are near what can be known; the errors differ by less than a hundredth",
}


def main():
    quick = "--quick" in sys.argv
    pictures = photographs(quick)
    look = HERE / "out" / "image_restore"
    look.mkdir(parents=True, exist_ok=True)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jobs = list(tasks(pictures, folder))
        others = peers(jobs, folder)
        warm(jobs)
        results = [ours(row, damaged, facts) for row, _, damaged, _, facts in jobs]
    for row in dict.fromkeys(job[0] for job in jobs):
        numbers = [number for number, job in enumerate(jobs) if job[0] == row]
        judged = {}
        for number in numbers:
            _, picture, damaged, clean, facts = jobs[number]
            methods = {"ours": results[number]} | {way: made for (n, way), made in others.items() if n == number}
            for way, (done, seconds) in methods.items():
                scores = measures(done, clean, facts.get("mask"), "unknown" in facts)
                judged.setdefault(way, []).append((*scores, seconds))
            shown = cv2.resize(damaged, clean.shape[1::-1], interpolation=cv2.INTER_NEAREST)
            sheet = np.hstack([shown, results[number][0], clean])
            Image.fromarray(sheet).save(look / f"{row.replace(' ', '_').replace('%', '').replace(':', '')}-{picture}.png")
        mean = {way: np.mean(each, 0) for way, each in judged.items() if len(each) == len(numbers)}
        rivals = {way: each for way, each in mean.items() if way != "ours"}
        for column, unit in enumerate(("PSNR dB", "SSIM", "structure")):
            best = min(rivals, key=lambda way: rivals[way][column])
            mine, theirs = mean["ours"][column], rivals[best][column]
            if column == 0:
                values = [float(np.mean([-20 * np.log10(each[0] / 255) for each in judged[way]])) for way in ("ours", best)]
            else:
                values = [1 - mine, 1 - theirs] if column == 1 else [mine, theirs]
            rows.append(Row(row, unit, *values, best, theirs / mine, "ahead", bool(mine < theirs)))
        fastest = min(rivals, key=lambda way: rivals[way][0])
        rows.append(Row(row, "seconds", mean["ours"][3], rivals[fastest][3], fastest, rivals[fastest][3] / mean["ours"][3]))
    report("image_restore", rows)
    for what, why in WHY.items():
        if any(each.what == what and each.met is False for each in rows):
            print(f"{what}: {why}")


def warm(jobs):
    """Compile what is compiled at first use, so that seconds are those of the work."""
    seen = set()
    for row, _, damaged, _, facts in jobs:
        kind = row.split()[0]
        if kind not in seen:
            seen.add(kind)
            ours(row, damaged, facts)


if __name__ == "__main__":
    main()
