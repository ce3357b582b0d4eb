"""A SoundFont with only what a piece plays: compressed samples of other instruments are passed over when it is opened.

SoundFont 2.04's tables lead from a preset through its zones to instruments and from those to samples; an .sf3 keeps each sample
as an Ogg stream, and unpacking them all takes longer than playing a piece.
"""

import struct
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

INSTRUMENT, SAMPLE = 41, 53
"""Generators that name what a zone leads to."""
COMPRESSED = 0x30
"""Bits of a sample's type: Vorbis, as .sf3 says it."""
ZONES = np.dtype([("generator", "<u2"), ("modulator", "<u2")])
GENERATORS = np.dtype([("kind", "<u2"), ("amount", "<u2")])
PRESETS = np.dtype([("name", "S20"), ("preset", "<u2"), ("bank", "<u2"), ("zone", "<u2"), ("rest", "V12")])
INSTRUMENTS = np.dtype([("name", "S20"), ("zone", "<u2")])
SAMPLES = np.dtype([("name", "S20"), ("start", "<u4"), ("end", "<u4"), ("rest", "V14"), ("linked", "<u2"), ("type", "<u2")])


def only(font: bytes, presets: Collection[tuple[int, int]]) -> bytes:
    """`font` with the compressed samples that none of `presets` (bank, program) plays said to be empty; as it is if its tables
    are not to be made out."""
    try:
        at = _tables(font)
        phdr, inst = _table(font, at["phdr"], PRESETS), _table(font, at["inst"], INSTRUMENTS)
        wanted = [number for number, each in enumerate(phdr[:-1]) if (int(each["bank"]), int(each["preset"])) in presets]
        played = _led_to(_table(font, at["pbag"], ZONES), _table(font, at["pgen"], GENERATORS), phdr["zone"], wanted, INSTRUMENT)
        heard = _led_to(_table(font, at["ibag"], ZONES), _table(font, at["igen"], GENERATORS), inst["zone"], played, SAMPLE)
        samples = _table(font, at["shdr"], SAMPLES).copy()
        idle = np.ones(len(samples), bool)
        idle[heard] = False
        idle &= (samples["type"] & COMPRESSED) != 0
    except (KeyError, IndexError, ValueError, struct.error):
        return font
    samples["end"][idle] = samples["start"][idle]
    start, size = at["shdr"]
    return font[:start] + samples.tobytes() + font[start + size :]


def _tables(font: bytes) -> dict[str, tuple[int, int]]:
    """Where the chunks of the list `pdta` lie: name → (start, size)."""
    found: dict[str, tuple[int, int]] = {}
    at, end = 12, len(font)
    while at + 8 <= end:
        name, size = struct.unpack_from("<4sI", font, at)
        if name == b"LIST" and font[at + 8 : at + 12] == b"pdta":
            at, end = at + 12, at + 8 + size
            continue
        found[name.decode("latin-1")] = (at + 8, size)
        at += 8 + size + size % 2
    return found


def _table(font: bytes, place: tuple[int, int], kind: np.dtype[np.void]) -> NDArray[np.void]:
    start, size = place
    if size % kind.itemsize or start + size > len(font):
        raise ValueError("a table that is cut short")
    return np.frombuffer(font, kind, size // kind.itemsize, start)


def _led_to(zones: NDArray[np.void], generators: NDArray[np.void], first: NDArray[np.uint16], numbers: Collection[int], kind: int
            ) -> list[int]:  # fmt: skip
    """What the zones of so many presets (or instruments) name by generators of a kind."""
    found: set[int] = set()
    for number in numbers:
        begin, end = (int(zones["generator"][int(first[at])]) for at in (number, number + 1))
        named = generators[begin:end]
        found |= set(named["amount"][named["kind"] == kind].tolist())
    return sorted(found)
