"""Moves stay inside the picture, captions tile the speech, subtitles and the exchange format hold up."""

import json
import random
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from films import click, film, still
from mofang import models
from mofang.studio.alignment import Aligned
from mofang.studio.errors import UserError
from mofang.studio.typeset import Typeface
from mofang.video import Caption, Motion, Style, View, Word, choose, plates, split
from mofang.video.captions import LONGEST, columns
from mofang.video.chunks import cut
from mofang.video.motion import covers, ease, inside
from mofang.video.otio import export
from mofang.video.pictures import read, size
from mofang.video.planes import Patch, Planes, Still, convert
from mofang.video.subtitles import clock, srt, vtt

SIDES = st.integers(40, 4000)
SHARE = st.floats(0, 1)


def spoken(text: str, each: float = 0.25) -> list[Aligned]:
    """A text said evenly: a character or word at a time."""
    parts = re.findall(r"[\u4e00-\u9fff][^\w\s]*|[^\W\u4e00-\u9fff]+[^\w]*|[^\w]+", text)
    return [Aligned(part, number * each, (number + 1) * each) for number, part in enumerate(parts)]


# -- the camera ------------------------------------------------------------------------------------------------------


@given(number=st.integers(0, 50), x=SHARE, y=SHARE, w=SHARE, h=SHARE, picture=st.tuples(SIDES, SIDES),
       frame=st.tuples(SIDES, SIDES), at=SHARE)  # fmt: skip
def test_a_move_never_leaves_the_picture(
    number: int, x: float, y: float, w: float, h: float, picture: tuple[int, int], frame: tuple[int, int], at: float
) -> None:
    motion = choose(number, (x * (1 - w), y * (1 - h), w, h), picture, frame)
    cover = covers(picture, frame)
    view = motion.at(at)
    for centre, share in ((view.x, cover[0]), (view.y, cover[1])):
        half = share / view.zoom / 2
        assert half - 1e-9 <= centre <= 1 - half + 1e-9
    left, top, right, bottom = motion.swept(cover)
    assert left - 1e-9 <= view.x - cover[0] / view.zoom / 2
    assert view.y + cover[1] / view.zoom / 2 <= bottom + 1e-9
    assert min(left, top) >= -1e-9
    assert max(right, bottom) <= 1 + 1e-9


def test_neighbours_move_differently_and_something_always_moves() -> None:
    moves = [choose(number, (0.4, 0.3, 0.2, 0.3), (1080, 1920), (1080, 1920)) for number in range(6)]
    assert all(a != b for a, b in pairwise(moves))
    assert all(move.start != move.end for move in moves)


def test_a_wide_picture_is_crossed_towards_its_subject() -> None:
    motion = choose(0, (0.8, 0.4, 0.1, 0.2), (3840, 1080), (1080, 1920))
    assert motion.start.x < motion.end.x
    assert motion.end.x == pytest.approx(0.85)


def test_a_push_in_keeps_its_goal_in_place() -> None:
    motion = Motion(View(0.5, 0.5, 1.0), inside(View(0.5, 0.5, 1.2)))
    assert all(motion.at(share / 10).x == 0.5 for share in range(11))
    assert [ease(0), ease(1)] == [0, 1]
    steps = np.diff([ease(number / 100) for number in range(101)])
    assert (steps > 0.002).all()


