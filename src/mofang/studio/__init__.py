"""The creator's library on disk, and the small types every room of the house shares."""

from mofang.studio.errors import UserError
from mofang.studio.library import Asset, Made, Making, Studio
from mofang.studio.recipe import Recipe

__all__ = ["Asset", "Made", "Making", "Recipe", "Studio", "UserError"]
