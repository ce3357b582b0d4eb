"""The implicit label in its place in every format: one of it, readable by others, and nothing else disturbed."""

import io
import json
import re
import struct
from pathlib import Path

import av
import numpy as np
import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mofang.studio.errors import UserError
from mofang.trust import Record, verify
from mofang.trust.carriers import Malformed, carrier, mp4, xmp
from trust_samples import CARRIED, decoded, film, picture, sample

ONE, TWO = Record("Mofang", "Mofang-1-a").dumps(), Record("Mofang", "Mofang-2-<&>'").dumps()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("samples")
    return {name: sample(folder, name).read_bytes() for name in CARRIED}


def written(data: bytes, record: str, name: str) -> bytes:
    found = carrier(data, Path(name).suffix)
    assert found
    return b"".join(bytes(piece) for piece in found.write(data, record))


def records(data: bytes, name: str) -> list[str]:
    found = carrier(data, Path(name).suffix)
    assert found
    return found.read(data)


@pytest.mark.parametrize("name", CARRIED)
def test_there_is_exactly_one(name: str, files: dict[str, bytes]) -> None:
    assert records(files[name], name) == []
    once = written(files[name], ONE, name)
    assert records(once, name) == [ONE]
    twice = written(once, TWO, name)
    assert records(twice, name) == [TWO]
    assert Record.loads(records(twice, name)[0]).produce_id == "Mofang-2-<&>'"
    if name != "a.pdf":
        assert written(written(twice, ONE, name), ONE, name) == written(once, ONE, name)


@pytest.mark.parametrize("name", [each for each in CARRIED if each[1:] not in (".pdf", ".md", ".mid", ".musicxml", ".svg")])
def test_the_content_is_the_same_to_the_last_bit(name: str, files: dict[str, bytes]) -> None:
    assert decoded(written(files[name], ONE, name)) == decoded(files[name])


@pytest.mark.parametrize("name", ["a.mp4", "a.m4a", "a.mp3", "a.flac"])
def test_ffmpeg_reads_it_and_the_title_beside_it(name: str, files: dict[str, bytes]) -> None:
    with av.open(io.BytesIO(written(files[name], ONE, name))) as container:
        words = {key.lower(): value for key, value in container.metadata.items()}
    assert words["aigc"] == ONE and words["title"] == "Mine"


def test_pillow_and_qpdf_read_it(files: dict[str, bytes]) -> None:
    for name in ("a.png", "a.jpg", "a.webp"):
        with Image.open(io.BytesIO(written(files[name], ONE, name))) as image:
            image.load()
            packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
            packet = packet.encode() if isinstance(packet, str) else packet
            assert xmp.records(packet) == [ONE], name
    with Image.open(io.BytesIO(written(files["a.gif"], ONE, "a.gif"))) as image:
        assert image.info["extension"][0] == b"XMP DataXMP"
    with pikepdf.open(io.BytesIO(written(files["a.pdf"], ONE, "a.pdf"))) as document:
        assert document.docinfo["/AIGC"] == ONE and document.docinfo["/Title"] == "Mine"


@pytest.mark.parametrize("fast", [True, False])
def test_a_film_keeps_its_order_and_its_chunks(fast: bool, tmp_path: Path) -> None:
    film(tmp_path / "a.mp4", fast=fast)
    data = (tmp_path / "a.mp4").read_bytes()
    out = written(data, ONE, "a.mp4")
    order = [box.kind for box in mp4.boxes(out, 0, len(out))]
    assert (order.index(b"moov") < order.index(b"mdat")) is fast
    assert order == [box.kind for box in mp4.boxes(data, 0, len(data))]
    assert decoded(out) == decoded(data)
    assert len(re.findall(b"udta", out[: len(out)])) == 1


def test_offsets_of_64_bits_move_too(files: dict[str, bytes]) -> None:
    table = struct.pack(">II3Q", 0, 3, 10, 1 << 33, 1 << 40)
    assert mp4._moved(table, b"co64", 100, 7) == struct.pack(">II3Q", 0, 3, 10, (1 << 33) + 7, (1 << 40) + 7)
    with pytest.raises(Malformed, match="too large"):
        mp4._moved(struct.pack(">III", 0, 1, 0xFFFFFFF0), b"stco", 0, 100)


