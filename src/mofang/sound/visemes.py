"""Phonemes to mouth shapes (visemes), for Mandarin and English.

The shapes are the fifteen of Oculus LipSync (Meta, "Viseme Reference", after MPEG-4's facial animation parameters, ISO/IEC
14496-2), which most rigs know, and beside each the number Microsoft's speech service gives it (Azure AI Speech, "Get facial
position with viseme": 0 to 21). English phonemes follow both references. Mandarin has no column there: its sounds are placed
by where the lips and the tongue are (Duanmu, The Phonology of Standard Chinese, 2nd ed., Oxford 2007, ch. 2).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mofang.studio.alignment import Aligned

SHAPES = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou")
"""The mouth shapes in Oculus's order."""

# Shape, Microsoft's number, and the symbols that take it; two shapes for a sound that glides.
_TABLE = """
PP 21 p b m
FF 18 f v ʋ ɸ β
TH 17 ð
TH 19 θ
DD 19 t d ʈ ɖ ɾ ɽ
kk 20 k ɡ x χ ɣ ɟ ʔ q c
kk 12 h
kk 6 ç ʝ
CH 16 ʧ ʤ ʃ ʒ ʨ ʥ ɕ ꭧ ʂ
SS 15 s z ʦ ʣ
nn 19 n ɳ ɲ
nn 20 ŋ ɴ
nn 14 l ɭ ʎ
RR 13 ɹ ɻ r ʁ
RR 5 ɚ ɜ
aa 1 æ ʌ ɐ
aa 2 a ɑ ɒ
E 4 ɛ e
E 1 ə ᵊ ɤ
ih 6 i ɪ ᵻ j ɨ
oh 3 ɔ
oh 8 o ø œ
ou 7 u w y ɥ ɯ ɰ ᵝ
ou 4 ʊ
E+ih 4+6 A
aa+ih 11+6 I
oh+ou 8+7 O
E+ou 1+7 Q
aa+ou 9+7 W
oh+ih 10+6 Y
"""

REST = 0.12
"""Seconds: what is shorter between two sounds is no rest, the mouth is on its way to the next."""


@dataclass(frozen=True, slots=True)
class Viseme:
    """A mouth shape from `start` to `end` (seconds): one of `SHAPES`, Microsoft's number, the phoneme it is for."""

    shape: str
    number: int
    start: float
    end: float
    phoneme: str = ""


def _parsed() -> dict[str, tuple[tuple[str, int], ...]]:
    table: dict[str, tuple[tuple[str, int], ...]] = {}
    for line in _TABLE.split("\n"):
        if line:
            shapes, numbers, *symbols = line.split()
            both = tuple(zip(shapes.split("+"), map(int, numbers.split("+")), strict=True))
            table |= dict.fromkeys(symbols, both)
    return table


TABLE = _parsed()
"""Symbol of the voices' alphabet → its shapes in turn, each with Microsoft's number."""


def visemes(words: Iterable[Aligned], duration: float) -> list[Viseme]:
    """The mouth from 0 to `duration` without a gap: `sil` where nobody speaks.

    Stress, length, tone and aspiration move no lips: their time goes to the sound they belong to. A piece whose voice tells no
    phonemes gives no shape. Times in the result do not go backwards.
    """
    found: list[Viseme] = []
    now = 0.0
    for word in words:
        for sound in word.sounds:
            start, end = min(max(sound.start, now), duration), min(max(sound.end, now), duration)
            shapes = TABLE.get(sound.text, ())
            if not shapes:
                # A mark after a sound (ː ʰ →) lengthens it; one before it (ˈ) belongs to what comes.
                if found and found[-1].shape != "sil" and sound.text not in "ˈˌ" and abs(found[-1].end - start) < 1e-3:
                    last = found[-1]
                    found[-1] = Viseme(last.shape, last.number, last.start, end, last.phoneme + sound.text)
                    now = end
                continue
            if start - now > (REST if found else 0.0):
                found.append(Viseme("sil", 0, now, start))
            else:
                start = now
            step = (end - start) / len(shapes)
            for place, (shape, number) in enumerate(shapes):
                found.append(Viseme(shape, number, start + place * step, start + (place + 1) * step, sound.text))
            now = max(now, end)
    if duration - now > 1e-6 or not found:
        found.append(Viseme("sil", 0, now, duration))
    return found


def to_json(words: Iterable[Aligned], duration: float, lead: float = 0.0) -> dict[str, Any]:
    """Words and mouth shapes as JSON, all times `lead` seconds later (what comes before the voice in a file)."""
    words = tuple(words)
    shown = visemes([word.shifted(lead) for word in words], duration + lead)
    return {
        "shapes": "Oculus LipSync 15; number: Azure AI Speech 0-21",
        "duration": round(duration + lead, 4),
        "words": [{"text": word.text, "start": round(word.start + lead, 4), "end": round(word.end + lead, 4)} for word in words],
        "visemes": [{"viseme": each.shape, "number": each.number, "phoneme": each.phoneme, "start": round(each.start, 4),
                     "end": round(each.end, 4)} for each in shown],
    }  # fmt: skip
