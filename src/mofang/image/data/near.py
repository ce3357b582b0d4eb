"""Pictures that are nearly the same: found by perceptual hash, confirmed by the points they share.

A hash (pHash: Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash Functions", section 3.2.1) makes
candidates cheap; ORB (Rublee et al. 2011) with a similarity transform between the matches (RANSAC) says whether they
show the same. Mirrored copies count: training flips pictures, so one of them would be the other.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

GREY = 96
"""Pixels of a side of the grey copies that are compared."""
DISTANCE = 10
"""Bits of 64 in which the hashes of candidates differ at most."""
CANDIDATES = 12
"""Clusters a picture is compared with at most, those of the nearest hashes: flat icons have hundreds of near hashes."""
FEW = 16
"""Matches under which a transform proves nothing, and pixels decide."""

Grey = NDArray[np.uint8]


def grey_of(rgb: NDArray[np.uint8]) -> Grey:
    """(size, size, 3) as the (GREY, GREY) that is compared."""
    import cv2

    method = cv2.INTER_AREA if rgb.shape[0] > GREY else cv2.INTER_CUBIC
    grey: Grey = cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (GREY, GREY), interpolation=method)
    return grey


def phash(grey: Grey) -> int:
    """64 bits: which of the 8×8 lowest cosine frequencies (without the mean) of a 32×32 copy lie above their median."""
    import cv2

    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:8, :8].ravel()
    return int.from_bytes(np.packbits(low > np.median(low[1:])).tobytes(), "big")


def clusters(greys: NDArray[np.uint8], progress: Callable[[float], None] = lambda share: None) -> NDArray[np.int64]:
    """The cluster of each of (N, GREY, GREY) pictures, named by its first one's number. Memory grows with N, not N²."""
    count = len(greys)
    hashes = np.empty(count, np.uint64)
    mirrored = np.empty(count, np.uint64)
    for number in range(count):
        grey = np.asarray(greys[number])
        hashes[number], mirrored[number] = phash(grey), phash(np.ascontiguousarray(grey[:, ::-1]))
        if number % 64 == 0:
            progress(0.3 * number / count)
    points = _Points(greys)
    labels = np.arange(count)
    for number in range(1, count):
        straight = np.bitwise_count(hashes[:number] ^ hashes[number])
        turned = np.bitwise_count(mirrored[:number] ^ hashes[number])
        distance = np.minimum(straight, turned)
        near = np.flatnonzero(distance <= DISTANCE)
        near = near[np.argsort(distance[near], kind="stable")]
        # One of each cluster, its nearest: who is like one of them belongs to all.
        _, first = np.unique(labels[near], return_index=True)
        for other in near[np.sort(first)][:CANDIDATES]:
            if labels[other] != labels[number] and points.same(number, int(other), bool(turned[other] < straight[other])):
                low, high = sorted((labels[other], labels[number]))
                labels[labels == high] = low
        if number % 64 == 0:
            progress(0.3 + 0.7 * number / count)
    progress(1.0)
    return labels


class _Points:
    """ORB key points of pictures, the last few hundred kept."""

    def __init__(self, greys: NDArray[np.uint8]) -> None:
        import cv2

        self._greys = greys
        self._orb = cv2.ORB.create(200, 1.2, 4, 12, 0, 2, cv2.ORB_HARRIS_SCORE, 15, 10)
        self._matcher = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True)
        self._kept: dict[tuple[int, bool], tuple[NDArray[np.float32], NDArray[np.uint8] | None]] = {}

    def grey(self, number: int, mirror: bool) -> Grey:
        return np.ascontiguousarray(self._greys[number][:, ::-1] if mirror else self._greys[number])

    def of(self, number: int, mirror: bool) -> tuple[NDArray[np.float32], NDArray[np.uint8] | None]:
        key = number, mirror
        if key not in self._kept:
            if len(self._kept) >= 512:
                self._kept.pop(next(iter(self._kept)))
            found, described = self._orb.detectAndCompute(self.grey(number, mirror), None)
            self._kept[key] = (np.array([point.pt for point in found], np.float32).reshape(-1, 2), described)
        return self._kept[key]

    def same(self, one: int, other: int, mirror: bool) -> bool:
        """Whether two pictures (the other mirrored) show the same: most of their points agree on one movement, rotation
        and scale, and their pixels do not contradict it. Pictures with hardly any points are compared pixel by pixel."""
        import cv2

        a, b = self.grey(one, False).astype(np.float32), self.grey(other, mirror).astype(np.float32)
        if float(np.abs(a - b).mean()) < 2.0:
            return True
        (places, described), (others, other_described) = self.of(one, False), self.of(other, mirror)
        if described is None or other_described is None or min(len(places), len(others)) < FEW:
            return _correlation(a, b) > 0.97
        matches = self._matcher.match(described, other_described)
        if len(matches) < FEW:
            return False
        source = np.array([others[match.trainIdx] for match in matches])
        target = np.array([places[match.queryIdx] for match in matches])
        movement, inside = cv2.estimateAffinePartial2D(source, target, method=cv2.RANSAC, ransacReprojThreshold=2.5)
        if movement is None or int(inside.sum()) < max(FEW, 0.5 * min(len(places), len(others))):
            return False
        moved = cv2.warpAffine(b, movement, (GREY, GREY), borderMode=cv2.BORDER_REPLICATE)
        return _correlation(a, moved) > 0.85


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-6))
