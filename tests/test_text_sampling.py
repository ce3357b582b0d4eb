"""Choosing tokens, against plain definitions; streams; whole texts of small models."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import text_models
from mofang.studio import UserError
from mofang.text.own import OwnModel
from mofang.text.sampling import History, Sampling, Stream, filters
from mofang.text.sampling.beams import log_softmax
from mofang.text.sampling.words import WordBias

# Few different values: ties are where a filter can go wrong.
LOGITS = arrays(np.float32, st.integers(1, 40), elements=st.sampled_from([-np.inf, -3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 4.0])).filter(
    lambda logits: logits.max() > -np.inf)  # fmt: skip
SHARES = st.floats(0.01, 1.0)


def probabilities(logits, temperature=1.0):
    e = [0.0 if value == -math.inf else math.exp(float(value) / temperature) for value in logits]
    return np.array([value / sum(e) for value in e])


# -- filters ---------------------------------------------------------------------------------------------------------------


@given(LOGITS, SHARES)
def test_nucleus_is_the_smallest_likely_set(logits, share):
    p = probabilities(logits)
    mask = filters.nucleus(p, share)
    inside, outside = p[mask], p[~mask]
    assert inside.sum() >= share - 1e-9
    assert not outside.size or inside.min() >= outside.max()  # The likeliest; of equals, any.
    assert inside.sum() - inside.min() < share + 1e-9  # None of them could be left out.


@given(arrays(np.float64, 3000, elements=st.floats(0.001, 1)), SHARES)
@settings(max_examples=30)
def test_nucleus_of_many_tokens(weights, share):
    p = weights / weights.sum()
    mask = filters.nucleus(p, share)
    assert p[mask].sum() >= share - 1e-9 and p[mask].sum() - p[mask].min() < share + 1e-9
    assert mask.all() or p[mask].min() >= p[~mask].max()


@given(LOGITS, SHARES)
def test_floor(logits, share):
    p = probabilities(logits)
    mask = filters.floor(p, share)
    for value, kept in zip(p, mask, strict=True):
        if abs(value - share * p.max()) > 1e-12:
            assert kept == (value > share * p.max())


@given(LOGITS, SHARES)
def test_typical(logits, share):
    p = probabilities(logits)
    entropy = -sum(value * math.log(value) for value in p if value > 0)
    distance = np.array([abs(-math.log(value) - entropy) if value > 0 else math.inf for value in p])
    mask = filters.typical(p, share)
    assert p[mask].sum() >= share - 1e-9
    assert mask.all() or distance[mask].max() <= distance[~mask].min() + 1e-9
    farthest = p[mask][distance[mask] >= distance[mask].max() - 1e-9]
    assert p[mask].sum() - farthest.max() < share + 1e-9


@given(LOGITS, st.integers(0, 50), SHARES, st.floats(0, 1), SHARES, st.floats(0.1, 5))
def test_candidates(logits, top_k, top_p, min_p, typical, temperature):
    ids, p = filters.candidates(logits, Sampling(temperature, top_k, top_p, min_p, typical))
    assert ids.size and list(ids) == sorted(set(ids.tolist())) and abs(p.sum() - 1) < 1e-9
    if top_k:
        assert ids.size <= top_k
        # Of tokens as likely as the k-th any may stay.
        assert logits[ids].min() >= np.sort(logits)[::-1][min(top_k, logits.size) - 1]
    whole = probabilities(logits, temperature)
    positive = p > 0
    ratio = p[positive] / whole[ids[positive]]
    assert np.allclose(ratio, ratio[0], rtol=1e-4)  # What is left keeps its proportions.
    if (top_k, top_p, min_p, typical) == (0, 1.0, 0.0, 1.0):
        assert ids.size == logits.size


@given(LOGITS)
def test_all_of_the_mass_is_all_tokens_that_have_any(logits):
    ids, _ = filters.candidates(logits, Sampling(1.0, top_p=1 - 1e-15))
    assert set(np.flatnonzero(logits > -np.inf)) <= set(ids.tolist())


@pytest.mark.parametrize("wrong", [
    {"temperature": -1}, {"temperature": math.nan}, {"top_k": -1}, {"top_p": 0}, {"top_p": 1.1}, {"min_p": 2}, {"typical": 0},
    {"repetition": 0}, {"no_repeat": -2}, {"bias": {3: math.inf}}, {"bias": {3: math.nan}},
])  # fmt: skip
def test_settings_outside_their_range(wrong):
    with pytest.raises(UserError, match=r";"):
        Sampling(**wrong)


# -- history ---------------------------------------------------------------------------------------------------------------

TOKENS = st.lists(st.integers(0, 4), max_size=30)


@given(TOKENS, st.integers(1, 5), st.integers(0, 10))
def test_no_run_twice(tokens, n, cut):
    history = History(Sampling(no_repeat=n), tokens[:cut])
    history = history.copy()
    for token in tokens[cut:]:
        history.push(token)
    grams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    wanted = [t for t in range(5) if len(tokens) >= n - 1 and (*tokens[len(tokens) - n + 1 :], t) in grams]
    assert history.repeats() == wanted


@given(TOKENS, LOGITS, st.floats(0.5, 2))
def test_repetition_is_that_of_ctrl(tokens, logits, penalty):
    logits = np.resize(logits, 5)
    ours = logits.copy()
    History(Sampling(repetition=penalty), tokens).penalise(ours)
    wanted = [float(x) if t not in tokens or penalty == 1 else float(x) / penalty if x > 0 else float(x) * penalty
              for t, x in enumerate(logits)]  # fmt: skip
    assert np.allclose(ours, wanted, rtol=1e-5)


# -- words -----------------------------------------------------------------------------------------------------------------

SPELLING = [b"", *(bytes([byte]) for byte in range(256)), *(text.encode() for text in ("ab", "ba", "雨", "雨天", "xaby", "天a"))]


@given(st.text("ab雨天x", max_size=8), st.text("ab雨天", min_size=1, max_size=4))
def test_a_banned_word_cannot_be_completed(text, word):
    bias = WordBias({word: -math.inf}, SPELLING)
    bias.push(text.encode())
    logits = np.zeros(len(SPELLING), np.float32)
    bias.copy().apply(logits)
    for spelt, value in zip(SPELLING, logits, strict=True):
        now, before = text.encode() + spelt, text.encode()
        # Completed: an occurrence that ends in the new bytes.
        completes = any(now[at:].startswith(word.encode()) for at in range(max(0, len(before) - len(word.encode()) + 1), len(now)))
        assert (value == -np.inf) == completes, spelt


# -- streams ---------------------------------------------------------------------------------------------------------------

ALPHABET = "ab雨👩\u200d👧é"


@given(st.text(ALPHABET, max_size=30), st.lists(st.text(ALPHABET, min_size=1, max_size=4), max_size=3), st.data())
def test_streams_show_whole_characters_and_nothing_of_a_stop(text, stops, data):
    raw = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=12)))
    shown = []
    stream = Stream(stops, shown.append)
    for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        if stream.push(raw[start:end]):
            break
        for piece in shown:
            piece.encode()
    whole = stream.close()
    assert whole == "".join(shown) == stream.text and "\ufffd" not in whole
    assert not any(stop in whole for stop in stops)
    # The end is where the first stop string is complete, and it begins before it.
    ends = [(text.find(stop) + len(stop), text.find(stop)) for stop in stops if stop in text]
    assert text.startswith(whole)
    if not ends:
        assert whole == text and not stream.stopped
    else:
        assert stream.stopped and any(len(whole) == start for _, start in ends) and len(whole) < min(end for end, _ in ends)


def test_streams_hold_back_what_may_become_a_stop():
    shown = []
    stream = Stream(["END"], shown.append)
    for piece, seen in [(b"a", "a"), (b"E", "a"), (b"N", "a"), (b"x", "aENx"), (b"EE", "aENxE"), (b"ND", "aENxE")]:
        stream.push(piece)
        assert "".join(shown) == seen
    assert stream.stopped and stream.close() == "aENxE"


def test_streams_of_broken_bytes():
    stream = Stream()
    stream.push("雨".encode()[:2])
    assert stream.text == ""
    stream.push(b"a\xff")
    assert stream.text == "\ufffda\ufffd"
    stream.push("雨".encode()[:1])
    assert stream.close() == "\ufffda\ufffd"


# -- whole texts -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    text_models.transformer(folder / "chars")
    text_models.transformer(folder / "bpe", "bpe", seed=2)
    text_models.recurrent(folder / "lstm", "lstm")
    return {name: OwnModel.open(folder / name) for name in ("chars", "bpe", "lstm")}


NAMES = ("chars", "bpe", "lstm")


@pytest.mark.parametrize("name", NAMES)
def test_a_row_of_a_batch_is_the_same_seed_alone(shelf, name):
    model = shelf[name]
    how = {"max_tokens": 30, "sampling": Sampling(1.1, top_k=50, top_p=0.95, min_p=0.001, repetition=1.2, no_repeat=3)}
    together = model.write("明月 moon", n=4, seed=5, **how)
    assert together == [model.write("明月 moon", seed=5 + at, **how)[0] for at in range(4)]
    assert len({each.text for each in together}) == 4


@pytest.mark.parametrize("name", NAMES)
def test_greedy(shelf, name):
    model = shelf[name]
    (written,) = model.write("床前", max_tokens=20, sampling=Sampling(0))
    ids, total = model.fit("床前")[0], 0.0
    for token in written.tokens:
        chances = log_softmax(model.runner.feed(model.runner.start(1), np.array([ids], np.int32)))[0]
        usable = chances.copy()
        usable[[1, 2]] = -np.inf  # padding and the unknown
        assert token == usable.argmax()
        total += float(chances[token])
        ids.append(token)
    assert abs(written.logprob - total / len(written.tokens)) < 1e-4
    assert written.text == model.tokenizer.decode(written.tokens)


def test_draws_follow_the_distribution(shelf):
    model = shelf["lstm"]
    logits = model.runner.feed(model.runner.start(1), np.array([model.fit("a")[0]], np.int32))[0]
    logits[[1, 2]] = -np.inf
    p = probabilities(logits, 0.7)
    drawn = Counter(t for seed in range(0, 4096, 256) for each in model.write("a", n=256, max_tokens=1, seed=seed,
                    sampling=Sampling(0.7)) for t in (each.tokens or (model.tokenizer.end,)))  # fmt: skip
    for token in np.argsort(-p)[:5]:
        assert abs(drawn[int(token)] / 4096 - p[token]) < 5 * math.sqrt(p[token] / 4096) + 1e-3


def test_stops_and_streams(shelf):
    model = shelf["chars"]
    (whole,) = model.write("月", max_tokens=40, seed=3)
    assert whole.finish in ("stop", "length")
    stop = whole.text[10:12]
    shown = []
    (cut,) = model.write("月", max_tokens=40, seed=3, stop=[stop], on_text=shown.append)
    assert cut.text == whole.text[: whole.text.find(stop)] == "".join(shown) and cut.finish == "stop"


@pytest.mark.parametrize("name", ["chars", "bpe"])
def test_banned_and_wanted_words(shelf, name):
    model = shelf[name]
    texts = [each.text for each in model.write("moon", n=8, max_tokens=40, seed=1)]
    letter = Counter("".join(texts).replace("\ufffd", "")).most_common(1)[0][0]
    banned = model.write("moon", n=8, max_tokens=40, seed=1, words={letter: -math.inf})
    assert not any(letter in each.text for each in banned)
    wanted = model.write("moon", n=8, max_tokens=40, seed=1, words={"月": 30.0})
    assert sum(each.text.count("月") for each in wanted) > 200


class Counting:
    """Lets only the digits through, and ends after five of them."""

    def __init__(self, model, left=5):
        self._model, self._left = model, left

    @property
    def finished(self):
        return self._left == 0

    def mask(self):
        return np.array([self._model.tokenizer.bytes_of(t) in (b"1", b"2", b"3", b"4", b"5") if t < self._model.tokenizer.size
                         else False for t in range(self._model.runner.vocab)])  # fmt: skip

    def push(self, token):
        self._left -= 1

    def copy(self):
        return Counting(self._model, self._left)


@pytest.mark.parametrize("beams", [0, 3])
def test_rules_hold(shelf, beams):
    model = shelf["chars"]
    written = model.write("月", n=3, seed=2, constraint=lambda: Counting(model), beams=beams)
    for each in written:
        assert len(each.text) == 5 and set(each.text) <= set("12345") and each.finish == "stop"
    assert len({each.text for each in written}) == 3


@pytest.mark.parametrize("name", NAMES)
def test_beams_find_what_trying_everything_finds(shelf, name):
    """With as many beams as there are texts of two tokens, the search is exhaustive."""
    model = shelf[name]
    few = [t for t in range(4, model.tokenizer.size) if model.tokenizer.bytes_of(t)][:6]
    bias = {t: -math.inf for t in range(model.tokenizer.size) if t not in few}
    found = model.write("a", n=36, max_tokens=2, beams=36, sampling=Sampling(bias=bias))
    start = model.fit("a")[0]
    scores = {}
    for one in few:
        first = log_only(model, start, few)[one]
        for two in few:
            scores[one, two] = (first + log_only(model, [*start, one], few)[two]) / 2
    best = sorted(scores, key=lambda pair: -scores[pair])
    assert [scores[each.tokens] for each in found] == pytest.approx([scores[pair] for pair in best], abs=1e-4)


def log_only(model, ids, few):
    logits = model.runner.feed(model.runner.start(1), np.array([ids], np.int32))[0]
    return dict(zip(few, log_softmax(logits[few]).tolist(), strict=True))


def test_one_beam_is_greedy(shelf):
    model = shelf["lstm"]
    assert model.write("a", beams=1, max_tokens=20)[0].tokens == model.write("a", max_tokens=20, sampling=Sampling(0))[0].tokens


def test_prompts_past_the_context(shelf):
    model = shelf["chars"]
    ids, left_out = model.fit("月明 " * 100)
    assert left_out == 300 + 1 - model.runner.context and ids == model.tokenizer.encode("月明 " * 100)[-model.runner.context :]
    endless = Sampling(bias={model.tokenizer.end: -math.inf})
    written = model.write("月明 " * 100, max_tokens=2 * model.runner.context, seed=4, sampling=endless)
    assert len(written[0].tokens) == 2 * model.runner.context and written[0].finish == "length"
    assert shelf["lstm"].fit("月明 " * 100)[1] == 0


@pytest.mark.parametrize(("how", "says"), [
    ({"n": 0}, "1 to 256"), ({"n": 999}, "256"), ({"n": 3, "beams": 2}, "beams"), ({"seed": -1}, "seed"),
    ({"sampling": Sampling(bias={99999: 1.0})}, "99999"), ({"words": {"": 1.0}}, "bias"), ({"words": {"a": math.nan}}, "bias"),
])  # fmt: skip
def test_what_cannot_be_asked(shelf, how, says):
    with pytest.raises(UserError, match=says):
        shelf["chars"].write("a", **how)
