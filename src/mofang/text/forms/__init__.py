"""Forms of text: what they ask, whether a text has them, and rules that make a model keep them while it writes.

>>> model.write("", constraint=parse("lines:7,7,7,7+rhyme:AABA", model.tokenizer))
"""

from mofang.text.forms.spec import KNOWN, parse, settled

__all__ = ["KNOWN", "parse", "settled"]
