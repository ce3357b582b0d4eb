"""Pages set in type: posters, covers, cards and poems, from a template, words and perhaps a picture.

>>> from mofang.image.layout import compose, format_of, template_of
>>> page = compose(template_of("quote"), format_of("xiaohongshu"), {"title": "山中何事？", "author": "张可久"})
>>> page.image.shape
(1440, 1080, 3)
"""

from mofang.image.layout.formats import SHAPES, Format, format_of, formats
from mofang.image.layout.page import Page, compose
from mofang.image.layout.template import FIELDS, Template, template_of, templates

__all__ = ["FIELDS", "SHAPES", "Format", "Page", "Template", "compose", "format_of", "formats", "template_of", "templates"]
