"""Sound from strangers: every bad file ends in one line that says what to do, with nothing lost and nothing unbounded."""

import http.server
import json
import os
import re
import struct
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from mofang import trust, video
from mofang.cli import mofang
from mofang.sound import pcm
from mofang.sound.edit.source import probe
from mofang.studio import Studio, UserError
from mofang.studio.doctor import examine
from mofang.studio.media import open_media

RATE = 24_000


def tone(seconds=1.0, rate=RATE, hertz=330.0):
    return (0.4 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def run(folder, *arguments):
    return CliRunner().invoke(mofang, ["--studio", str(folder / "studio"), *map(str, arguments)])


def refused(result):
    """One line of what to do, and no traceback."""
    assert isinstance(result.exception, UserError), (result.output, result.exception)
    assert "\n" not in str(result.exception) and ";" in str(result.exception) and len(str(result.exception)) < 400
    return str(result.exception)


# -- lists of other files --------------------------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path):
    """A web server of this machine that has a sound and writes down who asks: (its address, what was asked for)."""
    asked = []
    site = tmp_path / "site"
    pcm.write_wav(site / "secret.wav", tone(), RATE)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(site))

        def log_message(self, *arguments):
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}", asked
        running.shutdown()


def lists(where):
    """Texts that FFmpeg takes for a list of other files."""
    hls = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n{key}#EXTINF:1.0,\n{what}\n#EXT-X-ENDLIST\n"
    dash = ('<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S" '
            'profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet mimeType="audio/mp4"><Representation '
            'id="1" bandwidth="1000"><BaseURL>{what}</BaseURL></Representation></AdaptationSet></Period></MPD>')  # fmt: skip
    return {
        "hls": hls.format(what=where, key=""),
        "hls key": hls.format(what="secret.wav", key=f'#EXT-X-KEY:METHOD=AES-128,URI="{where}"\n'),
        "concat": f"ffconcat version 1.0\nfile {where}\n",
        "dash": dash.format(what=where),
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    }


@pytest.mark.parametrize("suffix", [".wav", ".m3u8", ".mp4", ".mpd"])
@pytest.mark.parametrize("kind", list(lists("")))
def test_a_list_reaches_neither_the_network_nor_other_files(tmp_path, server, kind, suffix):
    address, asked = server
    pcm.write_wav(tmp_path / "secret.wav", tone(), RATE)
    for where in (f"{address}/secret.wav", "secret.wav", f"file:{tmp_path}/secret.wav", f"http+tls:{address}"):
        given = tmp_path / f"given{suffix}"
        given.write_text(lists(where)[kind])
        for reads in (lambda path: pcm.read(path, RATE), probe, video.probe):
            with pytest.raises(UserError):
                reads(given)
        assert "convert it" in refused(run(tmp_path, "sound", "edit", "loudness", given, tmp_path / "out.wav"))
    refused(run(tmp_path, "sound", "inspect", given))
    assert not asked and not (tmp_path / "out.wav").exists()


def test_a_name_is_no_address(tmp_path, server, monkeypatch):
    address, asked = server
    monkeypatch.chdir(tmp_path)
    given = tmp_path / address.replace("//", "/")  # A folder called `http:`: what is left of an address where a path is wanted.
    for path in (given.relative_to(tmp_path) / "secret.wav", tmp_path / "Track 1: a|b %03d?.wav", tmp_path / "concat:a.wav"):
        pcm.write_wav(path, tone(0.5), RATE)
        with open_media(path) as container:
            assert container.format.name == "wav"
        assert len(pcm.read(path, RATE)) == RATE // 2
    assert not asked


# -- bad recordings --------------------------------------------------------------------------------------------------------


def header(data, rate=RATE, channels=1, bits=16, claimed=None, form=1):
    block = channels * bits // 8 & 0xFFFF
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, form, channels, rate,
                       rate * block & 0xFFFFFFFF, block, bits, b"data", len(data) if claimed is None else claimed) + data  # fmt: skip


