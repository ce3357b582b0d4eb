"""Holes, noise and JPEG's traces through one network of our own (`image.nets.repair`), where it is installed."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.image.edit.bm3d import Floats
from mofang.image.edit.diffuse import diffused
from mofang.image.edit.engines.onnx import open_graph
from mofang.models import own
from mofang.models.session import answers
from mofang.studio.errors import UserError

NAME = "repair"
"""The shipped network."""
TILE, OVERLAP, MULTIPLE = 512, 64, 8
"""Pixels of the parts a picture is taken in, how far they reach over, and what the network's sides are multiples of."""


def shipped() -> Path | None:
    """Our own network's graph, if it is installed."""
    place = own.names().get(NAME)
    return place / "model.onnx" if place and (place / "model.onnx").is_file() else None


def graph_of(model: str | Path) -> Path:
    """The graph of a model that `mofang image train --kind repair` made, by name or folder. Raises `UserError`."""
    folder = own.find(model)
    if own.read_config(folder)["model_type"] != "mofang-repair" or not (folder / "model.onnx").is_file():
        raise UserError(f"{folder.name} repairs nothing; give a model from mofang image train --kind repair")
    return folder / "model.onnx"


def filled(image: Floats, hole: NDArray[np.bool_], graph: Path) -> Floats:
    """(rows, columns, 3) with `hole` (rows, columns) filled with what is likeliest there; the rest is kept as it is."""
    out = diffused(image, hole)
    maps = np.zeros(image.shape, np.float32)
    maps[..., 0] = hole
    out[hole] = _run(out, maps, graph, hole)[hole]
    return out


def cleaned(image: Floats, graph: Path, sigma: float = 0.0, coarse: float = 0.0) -> Floats:
    """(rows, columns, 3) without noise of deviation `sigma` (of 1) and the traces of JPEG of a coarseness (`unjpeg`)."""
    maps = np.zeros(image.shape, np.float32)
    maps[..., 1], maps[..., 2] = sigma, coarse
    return _run(image, maps, graph, np.ones(image.shape[:2], np.bool_))


def _run(image: Floats, maps: Floats, graph: Path, wanted: NDArray[np.bool_]) -> Floats:
    """Part by part, where something is `wanted`; each part sees `OVERLAP` pixels of its surroundings."""
    session = _opened(graph)
    rows, columns = image.shape[:2]
    out = image.copy()
    for top in range(0, rows, TILE):
        for left in range(0, columns, TILE):
            if not wanted[top : top + TILE, left : left + TILE].any():
                continue
            y, x = max(top - OVERLAP, 0), max(left - OVERLAP, 0)
            part = np.s_[y : top + TILE + OVERLAP, x : left + TILE + OVERLAP]
            inputs = {name: _batch(each[part]) for name, each in (("pictures", image), ("maps", maps))}
            made = answers(session, graph, **inputs)[0]
            high, wide = min(TILE, rows - top), min(TILE, columns - left)
            out[top : top + high, left : left + wide] = np.moveaxis(made[0], 0, 2)[top - y :, left - x :][:high, :wide]
    return np.clip(out, 0, 1)


def _batch(part: Floats) -> Floats:
    """(1, channels, rows, columns) with sides that are multiples of eight."""
    more = [(0, -side % MULTIPLE) for side in part.shape[:2]]
    return np.ascontiguousarray(np.moveaxis(np.pad(part, (*more, (0, 0)), mode="edge"), 2, 0)[None])


@lru_cache(maxsize=2)
def _opened(graph: Path) -> Any:
    session = open_graph(graph, 2)
    if [each.name for each in session.get_inputs()] != ["pictures", "maps"]:
        raise UserError(f"{graph} is no network that repairs; give one from mofang image train --kind repair")
    return session
