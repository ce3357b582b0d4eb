"""Diffusion checkpoints of others (Stable Diffusion 1.5, 2, XL, 3, Flux, and what else diffusers opens) as a picture engine."""

from mofang.image.engines.diffusers.engine import DiffusersEngine, open_engine

__all__ = ["DiffusersEngine", "open_engine"]
