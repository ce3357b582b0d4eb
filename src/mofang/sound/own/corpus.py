"""A corpus of speech on disk: sound, features, and where it is known the phonemes with their durations.

`corpus.json` says what it is, where it comes from and by whose leave; `sound.i16` holds the samples of all clips one
after another, `features.f16` their features, `clips.jsonl` a line for each clip.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.sound.own.acoustic import SYMBOL_COUNT
from mofang.sound.own.features import HOP, RATE, SIZE
from mofang.studio.atomic import atomic_folder, write_atomic
from mofang.studio.errors import UserError

MANIFEST, CLIPS, SOUND, FEATURES = "corpus.json", "clips.jsonl", "sound.i16", "features.f16"
FORMAT = "mofang-sound-1"

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Clip:
    """One utterance: its first frame in the corpus, its length in frames, its speaker's number.

    `symbols` are the numbers of its phonemes (`frontend.symbols`), pads at both ends, and `durations` their frames; both
    empty where nobody has said what was spoken.
    """

    start: int
    frames: int
    speaker: int = 0
    held_out: bool = False
    text: str = ""
    symbols: tuple[int, ...] = ()
    durations: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Take:
    """A clip on its way into a corpus: samples (frames · HOP,) in [−1, 1] at RATE Hz, and features (frames, SIZE)."""

    samples: Floats
    features: Floats
    speaker: int = 0
    text: str = ""
    symbols: tuple[int, ...] = ()
    durations: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Corpus:
    """An opened corpus."""

    folder: Path
    manifest: dict[str, Any]
    clips: tuple[Clip, ...] = field(repr=False)

    @classmethod
    def open(cls, folder: Path) -> "Corpus":
        """Raises `UserError` if the folder holds no corpus of speech, or one whose files do not fit together."""
        path = folder / MANIFEST
        if not path.is_file():
            raise UserError(f"{folder} holds no corpus of speech; make one with: mofang sound prepare")
        try:
            manifest = json.loads(path.read_text("utf-8"))
            if manifest["format"] != FORMAT:
                raise ValueError(f"its format is {str(manifest['format'])[:40]!r}")
            lines = (folder / CLIPS).read_text("utf-8").splitlines()
            clips = tuple(_clip(json.loads(line)) for line in lines)
            frames, speakers, works = manifest["frames"], manifest["speakers"], manifest["works"]
            if type(frames) is not int or not re.fullmatch("[0-9a-f]{64}", manifest["data_sha256"]):
                raise ValueError("its size or its hash is none")
            if not speakers or not isinstance(works, list) or not all(isinstance(work, dict) for work in works):
                raise ValueError("it does not say who speaks")
            float(manifest["seconds"])
            fits = (folder / SOUND).stat().st_size == frames * HOP * 2 and (folder / FEATURES).stat().st_size == frames * SIZE * 2
            if not clips or not fits or any(clip.start < 0 or clip.start + clip.frames > frames or clip.speaker >= len(speakers)
                                            for clip in clips):  # fmt: skip
                raise ValueError("its files do not fit together")
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise UserError(f"the corpus in {folder} is damaged ({str(error)[:80]}); prepare it again") from error
        return cls(folder, manifest, clips)

    @cached_property
    def sound(self) -> NDArray[np.int16]:
        """All samples, mapped from disk."""
        return np.memmap(self.folder / SOUND, "<i2", "r")

    @cached_property
    def features(self) -> NDArray[np.float16]:
        """All features (frames, SIZE), mapped from disk."""
        return np.memmap(self.folder / FEATURES, "<f2", "r").reshape(-1, SIZE)

    @property
    def speakers(self) -> list[str]:
        """Their names, in the order of their numbers."""
        return [str(name) for name in self.manifest["speakers"]]

    @property
    def languages(self) -> list[str]:
        """zh, en or both, by the script of what is known to be spoken; empty where nothing is."""
        from mofang.sound.frontend.mandarin.readings import is_han

        texts = [clip.text for clip in self.clips if clip.text]
        chinese = [any(map(is_han, text)) for text in texts]
        return ["zh"] * any(chinese) + ["en"] * (not all(chinese))

    def part(self, held_out: bool) -> list[Clip]:
        """The clips to train on or those held out; a corpus of one clip is judged, and says so, by what it is trained on."""
        chosen = [clip for clip in self.clips if clip.held_out == held_out]
        return chosen or list(self.clips)


def _clip(value: dict[str, Any]) -> Clip:
    clip = Clip(**{**value, "symbols": tuple(value.get("symbols", ())), "durations": tuple(value.get("durations", ()))})
    whole = (clip.start, clip.frames, clip.speaker, *clip.symbols, *clip.durations)
    if not all(type(number) is int and number >= 0 for number in whole) or clip.frames == 0:
        raise ValueError("a clip's numbers are none")
    if type(clip.text) is not str or type(clip.held_out) is not bool or max(clip.symbols, default=0) >= SYMBOL_COUNT:
        raise ValueError("a clip's text or its phonemes are none")
    if len(clip.symbols) != len(clip.durations) or (clip.symbols and sum(clip.durations) != clip.frames):
        raise ValueError("a clip's durations do not add up")
    return clip


def write(folder: Path, takes: Iterable[Take], speakers: Sequence[str], facts: dict[str, Any], held_out: float = 0.03) -> Corpus:
    """Write a corpus, whole or not at all, and open it. Takes are read one by one, so memory stays small.

    Clips are held out by a hash of their sound, about the share `held_out` of them, at least one of several.
    """
    digest, frames, clips = sha256(), 0, []
    with atomic_folder(folder, MANIFEST) as desk:
        with (desk / SOUND).open("wb") as sound, (desk / FEATURES).open("wb") as feature:
            for take in takes:
                count = len(take.features)
                assert take.samples.shape == (count * HOP,) and take.features.shape == (count, SIZE)
                data = np.clip(np.round(take.samples * 32767), -32768, 32767).astype("<i2").tobytes()
                sound.write(data)
                feature.write(take.features.astype("<f2").tobytes())
                digest.update(data)
                chance = int.from_bytes(sha256(data).digest()[:4], "little") / 2**32
                clips.append(Clip(frames, count, take.speaker, chance < held_out, take.text, take.symbols, take.durations))
                frames += count
        if not clips:
            raise UserError("nothing was left to learn from; give recordings of speech longer than a second")
        clips = _with_one_held_out(clips)
        write_atomic(desk / CLIPS, "".join(json.dumps(asdict(clip), ensure_ascii=False) + "\n" for clip in clips))
        manifest = {"format": FORMAT, "rate": RATE, "hop": HOP, "frames": frames, "seconds": round(frames * HOP / RATE, 2),
                    "clips": len(clips), "held_out": sum(clip.held_out for clip in clips), "speakers": list(speakers), **facts,
                    "data_sha256": digest.hexdigest()}  # fmt: skip
        write_atomic(desk / MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")
    return Corpus.open(folder)


def _with_one_held_out(clips: list[Clip]) -> list[Clip]:
    held = sum(clip.held_out for clip in clips)
    if len(clips) > 1 and held in (0, len(clips)):
        return [Clip(**{**asdict(clip), "held_out": at == len(clips) - 1}) for at, clip in enumerate(clips)]
    return clips
