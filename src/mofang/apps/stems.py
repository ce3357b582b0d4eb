"""The stems of a piece, each a file of its own."""

import re
from pathlib import Path

from mofang import trust
from mofang.apps import compose, scores
from mofang.apps.export import desk, generated, part, public, send
from mofang.models.card import card
from mofang.sound import pcm
from mofang.sound.music import band, midi
from mofang.sound.music.stems import stems
from mofang.studio import Recipe, Studio, UserError
from mofang.studio.words import language
from mofang.trust.credentials import Nature

ENGINE, VERSION = "stems", "1"


def stems_to(studio: Studio, score: Path, folder: Path, soundfont: Path | None = None) -> list[Path]:
    """Play every track of a MIDI file alone and publish them as 01-name.wav … in `folder`. Raises `UserError`."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; give a folder for the stems")
    parts = stems(midi.read(score), soundfont)
    kept = scores.keep(studio, score)
    composed = generated(kept) or kept.recipe.engine == compose.ENGINE
    nature: Nature = "trainedAlgorithmicMedia" if composed else "digitalCreation"
    files = {"score": score.name, **({"soundfont": soundfont.name} if soundfont else {})}
    credits = () if soundfont else (card(band.SOUNDFONT).credit,)
    written = []
    with desk(studio) as place:
        for number, (name, samples) in enumerate(parts, 1):
            plain = re.sub(r"[^\w]+", "-", name.lower()).strip("-")[:40] or "track"
            source = place / f"{number:02d}-{plain}.wav"
            pcm.write_wav(source, samples, band.RATE, bits=24)
            recipe = Recipe(ENGINE, VERSION, params={"stem": number, "of": len(parts), "parents": ["score"]}, parents=(kept.asset.id,))
            claim = trust.Claim(f"{score.stem[:40]} · {name}", nature, language(), parts=(part(kept),), credits=credits,
                                facts={"recipe": public(recipe), "files": files})  # fmt: skip
            written.append(send(studio, source, folder / source.name, claim))
    return written