def sixteen(samples):
    return pcm.pcm_bytes(samples)


READABLE = {
    "one second": header(sixteen(tone())), "one sample": header(sixteen(tone()[:1])), "clipped": header(sixteen(8 * tone(2))),
    "8 bits": header((100 * tone(2, 8000) + 128).astype(np.uint8).tobytes(), 8000, bits=8),
    "192 kHz": header(sixteen(np.repeat(tone(1, 192_000), 2)), 192_000, 2),
    "5.1": header(sixteen(np.repeat(tone(1, 48_000), 6)), 48_000, 6), "truncated": header(sixteen(tone(2)), claimed=10**8),
    "size 4 GB": header(sixteen(tone(2)), claimed=0xFFFFFFFF), "silence": header(bytes(2 * RATE)),
    "not numbers": header(np.full(RATE, np.nan, "<f4").tobytes(), bits=32, form=3),
    "endless numbers": header((1e30 * tone(1)).astype("<f4").tobytes(), bits=32, form=3),
}  # fmt: skip
"""What is strange and a sound nonetheless."""
HOPELESS = {
    "text": "春眠不觉晓，处处闻啼鸟。\n".encode() * 40, "empty": b"", "zeros": bytes(50_000), "nothing in it": header(b""),
    "random": np.random.default_rng(0).bytes(50_000), "64 channels": header(bytes(64 * 2 * 4800), 48_000, 64),
    "65,535 channels": header(bytes(65535 * 4), 48_000, 65535, 8), "4 GHz": header(sixteen(tone()), 0xFFFFFFFF),
    "1 Hz": header(sixteen(tone()), 1),
}  # fmt: skip
"""What can be refused only; a second at 1 Hz would be days."""


def given(folder, name, data):
    path = folder / f"{name}.wav"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", list(READABLE))
def test_strange_recordings_are_worked_on(tmp_path, name):
    path = given(tmp_path, name, READABLE[name])
    found = run(tmp_path, "sound", "inspect", path, "--json")
    assert found.exit_code == 0 and json.loads(found.output)["channels"] >= 1, (found.output, found.exception)
    made = run(tmp_path, "sound", "clean", path, tmp_path / "clean.wav")
    if name in ("silence", "not numbers", "one sample"):
        assert "silence" in refused(made)
    else:
        assert made.exit_code == 0 and np.abs(pcm.read(tmp_path / "clean.wav", RATE)).max() > 0.01, made.output
    assert run(tmp_path, "works", "add", path, "--licence", "own", "--consent", "self").exit_code == 0
    if name != "one sample":
        assert run(tmp_path, "works", "match", path).exit_code == 0


@pytest.mark.parametrize("name", list(HOPELESS))
def test_what_is_no_recording_is_refused_by_every_command(tmp_path, name):
    path, out = given(tmp_path, name, HOPELESS[name]), tmp_path / "out.wav"
    for command in (("sound", "inspect", path), ("sound", "clean", path, out), ("sound", "edit", "loop", path, out),
                    ("sound", "edit", "join", path, path, out), ("works", "match", path)):  # fmt: skip
        assert name in refused(run(tmp_path, *command)), command  # It is called by its name, not by where the studio keeps it.
    assert not out.exists()


def test_a_work_that_cannot_be_read_is_looked_at_once(tmp_path, monkeypatch):
    mine = given(tmp_path, "mine", READABLE["truncated"])
    given(tmp_path, "broken", HOPELESS["random"])
    assert run(tmp_path, "works", "add", tmp_path, "--licence", "own", "--consent", "self").exit_code == 0
    run(tmp_path, "works", "match", mine)
    asked, read = [], pcm.read
    monkeypatch.setattr(pcm, "read", lambda path, *more, **named: asked.append(path.name) or read(path, *more, **named))
    assert run(tmp_path, "works", "match", mine).exit_code == 0 and asked == ["mine.wav"]


