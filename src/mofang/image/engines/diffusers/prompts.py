"""Weights in prompts, as painters with Stable Diffusion write them.

`(red scarf:1.3)` weighs what is inside, `(scarf)` by 1.1, `[scarf]` by 1/1.1; they nest and multiply. `\\(` is a bracket.
Full-width brackets and colons mean the same. What does not close, or opens nothing, is a plain character.
"""

import re
from dataclasses import dataclass

MORE = 1.1
LEAST, MOST = 0.0, 3.0
"""Weights beyond these paint noise."""
_TOKEN = re.compile(r"\\[()\[\]:\\（）]|[(（]|\[|[:：]\s*[-+]?(?:\d+\.?\d*|\.\d+)\s*[)）]|[)）]|\]|[^\\()（）\[\]:：]+|.", re.DOTALL)


@dataclass(frozen=True)
class Piece:
    """Words of one weight."""

    words: str
    weight: float = 1.0


def pieces(prompt: str) -> list[Piece]:
    """A prompt in pieces of equal weight, in order; neighbours differ in weight. An empty prompt has none."""
    found: list[list[object]] = []
    open_at: list[tuple[str, int]] = []

    def close(kind: str, factor: float) -> bool:
        if not open_at or open_at[-1][0] != kind:
            return False
        _, start = open_at.pop()
        del found[start]  # The bracket itself, which had been taken for a character.
        for piece in found[start:]:
            piece[1] = float(piece[1]) * factor  # type: ignore[arg-type]
        return True

    for token in _TOKEN.findall(prompt):
        if token in ("(", "（", "["):
            open_at.append(("[" if token == "[" else "(", len(found)))
            found.append([token, 1.0])
        elif token[0] in ":：" and len(token) > 1:
            if not close("(", _between(float(token[1:-1]))):
                found.append([token, 1.0])
        elif token in (")", "）"):
            if not close("(", MORE):
                found.append([token, 1.0])
        elif token == "]":
            if not close("[", 1 / MORE):
                found.append([token, 1.0])
        else:
            found.append([token[1:] if token[0] == "\\" and len(token) > 1 else token, 1.0])
    merged: list[Piece] = []
    for words, weight in found:
        one = Piece(str(words), _between(round(float(weight), 6)))  # type: ignore[arg-type]
        if merged and merged[-1].weight == one.weight:
            merged[-1] = Piece(merged[-1].words + one.words, one.weight)
        else:
            merged.append(one)
    return merged


def plain(prompt: str) -> str:
    """The prompt without its weights."""
    return "".join(piece.words for piece in pieces(prompt))


def _between(weight: float) -> float:
    return min(max(weight, LEAST), MOST)
