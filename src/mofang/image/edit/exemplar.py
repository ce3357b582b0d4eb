"""Filling holes with patches of the rest of the picture, coarse to fine (Wexler, Shechtman & Irani 2007; Newson et al. 2017)."""

import numpy as np
from numpy.typing import NDArray

from mofang.image.edit.patchmatch import Field, Floats, around, inner, search, seed_field, vote
from mofang.studio.errors import UserError

Mask = NDArray[np.bool_]

RADIUS = 3
"""Patches are seven pixels wide."""
TRIES = 6
"""Fillings at the coarsest level, of which the one most like the picture is refined: the first guess decides the rest."""
TEXTURE = 3.0
"""How much more the texture features weigh than colour: they are averages, and vary less."""
LARGEST = 1_200_000
"""Pixels around a hole that are looked at; a larger surrounding is filled at a smaller size first."""


def exemplar(image: Floats, hole: Mask, forbidden: Mask, seed: int) -> Floats:
    """(rows, columns, 3) with `hole` filled from patches around it, of which none touches what is `forbidden` (the hole among
    it): as much of the picture as is worth looking at. Raises `UserError` if nothing is left to learn from."""
    import cv2

    rows, columns = np.flatnonzero(hole.any(1)), np.flatnonzero(hole.any(0))
    margin = max(int(np.ptp(rows)), int(np.ptp(columns)), 96)
    top, left = max(rows[0] - margin, 0), max(columns[0] - margin, 0)
    window = np.s_[top : rows[-1] + margin + 1, left : columns[-1] + margin + 1]
    part, missing, banned = image[window], hole[window], forbidden[window]
    scale = np.sqrt(LARGEST / (part.shape[0] * part.shape[1]))
    first: Field | None = None
    if scale < 1:
        # The patches found at the smaller size are the first guess at the full one, where only their edges are refined.
        size = (round(part.shape[1] * scale), round(part.shape[0] * scale))
        small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        gone = cv2.resize(missing.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
        bad = cv2.resize(banned.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
        first = _refined(small, gone, bad, seed)[1]
    out = image.copy()
    out[window] = _refined(part, missing, banned, seed, first)[0]
    return out


def _refined(image: Floats, hole: Mask, forbidden: Mask, seed: int, first: Field | None = None) -> tuple[Floats, Field]:
    """Coarse to fine, nearest patches and votes in turn (Wexler, Shechtman & Irani 2007; Newson et al. 2017)."""
    levels = _pyramid(image, hole, forbidden) if first is None else [(_featured(image), hole, forbidden)]
    coarsest = levels.pop()
    if first is None:
        tries = [_filled(*coarsest, None, seed * 31 + number, not levels) for number in range(TRIES)]
        picture, field, _ = min(tries, key=lambda each: each[2])
    else:
        picture, field, _ = _filled(*coarsest, first, seed, True)
    while levels:
        level = levels.pop()
        picture, field, _ = _filled(*level, field, seed, not levels)
    return np.clip(picture[..., :3], 0, 1), field


def _filled(known: Floats, missing: Mask, banned: Mask, field: Field | None, seed: int, finest: bool) -> tuple[Floats, Field, float]:
    """One level: the picture, where its patches come from, and how unlike the rest of the picture they are.

    With a coarser level's field the picture is first rebuilt from the patches it chose: nothing is ever enlarged.
    """
    import cv2

    allowed = inner(~banned, RADIUS)
    if not allowed.any():
        raise UserError("the hole leaves too little of the picture to learn from; mask less of it")
    current = known.copy()
    wanted = around(missing, RADIUS)
    places, spots = np.argwhere(wanted).astype(np.int32), np.argwhere(missing).astype(np.int32)
    sources = np.argwhere(allowed).astype(np.int32)
    rebuilt = field is not None
    field = _scaled(field, wanted, allowed)
    costs = np.zeros(missing.shape, np.float32)
    # What lies near the rim is surer than what lies deep inside (Wexler et al. 2007, 3.1).
    depth = cv2.distanceTransform(np.pad(missing, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    weight = np.maximum(np.float32(1.3) ** -depth, np.float32(0.05)).astype(np.float32)
    if not rebuilt:
        _onion(current, missing)
    seed_field(field, costs, places, sources, current, known, weight, RADIUS, seed)
    if rebuilt:
        vote(current, known, field, costs, spots, wanted, RADIUS, np.float32(1), False)
    for turn in range(4 if finest else 10):
        seed_field(field, costs, places, sources, current, known, weight, RADIUS, seed)
        search(field, costs, places, wanted, allowed, current, known, weight, RADIUS, 3, seed * 977 + turn)
        spread = np.float32(max(np.sqrt(np.quantile(costs[wanted], 0.75)), 1e-3))
        before = current[missing]
        vote(current, known, field, costs, spots, wanted, RADIUS, spread, False)
        if float(np.abs(current[missing] - before).mean()) < 0.002:
            break
    if finest:
        vote(current, known, field, costs, spots, wanted, RADIUS, np.float32(1), True)
    return current, field, float(costs[wanted].mean())


def _onion(picture: Floats, missing: Mask) -> None:
    """A first guess at the coarsest level, ring by ring inwards: the mean of the neighbours known so far."""
    import cv2

    known = (~missing).astype(np.float32)
    filled = picture * known[..., None]
    while (left := known == 0).any():
        mass = cv2.blur(known, (3, 3), borderType=cv2.BORDER_CONSTANT)
        total = cv2.blur(filled, (3, 3), borderType=cv2.BORDER_CONSTANT)
        ring = left & (mass > 0)
        if not ring.any():
            break
        filled[ring] = total[ring] / mass[ring][:, None]
        known[ring] = 1
    picture[missing] = filled[missing]


def _featured(image: Floats) -> Floats:
    """Colour and, as two more channels, how much it changes across and down in the neighbourhood.

    Averages of patches have no texture left, so without these channels a blurred fill finds blurred sources best
    (Liu & Caselles 2013).
    """
    import cv2

    grey = image.mean(2)
    across, down = np.abs(np.diff(grey, axis=1, append=grey[:, -1:])), np.abs(np.diff(grey, axis=0, append=grey[-1:]))
    texture = [cv2.blur(each, (9, 9)) * TEXTURE for each in (across, down)]
    return np.dstack([image, *texture]).astype(np.float32)


def _pyramid(image: Floats, hole: Mask, forbidden: Mask) -> list[tuple[Floats, Mask, Mask]]:
    """Halved until the hole is about a patch across; each level's picture, hole, and pixels that are no source."""
    import cv2

    filled = image.copy()
    filled[forbidden] = 0
    features = _featured(image)
    # What is in the hole has no texture of its own: features near its edge come from the known side alone.
    share = cv2.blur((~forbidden).astype(np.float32), (9, 9))
    grey = np.where(forbidden, 0, image.mean(2))
    for channel, axis in ((3, 1), (4, 0)):
        change = np.abs(np.diff(grey, axis=axis, append=grey[:, -1:] if axis else grey[-1:]))
        valid = ~(forbidden | np.roll(forbidden, -1, axis))
        features[..., channel] = cv2.blur(np.where(valid, change, 0).astype(np.float32), (9, 9)) * TEXTURE / np.maximum(share, 0.05)
    depth = float(cv2.distanceTransform(np.pad(hole, 1).astype(np.uint8), cv2.DIST_L2, 5).max())
    levels = [(features, hole, forbidden)]
    while depth > RADIUS + 1 and min(levels[-1][1].shape) > 8 * RADIUS:
        last, missing, banned = levels[-1]
        size = ((missing.shape[1] + 1) // 2, (missing.shape[0] + 1) // 2)
        good = (~banned).astype(np.float32)
        mass = cv2.resize(good, size, interpolation=cv2.INTER_AREA)
        colours = [cv2.resize(last[..., c] * good, size, interpolation=cv2.INTER_AREA) for c in range(last.shape[2])]
        smaller = np.dstack(colours) / np.maximum(mass, 1e-3)[..., None]
        gone = cv2.resize(missing.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.25
        bad = gone | (mass < 0.5)
        if not inner(~bad, RADIUS).any():
            break
        levels.append((smaller.astype(np.float32), gone, bad))
        depth /= 2
    return levels


def _scaled(field: Field | None, wanted: Mask, allowed: Mask) -> Field:
    """The coarser level's field at this size; −1 where it says nothing usable."""
    rows, columns = wanted.shape
    if field is None:
        return np.full((rows, columns, 2), -1, np.int32)
    ratio = np.array([rows / field.shape[0], columns / field.shape[1]])
    y, x = np.mgrid[0:rows, 0:columns]
    below_y = np.minimum((y / ratio[0]).astype(np.int64), field.shape[0] - 1)
    below_x = np.minimum((x / ratio[1]).astype(np.int64), field.shape[1] - 1)
    coarse = field[below_y, below_x]
    shift = np.stack([coarse[..., 0] - below_y, coarse[..., 1] - below_x], 2)
    finer: Field = np.round(shift * ratio).astype(np.int32) + np.stack([y, x], 2).astype(np.int32)
    inside = (finer >= 0).all(2) & (finer[..., 0] < rows) & (finer[..., 1] < columns) & (coarse[..., 0] >= 0)
    fine = inside.copy()
    fine[inside] = allowed[finer[inside][:, 0], finer[inside][:, 1]]
    finer[~fine | ~wanted] = -1
    return finer
