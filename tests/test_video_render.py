"""A rendered film has exactly its frames, in their places, plays everywhere, and is remembered in pieces."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from films import COLOURS, click, decoded, film, near, still
from mofang import models
from mofang.studio.errors import UserError
from mofang.studio.typeset import Typeface
from mofang.video import (
    Caption,
    Encoding,
    Motion,
    Overlay,
    Shot,
    Style,
    Timeline,
    Transition,
    View,
    Word,
    probe,
    render,
)
from mofang.video.chunks import cut

FAST = Encoding("ultrafast", 18)


def test_every_frame_is_there_and_in_its_place(tmp_path: Path) -> None:
    timeline = film(tmp_path, (20, 1, 33))
    made = render(timeline, tmp_path / "film.mp4", encoding=FAST)
    seen = probe(tmp_path / "film.mp4")
    assert made == 3
    assert (seen.frames, seen.width, seen.height, seen.fps) == (54, 96, 160, Fraction(25))
    assert seen.seconds == pytest.approx(54 / 25, abs=1e-6)
    assert (seen.video, seen.sound) == ("h264", "")
    frames = decoded(tmp_path / "film.mp4")
    assert len(frames) == 54
    for number, frame in enumerate(frames):
        shot = 0 if number < 20 else 1 if number < 21 else 2
        assert near(frame[120, 60], COLOURS[shot]), number


def test_the_stream_is_what_players_expect(tmp_path: Path) -> None:
    import av

    timeline = replace(film(tmp_path, (140, 20)), audio=click(tmp_path, 6.4, 1.0))
    render(timeline, tmp_path / "film.mp4", encoding=FAST)
    with av.open(str(tmp_path / "film.mp4")) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        context = video.codec_context
        assert context.profile in ("High", "Constrained Baseline", "Main")
        assert context.pix_fmt == "yuv420p"
        assert (int(context.colorspace), int(context.color_primaries), int(context.color_trc)) == (1, 1, 1)
        assert (sound.codec_context.name, sound.rate, sound.layout.name) == ("aac", 48000, "stereo")
        times = [packet for packet in container.demux(video) if packet.size]
    keys = [packet.pts * packet.time_base for packet in times if packet.is_keyframe]
    assert keys[0] == 0
    assert max(b - a for a, b in pairwise(keys)) <= 2
    decoding = [packet.dts for packet in times]
    assert decoding == sorted(set(decoding))
    shown = sorted(packet.pts * packet.time_base for packet in times)
    assert shown == [Fraction(number, 25) for number in range(160)]
    data = (tmp_path / "film.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_sound_and_picture_keep_time(tmp_path: Path) -> None:
    import av

    timeline = replace(film(tmp_path, (50, 50)), audio=click(tmp_path, 9.0, 2.0))
    render(timeline, tmp_path / "film.mp4", encoding=FAST)
    heard: dict[float, float] = {}
    with av.open(str(tmp_path / "film.mp4")) as container:
        for frame in container.decode(audio=0):
            block = frame.to_ndarray()[0]
            for at in range(0, len(block), 48):
                heard[frame.time + at / 48000] = float(np.abs(block[at : at + 48]).max())
    loud = min(at for at, level in heard.items() if level > 0.3)
    # The click is at two seconds, where the second shot begins: frame 50.
    assert loud == pytest.approx(2.0, abs=0.01)
    assert max(heard) < 4.05
    assert probe(tmp_path / "film.mp4").seconds == pytest.approx(4.0, abs=0.03)


@pytest.mark.parametrize("kind", ["crossfade", "dip", "push", "wipe"])
def test_transitions_are_at_their_frames(tmp_path: Path, kind: str) -> None:
    timeline = film(tmp_path, (20, 20), kind, 6)
    render(timeline, tmp_path / "film.mp4", encoding=FAST)
    frames = decoded(tmp_path / "film.mp4")
    assert len(frames) == 40
    corner = [frame[150, 90] for frame in frames]
    assert all(near(colour, COLOURS[0]) for colour in corner[:20])
    assert all(near(colour, COLOURS[1]) for colour in corner[26:])
    middle = frames[23][120].astype(int)
    changed = np.abs(middle - COLOURS[0]).max(1).mean() > 20 and np.abs(middle - COLOURS[1]).max(1).mean() > 20
    assert changed


def test_crossfade_is_half_and_half_in_the_middle(tmp_path: Path) -> None:
    render(film(tmp_path, (20, 20), "crossfade", 7), tmp_path / "film.mp4", encoding=FAST)
    middle = tuple((a + b) // 2 for a, b in zip(COLOURS[0], COLOURS[1], strict=True))
    assert near(decoded(tmp_path / "film.mp4")[23][120, 60], middle)  # type: ignore[arg-type]


def test_overlays_stand_where_and_when_they_should(tmp_path: Path) -> None:
    image = np.zeros((21, 31, 4), np.uint8)
    image[...] = (255, 255, 255, 255)
    Image.fromarray(image).save(tmp_path / "label.png")
    timeline = film(tmp_path, (30, 30), overlays=(Overlay(tmp_path / "label.png", 5, 7, 0, 40),))
    render(timeline, tmp_path / "film.mp4", encoding=FAST)
    frames = decoded(tmp_path / "film.mp4")
    for number in (0, 29, 30, 39):
        assert near(frames[number][18, 20], (255, 255, 255)), number
        assert not near(frames[number][18, 40], (255, 255, 255))
    assert near(frames[40][18, 20], COLOURS[1])


@pytest.mark.models
def test_captions_light_up_word_by_word(tmp_path: Path) -> None:
    face = Typeface((models.ensure("font-noto-sans-sc").file("bold"),))
    caption = Caption((Word("月", 0, 5), Word("亮", 10, 15)), 5, 25)
    timeline = replace(film(tmp_path, (40,)), captions=(caption,))
    style = Style(face, 96, 160, 30, 90.0, 0.9, spoken=(255, 255, 0, 255))
    render(timeline, tmp_path / "film.mp4", style, encoding=FAST)
    frames = [frame.astype(int) for frame in decoded(tmp_path / "film.mp4")]

    def lit(frame: int, left: bool) -> int:
        half = frames[frame][90:, :48] if left else frames[frame][90:, 48:]
        return int(((half[..., 0] > 200) & (half[..., 1] > 200) & (half[..., 2] < 110)).sum())

    def drawn(frame: int) -> bool:
        return bool(np.abs(frames[frame] - frames[39]).max() > 100)

    assert [drawn(number) for number in (4, 5, 24, 25)] == [False, True, True, False]
    assert lit(12, left=True) > 30
    assert lit(12, left=False) == 0
    assert lit(21, left=False) > 30


@pytest.mark.models
def test_only_what_changed_is_encoded_again(tmp_path: Path) -> None:
    face = Typeface((models.ensure("font-noto-sans-sc").file("bold"),))
    style = Style.of(face, 96, 160)
    captions = tuple(
        Caption((Word(text, 0, 5),), start, start + 10) for text, start in (("月", 2), ("亮", 24), ("圆", 50))
    )
    timeline = replace(film(tmp_path, (20, 25, 30)), captions=captions)
    cache, target = tmp_path / "cache", tmp_path / "film.mp4"
    assert render(timeline, target, style, cache=cache, encoding=FAST) == 3
    first = target.read_bytes()
    assert render(timeline, target, style, cache=cache, encoding=FAST) == 0
    assert target.read_bytes() == first
    changed = replace(timeline, captions=(captions[0], replace(captions[1], words=(Word("狐", 0, 5),)), captions[2]))
    assert render(changed, target, style, cache=cache, encoding=FAST) == 1
    # What moves in the film but looks the same is not made again.
    later = replace(timeline, shots=timeline.shots[1:], captions=tuple(
        replace(item, start=item.start - 20, end=item.end - 20) for item in captions[1:]))  # fmt: skip
    assert render(later, target, style, cache=cache, encoding=FAST) == 0
    # A picture painted over is another picture, whatever its name.
    Image.fromarray(np.full((160, 96, 3), 9, np.uint8)).save(timeline.shots[2].picture)
    assert render(timeline, target, style, cache=cache, encoding=FAST) == 1


@pytest.mark.parametrize(
    "harm", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: data[:200] + b"\x55" + data[201:]]
)
def test_a_damaged_chunk_is_made_anew(tmp_path: Path, harm: object) -> None:
    timeline, cache, target = film(tmp_path), tmp_path / "cache", tmp_path / "film.mp4"
    render(timeline, target, cache=cache, encoding=FAST)
    chunk = sorted(cache.glob("*.mp4"))[1]
    chunk.write_bytes(harm(chunk.read_bytes()))  # type: ignore[operator]
    assert render(timeline, target, cache=cache, encoding=FAST) == 1
    assert probe(target).frames == 75


def test_long_shots_are_cut_and_joined_without_a_seam(tmp_path: Path) -> None:
    motion = Motion(View(0.3, 0.3, 1.3), View(0.7, 0.7, 1.3))
    timeline = Timeline(96, 160, 25, (Shot(still(tmp_path, 0), 210, motion),))
    parts = cut(timeline)
    assert [part.frames for part in parts] == [70, 70, 70]
    render(timeline, tmp_path / "film.mp4", encoding=Encoding("veryfast", 10))
    frames = decoded(tmp_path / "film.mp4")
    assert len(frames) == 210
    # The white square glides: its place never jumps, nor turns back, at the joints or elsewhere.
    white = [np.argwhere(frame.min(2) > 180).mean(0) for frame in frames[:150]]
    steps = np.diff(np.array(white), axis=0)
    assert (steps < 0.15).all()
    assert (steps > -1.2).all()


def test_a_corrupt_picture_is_named(tmp_path: Path) -> None:
    timeline = film(tmp_path)
    path = timeline.shots[1].picture
    path.write_bytes(path.read_bytes()[:90])
    with pytest.raises(UserError, match=r"still1-96\.png"):
        render(timeline, tmp_path / "film.mp4", encoding=FAST)
    path.write_bytes(b"hello")
    with pytest.raises(UserError, match="not a picture"):
        render(timeline, tmp_path / "film.mp4", encoding=FAST)
    path.unlink()
    with pytest.raises(UserError, match="there is no picture"):
        render(timeline, tmp_path / "film.mp4", encoding=FAST)
    assert not (tmp_path / "film.mp4").exists()
    assert not list(tmp_path.glob(".tmp-*"))


def test_sound_that_is_none_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "music.mp3"
    bad.write_bytes(b"no music at all")
    with pytest.raises(UserError, match=r"music\.mp3 is not sound"):
        render(film(tmp_path, audio=bad), tmp_path / "film.mp4", encoding=FAST)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_interrupting_leaves_whole_chunks_only(tmp_path: Path, threads: int) -> None:
    cache = tmp_path / "cache"
    timeline = film(tmp_path, (10, 60, 60, 60, 60))

    def stop(share: float, what: str) -> None:
        if share > 0.01:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(timeline, tmp_path / "film.mp4", cache=cache, threads=threads, progress=stop)
    assert not (tmp_path / "film.mp4").exists()
    assert not list(cache.glob(".tmp-*"))
    kept = len(list(cache.glob("*.mp4")))
    assert render(timeline, tmp_path / "film.mp4", cache=cache, encoding=Encoding()) == 5 - kept
    assert probe(tmp_path / "film.mp4").frames == 250


def test_progress_grows_to_one(tmp_path: Path) -> None:
    shares: list[float] = []
    render(film(tmp_path), tmp_path / "film.mp4", encoding=FAST, progress=lambda share, what: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_render_leaves_nothing_half_done(tmp_path: Path) -> None:
    film(tmp_path)
    code = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from films import film
from mofang.video import render
folder = Path({str(tmp_path)!r})
print("ready", flush=True)
render(film(folder, (400, 400, 400)), folder / "film.mp4", cache=folder / "cache")
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    time.sleep(0.4)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "film.mp4").exists() or probe(tmp_path / "film.mp4").frames == 1200
    render(film(tmp_path, (400, 400, 400)), tmp_path / "film.mp4", cache=tmp_path / "cache")
    assert probe(tmp_path / "film.mp4").frames == 1200


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on file sizes")
def test_no_space_is_said_in_one_line(tmp_path: Path) -> None:
    code = f"""
