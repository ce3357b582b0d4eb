"""Captions as files: SubRip and WebVTT."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mofang.video.timeline import Caption


def srt(captions: Sequence[Caption], fps: int) -> str:
    """SubRip text, UTF-8, numbered from 1."""
    blocks = [
        f"{number}\n{clock(item.start, fps, ',')} --> {clock(item.end, fps, ',')}\n{_line(item.text)}\n"
        for number, item in enumerate(_apart(captions), 1)
    ]
    return "\n".join(blocks)


def vtt(captions: Sequence[Caption], fps: int) -> str:
    """WebVTT with a time stamp before every word, so that players can follow the voice (W3C WebVTT, 4.2.2)."""
    blocks = ["WEBVTT\n"]
    for item in _apart(captions):
        line = ""
        for word in item.words:
            at = item.start + word.start
            # A time stamp must lie inside the cue and after the one before it; the first word needs none.
            line += f"<{clock(at, fps, '.')}>" if line and item.start < at < item.end else ""
            line += _escape(_line(word.text, strip=False))
        blocks.append(f"{clock(item.start, fps, '.')} --> {clock(item.end, fps, '.')}\n{line.strip()}\n")
    return "\n".join(blocks)


def _apart(captions: Sequence[Caption]) -> Iterator[Caption]:
    """In order of time, each ending before the next begins; what nothing is left of, or says nothing, is dropped."""
    ordered = sorted((item for item in captions if item.text.strip()), key=lambda item: (item.start, item.end))
    for number, item in enumerate(ordered):
        following = ordered[number + 1].start if number + 1 < len(ordered) else item.end
        if (end := min(item.end, following)) > item.start >= 0:
            yield replace(item, end=end)


def clock(frame: int, fps: int, point: str) -> str:
    """A frame as `00:01:02,345`, rounded to the nearest millisecond."""
    milliseconds = (frame * 2000 + fps) // (2 * fps)
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{milliseconds:03d}"


def _line(text: str, strip: bool = True) -> str:
    """One line, writable as UTF-8; an arrow inside would end the cue."""
    flat = " ".join(text.splitlines()).replace("-->", "→").encode("utf-8", "replace").decode()
    return flat.strip() if strip else flat


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
