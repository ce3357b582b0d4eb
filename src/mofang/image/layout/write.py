"""A page as a file: PNG, JPEG and WebP cut to size, PDF with its bleed."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mofang.image.layout.colours import Rgb8
from mofang.image.layout.formats import Format

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".pdf")


def save(image: Rgb8, where: Format, target: Path) -> None:
    """Write the sheet (bleed included) in the format of the target's suffix: screens get the trimmed page, print the sheet."""
    if target.suffix.lower() == ".pdf":
        _pdf(image, where, target)
        return
    edge = where.bleed
    trimmed = image[edge : image.shape[0] - edge, edge : image.shape[1] - edge]
    options: dict[str, Any] = {".png": {"compress_level": 6}, ".webp": {"quality": 92, "method": 4}}.get(
        target.suffix.lower(), {"quality": 93, "subsampling": 0}
    )
    Image.fromarray(np.ascontiguousarray(trimmed)).save(target, dpi=(where.dpi, where.dpi), **options)


def _pdf(image: Rgb8, where: Format, target: Path) -> None:
    """One page at its true size, with TrimBox and BleedBox (ISO 32000-2, 14.11.2)."""
    import pikepdf

    rows, columns = image.shape[:2]
    packed = io.BytesIO()
    Image.fromarray(image).save(packed, "JPEG", quality=95, subsampling=0)
    point = 72 / where.dpi
    width, height, edge = columns * point, rows * point, where.bleed * point
    with pikepdf.new() as document:
        document.add_blank_page(page_size=(width, height))
        page = document.pages[0]
        picture = document.make_stream(packed.getvalue(), Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=columns,
                                       Height=rows, ColorSpace=pikepdf.Name.DeviceRGB, BitsPerComponent=8,
                                       Filter=pikepdf.Name.DCTDecode)  # fmt: skip
        name = page.add_resource(picture, pikepdf.Name.XObject)
        page.contents_add(f"q {width:.4f} 0 0 {height:.4f} 0 0 cm {name} Do Q".encode())
        page.trimbox = pikepdf.Array([edge, edge, width - edge, height - edge])
        page.obj.BleedBox = pikepdf.Array([0, 0, width, height])
        document.save(target, deterministic_id=True)
