"""Text of any length to speech, and when every word of it sounds."""

from collections.abc import Iterable, Iterator
from itertools import chain, pairwise

import numpy as np

from mofang.sound.cast import Voice, engine
from mofang.sound.cast import voice as find_voice
from mofang.sound.engines.base import PAUSES, Speech, VoiceEngine
from mofang.sound.frontend import Unit, phonemize, sentences
from mofang.sound.frontend.symbols import SYMBOLS
from mofang.sound.loudness import gain_to
from mofang.sound.pauses import CLAUSE, rest_after, rested, trim
from mofang.studio.alignment import Aligned
from mofang.studio.errors import UserError
from mofang.studio.progress import Progress, silent

LOUDNESS = -20.0
"""LUFS of every chunk: sentences and voices come out alike, with room for their peaks."""
FIRST = 14
"""Words (Chinese: syllables) in the first chunk of a stream, at most: what takes under a second to make."""
LONGEST_TEXT = 200_000
"""Characters in one call: about twelve hours of speech."""


def speak(text: str, voice: str, *, speed: float = 1.0, threads: int = 2, progress: Progress = silent) -> Speech:
    """Say `text` in the voice of that name; the alignment's texts joined are the text without its inline readings.

    `speed` is 0.5 to 2. The same text, voice and speed give the same samples on the same machine. Raises `UserError`
    for text with nothing to say, an unknown voice or a damaged model.
    """
    chosen = find_voice(voice)
    return _join(list(_spoken(_chunks(text, chosen, speed), len(text), chosen, speed, threads, progress)))


def stream(text: str, voice: str, *, speed: float = 1.0, threads: int = 2) -> Iterator[Speech]:
    """Say `text` chunk by chunk, each as soon as it is ready, the first a short one; joined they are the whole.

    Times are from the start of each chunk. Mistakes in the arguments are raised by the call itself.
    """
    chosen = find_voice(voice)
    chunks = _chunks(text, chosen, speed)
    silent_ones = [next(chunks)]
    while not _is_heard(silent_ones[-1]):
        silent_ones.append(next(chunks))
    chunks = chain(silent_ones[:-1], _split_first(silent_ones[-1]), chunks)
    return _spoken(chunks, len(text), chosen, speed, threads, silent)


def _chunks(text: str, voice: Voice, speed: float) -> Iterator[list[Unit]]:
    """What is said in one go, read lazily: a book must not be read to its end before it begins to sound."""
    if not 0.5 <= speed <= 2.0:
        raise UserError(f"speed {speed:g} is out of range; give 0.5 (slow) to 2 (fast)")
    if len(text) > LONGEST_TEXT:
        raise UserError(
            f"this text has {len(text):,} characters; speak at most {LONGEST_TEXT:,} at once, chapter by chapter"
        )
    chunks = _read(text, voice)
    first = []
    for chunk in chunks:
        first.append(chunk)
        if _is_heard(chunk):
            return chain(first, chunks)
    raise UserError("there is nothing to say in this text; write some words in Chinese or English")


def phrases(text: str, voice: Voice) -> Iterator[list[Unit]]:
    """What `voice` would say of `text` in one go after another, each ending in a mark; silent ones are left out."""
    return (_closed(units) for units in _read(text, voice) if _is_heard(units))


def _read(text: str, voice: Voice) -> Iterator[list[Unit]]:
    longest = engine(voice.engine, 1).longest
    for sentence in sentences(text, voice.language):
        for phrase in _split_at_rests(phonemize(sentence, voice.language)):
            yield from _split_long(phrase, longest)


def _is_heard(units: Iterable[Unit]) -> bool:
    return any(symbol in SYMBOLS and symbol not in PAUSES for unit in units for symbol in unit.phonemes)


def _size(unit: Unit) -> int:
    return sum(symbol in SYMBOLS for symbol in unit.phonemes)


def _split_at_rests(units: list[Unit]) -> Iterator[list[Unit]]:
    """Cut where a semicolon, dash, dots or the end of a quoted sentence asks for a rest that models do not make."""
    start, heard = 0, [_is_heard([unit]) for unit in units]
    for at in range(1, len(units)):
        if _rest_inside(units[at - 1]) >= CLAUSE and sum(heard[start:at]) >= 2 and sum(heard[at:]) >= 2:
            yield units[start:at]
            start = at
    yield units[start:]


