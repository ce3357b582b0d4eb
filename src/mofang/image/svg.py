"""SVG that somebody else drew, drawn by a process that may die of it.

A few lines of SVG can ask for a sheet of terabytes, for elements nested until the stack ends, or for filters that take days,
and the library that draws them then takes its process down, or never returns. So a process of its own draws, with bounds on
its memory and its time; it is kept for the next picture, since a dataset may have thousands. What a drawing points at is
looked for here first: the library would open any file of this computer that it names, and paint it.
"""

import contextlib
import os
import re
import struct
import subprocess
import sys
import threading
from xml.parsers import expat

SECONDS, PATIENCE = 20, 300
"""Of computing a drawing may take, and of waiting for it: a computer may be busy with other things."""
MEMORY, STACK = 3 << 30, 256 << 20
"""Bytes a drawing may take, and of those for nested elements."""
TALLEST = 4
"""How many times as high as wide a drawing is drawn at the asked width; a taller one is drawn at that height."""

_OPENING = {"image", "feimage", "use"}
"""Elements whose `href` is opened or drawn. A link's (`a`) is not."""
_INSIDE = re.compile(r"\s*#|data:[^,]*,", re.IGNORECASE)
"""How what lies in the drawing itself begins. Data without a comma would be taken for a file's name."""
_UNITS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}
"""CSS pixels of a unit (CSS Values and Units 4, section 6.2)."""
_HEAD = struct.Struct(">IIQ")


class Unfit(Exception):
    """Why a drawing is not drawn, and what to do: the end of a sentence that begins with its name."""


def draw(text: str, width: int) -> bytes:
    """PNG of a drawing, `width` pixels wide if it is not far taller than that. Raises `Unfit`.

    Scripts do nothing, as the library knows nothing of them.
    """
    tall = _look(text)
    size = (0, TALLEST * width) if tall > TALLEST else (width, 0)
    drawer = _borrow()
    try:
        answer = drawer.draw(size, text.encode())
    except BaseException:
        drawer.end()
        raise
    if answer is None:
        drawer.end()
        raise Unfit("is too large, too deep or too intricate to be drawn; simplify it, or export it as PNG")
    with _LOCK:
        _IDLE.append(drawer)
    if not answer:
        raise Unfit("is not an SVG that can be drawn; replace it")
    return answer


def _look(text: str) -> float:
    """How many times as high as wide a drawing says it is; 1 if it does not say. Raises `Unfit` for one that is no XML, or
    points at other files in whatever spelling."""
    sizes: list[dict[str, str]] = []

    def begin(tag: str, attributes: dict[str, str]) -> None:
        if not sizes:
            sizes.append(attributes)
        if tag.rpartition(":")[2].lower() not in _OPENING:
            return
        for name, value in attributes.items():
            if name.rpartition(":")[2].lower() == "href" and value.strip() and not _INSIDE.match(value):
                raise Unfit("points at other files; embed them in it")

    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = begin
    try:
        parser.Parse(text.encode(), True)
    except (expat.ExpatError, UnicodeEncodeError) as error:
        raise Unfit("is not an SVG that can be drawn; replace it") from error
    return _ratio(sizes[0]) if sizes else 1.0


def _ratio(root: dict[str, str]) -> float:
    sides = [_length(root.get(name, "")) for name in ("width", "height")]
    if None in sides:
        box = re.split(r"[\s,]+", root.get("viewBox", "").strip())
        sides = [_length(each) for each in box[2:4]] if len(box) == 4 else []
    wide, high = sides if len(sides) == 2 else (None, None)
    return high / wide if wide and high else 1.0


def _length(text: str) -> float | None:
    """In CSS pixels, if it is a length above zero."""
    match = re.fullmatch(r"\s*\+?(\d*\.?\d+(?:[eE][-+]?\d{1,3})?)\s*([a-z]*)\s*", text)
    value = float(match[1]) * _UNITS[match[2]] if match and match[2] in _UNITS else 0.0
    return value if 0 < value < 1e300 else None


# -- the process -----------------------------------------------------------------------------------------------------------


class _Drawer:
    """The process that draws, seen from this one."""

    def __init__(self) -> None:
        # -P: a folder called mofang where the command was run is no part of the program.
        self._process = subprocess.Popen([sys.executable, "-P", "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.DEVNULL)  # fmt: skip

    def draw(self, size: tuple[int, int], data: bytes) -> bytes | None:
        """The PNG, nothing for what is no drawing, None if the process ended over it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        watch = threading.Timer(PATIENCE, self._process.kill)
        watch.daemon = True
        watch.start()
        try:
            self._process.stdin.write(_HEAD.pack(*size, len(data)) + data)
            self._process.stdin.flush()
            head = self._process.stdout.read(8)
            answer = self._process.stdout.read(int.from_bytes(head, "big"))
            return answer if len(head) == 8 and len(answer) == int.from_bytes(head, "big") else None
        except BrokenPipeError:
            return None
        finally:
            watch.cancel()

    def end(self) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # What was not sent yet has nowhere to go.
                    pipe.close()
        self._process.wait()


_IDLE: list[_Drawer] = []
_LOCK = threading.Lock()
if hasattr(os, "register_at_fork"):
    # Two processes must not talk into one pipe.
    os.register_at_fork(after_in_child=_IDLE.clear)


def _borrow() -> _Drawer:
    with _LOCK:
        return _IDLE.pop() if _IDLE else _Drawer()


def serve() -> None:
    """Draw what comes in on standard input until it ends: width, height (one of them 0), length, SVG; out go length and PNG."""
    import resvg_py

    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while len(head := source.read(_HEAD.size)) == _HEAD.size:
        width, height, length = _HEAD.unpack(head)
        text = source.read(length).decode()
        _bound()
        try:
            # Without a resolution, a drawing in millimetres has no size.
            made = resvg_py.svg_to_bytes(svg_string=text, skip_system_fonts=True, width=width or None, height=height or None, dpi=96)
            made = bytes(made)
        except ValueError:
            made = b""
        sink.write(len(made).to_bytes(8, "big") + made)
        sink.flush()


def _bound() -> None:
    """So much memory, and so much more time than was used before."""
    try:
        import resource
    except ImportError:  # Windows has no such bounds; there, only patience ends.
        return
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    for what, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, int(used) + SECONDS), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    threading.stack_size(STACK)
    thread = threading.Thread(target=serve)
    thread.start()
    thread.join()
