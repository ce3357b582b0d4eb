"""The craft of text: reading what a creator wrote, dividing it into passages, and writing scripts from a brief.

>>> from mofang.text import passages, read
>>> [passage.text for passage in passages(read("examples/poem.zh.md"))]
['床前明月光，\\n疑是地上霜。', '举头望明月，\\n低头思故乡。']
"""

from mofang.text.keywords import keywords, title_for
from mofang.text.language import Lang, language_of
from mofang.text.read import Manuscript, parse, read
from mofang.text.script import Script, write_script
from mofang.text.segment import Passage, passages, sentences

__all__ = ["Lang", "Manuscript", "Passage", "Script", "keywords", "language_of", "parse", "passages", "read", "sentences",
           "title_for", "write_script"]  # fmt: skip
