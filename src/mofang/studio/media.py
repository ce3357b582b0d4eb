"""Sound and film files opened to be read: the one room through which FFmpeg meets what a stranger may have written.

FFmpeg knows a file by its content, not by its name. A few lines of text called `song.wav` can be a list (`ffconcat`, HLS, DASH)
of other files, which it would open in turn, here or across the network; and a *name* with a colon is an address to it
(`http:…`, `concat:…`). So names are given as `file:` addresses, no other protocol is allowed, and only formats that carry
all they hold inside themselves are.
"""

from pathlib import Path
from typing import Any

from mofang.studio.errors import UserError

FORMATS = (
    "wav", "w64", "aiff", "au", "caf", "voc", "sox", "nistsphere",
    "flac", "mp3", "aac", "ogg", "ac3", "eac3", "dts", "amr", "ape", "wv", "tta", "tak", "mpc", "mpc8", "dsf",
    "mov", "matroska", "avi", "asf", "flv", "mpegts", "mpeg", "mpegvideo", "m4v", "h264", "hevc", "ivf", "mxf", "nut",
)  # fmt: skip
"""FFmpeg's names of the demuxers that open no second file. `mov` follows its external references only when told to."""


def open_media(path: Path) -> Any:
    """An `av` input container of a sound or film file; a context manager.

    Raises `UserError` for a list of other files and for formats that are not read; `av.FFmpegError` or `OSError` where the file
    is missing or damaged.
    """
    import av

    try:
        return av.open(f"file:{path}", metadata_errors="ignore",
                       options={"protocol_whitelist": "file", "format_whitelist": ",".join(FORMATS)})  # fmt: skip
    except av.ArgumentError as error:
        # What avformat_open_input says of a format off the list.
        raise UserError(f"{path.name} is not sound or film as it is read here, or a list that points to other files; "
                        "convert it to WAV, MP3 or MP4") from error  # fmt: skip
