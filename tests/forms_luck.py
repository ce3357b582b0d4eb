"""A model that knows nothing: random logits under a form's mask. What it writes is what the form allows."""

import numpy as np

from mofang.text.tokenizer import train_tokenizer

TEXTS = ["床前明月光，疑是地上霜。举头望明月，低头思故乡。", "春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。",
         "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。", "中秋快乐：中天月圆，秋水共长，快意人间，乐在今宵。",
         'name age city {"a": 1} 0123456789 true false null .,!?;:-']  # fmt: skip


def tokenizers():
    """One of every kind, small."""
    return {kind: train_tokenizer(kind, TEXTS * 20, size=size) for kind, size in
            (("char", 500), ("bpe", 400), ("unigram", 420), ("word", 480))}  # fmt: skip


def luck(rule, tokenizer, seed, most=400):
    """A text written by chance until the rule is finished or the end comes; None if `most` tokens did not end it."""
    rng = np.random.default_rng(seed)
    written = []
    for _ in range(most):
        if rule.finished:
            break
        mask = rule.mask()
        scores = rng.standard_normal(tokenizer.size)
        if mask is not None:
            assert mask.any(), "a dead end"
            scores[~mask] = -np.inf
        scores[[1, 2, 3]] = -np.inf
        token = int(scores.argmax())
        rule.push(token)
        if token == tokenizer.end:
            break
        written.append(token)
    else:
        return None
    return b"".join(tokenizer.bytes_of(token) for token in written).decode("utf-8")