def test_a_still_camera_shows_the_picture_itself(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    image = np.kron(rng.integers(0, 255, (20, 12, 3), dtype=np.uint8), np.ones((8, 8, 1), np.uint8))
    Image.fromarray(image).save(tmp_path / "a.png")
    seen = Still(tmp_path / "a.png", Motion(), 96, 160).look(View())
    exact = convert(image)
    for ours, expected in zip((seen.y, seen.u, seen.v), (exact.y, exact.u, exact.v), strict=True):
        assert np.array_equal(ours, expected)


def test_colours_are_bt709() -> None:
    # ITU-R BT.709-6: white, black and the primaries in 8-bit limited range.
    for colour, expected in (
        ((255, 255, 255), (235, 128, 128)), ((0, 0, 0), (16, 128, 128)), ((255, 0, 0), (63, 102, 240)),
        ((0, 255, 0), (173, 42, 26)), ((0, 0, 255), (32, 240, 118)),
    ):  # fmt: skip
        planes = convert(np.full((4, 4, 3), colour, np.uint8))
        assert np.abs(np.array([planes.y[0, 0], planes.u[0, 0], planes.v[0, 0]], int) - expected).max() <= 1


@settings(max_examples=40, deadline=None)
@given(
    x=st.integers(-30, 60),
    y=st.integers(-30, 60),
    w=st.integers(1, 50),
    h=st.integers(1, 50),
    alpha=st.integers(0, 255),
)
def test_laying_over_is_alpha_blending(x: int, y: int, w: int, h: int, alpha: int) -> None:
    rgba = np.full((h, w, 4), (250, 240, 10, alpha), np.uint8)
    frame = Planes(np.full((40, 60), 60, np.uint8), np.full((20, 30), 100, np.uint8), np.full((20, 30), 150, np.uint8))
    patch = Patch.of(rgba, x, y, 60, 40)
    if patch:
        patch.lay_over(frame)
    luma = convert(np.full((2, 2, 3), (250, 240, 10), np.uint8)).y[0, 0]
    expected = np.full((40, 60), 60.0)
    expected[max(y, 0) : max(y + h, 0), max(x, 0) : max(x + w, 0)] += (float(luma) - 60) * alpha / 255
    assert np.abs(frame.y - expected).max() <= 1


# -- pictures ----------------------------------------------------------------------------------------------------------


def test_pictures_are_read_as_they_are_meant(tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 20), (200, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif)
    assert size(tmp_path / "turned.jpg") == (20, 40)
    assert read(tmp_path / "turned.jpg").shape == (40, 20, 3)
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (read(tmp_path / "clear.png") == 255).all()
    for mode in ("L", "P", "CMYK", "I;16", "1", "LA"):
        name = tmp_path / f"mode-{mode.replace(';', '')}.{'tif' if mode == 'CMYK' else 'png'}"
        Image.new(mode, (6, 5)).save(name)
        assert read(name).shape == (5, 6, 3)


def test_a_picture_beyond_reason_is_refused_unread(tmp_path: Path) -> None:
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    for side in (11_000, 20_000, 2_000_000_000):
        header = side.to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
        path = tmp_path / "huge.png"
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")))
        with pytest.raises(UserError, match=r"huge\.png"):
            read(path)


# -- captions ----------------------------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(
    st.text(st.sampled_from("月亮在树上，。！？“”、abc de.0123,'—…\n🦊"), min_size=1, max_size=200), st.integers(0, 99)
)
def test_captions_tile_the_speech(text: str, seed: int) -> None:
    rng = random.Random(seed)
    words, at = [], 0.0
    for word in spoken(text):
        length = rng.uniform(0.0, 0.5)
        words.append(Aligned(word.text, at, at + length))
        at += length + rng.choice((0, 0, 0.8))
    last = 100 + round(at * 30) + 20
    captions = split(words, 30, 100, last)
    for caption in captions:
        assert 100 <= caption.start < caption.end <= last
        assert columns(caption.text) <= 2 * LONGEST
        assert caption.text == caption.text.strip()
        assert all(word.start <= word.end for word in caption.words)
    assert all(a.end <= b.start for a, b in pairwise(captions))
    # Nothing that is said is lost when every word has time to be seen.
    slow = split([Aligned(word.text, number, number + 1.0) for number, word in enumerate(words)], 30, 0, 10**6)
    letters = [letter for caption in slow for letter in caption.text if letter.isalnum() or letter == "🦊"]
    assert letters == [letter for letter in text if letter.isalnum() or letter == "🦊"]


def test_captions_end_as_readers_expect() -> None:
    texts = [item.text for item in split(spoken("小狐狸坐在山坡上，看着又圆又亮的大月亮。好美啊！真的……"), 30, 0, 900)]
    assert texts == ["小狐狸坐在山坡上", "看着又圆又亮的大月亮", "好美啊！", "真的……"]
    texts = [
        item.text
        for item in split(spoken("The owl on the old oak blinked twice. “The moon isn’t here,” she said."), 30, 0, 900)
    ]
    assert texts == ["The owl on the old oak blinked twice", "“The moon isn’t here,” she said"]


def test_a_long_clause_is_cut_between_words() -> None:
    texts = [item.text for item in split(spoken("他们一起沿着弯弯曲曲的小路走过了那座古老而美丽的石桥"), 30, 0, 900)]
    assert len(texts) == 2
    assert "".join(texts) == "他们一起沿着弯弯曲曲的小路走过了那座古老而美丽的石桥"
    assert abs(len(texts[0]) - len(texts[1])) <= 4


def test_numbers_are_not_cut_at_their_point() -> None:
    words = [Aligned(text, number, number + 1.0) for number, text in enumerate(["长", "3.", "5", "米，", "宽"])]
    assert [item.text for item in split(words, 30, 0, 900)] == ["长3.5米，宽"]


def test_a_word_without_end_is_shared_out() -> None:
    captions = split([Aligned("啊" * 10_000, 0.0, 1000.0)], 30, 0, 30_000)
    assert sum(len(caption.text) for caption in captions) == 10_000
    assert max(columns(caption.text) for caption in captions) <= 1.5 * LONGEST
    assert captions[-1].end <= 30_000


@pytest.mark.models
@pytest.mark.parametrize("frame", [(1080, 1920), (1920, 1080), (1080, 1080)])
@pytest.mark.parametrize("text", ["月", "AI 生成的月亮，真圆啊真圆啊真圆" * 2, "W" * 60, "字" * 10_000, "🦊"])
def test_captions_stay_in_the_safe_area(frame: tuple[int, int], text: str) -> None:
    from mofang.video.lettering import Lettering

    face = Typeface((models.ensure("font-noto-sans-sc").file("bold"),))
    style = Style.of(face, *frame)
    patch = Lettering(Caption((Word(text, 0, 10),), 0, 10), style).at(5)
    if text == "🦊":
        assert patch is None
        return
    assert patch is not None
    height, width = patch.alpha[0].shape
    margin = 0.04 * frame[0]
    assert patch.x > margin
    assert patch.x + width < frame[0] - margin
    assert patch.y + height < frame[1] * (0.84 if frame[1] > frame[0] else 0.97)
    assert patch.y > frame[1] * 0.5


