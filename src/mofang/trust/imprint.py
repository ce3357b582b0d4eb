"""Put the explicit label into a file: drawn on pictures and pages, heard before sound, read above text."""

from base64 import b64encode
from collections.abc import Callable
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from mofang.studio.errors import UserError
from mofang.studio.media import open_media
from mofang.trust import labels, look
from mofang.trust.carriers import Malformed, midi, musicxml, svg
from mofang.trust.carriers.markdown import front_and_body


def imprint(source: Path, target: Path, kind: str, lang: str) -> bool:
    """Write `source` to `target` with the label, if this kind can still take one; whether anything was written.

    A file that bears the label already is left alone. A film's label is in its frames from the renderer on.
    Raises `UserError` if the content cannot be decoded or is too small for a label.
    """
    how: Callable[[Path, Path, str, str], bool] | None = {
        "png": _picture, "jpeg": _picture, "webp": _picture, "gif": _picture, "pdf": _page, "markdown": _text,
        "text": _text, "wav": _sound, "flac": _sound, "mp3": _sound, "mp4": _sound, "svg": _drawing, "midi": _notice,
        "musicxml": _notice,
    }.get(kind)  # fmt: skip
    return how(source, target, kind, lang) if how else False


def _picture(source: Path, target: Path, kind: str, lang: str) -> bool:
    from PIL import Image, ImageOps, ImageSequence

    try:
        with Image.open(source) as image:
            # What cameras put beside the first picture of a JPEG is a preview or a depth map, not a film.
            frames = [image] if kind == "jpeg" else ImageSequence.all_frames(image)
            kept: dict[str, Any] = {key: image.info[key] for key in ("icc_profile", "dpi", "duration", "loop", "disposal")
                                    if key in image.info}  # fmt: skip
            durations = [frame.info.get("duration", 0) for frame in frames]
            upright = [ImageOps.exif_transpose(frame) for frame in frames]
            exif = upright[0].getexif()
            if image.mode == "CMYK":
                kept.pop("icc_profile", None)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise UserError(f"{source.name} is not a picture that can be read ({str(error)[:80]}); make or save it anew") from error
    pixels = [_pixels(frame) for frame in upright]
    if all(labels.is_on(each[..., :3]) for each in pixels):
        return False
    try:
        labelled = [Image.fromarray(labels.on_picture(each, lang)) for each in pixels]
    except ValueError as error:
        raise UserError(f"{source.name}: {error}; make it larger") from error
    formats: dict[str, dict[str, Any]] = {
        "png": {"format": "PNG", "compress_level": 6},
        "jpeg": {"format": "JPEG", "quality": 95, "subsampling": 0},
        "webp": {"format": "WEBP", "lossless": True},
        "gif": {"format": "GIF"},
    }
    options = formats[kind]
    if len(labelled) > 1:
        options |= {"save_all": True, "append_images": labelled[1:]}
        kept["duration"] = durations
    if kind != "gif" and exif:
        kept["exif"] = exif.tobytes()
    labelled[0].save(target, **(kept | options))
    return True


def _pixels(image: Any) -> labels.Pixels:
    """(rows, columns, 3 or 4), eight bits a channel."""
    if image.mode.startswith("I"):  # Sixteen bits: Pillow would clip them, not scale them.
        grey = (np.asarray(image).astype(np.int64).clip(0, 65535) >> 8).astype(np.uint8)
        return np.dstack([grey] * 3)
    clear = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    return np.asarray(image.convert("RGBA" if clear else "RGB"))


def _page(source: Path, target: Path, kind: str, lang: str) -> bool:
    """The label in the upper left corner of the first page."""
    import pikepdf

    try:
        with pikepdf.open(source) as document:
            page = document.pages[0]
            if "/MofangLabel" in page.resources.get("/XObject", {}):
                return False
            left, bottom, right, top = (float(each) for each in page.cropbox)
            # Three pixels to a point: 216 to the inch is crisp in print.
            label = labels.overlay(round(3 * (right - left)), round(3 * (top - bottom)), lang)
            rows, columns = label.image.shape[:2]

            def picture(pixels: bytes, space: str, **more: Any) -> Any:
                return document.make_stream(pixels, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=columns,
                                            Height=rows, ColorSpace=pikepdf.Name(space), BitsPerComponent=8, **more)  # fmt: skip

            mask = picture(label.image[..., 3].tobytes(), "/DeviceGray")
            colours = picture(label.image[..., :3].tobytes(), "/DeviceRGB", SMask=mask)
            name = page.add_resource(colours, pikepdf.Name.XObject, pikepdf.Name.MofangLabel)
            corner = left + label.x / 3, top - (label.y + rows) / 3
            page.contents_add(b"q", prepend=True)  # Whatever the page does to its coordinates ends before ours begin.
            page.contents_add(f"Q q {columns / 3} 0 0 {rows / 3} {corner[0]} {corner[1]} cm {name} Do Q".encode())
            document.save(target, deterministic_id=True)
    except (pikepdf.PdfError, IndexError, ValueError, TypeError, RuntimeError, OverflowError) as error:
        raise UserError(f"{source.name} is not a PDF that can be labelled ({str(error)[:80]}); make it anew") from error
    return True


