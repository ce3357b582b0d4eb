"""Where weights, art and fonts come from: cards with licences and hashes, fetched once, verified, loaded safely.

>>> from mofang import models
>>> models.ensure("kokoro-82m").file("model")
"""

from mofang.models.card import Card, File, card, cards
from mofang.models.store import Model, ensure, installed, remove, verify

__all__ = ["Card", "File", "Model", "card", "cards", "ensure", "installed", "remove", "verify"]
