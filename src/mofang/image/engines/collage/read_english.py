"""Just enough English morphology to look words up: dictionary forms, and noun or verb by the words around."""

from mofang.image.engines.collage.glyphs import word_map, word_set

IRREGULAR = word_map("irregular.en")
NOUNY = word_set("before_noun.en")
_VERBY = word_set("before_verb.en")
_CLOSED = word_map("closed.en")
_AUX = frozenset({"be", "is", "are", "was", "were", "been", "being", "am"})


def lemma(word: str) -> str:
    """The dictionary form of a lower-case English word: exact for common words, a good guess for the rest."""
    if word.endswith("'s"):
        word = word[:-2]
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) < 4:
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "zes", "oes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    if word.endswith("ied"):
        return word[:-3] + "y"
    for ending in ("ing", "ed"):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= 3 and any(vowel in stem for vowel in "aeiouy"):
            return _restored(stem)
    return word


def _restored(stem: str) -> str:
    """The verb behind a stem: running → run, baking → bake, walking → walk."""
    if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "lsz":
        return stem[:-1]
    short = len(stem) <= 4 and stem[-1] not in "aeiouwxy" and stem[-2] in "aeiou" and stem[-3] not in "aeiou"
    if stem.endswith(("v", "c", "u", "dg", "rg", "iz", "as", "os", "us", "ak", "ik", "ok", "iv", "at")) or short:
        return stem + "e"
    return stem


def tag(words: list[str], index: int) -> str:
    """n, v, d, m, r, p, name or x for `words[index]`, by closed classes, endings and the word before."""
    word = words[index].lower()
    if word in _CLOSED:
        return _CLOSED[word]
    if word[0].isdigit():
        return "m"
    if not word[0].isalpha():
        return "x"
    if index and words[index][0].isupper() and word not in {"i"}:
        return "name"
    before = words[index - 1].lower() if index else ""
    base = lemma(word)
    if before in NOUNY:
        return "n"
    if before in _VERBY or word in _AUX or (word.endswith("ed") and base != word):
        return "v"
    if word.endswith("ing") and base != word and (before in _AUX or index == 0):
        return "v"
    if word in IRREGULAR and base != word and not word.endswith(("ce", "se", "en", "et", "th", "ves")):
        return "v"
    return "d" if word.endswith("ly") else "n"
