"""What a `tokenizer.json` must be before we trust it: ours, complete, bounded."""

from pathlib import Path
from typing import Any

from mofang.studio.errors import UserError
from mofang.text.tokenizer import layout
from mofang.text.tokenizer.special import BYTES, KINDS, LIMIT, SPECIALS, Kind

_WRONG = "make the corpus or model again, or give another tokenizer"


def kind(named: Any, content: Any, path: Path) -> Kind:
    """The kind the settings name, or what the file's own structure says where there are none."""
    for known in KINDS:
        if named == known:
            return known
    if named is not None or not isinstance(content, dict) or not isinstance(content.get("model"), dict):
        raise UserError(f"{path} is not a tokenizer of a kind known here (char, bpe, unigram, word); {_WRONG}")
    if content["model"].get("type") == "Unigram":
        return "unigram"
    return "char" if content.get("pre_tokenizer") is None else "bpe"


def tokens(kind: Kind, content: Any) -> list[str]:
    """The vocabulary in the order of its ids. Everything but the vocabulary must be as `layout` writes it: a file from
    elsewhere cannot bring patterns, normalisers or special tokens of its own. Raises `UserError`."""
    try:
        model = content["model"]
        if kind in ("unigram", "word"):
            found = [piece for piece, _ in model["vocab"]]
            scores = [score for _, score in model["vocab"]]
            _require(
                all(isinstance(score, int | float) and -1e9 < score < 1e9 for score in scores), "a score is no number"
            )
        else:
            found = sorted(model["vocab"], key=model["vocab"].__getitem__)
            _require(sorted(model["vocab"].values()) == list(range(len(found))), "its ids have gaps")
        _require(len(found) <= LIMIT, f"it has more than {LIMIT:,} tokens")
        _require(all(isinstance(token, str) and token for token in found), "a token is no text")
        "".join(found).encode()  # a lone surrogate is no text either
        _require(len(set(found)) == len(found), "a token stands twice")
        _require(tuple(found[: len(SPECIALS)]) == SPECIALS, f"it does not begin with {', '.join(SPECIALS)}")
        expected = _expected(kind, model, found)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"the tokenizer is damaged or not one of ours; {_WRONG}") from error
    for part, value in expected.items():
        _require(content.get(part) == value, f"its {part.replace('_', ' ')} is not what this kind has")
    return found


def _expected(kind: Kind, model: dict[str, Any], found: list[str]) -> dict[str, Any]:
    first, with_bytes = len(SPECIALS), tuple(found[len(SPECIALS) : len(SPECIALS) + 256]) == BYTES
    if kind == "char":
        rest = found[first + 256 :] if with_bytes else found[first:]
        _require(all(len(token) == 1 for token in rest), "a token is more than a character")
        return layout.character_layout(rest, with_bytes)
    if kind == "bpe":
        alphabet = layout.bytes_alphabet()
        _require(set(alphabet) <= set(found), "bytes are missing")
        _require(all(letter in alphabet for token in found[first:] for letter in token), "a token is not made of bytes")
        known = set(found)
        pairs = [pair.split(" ") if isinstance(pair, str) else list(pair) for pair in model["merges"]]
        _require(
            all(len(pair) == 2 and {*pair, "".join(pair)} <= known for pair in pairs), "a merge joins nothing known"
        )
        return layout.bpe_layout(model["vocab"], pairs)
    _require(with_bytes, "bytes are missing")
    return layout.unigram_layout([(piece, score) for piece, score in model["vocab"][first + 256 :]])


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise UserError(f"the tokenizer is damaged or not one of ours: {otherwise}; {_WRONG}")


def library_tokenizer(text: str) -> Any:
    """The `tokenizers.Tokenizer` of a checked file; special tokens in a text are read as ordinary letters."""
    from tokenizers import Tokenizer

    try:
        model = Tokenizer.from_str(text)
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # a panic in Rust is no Exception
        raise UserError(f"the tokenizer is damaged: {str(error)[:80]}; {_WRONG}") from error
    model.encode_special_tokens = True
    return model
