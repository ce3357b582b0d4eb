"""Beam search: the likeliest whole text found by following the `beams` best beginnings."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.text.sampling.row import Row


def log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-probabilities over the last axis."""
    top = logits.max(-1, keepdims=True)
    shifted = logits - top
    result: NDArray[np.float32] = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return result


def search(runner: Any, state: Any, logits: NDArray[np.float32], row: Row, *, beams: int, n: int, max_tokens: int,
           penalty: float = 1.0) -> list[Row]:  # fmt: skip
    """The `n` best texts, best first, from one prompt's `state` and its `logits` (V,).

    A text's score is its log-probability, bias, penalties and rule applied, over its length to the power `penalty`
    (as in Transformers). Searching ends when no text still open can beat the worst of the `beams` best that are done.
    """
    live, scores = [row], np.zeros(1)
    done: list[tuple[float, int, Row]] = []
    logits = logits[None]
    for step in range(max_tokens):
        own = log_softmax(logits)
        shaped = logits.copy()
        alive = [each.shape(line) for each, line in zip(live, shaped, strict=True)]
        for index, is_alive in enumerate(alive):
            if not is_alive:  # Nothing may follow: the text is what it is.
                live[index].finish = "stop"
                done.append((scores[index] / max(1, step) ** penalty, len(done), live[index]))
        usable = np.where(np.array(alive)[:, None], shaped, -np.inf)
        with np.errstate(invalid="ignore"):
            totals = np.where(np.isfinite(usable), scores[:, None] + log_softmax(usable), -np.inf).ravel()
        count = min(2 * beams, int(np.isfinite(totals).sum()))
        best = np.argpartition(-totals, count - 1)[:count] if count else np.empty(0, np.intp)
        best = best[np.lexsort((best, -totals[best]))]
        parents: list[int] = []
        following: list[Row] = []
        kept: list[float] = []
        for flat in best:
            parent, token = divmod(int(flat), logits.shape[1])
            text = live[parent].copy()
            text.take(token, float(own[parent, token]))
            if text.finish:
                done.append((float(totals[flat]) / (step + 1) ** penalty, len(done), text))
            elif len(following) < beams:
                parents.append(parent)
                following.append(text)
                kept.append(float(totals[flat]))
        done.sort(key=lambda item: (-item[0], item[1]))
        del done[beams:]
        live, scores = following, np.array(kept)
        if not live or (len(done) == beams and scores.max() / (step + 1) ** penalty <= done[-1][0]):
            break
        if step < max_tokens - 1:
            state = runner.fork(state, np.array(parents))
            logits = runner.feed(state, np.array([[text.tokens[-1]] for text in live], np.int32))
    open_ = [(score / max(1, len(text.tokens)) ** penalty, len(done) + i, text)
             for i, (score, text) in enumerate(zip(scores, live, strict=True))]  # fmt: skip
    return [text for _, _, text in sorted(done + open_, key=lambda item: (-item[0], item[1]))[:n]]