def _text(source: Path, target: Path, kind: str, lang: str) -> bool:
    try:
        text = source.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{source.name} is not UTF-8 text; save it as UTF-8 first") from error
    body = front_and_body(text)[1] if kind == "markdown" else text
    if labels.has_text_label(body):
        return False
    front = text[: len(text) - len(body)]
    target.write_bytes((front + labels.label_text(body.lstrip("\r\n"), lang)).encode())
    return True


def _notice(source: Path, target: Path, kind: str, lang: str) -> bool:
    """Words that programs show beside a score."""
    form = midi if kind == "midi" else musicxml
    data = source.read_bytes()
    try:
        if any(labels.has_text_label(text) for text in form.notices(data)):
            return False
        target.write_bytes(b"".join(form.notice(data, labels.label_text("", lang).strip())))
    except Malformed as error:
        raise UserError(f"{source.name} cannot be labelled: {error}; make or save it anew") from error
    return True


def _drawing(source: Path, target: Path, kind: str, lang: str) -> bool:
    """The label as a picture in the drawing's upper left corner, twice as fine as its units."""
    from PIL import Image

    data = source.read_bytes()
    try:
        if svg.labelled(data):
            return False
        left, top, width, height = svg.view(data)
        label = labels.overlay(round(2 * width), round(2 * height), lang)
        stream = BytesIO()
        Image.fromarray(label.image).save(stream, "PNG")
        rows, columns = label.image.shape[:2]
        picture = (f'<image x="{left + label.x / 2:g}" y="{top + label.y / 2:g}" width="{columns / 2:g}" height="{rows / 2:g}" '
                   f'href="data:image/png;base64,{b64encode(stream.getvalue()).decode()}"/>')  # fmt: skip
        target.write_bytes(b"".join(svg.label(data, picture)))
    except (Malformed, ValueError) as error:
        raise UserError(f"{source.name} cannot be labelled: {error}; make or save it anew") from error
    return True


ENCODINGS = {"wav": ("wav", ""), "flac": ("flac", "flac"), "mp3": ("mp3", "libmp3lame"), "mp4": ("ipod", "aac")}
"""Container and encoder of each kind; WAV keeps the samples it has."""


def _sound(source: Path, target: Path, kind: str, lang: str) -> bool:
    import av

    try:
        if look.visible(source, kind):
            return False  # Before all of it is decoded: an audiobook of ten hours is labelled already and fills no memory.
        with open_media(source) as container:
            if kind == "mp4" and any(map(look.moves, container.streams.video)):
                return False
            stream = container.streams.audio[0]
            rate, layout, form, codec = stream.rate, stream.layout.name, stream.format.name, stream.codec_context.name
            frames = [np.asarray(frame.to_ndarray()) for frame in container.decode(audio=0)]
            words = dict(container.metadata)
            channels = stream.channels
        packed = np.concatenate(frames, 1)
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise UserError(f"{source.name} is not sound that can be read; make or save it anew") from error
    samples = packed.T if form.endswith("p") else packed.reshape(-1, channels)
    scale, middle = _scale(samples.dtype)
    tones = np.repeat(labels.rhythm(rate)[:, None], channels, 1) * scale + middle
    samples = np.concatenate([tones.round().astype(samples.dtype) if scale > 1 else tones.astype(samples.dtype), samples])
    container_name, encoder = ENCODINGS[kind]
    with av.open(str(target), "w", format=container_name) as out:
        sink: Any = out.add_stream(encoder or codec, rate=rate, layout=layout)
        if kind in ("mp3", "mp4"):
            sink.bit_rate = 192_000
        out.metadata.update(words)
        resampler = av.AudioResampler(sink.codec_context.format or form, layout, rate)
        for start in range(0, len(samples), 4096):
            piece = np.ascontiguousarray(samples[start : start + 4096])
            plane = np.ascontiguousarray(piece.T) if form.endswith("p") else piece.reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(plane, form, layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            for ready in resampler.resample(frame):
                out.mux(sink.encode(ready))
        for ready in resampler.resample(None):
            out.mux(sink.encode(ready))
        out.mux(sink.encode(None))
    return True


def _scale(kind: np.dtype[Any]) -> tuple[float, float]:
    """The full scale and the middle of samples of this kind."""
    if kind.kind == "f":
        return 1.0, 0.0
    if kind.kind == "u":
        return 127.0, 128.0
    return float(np.iinfo(kind).max), 0.0
