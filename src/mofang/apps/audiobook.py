"""A book read aloud: passages as assets, so that a kill loses a minute at most; then one file with chapters, cover and tags."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import islice
from pathlib import Path

import numpy as np

from mofang import trust
from mofang.apps.export import bare, part, public, release
from mofang.apps.make import voices
from mofang.apps.make.storyboard import Picture, Shot, Storyboard
from mofang.apps.speak import terms_of
from mofang.sound import audiobook, default_voice, pcm
from mofang.sound import voice as find_voice
from mofang.sound.audiobook import RATE, Track
from mofang.sound.engines.base import Samples
from mofang.sound.pauses import PARAGRAPH
from mofang.studio import Made, Making, Recipe, Studio, UserError
from mofang.studio.progress import Progress, silent
from mofang.text.book import Book, Chapter, read_book
from mofang.text.language import Lang, language_of

ENGINE, VERSION = "audiobook", "2"
COVERS = "cover"
PASSAGE = 1200
"""Characters spoken in one go, about: what a kill can lose."""
COVER = 1400
"""Pixels of a cover's side."""
BYTES = {"zh": 12_000, "en": 3_600}
"""Of sound a character takes, recordings and the finished file together."""


@dataclass(frozen=True)
class Read:
    """The audiobook: its file, its chapters' titles, how long it is in seconds, what to know of the voice's terms."""

    path: Path
    chapters: tuple[str, ...]
    seconds: float
    notes: tuple[str, ...] = ()


def book_to(studio: Studio, source: Path, target: Path, voice: str = "", speed: float = 1.0, cover: Path | None = None,
            spoken: Progress = silent, encoded: Progress = silent) -> Read:  # fmt: skip
    """Read a book aloud into `target` (.m4b or .mp3), labelled and signed. Run again it goes on where it stopped.

    `cover` takes the place of the book's own; without either one is set in type. Raises `UserError`.
    """
    if target.suffix.lower() not in audiobook.FORMATS:
        raise UserError(f"an audiobook is written as .m4b or .mp3, not '{target.suffix[:12]}'")
    book = read_book(source)
    lang = language_of("".join(chapter.text for chapter in book.chapters)[:200_000])
    name = (find_voice(voice, studio.folder) if voice else default_voice(lang)).name
    picture = _cover(studio, book, cover, lang)
    studio.require_space((64 << 20) + BYTES[lang] * sum(len(chapter.text) for chapter in book.chapters))
    chapters = _spoken(studio, book, name, speed, lang, spoken)
    parts = [making for chapter in chapters for making in chapter]
    titles = [chapter.title or _untitled(number, lang) for number, chapter in enumerate(book.chapters, 1)]
    recipe = Recipe(ENGINE, VERSION, prompt=book.title, parents=(picture.asset.id, *(each.asset.id for each in parts)),
                    params={"chapters": [[title, len(each)] for title, each in zip(titles, chapters, strict=True)],
                            "author": book.author, "format": target.suffix.lower()})  # fmt: skip
    making = studio.make(recipe, target.suffix.lower(), lambda path: produce(studio, recipe, path, encoded), kind="audio")
    # One part for each voice and model: a manifest that lists a thousand passages is read by nobody.
    kinds = {each.recipe.model: each for each in parts}
    claim = trust.Claim(book.title[:60], lang=lang, author=book.author, credits=making.made.credits,
                        parts=tuple(part(each) for each in (making, *kinds.values())),
                        facts={"recipe": public(replace(recipe, parents=())),
                               "files": {"book": source.name, **({"cover": cover.name} if cover else {})},
                               "wish": bare({"voice": name, "speed": speed})})  # fmt: skip
    path = release(studio, making, target, claim)
    return Read(path, tuple(titles), float(making.made.facts["seconds"]), terms_of([name]))


def produce(studio: Studio, recipe: Recipe, target: Path, progress: Progress = silent) -> Made:
    """The audiobook of a recipe, whose parents are its cover and the passages spoken. Raises `UserError` if one is gone."""
    cover, *passages = (studio.making(studio.asset(parent)) for parent in recipe.parents)
    given = iter(passages)
    chapters = [list(islice(given, count)) for _, count in recipe.params["chapters"]]
    tracks = [Track(title, audiobook.length_of([_samples(each) for each in makings], PARAGRAPH))
              for (title, _), makings in zip(recipe.params["chapters"], chapters, strict=True)]  # fmt: skip
    title, author = recipe.prompt, recipe.params["author"]
    tags = {"title": title, "album": title, "artist": author, "album_artist": author, "genre": "Audiobook"}
    lead = trust.label_audio(np.zeros(0, np.float32), RATE)
    audiobook.write(target, lead, tracks, _sound(chapters, progress), tags, cover.asset.path.read_bytes())
    seconds = (len(lead) + sum(track.length for track in tracks)) / RATE
    return Made(tuple(sorted({credit for each in passages for credit in each.made.credits})), {"seconds": seconds})


def _untitled(number: int, lang: Lang) -> str:
    return f"第{number}节" if lang == "zh" else f"Chapter {number}"


def _samples(making: Making) -> int:
    return round(float(making.made.facts["seconds"]) * RATE)


