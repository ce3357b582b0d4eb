"""From forms over characters to tokens that may come next, for any vocabulary.

The vocabulary is kept as a trie of characters, level by level, so that a state is asked about thousands of tokens in a
few array operations. Tokens that are part of a character are allowed when some character they begin is.
"""

from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mofang.studio.errors import UserError
from mofang.studio.words import say
from mofang.text.forms.automaton import LAST_POINT, Points, State, step

Mask = NDArray[np.bool_]

_MASKS_KEPT = 32 << 20
"""Bytes of masks remembered for a vocabulary."""


class Spelling(Protocol):
    """What is asked of a tokenizer: its size, the token that ends a text, the UTF-8 bytes of each (b"" for specials)."""

    @property
    def size(self) -> int: ...
    @property
    def end(self) -> int: ...
    def bytes_of(self, token: int) -> bytes: ...
    def __hash__(self) -> int: ...


def split_tail(data: bytes) -> tuple[str, bytes] | None:
    """Whole characters and the beginning of one more that `data` spells; None if it is no UTF-8."""
    for length in range(min(4, len(data) + 1)):
        head, tail = data[: len(data) - length], data[len(data) - length :]
        try:
            text = head.decode()
        except UnicodeDecodeError:
            continue
        return (text, tail) if not tail or reach(tail) else None
    return None


def reach(prefix: bytes) -> tuple[int, int] | None:
    """The lowest and highest code point whose UTF-8 begins with `prefix`, a proper beginning; None if there is none."""
    first = prefix[0]
    length = 2 if 0xC2 <= first <= 0xDF else 3 if 0xE0 <= first <= 0xEF else 4 if 0xF0 <= first <= 0xF4 else 0
    if not 0 < len(prefix) < length or any(byte & 0xC0 != 0x80 for byte in prefix[1:]):
        return None
    low = first & (0xFF >> (length + 1))
    for byte in prefix[1:]:
        low = low << 6 | byte & 0x3F
    missing = 6 * (length - len(prefix))
    low, high = low << missing, (low + 1 << missing) - 1
    # Not every pattern of bits is a character: overlong spellings, surrogates, past the end of Unicode.
    low, high = max(low, {2: 0x80, 3: 0x800, 4: 0x10000}[length]), min(high, LAST_POINT)
    if 0xD800 <= low <= 0xDFFF:
        low = 0xE000
    if 0xD800 <= high <= 0xDFFF:
        high = 0xD7FF
    return (low, high) if low <= high else None


class _Level:
    """The nodes of one depth of the trie: the parent of each, the character that leads to it, the tokens that end there."""

    def __init__(self) -> None:
        self.parents: list[int] = []
        self.letters: list[int] = []
        self.ends: list[tuple[int, int]] = []
        self.numbers: dict[tuple[int, int], int] = {}

    def node(self, parent: int, point: int) -> int:
        number = self.numbers.setdefault((parent, point), len(self.parents))
        if number == len(self.parents):
            self.parents.append(parent)
            self.letters.append(point)
        return number

    def freeze(self) -> "_Level":
        self.parent = np.array(self.parents, np.intp)
        self.points = np.array(self.letters, np.uint32)
        self.end_nodes = np.array([node for node, _ in self.ends], np.intp)
        self.end_tokens = np.array([token for _, token in self.ends], np.intp)
        return self