def test_long_recordings_take_the_memory_of_their_samples(tmp_path):
    """A file of kilobytes may hold an hour of nothing."""
    import av

    path = tmp_path / "long.flac"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("flac", rate=96_000, layout="stereo")
        block = av.AudioFrame.from_ndarray(np.zeros((1, 2 * 96_000 * 10), np.int16), "s16", "stereo")
        block.sample_rate = 96_000
        for number in range(30):
            block.pts = number * 960_000
            out.mux(stream.encode(block))
        out.mux(stream.encode(None))
    code = ("import resource, sys; from pathlib import Path; from mofang.sound import pcm; kilobytes = lambda: "
            "resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; "
            "import av; before = kilobytes(); sound = pcm.read(Path(sys.argv[1]), 96_000, 2); "
            "print((kilobytes() - before) * 1024 / sound.nbytes)")  # fmt: skip
    assert float(subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=True).stdout) < 1.35


# -- bad scores ------------------------------------------------------------------------------------------------------------


def chunks(*bodies, claimed=None, ticks=480):
    head = b"MThd" + struct.pack(">IHHH", 6, 1, len(bodies), ticks)
    return head + b"".join(b"MTrk" + struct.pack(">I", len(body) if claimed is None else claimed) + body for body in bodies)


END = b"\x00\xff\x2f\x00"
NOTE = b"\x01\x90\x3c\x40\x01\x3c\x00"
SCORES = {
    "no notes": chunks(END), "beyond the file": chunks(NOTE + END, claimed=0xFFFFFFFF), "a million notes": chunks(NOTE * 10**6 + END),
    "ten hours": chunks(b"\x00\x90\x3c\x40\xff\xff\xff\x7f\x3c\x00" + END, ticks=100), "text": "不是乐谱\n".encode() * 99,
    "65,535 tracks": b"MThd" + struct.pack(">IHHH", 6, 1, 65535, 480) + (b"MTrk\0\0\0\x04" + END) * 9000,
    "film time": chunks(NOTE + END, ticks=0xE728), "no status": chunks(b"\x00\x3c\x40" * 9 + END),
}  # fmt: skip


@pytest.mark.parametrize("name", list(SCORES))
def test_bad_scores_are_refused_or_left_out(tmp_path, name):
    path = tmp_path / f"{name}.mid"
    path.write_bytes(SCORES[name])
    assert name in refused(run(tmp_path, "sound", "edit", "stems", path, tmp_path / "stems"))
    (tmp_path / "good.mid").write_bytes(chunks(NOTE * 40 + END))
    made = run(tmp_path, "music", "prepare", path, tmp_path / "good.mid", "--out", tmp_path / "data")
    assert f"{name}.mid" in made.output and "\nTraceback" not in made.output
    assert not (tmp_path / "stems").exists()


def test_scores_of_any_name_are_learned_from_and_pipes_are_not_waited_for(tmp_path):
    folder = tmp_path / "scores"
    folder.mkdir()
    names = [b"LOUD.MID", b"caf\xe9.midi", b"two\nlines\x1b[31m.mid"]
    for number, name in enumerate(names):
        (Path(os.fsdecode(os.fsencode(folder) + b"/" + name))).write_bytes(
            chunks(b"".join(NOTE[:2] + bytes([60 + at * (number + 1) % 12]) + NOTE[3:5] + bytes([60 + at * (number + 1) % 12, 0])
                            for at in range(40)) + END))  # fmt: skip
    (folder / "folder.mid").mkdir()
    os.mkfifo(folder / "pipe.mid")
    made = run(tmp_path, "music", "prepare", folder, "--out", tmp_path / "data")
    assert made.exit_code == 0, made.exception
    found = json.loads((tmp_path / "data" / "music.json").read_text("utf-8"))["pieces"]
    assert sorted(each["source"] for each in found) == ["LOUD.MID", "caf\\udce9.midi", "two\\x0alines\\x1b[31m.mid"]
    assert "is no file" in run(tmp_path, "music", "prepare", folder / "pipe.mid", "--out", tmp_path / "none").output


