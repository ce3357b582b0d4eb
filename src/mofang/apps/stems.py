"""The stems of a piece, each a file of its own."""

import re
import tempfile
from pathlib import Path

from mofang import trust
from mofang.apps import compose
from mofang.models.card import card
from mofang.sound import pcm
from mofang.sound.music import band, midi
from mofang.sound.music.stems import stems
from mofang.studio import Studio, UserError
from mofang.studio.library import file_hash
from mofang.studio.words import language
from mofang.trust.credentials import Nature


def stems_to(studio: Studio, score: Path, folder: Path, soundfont: Path | None = None) -> list[Path]:
    """Play every track of a MIDI file alone and publish them as 01-name.wav … in `folder`. Raises `UserError`."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; give a folder for the stems")
    parts = stems(midi.read(score), soundfont)
    nature: Nature = "trainedAlgorithmicMedia" if _composed(studio, score) else "digitalCreation"
    credits = () if soundfont else (card(band.SOUNDFONT).credit,)
    written = []
    with tempfile.TemporaryDirectory(dir=studio.folder / "cache", prefix="stems-") as desk:
        for number, (name, samples) in enumerate(parts, 1):
            plain = re.sub(r"[^\w]+", "-", name.lower()).strip("-")[:40] or "track"
            source = Path(desk) / f"{number:02d}-{plain}.wav"
            pcm.write_wav(source, samples, band.RATE, bits=24)
            claim = trust.Claim(f"{score.stem[:40]} · {name}", nature, language(), credits=credits,
                                facts={"score": file_hash(score), "stem": f"{number} of {len(parts)}"})  # fmt: skip
            written.append(trust.publish(source, folder / source.name, claim, studio.folder).path)
    return written


def _composed(studio: Studio, score: Path) -> bool:
    """Whether a model of this studio composed the piece."""
    try:
        return studio.making(studio.asset(file_hash(score))).recipe.engine == compose.ENGINE
    except UserError:
        return False
