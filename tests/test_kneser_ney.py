"""The n-gram model of the benchmark is a distribution, and the one of its paper."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from kneser_ney import KneserNey


def test_probabilities_sum_to_one_in_every_context():
    rng = np.random.default_rng(0)
    ids = rng.choice(6, 400, p=[0.4, 0.25, 0.15, 0.1, 0.07, 0.03])
    model = KneserNey(ids, 7, order=3)
    for context in ([0, 1], [5, 5], [6, 6], [2, 6]):
        assert sum(2 ** -model.bits(np.array([*context, last]))[0] for last in range(7)) == pytest.approx(1, abs=1e-9)


def test_a_small_case_by_hand():
    # a b a b a c: bigrams ab 2, ba 2, ac 1; continuation counts of a, b, c are 1 (after b), 1 (after a), 1 (after a).
    model = KneserNey(np.array([0, 1, 0, 1, 0, 2]), 3, order=2)
    share = 1 / (1 + 2 * 2)
    d1, d2 = 1 - 2 * share * 2 / 1, 2 - 3 * share * 1 / 2
    d = [0, max(d1, 0), d2]
    unigram_d1 = max(1 - 2 * (3 / (3 + 2)) * 1 / 3, 0)
    unigram = (1 - unigram_d1) / 3 + 3 * unigram_d1 / 3 / 3
    expected = (2 - d[2]) / 3 + (d[2] + d[1]) / 3 * unigram
    assert 2 ** -model.bits(np.array([0, 1]))[0] == pytest.approx(expected)


def test_it_learns_a_pattern():
    ids = np.tile([0, 1, 2, 3], 200)
    model = KneserNey(ids, 5)
    assert model.bits(ids[:100]).mean() < 0.1 < model.bits(np.random.default_rng(1).integers(0, 5, 100)).mean()