def test_what_else_pictures_say_stays(tmp_path: Path) -> None:
    packet = xmp.packet("X").replace(b"<TC260:AIGC>X</TC260:AIGC>", b"<dc:title xmlns:dc='d'>Mine</dc:title>")
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    for name, options in (("a.jpg", {"xmp": packet, "exif": exif, "comment": b"hi"}), ("a.webp", {"xmp": packet, "exif": exif})):
        Image.fromarray(picture()).save(tmp_path / name, **options)
        out = written((tmp_path / name).read_bytes(), ONE, name)
        assert records(out, name) == [ONE] and b"Mine" in out
        with Image.open(io.BytesIO(out)) as image:
            assert image.getexif()[0x010F] == "Camera"


def test_scores_keep_their_notes_and_say_their_recipe(files: dict[str, bytes]) -> None:
    music = pytest.importorskip("symusic")
    recipe = '{"engine": "score", "prompt": "<竹>"}'
    for name, mark in (("a.mid", recipe.encode()), ("a.musicxml", "&lt;竹&gt;".encode())):
        found = carrier(files[name], Path(name).suffix)
        assert found and found.remark
        told = b"".join(bytes(piece) for piece in found.remark(files[name], recipe))
        again = b"".join(bytes(piece) for piece in found.remark(written(told, ONE, name), recipe))
        assert again.count(mark) == 1 and records(again, name) == [ONE]
    before, after = (music.Score.from_midi(data) for data in (files["a.mid"], written(files["a.mid"], ONE, "a.mid")))
    assert [str(note) for note in before.tracks[0].notes] == [str(note) for note in after.tracks[0].notes]
    assert len(after.tempos) == len(before.tempos) == 1


def test_a_field_goes_where_the_schema_wants_it() -> None:
    head = b'<score-partwise><work/><identification><creator>X</creator></identification><defaults/><part-list/></score-partwise>'
    out = written(head, ONE, "a.xml").decode()
    assert out.index("</creator>") < out.index("<miscellaneous>") < out.index("</identification>") < out.index("<defaults")
    bare = written(head.replace(b"<identification><creator>X</creator></identification>", b""), ONE, "a.xml").decode()
    assert bare.index("<work/>") < bare.index("<identification>") < bare.index("<defaults")


def test_wild_forms_are_read() -> None:
    attribute = f"<rdf:Description Foo:AIGC='{ONE}'/>".encode()
    escaped = f'<a b:AIGC="{ONE.replace(chr(34), "&quot;")}"/>'.encode()
    assert xmp.records(attribute) == xmp.records(escaped) == [ONE]
    block = b'---\ntitle: x\nAIGC:\n  Label: "1"\n  ContentProducer: Doubao\n  ProduceID: \'a1\'\n---\ntext'
    assert Record.loads(records(block, "a.md")[0]) == Record("Doubao", "a1")
    windows = "\ufeff---\r\ntitle: 狐\r\n---\r\n\r\n正文\r\n".encode()
    out = written(windows, ONE, "a.md")
    assert records(out, "a.md") == [ONE] and out.count(b"\r\n") == windows.count(b"\r\n") + 1


def test_two_labels_are_one_too_many(files: dict[str, bytes], tmp_path: Path) -> None:
    once = written(files["a.wav"], ONE, "a.wav")
    body = once[12:] + b"AIGC" + struct.pack("<I", len(TWO)) + TWO.encode() + b"\0" * (len(TWO) % 2)
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body)
    report = verify(path)
    assert not report.ok and any("2 AIGC labels" in fault.en for fault in report.faults)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", '"x"', json.dumps(ONE), '{"Label":1,"ContentProducer":"a","ProduceID":"b"}',
     '{"Label":"AIGC","ContentProducer":"a","ProduceID":"b"}', '{"Label":"1","ContentProducer":"a","ProduceID":"000-0"}',
     '{"Label":"1","ContentProducer":"墨坊","ProduceID":"b"}', '{"Label":"1","ContentProducer":"a b","ProduceID":"b"}',
     '{"Label":"1","ContentProducer":"a","ProduceID":"b","ReserveCode1":""}', '{"Label":"1","ContentProducer":"a"}',
     '{"Label":"1","Label":"2","ContentProducer":"a","ProduceID":"b"}', "[" * 100_000])  # fmt: skip
def test_malformed_records_are_told(text: str) -> None:
    with pytest.raises(ValueError, match="AIGC"):
        Record.loads(text)


