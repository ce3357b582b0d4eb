"""Mofang 墨坊: a studio for one creator on one ordinary computer."""

__version__ = "0.1.0"
