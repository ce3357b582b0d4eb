"""One text from another with an own encoder–decoder model, without torch.

The same network as `nets/seq2seq.py`, run forward in numpy: at the sizes one trains at home a beam step is a handful of
small matrix products, which BLAS does as fast as any runtime would.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.models.own import read_config, read_tensors
from mofang.studio.errors import UserError
from mofang.text.language import language_of
from mofang.text.segment import sentences
from mofang.text.tokenizer import Tokenizer

Floats = NDArray[np.float32]
PAD = 1
CHUNK = 64
"""Sentences between two words about progress."""
LENGTH_PENALTY = 0.6
"""Divides a hypothesis's log-probability by ((5 + length) / 6)^0.6 (Wu et al. 2016, arXiv 1609.08144, equation 14)."""


@dataclass
class _Memory:
    """The source as the decoder reads it: keys (B, heads, size, S) and values (B, heads, S, size) of each layer."""

    keys: list[Floats]
    values: list[Floats]
    hidden: Floats  # (B, 1, 1, S): 0 where there is a token, -inf where there is none


class Network:
    """The forward pass. `weights` are the tensors of `model.safetensors`, float32."""

    def __init__(self, config: Mapping[str, Any], weights: Mapping[str, Floats]) -> None:
        self._w, self.heads = weights, int(config["num_attention_heads"])
        self.layers = (int(config["encoder_layers"]), int(config["decoder_layers"]))
        self.longest, self.eps = int(config["max_position_embeddings"]), float(config["rms_norm_eps"])
        self.size = int(config["hidden_size"]) // self.heads
        frequency = float(config["rope_theta"]) ** -(np.arange(0, self.size, 2) / self.size)
        angle = np.tile(np.outer(np.arange(self.longest), frequency), 2)
        self._cosine, self._sine = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)

    def encode(self, sources: Sequence[Sequence[int]]) -> _Memory:
        """Read the sources (lists of tokens, `<|end|>` last)."""
        width = max(map(len, sources))
        ids = np.array([[*source, *[PAD] * (width - len(source))] for source in sources])
        hidden = np.where(ids == PAD, -np.inf, 0.0).astype(np.float32)[:, None, None]
        x = self._w["embedding.weight"][ids]
        at = np.arange(width)
        for layer in range(self.layers[0]):
            name = f"encoder.{layer}."
            normed = self._norm(x, name + "self_norm")
            q, k, v = (self._heads(normed, name + "self_attn.", part, at) for part in "qkv")
            x = x + self._mix(q, k.swapaxes(2, 3), v, hidden, name + "self_attn.")
            x = x + self._mlp(x, name)
        memory = self._norm(x, "encoder_norm")
        names = [f"decoder.{layer}.cross_attn." for layer in range(self.layers[1])]
        return _Memory(
            [np.ascontiguousarray(self._heads(memory, name, "k", at).swapaxes(2, 3)) for name in names],
            [self._heads(memory, name, "v", at) for name in names],
            hidden,
        )

    def step(self, memory: _Memory, past: list[tuple[Floats, Floats]], ids: NDArray[np.int64]) -> Floats:
        """Logits (B, K, V) after one more token of each of K hypotheses, `ids` (B, K); `past` grows by it.

        `past` holds keys and values (B, K, heads, t, size) of each layer; empty at the start.
        """
        x = self._w["embedding.weight"][ids]
        at = np.array([past[0][0].shape[3] if past else 0])
        for layer in range(self.layers[1]):
            name = f"decoder.{layer}."
            normed = self._norm(x, name + "self_norm")[:, :, None]  # every hypothesis is a text of one new token
            q, k, v = (self._heads(normed, name + "self_attn.", part, at) for part in "qkv")
            if len(past) > layer:
                k, v = np.concatenate((past[layer][0], k), 3), np.concatenate((past[layer][1], v), 3)
                past[layer] = (k, v)
            else:
                past.append((k, v))
            x = x + self._mix(q, k.swapaxes(3, 4), v, None, name + "self_attn.")[:, :, 0]
            # The hypotheses of one source share its memory: to it they are K places of one text, all at position `at`.
            q = self._heads(self._norm(x, name + "cross_norm"), name + "cross_attn.", "q", at)
            x = x + self._mix(q, memory.keys[layer], memory.values[layer], memory.hidden, name + "cross_attn.")
            x = x + self._mlp(x, name)
        logits: Floats = self._norm(x, "decoder_norm") @ self._w["embedding.weight"].T
        return logits

    def _norm(self, x: Floats, name: str) -> Floats:
        scale: Floats = np.sqrt(np.mean(x * x, -1, keepdims=True, dtype=np.float32) + np.float32(self.eps))
        out: Floats = x / scale * self._w[name + ".weight"]
        return out

    def _heads(self, x: Floats, name: str, part: str, at: NDArray[np.int64]) -> Floats:
        """(…, T, width) → (…, heads, T, size); queries and keys normalised and turned to their positions."""
        y = x @ self._w[f"{name}{part}_proj.weight"].T
        y = y.reshape(*y.shape[:-1], self.heads, self.size).swapaxes(-2, -3)
        if part == "v":
            return y
        y = self._norm(y, f"{name}{part}_norm")
        first, second = np.split(y, 2, -1)
        out: Floats = y * self._cosine[at] + np.concatenate((-second, first), -1) * self._sine[at]
        return out

    def _mix(self, q: Floats, k: Floats, v: Floats, hidden: Floats | None, name: str) -> Floats:
        score = q @ k * np.float32(self.size**-0.5)
        if hidden is not None:
            score = score + hidden
        share = np.exp(score - score.max(-1, keepdims=True))
        mixed = (share / share.sum(-1, keepdims=True)) @ v
        mixed = mixed.swapaxes(-2, -3)
        out: Floats = mixed.reshape(*mixed.shape[:-2], -1) @ self._w[name + "o_proj.weight"].T
        return out

    def _mlp(self, x: Floats, name: str) -> Floats:
        normed = self._norm(x, name + "mlp_norm")
        gate = normed @ self._w[name + "mlp.gate_proj.weight"].T
        gate = gate / (1 + np.exp(-np.clip(gate, -80, None))) * (normed @ self._w[name + "mlp.up_proj.weight"].T)
        out: Floats = gate @ self._w[name + "mlp.down_proj.weight"].T
        return out


