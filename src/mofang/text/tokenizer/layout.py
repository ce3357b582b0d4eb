"""How each kind of vocabulary is laid out as a Hugging Face `tokenizer.json`."""

from collections.abc import Mapping, Sequence
from typing import Any

from mofang.text.tokenizer.special import BYTES, SPECIALS, UNK, Kind

PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"       # English contractions
    r"| ?\p{Han}+"                        # a run of Chinese
    r"| ?[^\r\n\s\p{Han}\p{N}\p{P}\p{S}]+"  # a word with the space before it, marks included
    r"| ?\p{N}{1,3}"
    r"| ?[\p{P}\p{S}]+[\r\n]*"
    r"|\s*[\r\n]+"
    r"|\s+(?!\S)"
    r"|\s+"
)  # fmt: skip
"""Where no token may cross: after GPT-4's and Qwen's pattern, with Chinese in runs of its own. Oniguruma syntax."""

CUTS = (
    r"\p{N}{1,3}",
    "[一-龥぀-ゟ゠-ヿ]+",
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+",
)  # fmt: skip
"""The same for byte pairs, one after another: DeepSeek-V3's, which part numbers, Chinese and words as above. llama.cpp
has them compiled in (`deepseek-v3`) and no pattern of one's own, so that a model exported to GGUF reads the same tokens."""

BYTE_SCORE = -1e4
"""Log-probability of bytes and specials in a unigram vocabulary: never chosen while any other way is left."""


def character_layout(characters: Sequence[str], with_bytes: bool) -> dict[str, Any]:
    """A BPE model without merges: every character by itself, others as bytes (or `<|unk|>` without them)."""
    tokens = [*SPECIALS, *(BYTES if with_bytes else ()), *characters]
    model: dict[str, Any] = {
        "type": "BPE", "dropout": None, "unk_token": SPECIALS[UNK], "continuing_subword_prefix": None,
        "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": with_bytes, "ignore_merges": False,
        "vocab": {token: number for number, token in enumerate(tokens)}, "merges": [],
    }  # fmt: skip
    return _file(model, None, _FALLBACK)


def bpe_layout(vocabulary: Mapping[str, int], merges: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Byte-level BPE (Radford et al. 2019): every text is a sequence of bytes, and merges join what is frequent."""
    model: dict[str, Any] = {
        "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
        "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
        "vocab": dict(vocabulary), "merges": [list(pair) for pair in merges],
    }  # fmt: skip
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    return _file(model, {"type": "Sequence", "pretokenizers": [*map(_split, CUTS), level]}, level)


def unigram_layout(pieces: Sequence[tuple[str, float]]) -> dict[str, Any]:
    """Unigram language model (Kudo 2018): of all ways to cut, the most probable; `pieces` with log-probabilities.

    The layout of "word" too: cutting by the most probable sequence of whole words is what jieba does with its dictionary.
    """
    vocabulary = [[token, BYTE_SCORE] for token in (*SPECIALS, *BYTES)] + [[piece, score] for piece, score in pieces]
    model = {"type": "Unigram", "unk_id": UNK, "vocab": vocabulary, "byte_fallback": True}
    return _file(model, _split(PATTERN), _FALLBACK)


def _split(pattern: str) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


_FALLBACK = {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]}


def _file(model: dict[str, Any], cut: dict[str, Any] | None, decoder: dict[str, Any]) -> dict[str, Any]:
    added = [
        {"id": number, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
         "special": True}
        for number, token in enumerate(SPECIALS)
    ]  # fmt: skip
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": cut, "post_processor": None, "decoder": decoder, "model": model,
    }  # fmt: skip


def settings(kind: Kind) -> dict[str, Any]:
    """The `tokenizer_config.json` beside it, by which Transformers' AutoTokenizer opens it as it is."""
    end, pad, unknown, separator = SPECIALS
    return {
        "tokenizer_class": "PreTrainedTokenizerFast", "mofang_kind": kind, "bos_token": end, "eos_token": end,
        "pad_token": pad, "unk_token": unknown, "sep_token": separator, "clean_up_tokenization_spaces": False,
        "model_max_length": 1 << 30,
    }  # fmt: skip


def bytes_alphabet() -> dict[str, int]:
    """Byte-level BPE's letter for each byte (GPT-2's `bytes_to_unicode`, inverted): printable ones are themselves."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in set(printable)]
    return {chr(byte): byte for byte in printable} | {chr(256 + place): byte for place, byte in enumerate(others)}
