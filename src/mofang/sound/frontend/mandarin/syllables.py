"""Pinyin syllables as Kokoro's phonemes.

Kokoro v1.0 learnt its Mandarin from IPA with the tone as an arrow after the nucleus (→ first, ↗ second, ↓ third,
↘ fourth, none neutral). The table is the one of its teacher, misaki 0.9 (Apache-2.0) after pinyin-to-ipa (MIT);
`tests/test_frontend_syllables.py` compares every syllable with misaki where that is installed.
Phonology: San Duanmu, The Phonology of Standard Chinese, 2nd ed., Oxford 2007.
"""

import re
from functools import lru_cache

_INITIALS = {
    "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t", "t": "tʰ", "n": "n", "l": "l", "g": "k", "k": "kʰ", "h": "x",
    "j": "ʨ", "q": "ʨʰ", "x": "ɕ", "zh": "ꭧ", "ch": "ꭧʰ", "sh": "ʂ", "r": "ɻ", "z": "ʦ", "c": "ʦʰ", "s": "s", "": "",
}
# The digit 0 stands where the tone goes: after the nucleus, before a nasal.
_FINALS = {
    "a": "a0", "ai": "ai0", "an": "a0n", "ang": "a0ŋ", "ao": "au0", "e": "ɤ0", "ei": "ei0", "en": "ə0n", "eng": "ə0ŋ",
    "i": "i0", "ia": "ja0", "ian": "jɛ0n", "iang": "ja0ŋ", "iao": "jau0", "ie": "je0", "in": "i0n", "ing": "i0ŋ",
    "iong": "jʊ0ŋ", "iu": "jou0", "o": "wo0", "ong": "ʊ0ŋ", "ou": "ou0", "u": "u0", "ua": "wa0", "uai": "wai0",
    "uan": "wa0n", "uang": "wa0ŋ", "ueng": "wə0ŋ", "ui": "wei0", "un": "wə0n", "uo": "wo0",
    "v": "y0", "van": "ɥɛ0n", "ve": "ɥe0", "vn": "y0n",
}
_WHOLE = {"er": "ɚ0", "o": "ɔ0", "ê": "ɛ0", "m": "m0", "n": "n0", "ng": "ŋ0", "hm": "hm0", "hng": "hŋ0", "r": "ɚ0"}
# Spellings in which y and w only show that a syllable begins: yi, wu, yu stand for i, u, ü.
_ZERO = {
    "yi": "i", "ya": "ia", "yan": "ian", "yang": "iang", "yao": "iao", "ye": "ie", "yin": "in", "ying": "ing",
    "yong": "iong", "you": "iu", "yo": "o", "yu": "v", "yuan": "van", "yue": "ve", "yun": "vn",
    "wu": "u", "wa": "ua", "wai": "uai", "wan": "uan", "wang": "uang", "weng": "ueng", "wei": "ui", "wen": "un",
    "wo": "uo",
}
_TONES = {"1": "→", "2": "↗", "3": "↓", "4": "↘", "5": "", "0": ""}
_SYLLABLE = re.compile(r"(zh|ch|sh|[bpmfdtnlgkhjqxrzcs]?)([a-zê]+)([0-5])")
_MARKS = {m: (v, t) for v,
    marks in {"a": "āáǎà", "e": "ēéěè", "i": "īíǐì", "o": "ōóǒò", "u": "ūúǔù", "v": "ǖǘǚǜ"}.items()
          for t, m in enumerate(marks, 1)}


@lru_cache(maxsize=4096)
def ipa(syllable: str) -> str:
    """Kokoro's phonemes of a pinyin syllable such as 'zhong4' or 'lve4'; KeyError if there is no such syllable."""
    body, tone = syllable[:-1], _TONES[syllable[-1:]]
    if body in _WHOLE:
        return _WHOLE[body].replace("0", tone)
    if body in _ZERO:
        return _FINALS[_ZERO[body]].replace("0", tone)
    match = _SYLLABLE.fullmatch(syllable)
    if match is None:
        raise KeyError(syllable)
    initial, final, _ = match.groups()
    if not initial and final[0] in "iuv":
        raise KeyError(syllable)
    if initial in ("j", "q", "x") and final[0] == "u":
        final = "v" + final[1:]
    if final == "i" and initial in ("zh", "ch", "sh", "r", "z", "c", "s"):
        return _INITIALS[initial] + "ɨ" + tone
    if final == "ue" and initial in ("n", "l"):
        final = "ve"
    return _INITIALS[initial] + _FINALS[final].replace("0", tone)


def erhua(syllable: str) -> str:
    """The phonemes of a syllable that takes the suffix 儿 (which adds ɚ itself): -n and -i give way to it."""
    sound = ipa(syllable)
    if sound.endswith("n"):
        return sound[:-1]
    return re.sub(r"(?<=[ae])i(?=[→↗↓↘]?$)", "", sound)


def numbered(pinyin: str) -> str | None:
    """'chóng', 'chong2' or 'lǜ', 'lü4' as 'chong2', 'lv4'; None if it is not a syllable of Mandarin."""
    tone = "5"
    letters = []
    for c in pinyin.lower().replace("u:", "v"):
        if c in _MARKS:
            c, tone = _MARKS[c][0], str(_MARKS[c][1])
        letters.append("v" if c == "ü" else c)
    body = "".join(letters)
    if body[-1:].isdigit():
        body, tone = body[:-1], body[-1].replace("0", "5")
    syllable = body + tone
    if not _is_attested(body):
        return None
    return syllable if tone in _TONES else None


@lru_cache(maxsize=1)
def _attested() -> frozenset[str]:
    from pypinyin.constants import PINYIN_DICT
    from pypinyin.contrib.tone_convert import to_normal

    return frozenset(to_normal(p, v_to_u=False) for group in PINYIN_DICT.values() for p in group.split(","))


def _is_attested(body: str) -> bool:
    """Whether some character is read so, whatever the tone: 'chong' but not 'chonk' or 'bue'."""
    if body not in _attested():
        return False
    try:
        ipa(body + "1")
    except KeyError:
        return False
    return True
