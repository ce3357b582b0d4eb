"""Knowing what one has: how well a model foretells, how varied it writes, and whether it writes or recites.

>>> found = evaluate(find("poem-zh"), studio_folder, Plan(samples=20))
>>> found["bits_per_byte"], found["copying"]["share"], found["copying"]["verdict"]

While writing, `known(folder, studio_folder).warnings(text)` names the lines that stand in the works.
"""

from mofang.text.evaluate.run import Plan, evaluate
from mofang.text.evaluate.works import Known, known

__all__ = ["Known", "Plan", "evaluate", "known"]
