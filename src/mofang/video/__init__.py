"""Film: stills, moves, transitions, captions and sound on one timeline, and the file that plays anywhere.

>>> from mofang.video import Shot, Timeline, choose, render
>>> motion = choose(0, (0.3, 0.4, 0.4, 0.4), picture=(1080, 1920), frame=(1080, 1920))
>>> timeline = Timeline(1080, 1920, 30, (Shot(Path("fox.png"), 150, motion),))
>>> render(timeline, Path("film.mp4"), cache=Path("cache"))
"""

from mofang.video.captions import split
from mofang.video.lettering import Style
from mofang.video.motion import Motion, View, choose
from mofang.video.probe import Probe, probe
from mofang.video.render import Encoding, render
from mofang.video.timeline import Caption, Overlay, Shot, Timeline, Transition, Word

__all__ = [
    "Caption", "Encoding", "Motion", "Overlay", "Probe", "Shot", "Style", "Timeline", "Transition", "View", "Word", "choose", "probe",
    "render", "split",
]  # fmt: skip