def _split_long(units: list[Unit], longest: int) -> Iterator[list[Unit]]:
    """`units` in pieces of at most `longest` symbols, cut at the longest rest in the second half of each."""
    start = 0
    while start < len(units):
        end, size = start, 0
        while end < len(units) and (size := size + _size(units[end])) <= longest:
            end += 1
        if end == start:  # one endless unit, such as a number with a thousand digits
            yield from _split_unit(units[start], longest)
            start += 1
            continue
        if end < len(units):
            places = range((start + end) // 2, end)
            end = max(places, key=lambda at: (rest_after(units[at].text), at), default=end - 1) + 1
        yield units[start:end]
        start = end


def _split_unit(unit: Unit, longest: int) -> Iterator[list[Unit]]:
    """The text goes with the first piece, its sound over as many as it takes, between words where there are any."""
    text, rest = unit.text, unit.phonemes
    while rest:
        cut = len(rest) if len(rest) <= longest else rest.rfind(" ", longest // 2, longest) + 1 or longest
        yield [Unit(text, rest[:cut])]
        text, rest = "", rest[cut:]


def _split_first(units: list[Unit]) -> list[list[Unit]]:
    """A first chunk short enough to be heard at once, and what is left."""
    ends = [at for at in range(1, len(units)) if _is_heard(units[:at]) and _is_heard(units[at:])]
    near = [at for at in ends if at <= FIRST]
    if len(units) <= FIRST or not near:
        return [units]

    # A mark is the best place, then the end of a word; a scrap of three words is worse than a later place.
    def fitness(at: int) -> tuple[float, bool, int]:
        before = units[at - 1]
        return rest_after(before.text) if at > 3 else 0.0, before.phonemes.endswith(" "), at

    cut = max(near, key=fitness)
    return [units[:cut], units[cut:]]


def _spoken(
    chunks: Iterator[list[Unit]], length: int, voice: Voice, speed: float, threads: int, progress: Progress
) -> Iterator[Speech]:
    speaker = engine(voice.engine, threads)
    done = 0
    chunk = next(chunks, None)
    while chunk is not None:
        progress(min(done / length, 1.0), voice.name)
        following = next(chunks, None)
        text = "".join(unit.text for unit in chunk)
        yield _say(chunk, speaker, voice.name, speed, rest_after(text) / speed if following else 0.0)
        done += len(text)
        chunk = following
    progress(1.0, voice.name)


def _say(units: list[Unit], speaker: VoiceEngine, voice: str, speed: float, rest: float) -> Speech:
    if not _is_heard(units):
        silence = np.zeros(round(rest * speaker.rate), np.float32)
        return Speech(silence, speaker.rate, tuple(Aligned(unit.text, 0.0, 0.0) for unit in units))
    said = trim(speaker.speak(_closed(units), voice, speed))
    if speaker.tells_times:
        said = rested(said, [_rest_inside(unit) / speed for unit in units])
    samples = said.samples * gain_to(said.samples, said.rate, LOUDNESS)
    # A chunk of nothing but plosives may peak high above its loudness.
    samples /= max(1.0, float(np.abs(samples).max()) / 0.98)
    silence = np.zeros(round(rest * said.rate), np.float32)
    return Speech(np.concatenate([samples, silence]), said.rate, said.alignment)


def _closed(units: list[Unit]) -> list[Unit]:
    """`units` ending in a mark: without one the last word is sung on or swallowed."""
    last = units[-1]
    if last.phonemes.rstrip()[-1:] in PAUSES and last.phonemes.strip():
        return units
    return [*units[:-1], Unit(last.text, last.phonemes.rstrip() + ".")]


def _rest_inside(unit: Unit) -> float:
    """The rest after a unit within its chunk; the dots of `Dr.` or `3.5` are not spoken and ask for none."""
    marks = unit.phonemes.rstrip()[-1:]
    return rest_after(unit.text.rstrip()) if marks and marks in PAUSES else 0.0


def _join(parts: list[Speech]) -> Speech:
    rate = parts[0].rate
    alignment: list[Aligned] = []
    bounds = (np.cumsum([0, *(len(part.samples) for part in parts)]) / rate).tolist()
    for part, (start, end) in zip(parts, pairwise(bounds), strict=True):
        alignment += [piece.moved(lambda moment, start=start, end=end: min(moment + start, end)) for piece in part.alignment]  # type: ignore[misc]
    merged = _merge_wordless(alignment)
    assert all(a.end <= b.start + 1e-9 for a, b in pairwise(merged)), "times go backwards"
    return Speech(np.concatenate([part.samples for part in parts]), rate, merged)


def _merge_wordless(alignment: list[Aligned]) -> tuple[Aligned, ...]:
    """Pieces without a text, left by a unit that took several chunks, belong to the piece before them."""
    merged: list[Aligned] = []
    for piece in alignment:
        if piece.text or not merged:
            merged.append(piece)
        else:
            last = merged[-1]
            merged[-1] = Aligned(last.text, last.start, piece.end, last.sounds + piece.sounds)
    return tuple(merged)
