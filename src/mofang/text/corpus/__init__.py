"""Works made into a corpus: read, cleaned, without duplicates, split, and turned into numbers to train on.

>>> from pathlib import Path
>>> prepare([Path("novels")], Path("corpus"))
>>> Corpus.open(Path("corpus")).tokens("train")[:100]
"""

from mofang.text.corpus.encode import Vocabulary
from mofang.text.corpus.prepare import Cleaning, prepare
from mofang.text.corpus.readers import Reading
from mofang.text.corpus.sources import Papers
from mofang.text.corpus.split import Split
from mofang.text.corpus.store import Corpus

__all__ = ["Cleaning", "Corpus", "Papers", "Reading", "Split", "Vocabulary", "prepare"]
