"""Choosing the next token: temperature, filters, penalties, rules, stop strings, beams.

>>> Sampling(temperature=0.8, top_p=0.95, no_repeat=4)
"""

from mofang.text.sampling.constraint import Constraint
from mofang.text.sampling.history import History
from mofang.text.sampling.settings import Sampling
from mofang.text.sampling.stream import Stream

__all__ = ["Constraint", "History", "Sampling", "Stream"]