import resource, signal, sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from films import film
from mofang.studio.errors import UserError
from mofang.video import render
folder = Path({str(tmp_path)!r})
timeline = film(folder)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
try:
    render(timeline, folder / "film.mp4", cache=folder / "cache")
except UserError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "cannot write" in done.stdout, done.stderr
    assert not (tmp_path / "film.mp4").exists()
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"width": 97}, "even sides"),
        ({"height": 90_000}, "even sides"),
        ({"fps": 0}, "frames per second"),
        ({"shots": ()}, "at least one shot"),
    ],
)
def test_impossible_timelines_are_refused(tmp_path: Path, change: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        replace(film(tmp_path), **change).check()  # type: ignore[arg-type]


def test_impossible_shots_are_refused(tmp_path: Path) -> None:
    good = film(tmp_path, (20, 20))
    first, second = good.shots
    for shots, words in (
        ((replace(first, frames=0), second), "shot 1 has no frames"),
        ((first, replace(second, transition=Transition("melt", 5))), "no transition 'melt'"),
        ((first, replace(second, transition=Transition("wipe", 21))), "as short as the shots"),
        ((replace(first, transition=Transition("wipe", 5)), second), "as short as the shots"),
    ):
        with pytest.raises(UserError, match=words):
            replace(good, shots=shots).check()
