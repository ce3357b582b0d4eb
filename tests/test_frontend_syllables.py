"""The table of syllables against the one Kokoro was trained with."""

import pytest

from mofang.sound.frontend.mandarin.syllables import erhua, ipa, numbered
from mofang.sound.frontend.symbols import SYMBOLS


@pytest.mark.parametrize(("pinyin", "said"), [
    ("zhong4", "ꭧʊ↘ŋ"), ("lve4", "lɥe↘"), ("yu1", "y→"), ("er2", "ɚ↗"), ("zi5", "ʦɨ"), ("weng1", "wə→ŋ"),
    ("xue2", "ɕɥe↗"), ("bo1", "pwo→")])
def test_syllables(pinyin: str, said: str) -> None:
    assert ipa(pinyin) == said


def test_erhua_and_numbering() -> None:
    assert erhua("wan2") == "wa↗" and erhua("hai2") == "xa↗" and erhua("hua1") == "xwa→"
    assert (numbered("chóng"), numbered("lǜ"), numbered("LV4"), numbered("ma")) == ("chong2", "lv4", "lv4", "ma5")
    assert numbered("chonk3") is None and numbered("zhong9") is None and numbered("") is None


def test_every_syllable_uses_known_symbols_and_agrees_with_misaki_where_installed() -> None:
    from pypinyin.constants import PINYIN_DICT
    from pypinyin.contrib.tone_convert import to_tone3

    syllables = {to_tone3(p, neutral_tone_with_five=True,
    v_to_u=False)[:-1] for group in PINYIN_DICT.values() for p in group.split(",")}
    known = {s for s in syllables if s != "wong"}  # a misprint of one character's Cantonese
    assert all(set(ipa(s + tone)) <= SYMBOLS for s in known for tone in "12345")
    zh = pytest.importorskip("misaki.zh", reason="pip install 'misaki[zh]' to compare")
    for s in known:
        for tone in "12345":
            assert ipa(s + tone) == zh.ZHG2P.py2ipa(s + tone).replace("\u032f", "")
