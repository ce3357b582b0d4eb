"""The camera over a still picture: where it looks at the start and at the end, and how it gets there."""

import math
from dataclasses import dataclass

Box = tuple[float, float, float, float]
"""Left, top, width, height as shares of the picture."""

REACH = 1.14
"""How much larger than the frame a still's widest view is at the closest point of a move."""


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
        """The view at a share 0..1 of the move. Zoom is interpolated geometrically, so that it looks even."""
        eased = ease(share)
        zoom = self.start.zoom * (self.end.zoom / self.start.zoom) ** eased
        view = View(
            self.start.x + (self.end.x - self.start.x) * eased, self.start.y + (self.end.y - self.start.y) * eased, zoom
        )
        return inside(view)


def ease(share: float) -> float:
    """Half sine in and out, but never standing quite still: a third of it is plain linear motion."""
    share = min(max(share, 0.0), 1.0)
    return 0.65 * (0.5 - 0.5 * math.cos(math.pi * share)) + 0.35 * share


def inside(view: View) -> View:
    """The nearest view that does not leave the picture."""
    half = 0.5 / view.zoom
    return View(min(max(view.x, half), 1 - half), min(max(view.y, half), 1 - half), view.zoom)


def choose(number: int, focus: Box, wide: bool) -> Motion:
    """A move for shot `number` over a picture whose subject lies in `focus`.

    Push in on the subject, pull out from it, or drift sideways past it; neighbours in the film always differ. A drift
    goes along the frame's long side only where the picture has the room, which a `wide` frame has more of.
    """
    x, y = focus[0] + focus[2] / 2, focus[1] + focus[3] / 2
    near = inside(View(x, y, REACH))
    far = View(0.5, 0.5, 1.0)
    level = 1.1 if wide else 1.08
    toward = 1 if x >= 0.5 else -1
    left, right = View(0.5 - 0.5 * toward, 0.5, level), View(0.5 + 0.5 * toward, 0.5, level)
    moves = (Motion(far, near), Motion(inside(left), inside(right)), Motion(near, far))
    return moves[number % len(moves)]
