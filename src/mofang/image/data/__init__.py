"""Pictures to train on: folders made into a dataset, and the dataset read back.

>>> from mofang.image.data import Pictures
>>> train = Pictures.open(folder).split("train")
>>> train.take(np.arange(8)).shape
(8, 64, 64, 3)
"""

from mofang.image.data.store import Pictures, Split

__all__ = ["Pictures", "Split"]
