"""Which files a corpus is made of, and whether they may be used to train."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mofang.studio.errors import UserError
from mofang.studio.library import file_hash
from mofang.studio.words import shown
from mofang.studio.works import files_in, must_cover_training, to_learn_from
from mofang.text.corpus.readers import SUFFIXES
from mofang.text.corpus.tally import Tally


@dataclass(frozen=True)
class Papers:
    """What the creator says of works the studio does not know: the licence, and whose consent there is."""

    licence: str = ""
    consent: str = ""


@dataclass(frozen=True)
class Source:
    """One file to read: where it lies, its name as shown (relative to what was given), its size and papers."""

    path: Path
    name: str
    size: int
    sha256: str = ""
    licence: str = ""
    consent: str = ""


def find(works: Sequence[Path], tally: Tally) -> list[Source]:
    """The files in the given files and folders, in the order given, folders sorted; each file once.

    Hidden files, links and files of kinds that hold no text are passed over in folders. Raises `UserError` if a given
    path does not exist or nothing can be read.
    """
    found: dict[Path, Source] = {}
    for work in works:
        if not work.exists():
            raise UserError(f"{shown(work)} does not exist; give a file or a folder of works")
        for file in [work] if work.is_file() else sorted(files_in(work)):
            if file != work and file.suffix.lower() not in SUFFIXES:
                tally.drop("file of another kind", shown(file.relative_to(work)), 0)
                continue
            try:
                size, real = file.stat().st_size, file.resolve()
            except OSError as error:
                tally.drop("broken file", f"{shown(file)}: {error.strerror}", 0)
                continue
            name = shown(file.relative_to(work) if file != work else Path(file.name))
            found.setdefault(real, Source(file, name, size))
    if not found:
        raise UserError(f"nothing in {', '.join(map(shown, works))} is a text that can be read; text files end in "
                        f"{', '.join(sorted(SUFFIXES))}")  # fmt: skip
    return list(found.values())


def with_papers(
    sources: Sequence[Source], papers: Papers, studio: Path | None, on_file: Callable[[int], None]
) -> list[Source]:
    """The sources with hash, licence and consent: the studio's where it knows the work, by its hash or its place, else
    `papers`. Raises `UserError` for a work whose consent does not cover training (any longer). Called with bytes hashed.
    """
    known = to_learn_from(studio)
    result = []
    for source in sources:
        try:
            sha256 = file_hash(source.path)
        except OSError:
            sha256 = ""  # Reading it will say so.
        on_file(source.size)
        work = known.get(sha256) or known.get(str(source.path.resolve()))
        if work is None:
            result.append(Source(source.path, source.name, source.size, sha256, papers.licence, papers.consent))
            continue
        must_cover_training(work, source.name, "work")
        result.append(Source(source.path, source.name, source.size, sha256, work.licence, work.consent.who))
    return result
