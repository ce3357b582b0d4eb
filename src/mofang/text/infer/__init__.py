"""Running own models without torch: compiled kernels, float32 or bytes, a state that can be forked.

>>> runner = load(find("poem-zh"))
>>> state = runner.start(1)
>>> logits = runner.feed(state, np.array([[0, 17, 230]]))          # (1, vocabulary), after the last token
>>> four = runner.fork(state, np.zeros(4, int))                    # four continuations of one prompt
"""

from pathlib import Path
from typing import Any, Literal

from mofang.models.own import read_config, read_tensors
from mofang.studio.errors import UserError
from mofang.text.infer.runner import Ids, Logits, Runner

Precision = Literal["auto", "float32", "int8"]
QUANTISED_FROM = 8_000_000
"""Parameters from which `auto` takes bytes: below, the weights fit the caches anyway."""

__all__ = ["Ids", "Logits", "Precision", "Runner", "load"]


def load(folder: Path, *, threads: int = 0, precision: Precision = "auto") -> Runner[Any]:
    """The model in `folder`, ready to write. `threads` 0: one per core, four at most. Raises `UserError`."""
    config = read_config(folder)
    kind = config["model_type"]
    if kind != "qwen3" and not kind.startswith("mofang-"):
        raise UserError(f"{folder} holds a '{kind}' model, which is no own model; write with it through Transformers: "
                        f"transformers:{folder}")  # fmt: skip
    if kind not in ("qwen3", "mofang-rnn", "mofang-gru", "mofang-lstm"):
        raise UserError(f"{folder} holds a '{kind}' model, which rewrites and does not go on with a text; use: mofang text rewrite")
    found = read_tensors(folder)
    if precision == "auto":
        precision = "int8" if sum(tensor.size for tensor in found.values()) >= QUANTISED_FROM else "float32"
    # Compiled code is imported only now: it takes a third of a second.
    from mofang.text.infer.team import Team
    from mofang.text.infer.weights import Tensors

    if kind == "qwen3":
        from mofang.text.infer.transformer import Transformer

        return Transformer(config, Tensors(found), precision=precision, team=Team(threads))
    from mofang.text.infer.recurrent import Recurrent

    return Recurrent(config, Tensors(found), precision=precision, team=Team(threads))
