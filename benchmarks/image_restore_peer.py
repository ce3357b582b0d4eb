"""The peers of `image_restore.py`, run by the Python of their own venv: SPEC.json FOLDER."""

import json
import sys
import time
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from skimage import filters, restoration


def floats(image):
    return image.astype(np.float64) / 255


def whole(image):
    return (np.clip(image, 0, 1) * 255).round().astype(np.uint8)


def each(image, work):
    """Channel by channel."""
    return np.dstack([work(image[..., channel]) for channel in range(3)])


def inpainting(image, mask):
    for radius in (3, 6):
        yield f"OpenCV Telea {radius}", partial(cv2.inpaint, image, mask, radius, cv2.INPAINT_TELEA)
        yield f"OpenCV NS {radius}", partial(cv2.inpaint, image, mask, radius, cv2.INPAINT_NS)
    fill = partial(restoration.inpaint_biharmonic, floats(image), mask > 0, channel_axis=-1, split_into_regions=True)
    yield "skimage biharmonic", lambda: whole(fill())


def denoising(image, sigma):
    noise = sigma / 255
    for h in (0.6, 0.8, 1.0):
        yield f"OpenCV NLM {h}", partial(cv2.fastNlMeansDenoisingColored, image, None, h * sigma, h * sigma, 7, 21)
        nlm = partial(restoration.denoise_nl_means, floats(image), 5, 6, h * noise, sigma=noise, fast_mode=True, channel_axis=-1)
        yield f"skimage NLM {h}", lambda nlm=nlm: whole(nlm())
    for k in (0.7, 1.0):
        wave = partial(restoration.denoise_wavelet, floats(image), sigma=k * noise, channel_axis=-1, convert2ycbcr=True,
                       rescale_sigma=True)  # fmt: skip
        yield f"skimage wavelet {k}", lambda wave=wave: whole(wave())
    for weight in (0.05, 0.1, 0.2):
        flat = partial(restoration.denoise_tv_chambolle, floats(image), weight * sigma / 25, channel_axis=-1)
        yield f"skimage TV {weight}", lambda flat=flat: whole(flat())
    yield "OpenCV bilateral", partial(cv2.bilateralFilter, image, 7, 2.5 * sigma, 3)


def enlarging(image, factor):
    size = (image.shape[1] * factor, image.shape[0] * factor)
    for name in ("CUBIC", "LANCZOS4", "LINEAR"):
        yield f"OpenCV {name.lower()}", partial(cv2.resize, image, size, interpolation=getattr(cv2, "INTER_" + name))


def sharpening(image):
    # Channel by channel: with channel_axis this scikit-image blurs across the colours.
    for radius in (1, 2, 4):
        sharp = partial(filters.unsharp_mask, radius=radius, amount=1)
        yield f"skimage unsharp {radius}", lambda sharp=sharp: whole(each(floats(image), sharp))


def deconvolving(image, kernel):
    edge = 3 * max(kernel.shape)

    def wide(work):
        padded = np.pad(floats(image), ((edge, edge), (edge, edge), (0, 0)), mode="reflect")
        return whole(each(padded, work)[edge:-edge, edge:-edge])

    yield "skimage unsupervised Wiener", partial(wide, lambda c: restoration.unsupervised_wiener(c, kernel, clip=False)[0])
    for balance in (0.003, 0.01, 0.03, 0.1):
        yield f"skimage Wiener {balance}", partial(wide, lambda c, b=balance: restoration.wiener(c, kernel, b, clip=False))
    for turns in (10, 20, 40):
        lucy = partial(restoration.richardson_lucy, psf=kernel, num_iter=turns, clip=False)
        yield f"skimage Richardson-Lucy {turns}", partial(wide, lambda c, lucy=lucy: lucy(np.clip(c, 1e-4, 1)))


def ways(task, data):
    row, image = task["row"], data["image"]
    if row.startswith("inpaint"):
        return inpainting(image, data["mask"].astype(np.uint8))
    if row.startswith(("denoise", "JPEG")):
        return denoising(image, task.get("sigma") or {"JPEG quality 10": 12, "JPEG quality 25": 7}[row])
    if row.startswith("enlarge"):
        return enlarging(image, task["factor"])
    return sharpening(image) if task.get("unknown") else deconvolving(image, data["kernel"].astype(np.float64))


def main():
    cv2.setNumThreads(1)
    spec, folder, out = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]), {}
    for number, task in enumerate(spec):
        for name, way in ways(task, np.load(folder / f"{number}.npz")):
            start = time.perf_counter()
            done = way()
            key = f"{number}-{len(out)}"
            out[key] = [number, name, time.perf_counter() - start]
            np.save(folder / f"{key}.npy", done)
    (folder / "peers.json").write_text(json.dumps(out))


if __name__ == "__main__":
    main()
