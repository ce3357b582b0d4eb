"""A tokenizer as GGUF spells it, where llama.cpp cuts text exactly as ours does, and back.

llama.cpp knows a handful of rules by name. Characters are its "llama" (SentencePiece) without merges, byte-level BPE its
"gpt2" with one of the patterns it has compiled in. What it would cut differently is refused: a model that reads other
tokens than it learned writes nonsense and nobody sees why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mofang.studio.errors import UserError
from mofang.text.tokenizer.layout import CUTS

NORMAL, UNKNOWN, CONTROL, DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
"""llama.cpp's kinds of tokens."""

BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
_SPACES = (" ", "▁")

_TAIL = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_SHORT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
PATTERNS: dict[tuple[str, ...], str] = {
    (): "gpt-2",
    (r"\p{N}", _GPT2): "smollm",
    (_SHORT + r"\p{N}|" + _TAIL,): "qwen2",
    (_SHORT + r"\p{N}{1,3}|" + _TAIL,): "llama-bpe",
    CUTS: "deepseek-v3",
}
"""Patterns a text is first split by, one after another → llama.cpp's name for them."""


@dataclass(frozen=True)
class Vocabulary:
    """Tokens with their kinds and scores (SentencePiece's; zero in BPE), merges as `a b`, and the special ids."""

    model: str
    pre: str
    tokens: tuple[str, ...]
    kinds: tuple[int, ...]
    scores: tuple[float, ...]
    merges: tuple[str, ...]
    end: int
    pad: int | None
    unknown: int | None


def vocabulary(content: dict[str, Any], config: dict[str, Any]) -> Vocabulary:
    """The vocabulary of a `tokenizer.json` for a model whose `config` has `vocab_size`. Raises `UserError` where llama.cpp
    would cut text differently."""
    model = content["model"]
    if model.get("type") != "BPE" or not isinstance(model["vocab"], dict):
        raise UserError("llama.cpp does not cut text as this vocabulary does (unigram or word); use --to hf or --to onnx, or "
                        "train with --tokenizer char or bpe")  # fmt: skip
    if content.get("normalizer") not in (None, {"type": "NFC"}):
        raise UserError("the tokenizer changes text before it reads it, which llama.cpp does not; use --to hf or --to onnx")
    tokens, special = _tokens(content, int(config["vocab_size"]))
    end = config.get("eos_token_id", tokens.index("<|end|>") if "<|end|>" in tokens else None)
    end = end[0] if isinstance(end, list) and end else end
    if type(end) is not int or not 0 <= end < len(tokens):
        raise UserError("the model has no end token (eos_token_id in config.json); set it")
    if not model.get("merges") and content.get("pre_tokenizer") is None:
        return _characters(model, tokens, special, end, config)
    return Vocabulary("gpt2", _pre(content.get("pre_tokenizer")), tokens, _kinds(tokens, special), (),
                      tuple(pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]),
                      end, _id(config.get("pad_token_id")), None)  # fmt: skip


def tokenizer_json(found: Vocabulary) -> dict[str, Any]:
    """A `tokenizer.json` for a vocabulary read from GGUF. Raises `UserError` for kinds we cannot cut by exactly."""
    numbered = {token: number for number, token in enumerate(found.tokens)}
    if len(numbered) != len(found.tokens):
        raise UserError("a token stands twice in its vocabulary; fetch the model again")
    special = [number for number, kind in enumerate(found.kinds) if kind in (CONTROL, DEFINED, UNKNOWN)]
    if found.model == "llama":
        return _from_characters(found, numbered)
    if found.model != "gpt2" or found.pre not in PATTERNS.values():
        raise UserError(f"its vocabulary is cut by {found.model}/{found.pre}, which is not read here; run the model as it is")
    splits = next(patterns for patterns, name in PATTERNS.items() if name == found.pre)
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": not splits}
    cut: dict[str, Any] = {"type": "Sequence", "pretokenizers": [*map(split, splits), level]} if splits else level
    model = _bpe(numbered, [pair.split(" ") for pair in found.merges], None, False)
    return _file(model, _added(found, special), cut, level)


def split(pattern: str) -> dict[str, Any]:
    """A pre-tokenizer that gives each match of the pattern a piece of its own."""
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


