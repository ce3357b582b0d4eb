"""Sound from strangers: every bad file ends in one line that says what to do, with nothing lost and nothing unbounded."""

import http.server
import threading

import numpy as np
import pytest
from click.testing import CliRunner

from mofang import video
from mofang.cli import mofang
from mofang.sound import pcm
from mofang.sound.edit.source import probe
from mofang.studio import UserError
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
