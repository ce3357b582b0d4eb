"""A 60-second film by Mofang and by MoviePy 2 from the same timeline, in one run.

    python benchmarks/render.py [--quick]

Twelve stills under a moving camera, cross-faded, captions, a voice and music: 1080×1920 at 30 frames a second, x264
veryfast crf 20, two threads each. MoviePy draws each caption once (it has no word-by-word captions; Mofang's are lit
word by word) and moves its camera by resizing and cropping every frame, as its documentation shows. Both files are
probed: length, frames and size must be the same. --quick makes six seconds. MoviePy is installed into `.peers/render`.
"""

import argparse
import json
import subprocess
import tempfile
import time
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np

from common import Row, peer_python, report
from mofang import models
from mofang.sound import mix, pcm
from mofang.studio.alignment import Aligned
from mofang.studio.typeset import Typeface
from mofang.video import Shot, Style, Timeline, Transition, choose, probe, render, split
from stills import landscape

WIDTH, HEIGHT, FPS, EACH, FADE = 1080, 1920, 30, 5, 15
LINES = [
    "小狐狸坐在山坡上，看着又圆又亮的月亮。", "它想：要是能把月亮摘下来，该多好啊！", "于是它走了三天三夜，来到了湖边。",
    "湖水静静的，月亮就在水里对它笑。",
]  # fmt: skip

PEER_CODE = """
import json, sys
from moviepy import AudioFileClip, CompositeAudioClip, CompositeVideoClip, ImageClip, TextClip
from moviepy.video.fx import CrossFadeIn
job = json.load(sys.stdin)
W, H, FPS, FADE = job["width"], job["height"], job["fps"], job["fade"] / job["fps"]
clips, layers = [], []
for number, path in enumerate(job["stills"]):
    # A shot's picture stays under the next one's cross-fade.
    length = job["each"] + (FADE if number + 1 < len(job["stills"]) else 0)
    base = ImageClip(path).with_duration(length)
    start, end = (1.0, 1.14) if number % 2 else (1.14, 1.0)
    moving = base.resized(lambda t, s=start, e=end, d=length: s + (e - s) * t / d).with_position("center")
    shot = CompositeVideoClip([moving], size=(W, H)).with_duration(length).with_start(number * job["each"])
    layers.append(shot.with_effects([CrossFadeIn(FADE)]) if number else shot)
for text, start, end in job["captions"]:
    caption = TextClip(font=job["font"], text=text, font_size=68, color="white", stroke_color="black", stroke_width=5,
                       size=(864, None), method="caption", text_align="center", margin=(0, 20))
    layers.append(caption.with_start(start).with_duration(end - start).with_position(("center", 1380)))
film = CompositeVideoClip(layers, size=(W, H)).with_duration(job["each"] * len(job["stills"]))
voice, music = AudioFileClip(job["voice"]), AudioFileClip(job["music"])
film = film.with_audio(CompositeAudioClip([voice, music.with_volume_scaled(0.2)]).with_duration(film.duration))
film.write_videofile(job["target"], fps=FPS, codec="libx264", audio_codec="aac", preset="veryfast", threads=2,
                     ffmpeg_params=["-crf", "20", "-pix_fmt", "yuv420p"], logger=None)
"""


def tone(path: Path, seconds: float, pitch: float, beat: float) -> Path:
    """A WAV file that pulses."""
    rate = 44_100
    at = np.arange(round(seconds * rate)) / rate
    samples = 9000 * np.sin(2 * np.pi * pitch * at) * (0.5 + 0.5 * np.sin(2 * np.pi * beat * at))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype(np.int16).tobytes())
    return path


def materials(folder: Path, shots: int) -> tuple[Timeline, Path, Path]:
    """The timeline without its sound, the voice and the music."""
    from PIL import Image

    made, captions = [], []
    for number in range(shots):
        path = folder / f"still{number}.png"
        Image.fromarray(landscape(number, WIDTH, HEIGHT)).save(path, compress_level=1)
        motion = choose(number, (0.4, 0.3, 0.2, 0.2), (WIDTH, HEIGHT), (WIDTH, HEIGHT))
        made.append(Shot(path, EACH * FPS, motion, Transition("crossfade", FADE) if number else None))
        line = LINES[number % len(LINES)]
        words = [Aligned(letter, 0.3 + at * 0.22, 0.52 + at * 0.22) for at, letter in enumerate(line)]
        captions += split(words, FPS, number * EACH * FPS, (number + 1) * EACH * FPS)
    timeline = Timeline(WIDTH, HEIGHT, FPS, tuple(made), tuple(captions))
    return (
        timeline,
        tone(folder / "voice.wav", shots * EACH, 220, 2),
        tone(folder / "music.wav", shots * EACH, 110, 0.5),
    )