def _characters(model: dict[str, Any], tokens: tuple[str, ...], special: set[int], end: int, config: dict[str, Any]) -> Vocabulary:
    if not model.get("byte_fallback") or not set(BYTES) <= set(tokens):
        raise UserError("this vocabulary of characters has no bytes for those it does not know, which llama.cpp needs; train "
                        "with bytes, or use --to hf or --to onnx")  # fmt: skip
    unknown = model["vocab"].get(model.get("unk_token"))
    kinds = list(_kinds(tokens, special))
    for number, token in enumerate(tokens):
        if number == unknown:
            kinds[number] = UNKNOWN
        elif token in BYTES:
            kinds[number] = BYTE
        elif token in _SPACES:
            # llama.cpp writes spaces as ▁ and back, which would make one of the two: tokens defined by a user it leaves alone.
            kinds[number] = DEFINED
    return Vocabulary("llama", "default", tokens, tuple(kinds), (0.0,) * len(tokens), (), end, _id(config.get("pad_token_id")),
                      unknown)  # fmt: skip


def _from_characters(found: Vocabulary, numbered: dict[str, int]) -> dict[str, Any]:
    """Only a vocabulary without merges: SentencePiece's merges go by scores, ours would go by rank."""
    plain = [token for token, kind in zip(found.tokens, found.kinds, strict=True) if kind in (NORMAL, DEFINED)]
    if any(len(token) != 1 for token in plain) or not set(BYTES) <= set(found.tokens):
        raise UserError("its vocabulary is SentencePiece's, which is not read here; run the model as it is")
    special = [number for number, kind in enumerate(found.kinds) if kind in (CONTROL, UNKNOWN)]
    unknown = None if found.unknown is None else found.tokens[found.unknown]
    fallback = {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]}
    return _file(_bpe(numbered, [], unknown, True), _added(found, special), None, fallback)


def _tokens(content: dict[str, Any], size: int) -> tuple[tuple[str, ...], set[int]]:
    """Every token by id, holes filled as real models have them (embeddings padded to a round number), and the special ids."""
    by_id: dict[int, str] = {}
    for token, number in content["model"]["vocab"].items():
        by_id[number] = token
    special = set()
    for added in content.get("added_tokens") or ():
        by_id[added["id"]] = added["content"]
        special.add(added["id"])
    if not all(type(number) is int and 0 <= number < size for number in by_id):
        raise UserError("the tokenizer has more tokens than the model; they do not belong together")
    return tuple(by_id.get(number, f"[PAD{number}]") for number in range(size)), special


def _kinds(tokens: Sequence[str], special: set[int]) -> tuple[int, ...]:
    return tuple(CONTROL if number in special else UNUSED if token == f"[PAD{number}]" else NORMAL
                 for number, token in enumerate(tokens))  # fmt: skip


def _pre(cut: dict[str, Any] | None) -> str:
    """llama.cpp's name for a pre-tokenizer. Raises `UserError` if it has none."""
    steps = [] if cut is None else cut.get("pretokenizers", []) if cut.get("type") == "Sequence" else [cut]
    *splits, level = steps or [{}]
    patterns = tuple(step.get("pattern", {}).get("Regex", "") for step in splits)
    exact = (level.get("type") == "ByteLevel" and not level.get("add_prefix_space") and patterns in PATTERNS
             and bool(level.get("use_regex", True)) == (not splits)
             and all(step == split(pattern) for step, pattern in zip(splits, patterns, strict=True)))  # fmt: skip
    if not exact:
        raise UserError("llama.cpp has no rule that cuts text as this tokenizer does; use --to hf or --to onnx")
    return PATTERNS[patterns]


def _bpe(numbered: dict[str, int], merges: list[list[str]], unknown: str | None, fallback: bool) -> dict[str, Any]:
    return {"type": "BPE", "dropout": None, "unk_token": unknown, "continuing_subword_prefix": None, "end_of_word_suffix": None,
            "fuse_unk": False, "byte_fallback": fallback, "ignore_merges": False, "vocab": numbered, "merges": merges}  # fmt: skip


def _added(found: Vocabulary, special: list[int]) -> list[dict[str, Any]]:
    return [{"id": number, "content": found.tokens[number], "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": False, "special": found.kinds[number] != DEFINED} for number in special]  # fmt: skip


def _file(model: dict[str, Any], added: list[dict[str, Any]], cut: Any, decoder: Any) -> dict[str, Any]:
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": cut, "post_processor": None, "decoder": decoder, "model": model}  # fmt: skip


def _id(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None
