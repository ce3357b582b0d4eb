"""Stop words: what a text is made of and not about. One list for each language, in the text files beside this one."""

from functools import cache
from importlib.resources import files

from mofang.text.language import Lang


@cache
def stop_words(lang: Lang) -> frozenset[str]:
    """The stop words of Chinese or English, in lower case; where the lists come from stands at their head."""
    text = (files("mofang.text") / f"stop_words.{lang}.txt").read_text("utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


@cache
def all_stop_words() -> frozenset[str]:
    """The stop words of every language there is a list for."""
    return stop_words("zh") | stop_words("en")
