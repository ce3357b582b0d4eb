"""Holes of middling size: trial holes, how far patches are trusted, and what comes of it."""

import cv2
import numpy as np
import pytest

from mofang.image.edit import fusion
from mofang.image.edit.exemplar import exemplar
from mofang.image.edit.inpaint import inpaint, thick_part
from mofang.image.edit.smooth import continued


def ground(kind, rows=150, columns=170, seed=0):
    """(rows, columns, 3): tiles that repeat, or clouds that do not."""
    rng = np.random.default_rng(seed)
    if kind == "tiles":
        tile = rng.uniform(0.1, 0.9, (16, 20, 3)).astype(np.float32)
        return np.ascontiguousarray(cv2.GaussianBlur(np.tile(tile, (10, 9, 1)), (0, 0), 1.2)[:rows, :columns])
    coarse = rng.uniform(0.1, 0.9, (9, 10, 3)).astype(np.float32)
    return cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC).clip(0, 1)


def holed(kind, seed=0, radius=13):
    image = ground(kind, seed=seed)
    hole = np.zeros(image.shape[:2], np.uint8)
    cv2.circle(hole, (85, 70), radius, 1, -1)
    damaged = image.copy()
    damaged[hole > 0] = 0
    return image, damaged, hole > 0


def error(done, clean, hole):
    return float(np.sqrt(((done - clean)[hole] ** 2).mean()))


def test_patches_are_trusted_where_the_picture_repeats_itself_and_not_where_it_does_not():
    shares = {kind: fusion._proven(*holed(kind)[1:], holed(kind)[2], 0, None) for kind in ("tiles", "clouds")}
    assert shares["tiles"] > 0.8 and shares["clouds"] < 0.5


@pytest.mark.parametrize("kind", ["tiles", "clouds"])
def test_the_whole_is_about_as_good_as_the_better_of_its_ways(kind):
    gains = []
    for seed in range(2):
        clean, damaged, hole = holed(kind, seed)
        ways = [error(exemplar(damaged, hole, hole, 0), clean, hole), error(continued(damaged, hole), clean, hole)]
        done = inpaint(damaged, hole)
        assert np.array_equal(done[~hole], damaged[~hole]) and done.min() >= 0 and done.max() <= 1
        gains.append((error(done, clean, hole), min(ways), max(ways)))
    mine, best, worst = np.mean(gains, 0)
    assert mine < best + 0.25 * (worst - best) + 0.004


def test_trial_holes_are_copies_in_the_known_picture_apart_from_all_holes():
    hole = np.zeros((150, 170), np.uint8)
    cv2.ellipse(hole, (60, 70), (14, 9), 30, 0, 360, 1, -1)
    cv2.circle(hole, (110, 40), 8, 1, -1)
    forbidden = hole.copy()
    forbidden[100:103] = 1
    found = fusion.trials(hole > 0, forbidden > 0)
    count, _, about, _ = cv2.connectedComponentsWithStats(found.astype(np.uint8))
    areas = cv2.connectedComponentsWithStats(hole)[2][1:, cv2.CC_STAT_AREA]
    assert count - 1 == 4 and sorted(about[1:, cv2.CC_STAT_AREA]) == sorted([*areas, *areas])
    assert not (found & (cv2.dilate(forbidden, np.ones((2 * fusion.CLEAR + 1,) * 2)) > 0)).any()
    assert not fusion.trials(np.ones((20, 20), bool), np.ones((20, 20), bool)).any()


def test_deep_holes_are_patches_alone_and_thin_ones_none():
    image = ground("clouds", 240, 260)
    deep = np.zeros(image.shape[:2], bool)
    deep[60:140, 60:140] = True
    assert np.array_equal(inpaint(image, deep, 3), exemplar(image, deep, deep, 3))
    thin = np.zeros_like(deep)
    thin[100:104] = True
    assert not thick_part(thin).any() and np.array_equal(inpaint(image, thin), continued(image, thin))


def test_the_same_seed_gives_the_same_bytes():
    _, damaged, hole = holed("clouds")
    assert np.array_equal(inpaint(damaged, hole, 5), inpaint(damaged, hole, 5))
