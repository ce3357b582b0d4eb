"""Bytes to text: which encoding a creator's file was saved in."""

import codecs
import contextlib
import re

from mofang.studio.errors import UserError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_MAGIC = ((b"\x89PNG", "a PNG picture"), (b"\xff\xd8\xff", "a JPEG picture"), (b"PK\x03\x04", "a ZIP or Office file"),
          (b"%PDF", "a PDF"), (b"GIF8", "a GIF picture"), (b"\xd0\xcf\x11\xe0", "an old Office file"),
          (b"GGUF", "a GGUF model"), (b"RIFF", "a sound or picture"), (b"ID3", "an MP3"), (b"{\\rtf", "an RTF document"),
          (b"\x7fELF", "a program"), (b"\x1f\x8b", "a gzip file"))  # fmt: skip
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_COMMON_SHARE = 0.7


def decode(data: bytes, name: str) -> tuple[str, str]:
    """The text of `data` and the Python name of its encoding.

    Tried in order: a byte-order mark, UTF-8, UTF-16 without a mark, GB18030 against Big5, what charset-normalizer says.
    Raises `UserError` for bytes that are no text; `name` is the file's, for the message.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return _plain(data.decode(encoding), name), encoding
            except UnicodeDecodeError as error:
                raise UserError(f"{name} is cut off or damaged ({encoding}, byte {error.start}); save it again as UTF-8"
                                ) from error
    for magic, what in _MAGIC:
        if data.startswith(magic):
            raise UserError(f"{name} is {what}, not text; give a Markdown or plain text file")
    if b"\x00" in data:
        return _utf16(data, name)
    try:
        return _plain(data.decode("utf-8"), name), "utf-8"
    except UnicodeDecodeError as error:
        if _nearly_utf8(data):
            raise UserError(f"{name} has a broken character at byte {error.start} (a lone surrogate or a cut-off file); "
                            "save it again as UTF-8") from error  # fmt: skip
    if encoding := _chinese(data):
        return _plain(data.decode(encoding), name), encoding
    from charset_normalizer import from_bytes

    best = from_bytes(data[:200_000]).best()
    encoding = best.encoding if best else "cp1252"
    try:
        return _plain(data.decode(encoding), name), encoding
    except (UnicodeDecodeError, LookupError) as error:
        raise UserError(f"{name} is not text in any encoding known here; save it as UTF-8") from error


def check_text(text: str, name: str) -> str:
    """`text` itself, or a `UserError` if it holds lone surrogates or control characters no text has."""
    return _plain(text, name)


def _plain(text: str, name: str) -> str:
    if found := _SURROGATE.search(text):
        raise UserError(f"{name} has half a character (a lone surrogate) at position {found.start()}; delete it and save again")
    controls = len(_CONTROLS.findall(text))
    if "\x00" in text or controls > max(2, len(text) // 200):
        raise UserError(f"{name} is binary data, not text; give a Markdown or plain text file")
    return _CONTROLS.sub("", text)


def _nearly_utf8(data: bytes) -> bool:
    # Legacy Chinese bytes hardly ever form valid UTF-8 sequences; a UTF-8 file with one wound is full of them, and one
    # whose only wounds are halves of characters spelt out is nothing else.
    with contextlib.suppress(UnicodeDecodeError):
        return bool(data.decode("utf-8", "surrogatepass"))
    text = data.decode("utf-8", "replace")
    wounds = len(re.findall("\ufffd+", text))
    whole = sum(character > "\x7f" for character in text) - text.count("\ufffd")
    return whole > 3 * wounds


def _utf16(data: bytes, name: str) -> tuple[str, str]:
    """Text with zero bytes is UTF-16 without a mark, or no text. In the wrong byte order hardly a character is common."""
    shares = {}
    for encoding in ("utf-16-le", "utf-16-be"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        shares[encoding] = sum(map(_is_common, text)) / max(1, len(text))
    best = max(shares, key=lambda encoding: shares[encoding], default="")
    if not best or shares[best] < 0.85:
        raise UserError(f"{name} is binary data, not text; give a Markdown or plain text file")
    return _plain(data.decode(best), name), best


def _is_common(character: str) -> bool:
    if " " <= character <= "~" or character in "\r\n\t":
        return True
    for encoding in ("gb2312", "big5", "latin-1"):
        try:
            return bool(character.encode(encoding))
        except UnicodeEncodeError:
            continue
    return False


def _chinese(data: bytes) -> str:
    """`gb18030`, `big5`, or nothing. Both standards put their common characters in low rows: in the true encoding nearly
    every character lies there (GB 2312 level 1: rows B0..D7; Big5 level 1: A4..C6), in the wrong one about half do."""
    shares = {}
    for encoding, first, last, trail in (("gb18030", 0xB0, 0xD7, 0xA1), ("big5", 0xA4, 0xC6, 0x40)):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        pairs = [pair for pair in (character.encode(encoding) for character in text if character > "\x7f") if len(pair) == 2]
        # Punctuation lies in rows of its own (GB A1..A3, Big5 A1..A3) and speaks for neither.
        hanzi = [pair for pair in pairs if not 0xA1 <= pair[0] <= 0xA3]
        if hanzi:
            shares[encoding] = sum(first <= pair[0] <= last and pair[1] >= trail for pair in hanzi) / len(hanzi)
    best = max(shares, key=lambda encoding: shares[encoding], default="")
    return best if best and shares[best] >= _COMMON_SHARE else ""