@dataclass(frozen=True)
class Hypothesis:
    """One way to rewrite a sentence. `score` is its length-normalised log-probability."""

    tokens: tuple[int, ...]
    score: float


def search(network: Network, sources: Sequence[Sequence[int]], beams: int = 1, end: int = 0) -> list[list[Hypothesis]]:
    """The best `beams` targets of each source (tokens, without `<|end|>`), best first; one beam is greedy search.

    A source's search stops when no open hypothesis can beat the worst of its `beams` finished ones, or at twice the
    source's length and 16 tokens more; what is open then counts as it stands.
    """
    memory = network.encode([[*source, end] for source in sources])
    rows, vocabulary = len(sources), network._w["embedding.weight"].shape[0]
    limits = [min(2 * len(source) + 16, network.longest - 1) for source in sources]
    done: list[list[Hypothesis]] = [[] for _ in sources]
    texts: list[list[tuple[int, ...]]] = [[()] * beams for _ in sources]
    # All beams start alike; only the first may be extended at the first step.
    total = np.full((rows, beams), -np.inf)
    total[:, 0] = 0.0
    past: list[tuple[Floats, Floats]] = []
    ids = np.full((rows, beams), end)
    for length in range(1, max(limits) + 1):
        logits = network.step(memory, past, ids).astype(np.float64)
        logits[:, :, PAD] = -np.inf
        top = logits.max(-1, keepdims=True)
        score = total[:, :, None] + (logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True)))
        penalty = ((5 + length) / 6) ** LENGTH_PENALTY
        origin = np.zeros((rows, beams), np.int64)
        for row in range(rows):
            flat = score[row].ravel()
            # Of twice as many candidates at most half can end, so there are always `beams` to go on with.
            best = _largest(flat, 2 * beams) if beams > 1 else np.array([flat.argmax()])
            going: list[tuple[int, int, float]] = []
            for place in best:
                beam, token = divmod(int(place), vocabulary)
                if token == end and np.isfinite(flat[place]):
                    done[row].append(Hypothesis(texts[row][beam], float(flat[place]) / penalty))
                else:
                    going.append((beam, token, float(flat[place])))
            kept = sorted(done[row], key=lambda one: -one.score)[:beams]
            reachable = max((value for *_, value in going), default=-np.inf) / ((5 + limits[row]) / 6) ** LENGTH_PENALTY
            over = (len(kept) == beams and (beams == 1 or kept[-1].score >= reachable)) or not going
            if length >= limits[row] and not over:
                kept += [Hypothesis((*texts[row][beam], token), value / penalty) for beam, token, value in going]
                over = True
            done[row] = sorted(kept, key=lambda one: -one.score)[:beams]
            if over or not np.isfinite(total[row]).any():
                total[row] = -np.inf
                continue
            going = (going + [going[-1]] * beams)[:beams]
            before = texts[row]
            texts[row] = [(*before[beam], token) for beam, token, _ in going]
            origin[row] = [beam for beam, _, _ in going]
            ids[row] = [token for _, token, _ in going]
            total[row] = [value for _, _, value in going]
        if not np.isfinite(total).any():
            break
        if beams > 1:
            index = origin[:, :, None, None, None]
            past[:] = [(np.take_along_axis(k, index, 1), np.take_along_axis(v, index, 1)) for k, v in past]
    return done