class Vocabulary:
    """A tokenizer's tokens, arranged to be masked by states. Made once for a tokenizer: `vocabulary_of`."""

    def __init__(self, tokenizer: Spelling) -> None:
        self.size, self.end = tokenizer.size, tokenizer.end
        self.spelt = [tokenizer.bytes_of(token) for token in range(tokenizer.size)]
        levels: list[_Level] = []
        self._partial: list[tuple[int, int, int, tuple[int, int]]] = []  # depth, node, token, what it may become
        self._middles: list[int] = []                                    # tokens that go on within a character
        for token, data in enumerate(self.spelt):
            if not data:
                continue
            if data[0] & 0xC0 == 0x80:
                self._middles.append(token)
                continue
            split = split_tail(data)
            if split is None:
                continue
            node = 0
            for depth, letter in enumerate(split[0]):
                if depth == len(levels):
                    levels.append(_Level())
                node = levels[depth].node(node, ord(letter))
            if not split[1]:
                levels[len(split[0]) - 1].ends.append((node, token))
            elif within := reach(split[1]):
                self._partial.append((len(split[0]), node, token, within))
        self._levels = [level.freeze() for level in levels]
        self._masks: OrderedDict[tuple[State, bytes], Mask] = OrderedDict()
        self._holding: dict[str, list[int]] = {}
        self._alone: dict[str, list[int]] = {}
        for token, data in enumerate(self.spelt):
            text = data.decode("utf-8", "ignore")
            for letter in set(text):
                self._holding.setdefault(letter, []).append(token)
            if len(text) == 1 and len(text.encode()) == len(data):
                self._alone.setdefault(text, []).append(token)

    def holding(self, character: str) -> list[int]:
        """The tokens with the character in them."""
        return self._holding.get(character, [])

    def alone(self, character: str) -> list[int]:
        """The tokens that are the character."""
        return self._alone.get(character, [])

    @property
    def characters(self) -> Points:
        """The characters that are tokens of their own, code points in the order of the tokens."""
        level = self._levels[0]
        return level.points[level.end_nodes]

    def mask(self, state: State, pending: bytes = b"") -> Mask:
        """Which tokens may follow `state` with `pending` the bytes of a character begun. Read-only, remembered."""
        key = (state, pending)
        found = self._masks.get(key)
        if found is None:
            found = self._completing(state, pending) if pending else self._following(state)
            found.flags.writeable = False
            self._masks[key] = found
            if len(self._masks) * self.size > _MASKS_KEPT:
                self._masks.popitem(last=False)
        else:
            self._masks.move_to_end(key)
        return found

    def _following(self, state: State) -> Mask:
        mask = np.zeros(self.size, np.bool_)
        mask[self.end] = state.accepting
        reached = np.zeros(1, np.intp)
        states: Sequence[State] = [state]
        history = [(reached, states)]
        for level in self._levels:
            before = reached[level.parent]
            reached = np.full(len(before), -1, np.intp)
            following: dict[State, int] = {}
            for number in np.unique(before[before >= 0]):
                asked = np.flatnonzero(before == number)
                numbers, successors = states[number].after(level.points[asked])
                names = np.array([following.setdefault(one, len(following)) for one in successors] + [-1], np.intp)
                reached[asked] = names[numbers]
            states = list(following)
            history.append((reached, states))
            mask[level.end_tokens[reached[level.end_nodes] >= 0]] = True
            if not states:
                break
        for depth, node, token, (low, high) in self._partial:
            if depth < len(history):
                number = history[depth][0][node]
                mask[token] = number >= 0 and history[depth][1][number].some(low, high)
        return mask

    def _completing(self, state: State, pending: bytes) -> Mask:
        mask = np.zeros(self.size, np.bool_)
        for token in self._middles:
            mask[token] = self.push(state, pending, token) is not None
        return mask

    def push(self, state: State, pending: bytes, token: int) -> tuple[State, bytes] | None:
        """State and pending bytes after a token, None where it may not come."""
        split = split_tail(pending + self.spelt[token])
        if split is None:
            return None
        for letter in split[0]:
            following = step(state, letter)
            if following is None:
                return None
            state = following
        within = reach(split[1]) if split[1] else None
        return None if within and not state.some(*within) else (state, split[1])


@lru_cache(maxsize=4)
def vocabulary_of(tokenizer: Spelling) -> Vocabulary:
    """The tokenizer's vocabulary, kept for the next form."""
    return Vocabulary(tokenizer)


class FormConstraint:
    """A form as a constraint on tokens (`mofang.text.sampling.constraint.Constraint`)."""

    def __init__(self, vocabulary: Vocabulary, state: State) -> None:
        self._vocabulary, self.state = vocabulary, state
        self._pending = b""
        self._ended = False

    @property
    def finished(self) -> bool:
        """Whether nothing may follow."""
        return self._ended or (self.state.accepting and not self._pending and not self.state.some(0, LAST_POINT))

    def mask(self) -> Mask:
        """Which tokens may come next, (size,). Raises `UserError` where the vocabulary cannot spell what must come."""
        found = self._vocabulary.mask(self.state, self._pending)
        if not found.any():
            raise UserError(say("this model's vocabulary cannot write what the form asks for; choose another model or form",
                                "模型的词表写不出这个格式要求的字；请换一个模型或格式"))  # fmt: skip
        return found

    def push(self, token: int) -> None:
        """Go on by one token. Raises `ValueError` for one that the mask forbids."""
        if token == self._vocabulary.end and self.state.accepting and not self._pending:
            self._ended = True
            return
        following = self._vocabulary.push(self.state, self._pending, token)
        if following is None or token == self._vocabulary.end:
            raise ValueError(f"token {token} is against the form")
        self.state, self._pending = following

    def copy(self) -> "FormConstraint":
        other = FormConstraint(self._vocabulary, self.state)
        other._pending, other._ended = self._pending, self._ended
        return other