def by_mofang(timeline: Timeline, voice: Path, music: Path, target: Path, cache: Path, style: Style) -> float:
    """Seconds it takes, mixing included."""
    begin = time.perf_counter()
    track = target.with_suffix(".wav")
    clip = mix.Clip(pcm.read(voice, mix.RATE), mix.RATE, 0.0)
    pcm.write_wav(track, mix.mix([clip], timeline.seconds, pcm.read(music, mix.RATE)), mix.RATE)
    render(replace(timeline, audio=track), target, style, cache=cache, threads=2)
    return time.perf_counter() - begin


def by_moviepy(timeline: Timeline, voice: Path, music: Path, target: Path, font: Path, python: Path) -> float:
    """Seconds it takes, the start of its Python included."""
    captions = [(item.text, item.start / FPS, item.end / FPS) for item in timeline.captions]
    job = {
        "width": WIDTH, "height": HEIGHT, "fps": FPS, "each": EACH, "fade": FADE, "captions": captions, "font": str(font),
        "stills": [str(shot.picture) for shot in timeline.shots], "voice": str(voice), "music": str(music),
        "target": str(target),
    }  # fmt: skip
    begin = time.perf_counter()
    subprocess.run([python, "-c", PEER_CODE], input=json.dumps(job), text=True, check=True, cwd=target.parent)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="six seconds instead of sixty")
    quick = parser.parse_args().quick
    global EACH
    shots, EACH = (2, 3) if quick else (12, 5)
    python = peer_python("render", "moviepy==2.2.1")
    font = models.ensure("font-noto-sans-sc").file("bold")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        timeline, voice, music = materials(folder, shots)
        style = Style.of(Typeface((font,)), WIDTH, HEIGHT)
        ours = by_mofang(timeline, voice, music, folder / "mofang.mp4", folder / "cache", style)
        changed = list(timeline.captions)
        words = changed[-1].words
        changed[-1] = replace(changed[-1], words=(replace(words[0], text="望"), *words[1:]))
        again = by_mofang(replace(timeline, captions=tuple(changed)), voice, music, folder / "again.mp4", folder / "cache",
                          style)  # fmt: skip
        theirs = by_moviepy(timeline, voice, music, folder / "moviepy.mp4", font, python)
        one, other = probe(folder / "mofang.mp4"), probe(folder / "moviepy.mp4")
        sizes = [(folder / name).stat().st_size for name in ("mofang.mp4", "moviepy.mp4")]
    for film in (one, other):
        assert film.frames == timeline.frames == shots * EACH * FPS, film
        assert (film.width, film.height, film.fps, film.video) == (WIDTH, HEIGHT, FPS, "h264"), film
        assert abs(film.seconds - timeline.seconds) < 0.05, film
    length = timeline.seconds
    rows = [
        row(f"{length:g}-second film", "× real time", length / ours, length / theirs, 1.5),
        row(f"{length:g}-second film, against MoviePy", "times as fast", theirs / ours, 1.0, 15.0),
        row("the same after one caption was changed", "× real time", length / again, length / theirs, None),
        row("file", "MB", sizes[0] / 1e6, sizes[1] / 1e6, None, less=True),
    ]
    print(f"both: {one.frames} frames, {one.seconds:.2f} s, {one.width}×{one.height}, {one.video} + {one.sound}")
    report("render", rows)


def row(what: str, unit: str, ours: float, peer: float, goal: float | None, less: bool = False) -> Row:
    """A line of the table; a ratio above 1 means ours is better."""
    met = None if goal is None else ours >= goal
    return Row(what, unit, ours, peer, "MoviePy 2.2.1", peer / ours if less else ours / peer, f">= {goal:g}" if goal else "", met)


if __name__ == "__main__":
    main()
