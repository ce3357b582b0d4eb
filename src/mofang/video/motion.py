"""The camera over a still picture: where it looks at the start and at the end, and how it gets there."""

import math
from dataclasses import dataclass

Box = tuple[float, float, float, float]
"""Left, top, width, height as shares of the picture."""

REACH = 1.14
"""Magnification of the closest view over the one that just fills the frame."""
TRAVEL = 0.55
"""The farthest a camera drifts across a picture wider or taller than the frame, in frames."""


@dataclass(frozen=True)
class View:
    """A camera position: centre (shares of the picture) and magnification over the view that just fills the frame."""

    x: float = 0.5
    y: float = 0.5
    zoom: float = 1.0


@dataclass(frozen=True)
class Motion:
    """From one view to another, easing in and out."""

    start: View = View()
    end: View = View()

    def at(self, share: float) -> View:
        """The view at a share 0..1 of the move.

        Centre and breadth (1 / zoom) go together in straight lines: the point a push-in aims at then never slides,
        and a move between two views inside the picture never leaves it.
        """
        eased = ease(share)
        breadth = (1 - eased) / self.start.zoom + eased / self.end.zoom
        x = self.start.x + (self.end.x - self.start.x) * eased
        return View(x, self.start.y + (self.end.y - self.start.y) * eased, 1 / breadth)

    def swept(self, cover: tuple[float, float]) -> tuple[float, float, float, float]:
        """Left, top, right, bottom (shares of the picture) of all that is seen; `cover` as from `covers`."""
        ends = [inside(view, cover) for view in (self.start, self.end)]
        # The path between two rectangles is straight, so what lies between them lies in their common box.
        return (
            min(view.x - cover[0] / view.zoom / 2 for view in ends),
            min(view.y - cover[1] / view.zoom / 2 for view in ends),
            max(view.x + cover[0] / view.zoom / 2 for view in ends),
            max(view.y + cover[1] / view.zoom / 2 for view in ends),
        )


def ease(share: float) -> float:
    """Half sine in and out, but never standing quite still: a third of it is plain linear motion."""
    share = min(max(share, 0.0), 1.0)
    return 0.65 * (0.5 - 0.5 * math.cos(math.pi * share)) + 0.35 * share


def covers(picture: tuple[int, int], frame: tuple[int, int]) -> tuple[float, float]:
    """The shares of a picture's width and height that the view just filling the frame takes: one of them is 1.

    `picture` and `frame` are (width, height) in any unit.
    """
    shape = frame[0] * picture[1] / (frame[1] * picture[0])
    return min(shape, 1.0), min(1 / shape, 1.0)


def inside(view: View, cover: tuple[float, float] = (1.0, 1.0)) -> View:
    """The nearest view that does not leave the picture; `cover` as from `covers`."""
    zoom = max(view.zoom, 1.0)
    across, down = cover[0] / zoom / 2, cover[1] / zoom / 2
    return View(min(max(view.x, across), 1 - across), min(max(view.y, down), 1 - down), zoom)


def choose(number: int, focus: Box, picture: tuple[int, int], frame: tuple[int, int]) -> Motion:
    """A move for shot `number` over a picture of (width, height) whose subject lies in `focus`, in a `frame` so large.

    A picture much wider or taller than the frame is crossed towards its subject. Others are pushed in on, drifted
    along, or pulled back from in turn, so that neighbours in a film differ.
    """
    cover = covers(picture, frame)
    x, y = focus[0] + focus[2] / 2, focus[1] + focus[3] / 2
    side = 1 if number % 2 else -1
    if min(cover) < 0.8:
        goal = inside(View(x, y, 1.03), cover)
        across = min(1 - cover[0], TRAVEL * cover[0]) if cover[0] < 1 else 0.0
        down = min(1 - cover[1], TRAVEL * cover[1]) if cover[1] < 1 else 0.0
        # Come from the side with more room, so that the whole journey fits.
        origin = View(goal.x - math.copysign(across, goal.x - 0.5), goal.y - math.copysign(down, goal.y - 0.5), 1.03)
        return Motion(inside(origin, cover), goal)
    near = inside(View(x, y, REACH), cover)
    far = inside(View(x, y, 1.0), cover)
    drift = inside(View(x - side * 0.5, y, 1.1), cover), inside(View(x + side * 0.5, y, 1.1), cover)
    return (Motion(far, near), Motion(*drift), Motion(near, far))[number % 3]
