"""Groups of pictures that belong together, and which groups are held out."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def joined(subjects: Sequence[str], clusters: NDArray[np.int64]) -> list[str]:
    """The group of each picture: pictures of one subject, or of one near-duplicate cluster, are in one.

    Named by the first subject in it, or by the number of the cluster.
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    names = [f"s:{subject}" if subject else f"c:{cluster}" for subject, cluster in zip(subjects, clusters, strict=True)]
    for name, cluster in zip(names, clusters, strict=True):
        # "s:" sorts after "c:": the smaller in reverse order is a subject where there is one.
        high, low = sorted((root(name), root(f"c:{cluster}")), key=lambda each: (each.startswith("c:"), each))
        parent[low] = high
    return [root(name).split(":", 1)[1] for name in names]


def held_out(groups: Sequence[str], share: float, seed: int) -> NDArray[np.int64]:
    """The numbers of the pictures held out: whole groups in an order that depends on their names and the seed only, as
    many as fit in `share` of the pictures; at least one group if there are others."""
    members: dict[str, list[int]] = {}
    for number, group in enumerate(groups):
        members.setdefault(group, []).append(number)
    order = sorted(members, key=lambda group: hashlib.sha256(f"{seed}/{group}".encode("utf-8", "replace")).digest())
    room = round(share * len(groups))
    chosen: list[int] = []
    for group in order:
        if len(chosen) + len(members[group]) <= room:
            chosen += members[group]
    if not chosen and share > 0 and len(members) > 1:
        chosen = members[min(order, key=lambda group: len(members[group]))]
    return np.array(sorted(chosen), np.int64)
