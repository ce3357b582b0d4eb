"""Recordings, or a ready voice's speech, to a corpus to learn from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.sound import pcm
from mofang.sound.cast import Voice, engine, voices
from mofang.sound.cast import voice as find_voice
from mofang.sound.engines.vocabulary import numbers
from mofang.sound.frontend import Unit
from mofang.sound.loudness import SILENT, gain_to, loudness
from mofang.sound.own import consent
from mofang.sound.own.align import carried
from mofang.sound.own.corpus import Corpus, Take, write
from mofang.sound.own.features import HOP, RATE, features
from mofang.sound.speech import phrases
from mofang.studio.errors import UserError
from mofang.studio.progress import Progress, silent
from mofang.studio.words import shown
from mofang.studio.works import KINDS, Work, files_in

Floats = NDArray[np.float32]

LOUDNESS = -23.0
"""LUFS of every clip."""
SHORTEST, LONGEST, LEAST = 1.0, 12.0, 10.0
"""Seconds: of a clip, of a clip, and of all clips together."""
LONGEST_TEXT = 16 << 10
"""Bytes of what is spoken in a recording."""
CLIPPED = 0.01
"""Share of samples at the ceiling beyond which a recording is of no use."""


@dataclass
class Gathered:
    """What was taken and what was passed over, as the manifest will have it."""

    works: list[dict[str, Any]] = field(default_factory=list)
    passed: list[dict[str, str]] = field(default_factory=list)
    speakers: list[str] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        """For the manifest; read when all has been gathered."""
        return {"works": self.works, "passed_over": self.passed}


def from_recordings(paths: Sequence[Path], out: Path, studio: Path | None, progress: Progress = silent) -> Corpus:
    """A corpus of one's own recordings: files, or folders of them; `NAME.txt` beside `NAME.wav` says what is spoken.

    Every recording needs a consent on record (see `consent`); who gave it is its speaker. What is silent, too short,
    clipped or unreadable is passed over and listed in the manifest. Raises `UserError` if consent is missing or too
    little is left.
    """
    found = _recordings(paths)
    # Consent first, for all of them: nothing of a refused recording is read.
    works = [consent.granted(studio, path) for path in found]
    gathered = Gathered(speakers=sorted({work.consent.who for work in works}))
    takes = list(_recorded(found, works, gathered, progress))
    _enough(takes, gathered)
    return write(out, takes, gathered.speakers, gathered.facts())


def _recordings(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(file for file in files_in(path) if file.suffix.lower() in KINDS["audio"])
        elif path.is_file():
            found.append(path)
        else:
            raise UserError(f"{path} does not exist; give recordings (WAV, FLAC, MP3…) or a folder of them")
    if not found:
        raise UserError(f"there is no recording in {', '.join(map(str, paths))[:200]}; give WAV, FLAC, MP3, M4A, OGG or Opus files")
    return list(dict.fromkeys(found))


def _recorded(paths: list[Path], works: list[Work], gathered: Gathered, progress: Progress) -> Iterator[Take]:
    for number, (path, work) in enumerate(zip(paths, works, strict=True)):
        progress(number / len(paths), path.name)
        try:
            samples = _heard(path)
            speaker = gathered.speakers.index(work.consent.who)
            takes = list(_takes(path, samples, speaker))
            if not takes:
                raise UserError(f"{path.name} is shorter than a second of speech; record whole sentences")
        except UserError as error:
            gathered.passed.append({"name": shown(path.name), "why": str(error)})
            continue
        gathered.works.append({"name": shown(path.name), "sha256": work.id, "licence": work.licence, "consent": work.consent.who,
                               "until": work.consent.until, "seconds": round(len(samples) / RATE, 2)})  # fmt: skip
        yield from takes
    progress(1.0, "")


def _heard(path: Path) -> Floats:
    """A recording at RATE Hz, mono. Raises `UserError` if it is none or of no use."""
    samples = pcm.read(path, RATE)
    if loudness(samples, RATE) <= SILENT:
        raise UserError(f"{path.name} is silent; check the microphone and record it again")
    # Resampling makes what was cut flat swing a little about the ceiling.
    if float((np.abs(samples) > 0.97).mean()) > CLIPPED:
        raise UserError(f"{path.name} is clipped; record it again with less gain")
    return samples


def _takes(path: Path, samples: Floats, speaker: int) -> Iterator[Take]:
    transcript = path.with_suffix(".txt")
    if transcript.is_file():
        text = _said(transcript)
        if len(samples) > 30 * RATE:
            raise UserError(f"{path.name} is longer than 30 seconds; cut it into sentences, each with its text")
        yield _spoken(text, _cut(samples, 0, len(samples)), speaker)
        return
    for start, end in pieces(samples):
        piece = _cut(samples, start, end)
        yield Take(piece, features(piece), speaker)


def _said(transcript: Path) -> str:
    try:
        if transcript.stat().st_size > LONGEST_TEXT:
            raise UserError(f"{transcript.name} is longer than any sentence; give the words of its recording alone")
        return transcript.read_text("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{transcript.name} is no UTF-8 text; save what is spoken as UTF-8") from error


def _cut(samples: Floats, start: int, end: int) -> Floats:
    """Whole frames of a recording, at the corpus's loudness."""
    piece = samples[start : start + (end - start) // HOP * HOP]
    return levelled(piece)


def levelled(samples: Floats) -> Floats:
    """At LOUDNESS, without passing ±0.95."""
    gained = samples * np.float32(gain_to(samples, RATE, LOUDNESS))
    return np.asarray(gained * min(1.0, 0.95 / max(float(np.abs(gained).max(initial=0.0)), 1e-9)), np.float32)


def pieces(samples: Floats) -> list[tuple[int, int]]:
    """Stretches of speech, cut at rests, SHORTEST to LONGEST seconds long."""
    block = RATE // 100
    count = len(samples) // block
    if count == 0:
        return []
    level = np.sqrt((samples[: count * block].reshape(count, block) ** 2).mean(1))
    heard = np.flatnonzero(level > 0.03 * np.quantile(level, 0.95))
    found = []
    at = max(0, int(heard[0]) - 15) if heard.size else count
    end = min(count, int(heard[-1]) + 20) if heard.size else count
    calm = np.convolve(level, np.ones(9) / 9, "same")
    while end - at > LONGEST * 100:
        low, high = at + int(LONGEST * 40), at + int(LONGEST * 100)
        cut = low + int(np.argmin(calm[low:high]))
        found.append((at, cut))
        at = cut
    found.append((at, end))
    return [(a * block, b * block) for a, b in found if b - a >= SHORTEST * 100]


def _spoken(text: str, samples: Floats, speaker: int) -> Take:
    """A take with its phonemes, timed by a ready voice's reading of the text."""
    from mofang.sound.frontend.mandarin.readings import is_han

    reader = find_voice("zf_xiaobei" if any(map(is_han, text)) else "hibari")
    units = [unit for phrase in phrases(text, reader) for unit in phrase]
    if not units or len(samples) < SHORTEST * RATE:
        raise UserError(f"there is nothing to align in {text[:30]!r}; give the words that are spoken")
    reading = _read(units, reader)
    measured = features(samples)
    return Take(samples, measured, speaker, text, reading.symbols, carried(reading.durations, reading.features, measured))


def from_voice(texts: Sequence[str], names: Sequence[str], out: Path, progress: Progress = silent, threads: int = 2) -> Corpus:
    """A corpus spoken by ready voices: every text by each of them. Raises `UserError` for an unknown voice, or too little text."""
    chosen = [find_voice(name) for name in names]
    if not chosen:
        raise UserError(f"give a voice to learn from, such as {next(iter(voices()))}")
    if any(voice.engine == "own" for voice in chosen):
        # Or a voice that someone lent would go on under another name after they took it back.
        raise UserError("a voice of your own is no teacher; learn from its recordings, or from a ready voice")
    gathered = Gathered(speakers=[voice.name for voice in chosen])
    gathered.works += [{"name": voice.name, "synthetic": True, "licence": "Apache-2.0", "engine": voice.engine, "consent": "",
                        "sha256": ""} for voice in chosen]  # fmt: skip
    jobs = [(number, voice, units) for number, voice in enumerate(chosen) for text in texts for units in phrases(text, voice)]
    needed = LEAST * len(chosen)
    if sum(len(unit.phonemes) for *_, units in jobs for unit in units) < 6 * needed:
        raise UserError(f"these texts are too short to learn a voice from; give at least {LEAST:.0f} seconds of speech")

    def takes() -> Iterator[Take]:
        for at, (speaker, voice, units) in enumerate(jobs):
            progress(at / len(jobs), voice.name)
            yield _read(units, voice, speaker, threads)
        progress(1.0, "")

    return write(out, takes(), gathered.speakers, gathered.facts())


def _read(units: list[Unit], voice: Voice, speaker: int = 0, threads: int = 2) -> Take:
    """What a ready voice makes of a phrase, phoneme by phoneme."""
    tokens = numbers("".join(unit.phonemes for unit in units))
    source = engine(voice.engine, threads)
    samples, frames = source.utter(tokens, voice.name, 1.0)
    ends = np.round(np.cumsum(frames, dtype=np.float64) * (len(samples) * RATE / (frames.sum() * source.rate * HOP)))
    durations = tuple(int(count) for count in np.diff(ends, prepend=0))
    at_rate = pcm.resample(samples, source.rate, RATE)
    whole = levelled(np.pad(at_rate, (0, max(0, sum(durations) * HOP - len(at_rate))))[: sum(durations) * HOP])
    return Take(whole, features(whole), speaker, "".join(unit.text for unit in units), tuple(tokens), durations)


def _enough(takes: list[Take], gathered: Gathered) -> None:
    seconds = sum(len(take.samples) for take in takes) / RATE
    if seconds < LEAST:
        why = f"; passed over: {gathered.passed[0]['why']}" if gathered.passed else ""
        raise UserError(f"only {seconds:.1f} seconds of speech are left, too little to learn from; record at least "
                        f"{LEAST:.0f} seconds, ten minutes for a voice that resembles{why}")  # fmt: skip
