"""The film's music by a pretrained model: as long as the film, in the mood of its scenes or in the creator's words."""

from mofang.apps import musicgen
from mofang.apps.make.storyboard import Storyboard
from mofang.sound.engines.musicgen import LONGEST, Wish
from mofang.studio import Making, Studio, UserError
from mofang.studio.credit import Credit
from mofang.studio.progress import Progress, silent

MOODS = {
    "calm": "calm and gentle, soft piano and strings, slow", "warm": "warm and tender, acoustic guitar and piano, medium tempo",
    "joyful": "joyful and bright, light strings and plucked guitar, lively", "sad": "sad and slow, solo cello and piano",
    "tense": "tense and dark, low pulsing strings, suspense", "lonely": "lonely and sparse, solo piano, slow, much space",
    "mysterious": "mysterious, soft pads, harp and celesta, slow", "festive": "festive, drums, bells and brass, lively",
}  # fmt: skip
"""A mood in words that music is described by."""
TAIL = 2.1
"""Seconds made beyond the film's end, where the mixing desk would go round to the beginning."""


def is_asked(music: str) -> bool:
    """Whether a wish for music names a pretrained model: `transformers:NAME`, with `#words` or without."""
    return music.startswith(musicgen.PREFIX)


def check(music: str) -> None:
    """Raises `UserError` for a model that is not there, or makes no music: before the film's pictures are painted."""
    musicgen.check(_engine(music))


def credits(music: str) -> tuple[Credit, ...]:
    """Whose model makes the music, if one does."""
    return (musicgen.credit(musicgen.check(_engine(music))),) if is_asked(music) else ()


def composed(studio: Studio, board: Storyboard, mood: str, seconds: float, progress: Progress = silent) -> Making:
    """The music, made once; past ten minutes the mixing desk goes round. Raises `UserError`."""
    words = board.music.partition("#")[2].strip()
    place = ", with guzheng and bamboo flute" if board.lang == "zh" else ""
    prompt = words or f"instrumental film music, {MOODS[mood]}{place}"
    wish = Wish(prompt, round(min(seconds + TAIL, LONGEST), 3), board.seed % 2**31)
    return musicgen.made(studio, musicgen.Order(wish, _engine(board.music)), progress)[0]


def _engine(music: str) -> str:
    engine = music.partition("#")[0].strip()
    if not engine.removeprefix(musicgen.PREFIX):
        raise UserError(f"the music names no model; write {musicgen.PREFIX}facebook/musicgen-small, or with #words after it")
    return engine