def _sound(chapters: list[list[Making]], progress: Progress) -> Iterator[Samples]:
    for number, makings in enumerate(chapters):
        progress(number / len(chapters), f"{number + 1}/{len(chapters)}")
        yield audiobook.mastered([pcm.read(making.asset.path, RATE)[: _samples(making)] for making in makings], PARAGRAPH)
    progress(1.0, f"{len(chapters)}/{len(chapters)}")


def _spoken(studio: Studio, book: Book, voice: str, speed: float, lang: Lang, progress: Progress) -> list[list[Making]]:
    """The recordings of every chapter's passages; those made before are not made again."""
    passages = [list(_passages(chapter)) for chapter in book.chapters]
    total, done = sum(len(text) for chapter in passages for text in chapter), 0
    made: list[list[Making]] = []
    for number, chapter in enumerate(passages, 1):
        made.append([])
        for text in chapter:
            progress(done / total, f"{number}/{len(passages)}")
            shot = Shot("line", text, Picture())
            made_by = voices.recipe(shot, Storyboard("", lang, (shot,), voice=voice, speed=speed))
            made[-1].append(studio.make(made_by, ".wav", lambda path, by=made_by: voices.produce(by, path)))  # type: ignore[misc]
            done += len(text)
    progress(1.0, f"{len(passages)}/{len(passages)}")
    return made


def _passages(chapter: Chapter) -> Iterator[str]:
    """The chapter's title, then its paragraphs in portions. What no voice could say is passed over."""
    held = ""
    for paragraph in [chapter.title, *re.split(r"\n\s*\n", chapter.text)]:
        if not re.search(r"[\u3400-\u9fffA-Za-z0-9]", paragraph):
            continue
        if held and (len(held) + len(paragraph) > PASSAGE or held == chapter.title):
            yield held
            held = ""
        held = f"{held}\n\n{paragraph.strip()}" if held else paragraph.strip()
    if held:
        yield held


def _cover(studio: Studio, book: Book, given: Path | None, lang: Lang) -> Making:
    """The cover as an asset: a square JPEG. A cover inside the book that is no picture is replaced, one that was given is not."""
    from mofang.image.safe import open_picture

    if given is None and book.cover:
        desk = studio.folder / "cache" / "book-cover"
        try:
            desk.write_bytes(book.cover)
            return _kept(studio, open_picture(desk))
        except UserError:
            given = None
        finally:
            desk.unlink(missing_ok=True)
    if given is not None:
        return _kept(studio, open_picture(given))
    recipe = Recipe(COVERS, VERSION, prompt=book.title, params={"author": book.author, "language": lang})
    return studio.make(recipe, ".jpg", lambda path: produce_cover(recipe, path))


def _kept(studio: Studio, pixels: np.ndarray) -> Making:
    content = _jpeg(pixels)
    recipe = Recipe(COVERS, VERSION, prompt=sha256(content).hexdigest())

    def produce(path: Path) -> Made:
        path.write_bytes(content)
        return Made(facts={"nature": "digitalCreation"})

    return studio.make(recipe, ".jpg", produce)


def produce_cover(recipe: Recipe, target: Path) -> Made:
    """A cover set in type again. Raises `UserError` for one that was a picture of the book's or the reader's."""
    if "author" not in recipe.params:
        raise UserError("this cover was a picture; read the book aloud again with it: mofang speech book --cover")
    target.write_bytes(_jpeg(_typeset(recipe.prompt, recipe.params["author"], recipe.params["language"])))
    return Made(facts={"nature": "digitalCreation"})


def _jpeg(pixels: np.ndarray) -> bytes:
    from PIL import Image

    picture = Image.fromarray(pixels)
    picture.thumbnail((COVER, COVER))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()


def _typeset(title: str, author: str, lang: Lang) -> np.ndarray:
    """A plain cover: title and author on a ground whose hue is the title's own. (COVER, COVER, 3)."""
    import colorsys

    from mofang.apps.make.assemble import faces
    from mofang.studio.typeset import Ink, draw, fit
    from mofang.video.captions import insides

    hue = sha256(title.encode()).digest()[0] / 256
    rows = np.linspace(0.30, 0.20, COVER)
    ground = np.array([colorsys.hls_to_rgb(hue, light, 0.35) for light in rows])
    canvas = np.repeat(ground[:, None, :], COVER, 1) * 255
    canvas[round(0.70 * COVER) : round(0.70 * COVER) + 4, round(0.35 * COVER) : round(0.65 * COVER)] = 225
    face = faces()
    for text, typeface, size, top, high in ((title, face.bold, 150, 0.16, 0.48), (author, face.regular, 64, 0.75, 0.14)):
        if not text:
            continue
        block = fit(text, typeface, size, size // 3, 0.8 * COVER, high * COVER, whole=insides(text))
        image, (left, above) = draw(block, Ink((245, 242, 235, 255)))
        y = round(top * COVER + (high * COVER - block.height) / 2) + above
        x = (COVER - block.width) // 2 + left
        place = canvas[y : y + image.shape[0], x : x + image.shape[1]]
        alpha = image[: place.shape[0], : place.shape[1], 3:] / 255
        place[:] = place * (1 - alpha) + image[: place.shape[0], : place.shape[1], :3] * alpha
    return canvas.round().astype(np.uint8)