def test_recordings_whose_names_are_no_text(tmp_path):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/st\xffyle"))
    for name in ("a.wav", os.fsdecode(b"caf\xe9.wav")):
        pcm.write_wav(tmp_path / "new.wav", tone(3.0, hertz=300.0 + len(name)), RATE)
        folder.mkdir(exist_ok=True)
        (tmp_path / "new.wav").rename(folder / name)
    assert run(tmp_path, "jukebox", "prepare", folder, "--out", tmp_path / "data").exit_code == 0
    found = json.loads((tmp_path / "data" / "jukebox.json").read_text("utf-8"))["recordings"]
    assert {each["title"] for each in found} == {"a", "caf\\udce9"} and {each["style"] for each in found} == {"st\\udcffyle"}
    assert "rename it" in refused(run(tmp_path, "sound", "consent", "add", folder, "--who", "Lin"))


# -- full disks and kills --------------------------------------------------------------------------------------------------


def process(folder, *arguments, **more):
    return subprocess.Popen([sys.executable, "-m", "mofang", "--studio", str(folder / "studio"), *map(str, arguments)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, "OMP_NUM_THREADS": "1", "MOFANG_LANG": "en"}, **more)  # fmt: skip


COMMANDS = {
    "edit": ("sound", "edit", "loudness", "in.wav", "out.wav"), "coded": ("sound", "edit", "fade", "in.wav", "out.m4a", "--in", "1"),
    "effect": ("sound", "effect", "rain", "out.flac", "--seconds", "20"), "speech": ("speech", "say", "Hello. " * 60, "out.mp3"),
    "picture": ("sound", "inspect", "in.wav", "--picture", "out.png"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(COMMANDS))
def test_a_full_disk_is_said_in_a_line_and_nothing_is_lost(tmp_path, name):
    """No file may grow past some kilobytes: what a disk without room looks like to a program."""
    import resource

    pcm.write_wav(tmp_path / "in.wav", tone(20) * np.linspace(0, 1, 20 * RATE, dtype=np.float32), RATE)
    Studio(tmp_path / "studio").close()
    target = next(tmp_path / each for each in COMMANDS[name] if each.startswith("out."))
    target.write_bytes(b"what was there")
    most = 2_000 if name == "picture" else 40_000

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    done = process(tmp_path, *COMMANDS[name], cwd=tmp_path, preexec_fn=limit)
    said, errors = done.communicate(timeout=300)
    lines = [line for line in errors.replace("\r", "\n").splitlines() if line.strip()]
    assert done.returncode == 2 and len(lines) == 1 and "Traceback" not in errors, (said, errors)
    assert re.search("space|room", lines[0]), lines
    assert target.read_bytes() == b"what was there" and not list(tmp_path.glob(".tmp*"))
    assert examine(Studio(tmp_path / "studio"), sweep=False).ok


def test_a_kill_leaves_the_old_file_or_the_new_one(tmp_path):
    pcm.write_wav(tmp_path / "in.wav", tone(5), RATE)
    out = tmp_path / "out.wav"
    out.write_bytes(b"what was there")
    for wait in (0.3, 0.5, 0.6, 0.7, 0.8, 1.0):
        running = process(tmp_path, "sound", "edit", "loudness", tmp_path / "in.wav", out)
        try:
            running.wait(wait)
        except subprocess.TimeoutExpired:
            running.kill()
        running.communicate()
        assert out.read_bytes() == b"what was there" or trust.verify(out, tmp_path / "studio").ok
        assert examine(Studio(tmp_path / "studio"), sweep=True).ok
    assert run(tmp_path, "sound", "edit", "loudness", tmp_path / "in.wav", out).exit_code == 0
    assert trust.verify(out, tmp_path / "studio").ok
