"""Film: stills, moves, transitions, captions and sound on one timeline, and the file that plays anywhere.

>>> from mofang.video import Shot, Timeline, choose, render
>>> timeline = Timeline(1080, 1920, 30, (Shot(Path("fox.png"), 150, choose(0, (0.3, 0.4, 0.4, 0.4), wide=False)),))
>>> render(timeline, Path("film.mp4"), style, cache=Path("cache"))
"""

from mofang.video.captions import Style, split
from mofang.video.motion import Motion, View, choose
from mofang.video.mux import Probe, probe
from mofang.video.render import Encoding, render
from mofang.video.timeline import Caption, Overlay, Shot, Timeline, Word

__all__ = [
    "Caption", "Encoding", "Motion", "Overlay", "Probe", "Shot", "Style", "Timeline", "View", "Word", "choose", "probe",
    "render", "split",
]  # fmt: skip