@pytest.mark.models
def test_credits_take_as_many_pages_as_they_need() -> None:
    model = models.ensure("font-noto-sans-sc")
    faces = plates.Faces(Typeface((model.file("bold"),)), Typeface((model.file("regular"),)))
    one = plates.credits(["Made with Mofang", "", "Noto · Google · Apache-2.0"], 270, 480, faces)
    many = plates.credits([f"Art {number} · Somebody · CC-BY-4.0" for number in range(90)], 270, 480, faces)
    assert len(one) == 1
    assert 2 < len(many) < 10
    assert all(page.shape == (480, 270, 4) and page[..., 3].any() for page in many)


@pytest.mark.models
def test_the_cover_carries_its_title(tmp_path: Path) -> None:
    model = models.ensure("font-noto-sans-sc")
    faces = plates.Faces(Typeface((model.file("bold"),)), Typeface((model.file("regular"),)))
    for width, height in ((270, 480), (480, 270), (270, 270)):
        plain = plates.cover(still(tmp_path, 0), "", "", width, height, faces)
        titled = plates.cover(still(tmp_path, 0), "很长很长的题目" * 5, "作者", width, height, faces)
        assert titled.shape == (height, width, 3)
        assert ((titled.min(2) > 240) & (plain.min(2) < 240)).sum() > 200


# -- other formats -----------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 60), st.text(max_size=20)), max_size=12))
def test_subtitles_are_valid_whatever_they_say(items: list[tuple[int, int, str]]) -> None:
    import pysubs2

    captions = [Caption((Word(text, 0, length),), start, start + length) for start, length, text in items]
    text = srt(captions, 30)
    text.encode("utf-8")
    read_back = pysubs2.SSAFile.from_string(text, "srt")
    lines = [event for event in read_back if event.type == "Dialogue"]
    assert all(event.start < event.end for event in lines)
    assert all(a.end <= b.start for a, b in pairwise(lines))
    marked = vtt(captions, 30)
    marked.encode("utf-8")
    assert marked.startswith("WEBVTT\n")
    assert marked.count("-->") == text.count("-->")


def test_the_clock_rounds_to_milliseconds() -> None:
    assert clock(1, 30, ",") == "00:00:00,033"
    assert clock(2, 30, ".") == "00:00:00.067"
    assert clock(30 * 3661, 30, ",") == "01:01:01,000"


def test_vtt_follows_the_words() -> None:
    text = vtt([Caption((Word("a < b ", 0, 10), Word("c", 15, 20)), 30, 60)], 30)
    assert "00:00:01.000 --> 00:00:02.000\na &lt; b <00:00:01.500>c" in text


def test_other_editors_read_the_same_timeline(tmp_path: Path) -> None:
    import opentimelineio as otio

    caption = Caption((Word("月亮", 0, 5),), 22, 30)
    timeline = film(tmp_path, (20, 25, 30), "crossfade", 6, captions=(caption,), audio=click(tmp_path, 3.0, 1.0))
    export(timeline, "月亮", tmp_path / "film.otio")
    piece = otio.adapters.read_from_file(str(tmp_path / "film.otio"))
    assert piece.name == "月亮"
    assert piece.duration() == otio.opentime.RationalTime(75, 25)
    pictures, sound = piece.tracks
    clips = [item for item in pictures if isinstance(item, otio.schema.Clip)]
    assert [clip.duration().value for clip in clips] == [20, 25, 30]
    joints = [item for item in pictures if isinstance(item, otio.schema.Transition)]
    assert [joint.out_offset.value for joint in joints] == [6, 6]
    assert clips[1].markers[0].name == "月亮"
    assert clips[1].markers[0].marked_range.start_time.value == 2
    assert sound.duration().to_seconds() == 3.0


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=8), st.integers(1, 60))
def test_chunks_add_up_to_the_timeline(lengths: list[int], fps: int) -> None:
    base = film(Path(), ())
    shot = replace(base, fps=fps).shots
    assert shot == ()
    from mofang.video import Shot, Timeline

    timeline = Timeline(96, 160, fps, tuple(Shot(Path("a.png"), length, Motion()) for length in lengths))
    parts = cut(timeline)
    assert sum(part.frames for part in parts) == timeline.frames
    assert timeline.seconds * fps == pytest.approx(timeline.frames)
    assert all(1 <= part.frames <= 4 * fps for part in parts)
    for a, b in pairwise(parts):
        assert b.first == (a.first + a.frames if b.first else 0)
    json.dumps(timeline.to_json())
