"""SVG: an XMP packet in `<metadata>` (XMP specification part 3, 2.6.2)."""

import re

from mofang.trust.carriers import Buffer, Malformed, Pieces, xmp

ROOT = re.compile(r"<svg(?=[\s>])[^<>]*>")
LABEL = "mofang-label"
SIDE = re.compile(r"""\s(width|height)=["']\s*([\d.]{1,9})(?:px)?\s*["']""")
VIEW = re.compile(r"""\sviewBox=["']\s*(-?[\d.]{1,9})[\s,]+(-?[\d.]{1,9})[\s,]+([\d.]{1,9})[\s,]+([\d.]{1,9})\s*["']""")


def _text(data: Buffer) -> tuple[str, int]:
    """The drawing, and where its root element's tag ends."""
    try:
        text = data[:].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed("the SVG is not UTF-8") from error
    root = ROOT.search(text[:65536])
    if root is None or root[0].endswith("/>"):
        raise Malformed("the SVG holds no picture")
    return text, root.end()


def read(data: Buffer) -> list[str]:
    """Every record in its metadata."""
    return xmp.records(data[:])


def write(data: Buffer, record: str) -> Pieces:
    """One record; a packet that is there keeps what else it says."""
    text, inside = _text(data)
    if "</rdf:RDF>" in text:
        return [xmp.merged(text.encode(), record)]
    return [text[:inside].encode(), b"<metadata>", xmp.packet(record), b"</metadata>", text[inside:].encode()]


def view(data: Buffer) -> tuple[float, float, float, float]:
    """Left, top, width and height of what is seen, in the drawing's own units. Raises `Malformed` if it does not say."""
    text, inside = _text(data)
    tag = text[:inside]
    try:
        if found := VIEW.search(tag):
            left, top, width, height = (float(each) for each in found.groups())
        else:
            sides = {match[1]: float(match[2]) for match in SIDE.finditer(tag)}
            left, top, width, height = 0.0, 0.0, sides.get("width", 0.0), sides.get("height", 0.0)
    except ValueError as error:
        raise Malformed("the SVG's size is no number") from error
    if not (width > 0 and height > 0):
        raise Malformed("the SVG does not say how large it is")
    return left, top, width, height


def labelled(data: Buffer) -> bool:
    """Whether the explicit label stands in it."""
    return f'<g id="{LABEL}">' in _text(data)[0]


def label(data: Buffer, drawing: str) -> Pieces:
    """The picture with `drawing` over everything else."""
    text, _ = _text(data)
    end = text.rfind("</svg>")
    if end < 0:
        raise Malformed("the SVG is cut short")
    return [text[:end].encode(), f'<g id="{LABEL}">{drawing}</g>'.encode(), text[end:].encode()]
