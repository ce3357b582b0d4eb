"""Look for the explicit label in a finished file, the way a person would meet it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mofang.studio.media import open_media
from mofang.trust import labels
from mofang.trust.carriers import midi, musicxml, svg
from mofang.trust.carriers.markdown import front_and_body


def visible(path: Path, kind: str) -> bool | None:
    """Whether the label can be seen, heard or read; None for kinds that have nowhere to put one.

    What a file contains may make this raise any `Exception`: decoders meet hostile bytes here.
    """
    how: Callable[[Path], bool] | None = {
        "png": _seen, "jpeg": _seen, "webp": _seen, "gif": _seen, "mp4": _shown, "wav": _heard, "flac": _heard, "mp3": _heard,
        "pdf": _stamped, "markdown": _read, "text": _read,
        "svg": _drawn, "midi": _noticed, "musicxml": _noticed,
    }.get(kind)  # fmt: skip
    return how(path) if how else None


def _seen(path: Path) -> bool:
    from PIL import Image

    with Image.open(path) as image:
        return labels.is_on(np.asarray(image.convert("RGB")))


def _shown(path: Path) -> bool:
    """In a film every half second from its first frame to 1.9 s; sound without pictures is listened to."""
    with open_media(path) as container:
        if not any(map(moves, container.streams.video)):
            return _heard(path)
        due, frame = 0.0, None
        for frame in container.decode(video=0):
            if (frame.time or 0.0) >= due:
                if not labels.is_on(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)):
                    return False
                if due >= labels.SECONDS - 0.1:
                    return True
                due = min(due + 0.5, labels.SECONDS - 0.1)
        # A film shorter than that shows it to its end.
        return frame is not None and labels.is_on(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))


def moves(stream: Any) -> bool:
    """Whether a stream of pictures is a film, and not a recording's cover."""
    from av.stream import Disposition

    return not stream.disposition & Disposition.attached_pic


def _heard(path: Path) -> bool:
    import av

    with open_media(path) as container:
        rate = container.streams.audio[0].rate
        resampler = av.AudioResampler("flt", "mono", rate)
        pieces, count = [np.zeros(0, np.float32)], 0
        for frame in container.decode(audio=0):
            for piece in resampler.resample(frame):
                pieces.append(np.asarray(piece.to_ndarray()[0], np.float32))
                count += piece.samples
            if count > 3 * rate:
                break
    return labels.has_audio_label(np.concatenate(pieces), rate)


def _stamped(path: Path) -> bool:
    import pikepdf

    with pikepdf.open(path) as document:
        page = document.pages[0]
        drawn = (str(each.operands[0]) for each in pikepdf.parse_content_stream(page, "Do"))
        return "/MofangLabel" in page.resources.get("/XObject", {}) and "/MofangLabel" in drawn


def _drawn(path: Path) -> bool:
    return svg.labelled(path.read_bytes())


def _noticed(path: Path) -> bool:
    data = path.read_bytes()
    told = midi.notices(data) if data[:4] == b"MThd" else musicxml.notices(data)
    return any(labels.has_text_label(text) for text in told)


def _read(path: Path) -> bool:
    return labels.has_text_label(front_and_body(path.read_bytes().decode("utf-8-sig", "replace"))[1])
