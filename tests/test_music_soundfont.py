"""A SoundFont is cut to what a piece plays, and left alone where its tables make no sense."""

import struct

import numpy as np
import pytest

from mofang.sound.music import soundfont
from mofang.sound.music.soundfont import only


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def font(kind: int = 0x11) -> bytes:
    """Two presets, (0, 5) and (0, 6), each of one instrument of one sample; one more sample nobody plays."""
    samples = np.zeros(4, soundfont.SAMPLES)
    samples["start"], samples["end"], samples["type"] = (0, 100, 200, 0), (100, 200, 300, 0), (kind, kind, kind, 0)
    presets = np.zeros(3, soundfont.PRESETS)
    presets["preset"], presets["zone"] = (5, 6, 0), (0, 1, 2)
    instruments = np.zeros(3, soundfont.INSTRUMENTS)
    instruments["zone"] = (0, 1, 2)
    zones = np.zeros(3, soundfont.ZONES)
    zones["generator"] = (0, 1, 2)
    leads = {each: np.zeros(3, soundfont.GENERATORS) for each in (soundfont.INSTRUMENT, soundfont.SAMPLE)}
    for each, table in leads.items():
        table["kind"][:2], table["amount"][:2] = each, (0, 1)
    tables = ((b"phdr", presets), (b"pbag", zones), (b"pgen", leads[soundfont.INSTRUMENT]), (b"inst", instruments), (b"ibag", zones),
              (b"igen", leads[soundfont.SAMPLE]), (b"shdr", samples))  # fmt: skip
    data = b"".join(chunk(name, table.tobytes()) for name, table in tables)
    return chunk(b"RIFF", b"sfbk" + chunk(b"LIST", b"sdta" + chunk(b"smpl", b"x" * 301)) + chunk(b"LIST", b"pdta" + data))


def lengths(made: bytes) -> list[int]:
    start, size = soundfont._tables(made)["shdr"]
    samples = np.frombuffer(made, soundfont.SAMPLES, size // soundfont.SAMPLES.itemsize, start)
    return (samples["end"] - samples["start"]).tolist()


@pytest.mark.parametrize(("presets", "left"), [({(0, 5)}, [100, 0, 0, 0]), ({(0, 5), (0, 6)}, [100, 100, 0, 0]), ({(1, 5)}, [0] * 4)])
def test_samples_that_are_not_played_are_empty(presets, left):
    made = only(font(), presets)
    assert lengths(made) == left and len(made) == len(font())


def test_plain_samples_stay():
    assert only(font(0x01), {(0, 5)}) == font(0x01)


@pytest.mark.parametrize("cut", [0, 11, 30, 400, 500, 700])
def test_a_broken_font_is_left_as_it_is(cut):
    broken = font()[:cut]
    assert only(broken, {(0, 5)}) == broken


def test_hostile_tables_do_no_harm():
    rng, whole = np.random.default_rng(0), font()
    for _ in range(200):
        bad = bytearray(whole)
        for place in rng.integers(330, len(bad), 6):
            bad[place] = int(rng.integers(256))
        assert isinstance(only(bytes(bad), {(0, 5)}), bytes)
