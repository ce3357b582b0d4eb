"""The frames of a chunk: the picture under its moving camera, the transition, what lies over it, the captions."""

from collections.abc import Callable, Iterator
from pathlib import Path

from mofang.video.chunks import Chunk
from mofang.video.lettering import Lettering, Style
from mofang.video.motion import Motion
from mofang.video.pictures import read_rgba
from mofang.video.planes import BLACK, Patch, Planes, Still
from mofang.video.timeline import Overlay, Shot
from mofang.video.transitions import BLENDS

Load = Callable[[Path, Motion, int, int], Still]


def frames(chunk: Chunk, style: Style | None, width: int, height: int, load: Load) -> Iterator[Planes]:
    """Every frame of a chunk as planes. `load` gives stills, remembered or new; `style` is needed for captions."""
    shot, before = chunk.shot, chunk.before
    still = load(shot.picture, shot.motion, width, height)
    old = load(before.picture, before.motion, width, height) if before is not None and chunk.needs_before else None
    overlays = [(item, Patch.of(read_rgba(item.image), item.x, item.y, width, height)) for item in chunk.overlays]
    captions = [(item, Lettering(item, style)) for item in chunk.captions] if style else []
    for number in range(chunk.frames):
        frame = chunk.first + number
        planes = still.look(shot.motion.at(_share(frame, shot, chunk.tail)))
        if before and old and shot.transition and frame < shot.overlap:
            seen = old.look(before.motion.at(_share(before.frames + frame, before, shot.overlap)))
            planes = _blended(seen, planes, shot.transition.kind, (frame + 1) / (shot.overlap + 1))
        for item, patch in overlays:
            if patch is not None and item.start <= number < item.end:
                patch.lay_over(planes, strength(item, number))
        for caption, lettering in captions:
            if caption.start <= number < caption.end and (drawn := lettering.at(number - caption.start)):
                drawn.lay_over(planes)
        yield planes


def _share(frame: int, shot: Shot, tail: int) -> float:
    return frame / max(shot.frames + tail - 1, 1)


def _blended(old: Planes, new: Planes, transition: str, share: float) -> Planes:
    blend = BLENDS[transition]
    return Planes(
        blend(old.y, new.y, share, BLACK[0]), blend(old.u, new.u, share, BLACK[1]), blend(old.v, new.v, share, BLACK[2])
    )


def strength(item: Overlay, frame: int) -> float:
    """How far an overlay has faded in, or out again, 0..1."""
    if not item.fade:
        return 1.0
    return max(0.0, min(1.0, (frame - item.start + 1) / item.fade, (item.end - frame) / item.fade))