def _largest(values: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Where the `count` largest stand, largest first, equals in their own order."""
    if len(values) <= count:
        return np.argsort(-values, kind="stable")
    best = np.sort(np.argpartition(-values, count - 1)[:count])
    chosen: NDArray[np.int64] = best[np.argsort(-values[best], kind="stable")]
    return chosen


class Rewriter:
    """A trained model that translates or rewrites, sentence by sentence."""

    def __init__(self, network: Network, tokenizer: Tokenizer) -> None:
        self.network, self.tokenizer = network, tokenizer

    @classmethod
    def open(cls, folder: Path) -> "Rewriter":
        """The model in a folder. Raises `UserError` if it is of another kind, or its weights are not what it says."""
        config = read_config(folder)
        if config["model_type"] != "mofang-seq2seq":
            raise UserError(f"{folder} continues texts, it does not rewrite them; use: mofang text write")
        tensors = read_tensors(folder)
        try:
            network = Network(config, tensors)
            network.step(network.encode([[0]]), [], np.array([[0]]))
        except (KeyError, ValueError, TypeError, ZeroDivisionError) as error:
            raise UserError(f"{folder}: weights and config.json do not fit each other ({error}); train it again") from error
        return cls(network, Tokenizer.load(folder))

    def sentences(self, sources: Sequence[str], beams: int = 4) -> list[list[str]]:
        """Up to `beams` versions of each sentence, best first. Sentences longer than the model's context are cut."""
        encoded = [self.tokenizer.encode(source)[: self.network.longest - 2] for source in sources]
        found: list[list[str]] = [[] for _ in sources]
        # Neighbours in length share a batch: little of it is padding.
        order = sorted(range(len(sources)), key=lambda index: len(encoded[index]))
        for start in range(0, len(order), 16):
            batch = order[start : start + 16]
            for index, hypotheses in zip(batch, search(self.network, [encoded[i] for i in batch], beams), strict=True):
                found[index] = [self.tokenizer.decode(one.tokens) for one in hypotheses]
        return found

    def text(self, text: str, beams: int = 4, progress: Callable[[int, int], None] = lambda done, all: None) -> str:
        """The whole text rewritten; lines, blank lines and the space between sentences stay as they are."""
        lines = [_pieces(line, self._too_long) or [line] for line in text.splitlines(keepends=True)]
        pieces = [piece for line in lines for piece in line]
        out: list[str] = []
        for start in range(0, len(pieces), CHUNK):
            chunk = pieces[start : start + CHUNK]
            bodies = [piece.strip() for piece in chunk if piece.strip()]
            written = iter(self.sentences(bodies, beams))
            for piece in chunk:
                if not piece.strip():
                    out.append(piece)
                    continue
                lead, trail = piece[: len(piece) - len(piece.lstrip())], piece[len(piece.rstrip()) :]
                out.append(lead + next(written)[0] + trail)
            progress(len(out), len(pieces))
        return "".join(out)

    def _too_long(self, text: str) -> bool:
        return len(self.tokenizer.encode(text)) > self.network.longest - 2


def _pieces(line: str, too_long: Callable[[str], bool]) -> list[str]:
    """The sentences of a line, each short enough to be read whole; joined they are the line. Blank: none."""
    if not line.strip():
        return []
    pieces: list[str] = []
    for sentence in sentences(line, language_of(line)):
        while too_long(sentence):
            # After the last comma or space of the half that fits, or simply there.
            fits = len(sentence)
            while too_long(sentence[:fits]):
                fits = fits * 3 // 4
            cut = max(sentence.rfind(mark, fits // 2, fits) for mark in "，、；：,;: ") + 1 or max(fits, 1)
            pieces.append(sentence[:cut])
            sentence = sentence[cut:]
        pieces.append(sentence)
    return pieces
