"""Written text to what a voice model reads: the front-end of speech, Mandarin and English.

    >>> from mofang.sound.frontend import phonemize
    >>> [(u.text, u.phonemes) for u in phonemize("重庆有3个AI馆。", "zh")]

Numbers, dates, money, units and signs are put into words, Chinese characters get the reading that fits the sentence,
tones change as they do in speech, Latin words inside Chinese are read as English. A reading can be given inline:
`[重](chong2)庆`, `[Mofang](/mˈOfɑŋ/)` (see `overrides`). Every piece of sound stays tied to the text as written, so
that captions show ¥1,299.00 while the voice says 一千二百九十九元.
"""

import re
from typing import Literal

from mofang.sound.frontend import overrides
from mofang.sound.frontend.mandarin.readings import is_han
from mofang.sound.frontend.overrides import visible
from mofang.sound.frontend.sentences import sentences
from mofang.sound.frontend.spoken import Run
from mofang.sound.frontend.symbols import OPENING
from mofang.sound.frontend.unit import Unit

Lang = Literal["zh", "en"]

__all__ = ["Lang", "Run", "Unit", "normalise", "phonemize", "sentences", "visible"]

_PIECE = re.compile(r"[^\W_]+(?:['’\-.&][^\W_]+)*|.", re.DOTALL)


def normalise(text: str, lang: Lang) -> list[Run]:
    """The runs of `text` with the words said for each; texts joined are `visible(text)`, words joined the spoken form.

    Raises `UserError` for an inline reading that cannot be said.
    """
    if lang == "zh":
        from mofang.sound.frontend.mandarin.normalise import normalise as rewrite
    else:
        from mofang.sound.frontend.english.normalise import normalise as rewrite

    runs: list[Run] = []
    for part in overrides.split(text):
        runs += rewrite(part) if isinstance(part, str) else [part]
    return runs


def phonemize(text: str, lang: Lang) -> list[Unit]:
    """One sentence (or a short text) as units; their texts joined are `visible(text)`, without a reading lost.

    `lang` says in which language numbers and signs are read; Chinese and Latin script are both read in either.
    Raises `UserError` for an inline reading that cannot be said.
    """
    from mofang.sound.frontend.voicing import voice

    runs = normalise(text, lang)
    given: dict[int, str] = {}
    at = 0
    for run in runs:
        if run.given:
            given |= _place(run, at)
        at += len(run.spoken)
    sounds = voice("".join(run.spoken for run in runs), given)
    return _gather(runs, sounds)


def _place(run: Run, at: int) -> dict[int, str]:
    """Where in the spoken text each given syllable, or the phonemes of a whole run, belong."""
    if run.given.startswith("/"):
        return {at: run.given} | {at + n: "" for n in range(1, len(run.spoken))}
    syllables = iter(run.given.split())
    return {at + n: next(syllables) for n, c in enumerate(run.spoken) if is_han(c)}


def _gather(runs: list[Run], sounds: list[str]) -> list[Unit]:
    """Pieces of text with their sounds; marks and spaces join the piece before them, opening marks the one after."""
    pieces: list[tuple[str, str]] = []
    at = 0
    for run in runs:
        end = at + len(run.spoken)
        if run.text == run.spoken and not run.given.startswith("/"):
            for match in _PIECE.finditer(run.text):
                for part in _characters(match[0]):
                    pieces.append((part, "".join(sounds[at : at + len(part)])))
                    at += len(part)
        else:
            pieces.append((run.text, "".join(sounds[at:end])))
        at = end
    units: list[Unit] = []
    text = phonemes = ""  # a piece still open on its left: opening marks wait here for their word
    for piece, sound in pieces:
        is_mark = not any(c.isalnum() for c in piece)
        opens = piece in OPENING or sound.strip() == "“"
        if is_mark and units and not text and not opens:
            units[-1] = Unit(units[-1].text + piece, units[-1].phonemes + sound)
        elif is_mark:
            text, phonemes = text + piece, phonemes + sound
        else:
            units.append(Unit(text + piece, phonemes + sound))
            text = phonemes = ""
    if text and units:
        units[-1] = Unit(units[-1].text + text, units[-1].phonemes + phonemes)
    elif text:
        units.append(Unit(text, phonemes))
    return units


def _characters(piece: str) -> list[str]:
    """A word as it is; each Chinese character by itself."""
    return re.findall(
        r"[\u3400-\u4dbf\u4e00-\u9fff〇\U00020000-\U0003ffff]|[^\u3400-\u4dbf\u4e00-\u9fff〇\U00020000-\U0003ffff]+",
        piece,
    )
