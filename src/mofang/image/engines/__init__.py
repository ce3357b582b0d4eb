"""What paints pictures: a table of engines, each opened when it is asked for."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from mofang.image.engines.base import Painted, PictureEngine, Request
from mofang.studio.errors import UserError

ENGINES = {
    "collage": "mofang.image.engines.collage.engine",
    "sticker": "mofang.image.engines.sticker",
    "own": "mofang.image.engines.sticker",
    "folder": "mofang.image.engines.folder",
    "diffusers": "mofang.image.engines.diffusers",
    "openai": "mofang.image.engines.openai",
}
"""Engines by the name before the colon. Each module has `open_engine(rest, loras, controlnet, studio)`."""


def open_engine(name: str, *, loras: Sequence[str] = (), controlnet: str = "", studio: Path | None = None) -> PictureEngine:
    """The engine called `name`: `collage`, `sticker`, `own:MODEL`, `folder:DIR`, `diffusers:PATH`, `openai:MODEL`.

    `loras` are `file` or `file:weight`, `controlnet` a folder; of use to diffusers alone. Raises `UserError`.
    """
    kind, _, rest = name.partition(":")
    if kind not in ENGINES:
        raise UserError(f"there is no picture engine '{kind[:40]}'; use one of: {', '.join(ENGINES)} (as diffusers:PATH)")
    if (loras or controlnet) and kind != "diffusers":
        raise UserError(f"{kind} takes no LoRA and no ControlNet; use diffusers:PATH")
    engine: PictureEngine = import_module(ENGINES[kind]).open_engine(rest, loras, controlnet, studio)
    return engine


__all__ = ["ENGINES", "Painted", "PictureEngine", "Request", "open_engine"]