ALLOWED = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='"\\'), min_size=1, max_size=60)


@given(ALLOWED, ALLOWED)
def test_records_come_back(producer: str, number: str) -> None:
    record = Record(producer, "x" + number)
    again = Record.loads(record.dumps())
    assert (again.producer, again.produce_id) == (producer, "x" + number)
    assert Record.loads(json.dumps({"AIGC": json.loads(record.dumps())})) == again
    assert xmp.records(xmp.packet(record.dumps())) == [record.dumps()]


@given(st.text(min_size=1).filter(lambda text: not all("!" <= c <= "~" and c not in '"\\' for c in text)))
def test_characters_outside_the_standard_are_refused(producer: str) -> None:
    with pytest.raises(UserError):
        Record(producer, "1").dumps()


CHANGES = st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=8)


@pytest.mark.parametrize("name", CARRIED)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES, cut=st.integers(0, 1 << 20), keep=st.booleans())
def test_garbled_files_are_malformed_at_worst(
    name: str, changes: list[tuple[int, int]], cut: int, keep: bool, files: dict[str, bytes]
) -> None:
    """Readers and writers meet hostile bytes: they work or say `Malformed`, nothing else."""
    data = bytearray(written(files[name], ONE, name)[: 1 << 16])
    for place, value in changes:
        data[place % min(len(data), 2000)] = value
    hostile = bytes(data if keep else data[: cut % len(data)])
    found = carrier(hostile, Path(name).suffix)
    if found is None:
        return
    try:
        found.read(hostile)
        b"".join(bytes(piece) for piece in found.write(hostile, TWO))
    except Malformed:
        pass


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(head=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\xff\xff\0\0WEBP", b"RIFF\xff\0\0\0WAVE", b"GIF89a",
                             b"fLaC", b"\0\0\0\x14ftypisom", b"ID3\x04\0\0", b"%PDF-1.4\n", b"WEBVTT\n", b"---\nAIGC:\n",
                             b"MThd\0\0\0\6\0\0\0\1\0\1MTrk\0\0\0\x20", b"<svg>", b"<score-partwise><part-list>"]),
       rest=st.binary(max_size=300), suffix=st.sampled_from([".png", ".md", ".txt", ".vtt", ""]))  # fmt: skip
def test_any_bytes_give_a_report_that_proves_nothing(head: bytes, rest: bytes, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(head + rest)
    report = verify(path)
    assert not report.ok and report.lines("en") and report.lines("zh")


def test_hostile_sizes_cost_nothing() -> None:
    """Patterns and loops stay linear: two megabytes of half-open tags, blank lines, nested boxes and spans."""
    assert xmp.records(b"<a:AIGC>" * 250_000) == []
    assert records(b"---\n" + b"AIGC:\n" + b" \n" * 500_000 + b"---\n", "a.md") == ["{}"]
    nested = b"".join(struct.pack(">I", 8 * (20_000 - n)) + b"moov" for n in range(20_000))
    data = struct.pack(">I4s", 8, b"ftyp") + nested
    assert records(data, "a.mp4") == []
    with pytest.raises(Malformed):
        records(b"GIF89a" + b"\x21\xff\x0bXMP DataXMP" * 100_000, "a.gif")


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.png", tmp_path):
        report = verify(path)
        assert not report.ok and not report.silent and "cannot be read" in report.lines()[-1]
    (tmp_path / "empty.png").write_bytes(b"")
    assert verify(tmp_path / "empty.png").silent


def test_a_title_cannot_drive_the_terminal(tmp_path: Path) -> None:
    evil = '{"Label":"1","ContentProducer":"a\\u001b[2J","ProduceID":"b"}'
    data = b"RIFF" + struct.pack("<I", 12 + len(evil)) + b"WAVEAIGC" + struct.pack("<I", len(evil)) + evil.encode()
    (tmp_path / "a\x1b[2J.wav").write_bytes(data)
    assert all("\x1b" not in line for line in verify(tmp_path / "a\x1b[2J.wav").lines())


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    from mofang.trust import Claim, publish

    Image.fromarray(np.full((200, 200), 0x8000, np.uint16)).save(tmp_path / "deep.png")
    with Image.open(publish(tmp_path / "deep.png", tmp_path / "o.png", Claim("x"), tmp_path / "s").path) as image:
        assert image.getpixel((190, 190)) == (128, 128, 128)
