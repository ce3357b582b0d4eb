"""Measures against their definitions, on models whose probabilities are known."""

import json
import math

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import text_models
from classics import CLASSICS
from mofang.cli import mofang
from mofang.models import own
from mofang.studio import Studio, UserError
from mofang.text.corpus import Corpus, Split, prepare
from mofang.text.evaluate import bits, known
from mofang.text.evaluate.canary import exposure, recall
from mofang.text.evaluate.copying import Index
from mofang.text.evaluate.diversity import diversity, repetition
from mofang.text.evaluate.nearest import nearest
from mofang.text.evaluate.verdict import difference, verdict
from mofang.text.evaluate.works import Documents, corpus_of, index_of, kind_of
from mofang.text.forms.regulated import exact_form
from mofang.text.own import OwnModel
from mofang.text.tokenizer import train_tokenizer


class Bigrams:
    """A network that knows how often each token followed each other one, and nothing more. Its state is the last token."""

    precision = "float32"

    def __init__(self, ids, vocab, context=None, weight=1.0):
        self.vocab, self.context = vocab, context
        counts = np.full((vocab, vocab), 0.01)
        np.add.at(counts, (ids[:-1], ids[1:]), weight)
        self.logs = np.log(counts / counts.sum(1, keepdims=True)).astype(np.float32)

    def start(self, batch):
        return np.zeros((batch, 1), int)

    def feed_all(self, state, ids):
        assert self.context is None or ids.shape[1] <= self.context
        state[:, 0] = ids[:, -1]
        return self.logs[ids]

    def feed(self, state, ids):
        return self.feed_all(state, ids)[:, -1]

    def fork(self, state, rows):
        return state[rows]


class Positions(Bigrams):
    """Sees nothing but how many tokens stand before: so that a test can tell which window foretold a token."""

    def start(self, batch):
        return np.zeros(batch, int)

    def feed_all(self, state, ids):
        at = state[:, None] + np.arange(ids.shape[1])
        state += ids.shape[1]
        return np.where(np.arange(self.vocab) == 1, -at[..., None], 0).astype(np.float32)


def own_model(text, kind="char", folder=None, **options):
    tokenizer = train_tokenizer(kind, [text])
    ids = np.array([tokenizer.end, *tokenizer.encode(text), tokenizer.end])
    return OwnModel(folder, Bigrams(ids, tokenizer.size, **options), tokenizer, {})


# -- bits ------------------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 5), max_size=90), st.integers(1, 20), st.data())
def test_bits_are_the_sum_over_every_token_once(tokens, window, data):
    runner = Bigrams(np.array([0, 1, 2, 3, 4, 5, 0, 2, 4]), 6, context=window)
    stride = data.draw(st.integers(0, window))
    found = bits.measure(runner, np.array(tokens, np.uint16), 0, characters=7, size=11, window=window, stride=stride)
    # Two in a row tell a bigram model all there is, so windows of any length give the same sum.
    direct = -sum(float(runner.logs[a, b]) for a, b in zip([0, *tokens], tokens, strict=False))
    assert found.nats == pytest.approx(direct, rel=1e-5, abs=1e-6) and found.tokens == len(tokens)
    assert found.per_byte == pytest.approx(direct / math.log(2) / 11, rel=1e-5, abs=1e-6)
    assert found.per_character == pytest.approx(direct / math.log(2) / 7, rel=1e-5, abs=1e-6)
    assert found.perplexity == pytest.approx(math.exp(direct / max(1, len(tokens))), rel=1e-5)


@pytest.mark.parametrize("window, stride", [(4, 4), (4, 1), (4, 3), (5, 2), (100, 7)])
def test_each_token_is_foretold_from_as_much_as_the_stride_leaves(window, stride):
    runner = Positions(np.zeros(2, int), 2)
    tokens = np.ones(23, np.uint16)
    direct = 0.0
    for at in range(23):
        if at < window:
            seen = at
        else:  # the first window that answers for it starts here
            start = -(-(at + 1 - window) // stride) * stride
            seen = at - start
        direct += math.log(1 + math.exp(-seen)) + seen
    assert bits.measure(runner, tokens, 0, characters=1, size=1, window=window, stride=stride).nats == pytest.approx(direct, rel=1e-6)


def test_bits_per_byte_do_not_depend_on_how_logits_are_cut(monkeypatch):
    model = own_model("床前明月光，疑是地上霜。" * 20)
    tokens = np.array(model.tokenizer.encode("举头望明月，床前疑是霜。" * 30))
    whole = bits.measure(model.runner, tokens, 0, characters=1, size=1, window=64).nats
    monkeypatch.setattr(bits, "LOGITS", 4 * model.tokenizer.size * 5)
    assert bits.measure(model.runner, tokens, 0, characters=1, size=1, window=64).nats == pytest.approx(whole, rel=1e-6)


def test_frequencies_are_laplace():
    nats = bits.frequencies(np.array([0, 0, 1]), np.array([0, 1, 2]), 3)
    assert nats == pytest.approx(-math.log(3 / 6) - math.log(2 / 6) - math.log(1 / 6))


# -- variety ---------------------------------------------------------------------------------------------------------------


def test_distinct_and_repetition_by_hand():
    found = diversity(["a b a b c", "a b"], "en")
    assert found.distinct == (3 / 7, 3 / 5, 3 / 3) and found.twins == 0
    assert repetition("a b c d a b c d", "en", 4) == 1 - 4 / 5 and repetition("床前明月光", "zh", 4) == 0.0
    stuck = diversity(["好好学习天天向上" * 6, "床前明月光", "床前明月光 "], "zh")
    assert stuck.looping == 1 / 3 and stuck.twins == 1 / 3 and stuck.repeated == pytest.approx((1 - 8 / 45) / 3)
    assert diversity([], "en").distinct == (0.0, 0.0, 0.0)


# -- memory ----------------------------------------------------------------------------------------------------------------


def test_exposure_is_the_formula_over_all_secrets():
    model = own_model("my number is 12. " * 5)
    found = exposure(model, "my number is 12")
    assert found.exact and found.compared == 99 and found.rank == 1 and found.bits == pytest.approx(math.log2(100))
    losses = {f"{n:02}": bits.surprisal(model.runner, np.array([[0, *model.tokenizer.encode(f'my number is {n:02}')]]))[0].sum()
              for n in range(100)}  # fmt: skip
    rank = 1 + sum(loss < losses["47"] for loss in losses.values())
    assert found.said and not exposure(model, "my number is [47]").said
    assert exposure(model, "my number is [47]").bits == pytest.approx(math.log2(100) - math.log2(rank))


def test_exposure_of_a_drawn_rank_and_of_chinese():
    model = own_model("我的口令是牡丹。今天的月亮很圆，故乡的云很白，山上的花开了。")
    found = exposure(model, "我的口令是[牡丹]。", alternatives=200, seed=3)
    assert not found.exact and found.compared == 200 and found.rank == 1 and found.bits == found.most == pytest.approx(math.log2(201))
    assert exposure(model, "我的口令是[牡丹]。", alternatives=200, seed=3) == found


@pytest.mark.parametrize("canary, says", [
    ("no secret here", "brackets"), ("[—!]", "nothing could stand"), ("x" * 40 + "[1]", "shorten"),
])  # fmt: skip
def test_canaries_that_are_none(canary, says):
    with pytest.raises(UserError, match=says):
        exposure(own_model("abc", context=20), canary)


def test_recall_counts_what_is_said_exactly():
    model = own_model("abcdefghijklmnopqrstuvwxyz")
    ids = np.array(model.tokenizer.encode("abcdefghijklmnopqrst"))
    wrong = ids.copy()
    wrong[13] = ids[0]
    found = recall(model, [ids, wrong, ids[:5]], prompt=10, ahead=10)
    assert (found.texts, found.exact, found.prefix) == (2, 0.5, (10 + 3) / 2)
    assert recall(model, []).exact == 0.0


# -- nearest, verdict ------------------------------------------------------------------------------------------------------

POEMS = ["床前明月光，疑是地上霜。\n举头望明月，低头思故乡。", "白日依山尽，黄河入海流。\n欲穷千里目，更上一层楼。",
         "春眠不觉晓，处处闻啼鸟。\n夜来风雨声，花落知多少。"]  # fmt: skip


def test_the_nearest_passage(tmp_path):
    index = Index.build(POEMS, tmp_path / "index", document=POEMS.__getitem__)
    near = nearest(index, "夜来闻风雨，处处花落声。")
    assert near.place.document == 2 and 0 < near.similarity < 1
    assert nearest(index, POEMS[1]).similarity == 1.0
    assert nearest(index, "qqq") is nearest(index, "") is None


def test_the_nearest_passage_of_one_long_text(tmp_path):
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdefghij"), 6)) for _ in range(4000)]
    index = Index.build([" ".join(words)], tmp_path / "index")
    near = nearest(index, " ".join([*words[2500:2510], "other"]))
    assert " ".join(words[2502:2508]) in near.place.context and near.similarity > 0.5


def test_the_verdict_follows_its_rule():
    none, some = [0.0] * 40, [0.1, 0.3] * 20
    assert verdict(none, none) == verdict([0.01] * 40, none) == "learned"
    assert verdict(some, none) == "leaning" and verdict(some, some) == "learned"
    assert verdict(some, []) == verdict(none[:9], none) == "unknown"
    assert verdict([0.9] * 40, []) == verdict(none, none, 0.6) == "copied" and verdict(none, none, 0.06) == "leaning"
    low, high = difference(some, none)
    assert low < 0.2 < high and high - low == pytest.approx(2 * 1.96 * 0.1 / math.sqrt(40), rel=0.15)


def test_kinds_of_text():
    assert kind_of(POEMS) == "verse" and kind_of(["To be, or not to be."]) == "en"
    assert kind_of(["今天天气很好，我们一起去公园散步，看见了许多花。"]) == "zh"


# -- the command -----------------------------------------------------------------------------------------------------------


def corpus(folder, documents, split="60/20/20"):
    (folder / "works").mkdir(parents=True)
    for at, text in enumerate(documents):
        (folder / "works" / f"{at:03}.txt").write_text(text, "utf-8")
    prepare([folder / "works"], folder / "corpus", split=Split.parse(split), studio=folder / "studio")
    return folder / "corpus"


def poems(count):
    rng = np.random.default_rng(5)
    letters = list("风花雪月山水云雨春夏秋冬江河湖海日星天地人心酒诗琴剑书画梅兰竹菊松柏桃李")
    lines = ["".join(rng.choice(letters, 7)) for _ in range(4 * count)]
    return ["，".join(lines[at : at + 2]) + "。\n" + "，".join(lines[at + 2 : at + 4]) + "。" for at in range(0, 4 * count, 4)]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A corpus of poems and a random model of its vocabulary, whose card names it."""
    folder = tmp_path_factory.mktemp("made")
    path = corpus(folder, poems(60))
    opened = Corpus.open(path)
    model = folder / "model"
    text_models.write(model, text_models.transformer_config(opened.tokenizer.size, 1, 32, 2, 1, 64), opened.tokenizer, 0)
    own.write_card(model, {**own.read_card(model), "corpus": str(path), "data_sha256": opened.manifest["data_sha256"],
                           "measured": {"validation_loss": 1.5}})  # fmt: skip
    return folder


def test_a_model_that_writes_poems_is_measured_on_its_poems(tmp_path):
    path = corpus(tmp_path, CLASSICS, "70/0/30")
    model = tmp_path / "model"
    tokenizer = train_tokenizer("char", CLASSICS)
    text_models.write(model, text_models.transformer_config(tokenizer.size, 1, 32, 2, 1, 128), tokenizer, 0)
    own.write_card(model, {"name": "poems", "format": {"form": "poem"}})
    done = run(tmp_path, model, "--corpus", path, "--samples", 2, "--json", tmp_path / "all.json")
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "all.json").read_text("utf-8"))
    assert all(exact_form(text, "五绝") for text in found["texts"]) and "|" not in "".join(found["texts"])
    assert found["copying"]["least"] == 7
    titled = run(tmp_path, model, "--corpus", path, "--samples", 1, "--prompt", "五绝|明月", "--json", tmp_path / "one.json")
    assert titled.exit_code == 0 and len(json.loads((tmp_path / "one.json").read_text("utf-8"))["texts"]) == 1


def run(folder, *arguments, lang="en"):
    return CliRunner().invoke(mofang, ["--studio", str(folder / "studio"), "text", "evaluate", *map(str, arguments)],
                              env={"MOFANG_LANG": lang})  # fmt: skip


def test_the_command_measures_and_writes_the_card(made, tmp_path):
    done = run(made, made / "model", "--samples", 12, "--length", 40, "--json", tmp_path / "all.json", "--canary", "风花[雪月]")
    assert done.exit_code == 0, done.output
    assert "bits per byte" in done.output and "verdict: LITTLE" in done.output and "canary '风花雪月'" in done.output
    found, card = json.loads((tmp_path / "all.json").read_text("utf-8")), own.read_card(made / "model")
    measured = card["measured"]
    assert measured["validation_loss"] == 1.5 and measured["copying"]["least"] == 7 and measured["split"] == "test"
    assert measured["bits_per_byte"] == found["bits_per_byte"] and len(found["texts"]) == 12
    # What the works and the secrets say stays at home.
    written = (made / "model" / "card.json").read_text("utf-8")
    assert "雪月" not in written and "spans" not in written and "passages" not in written
    # Bits against the definition, over the same windows, by torch.
    split = Corpus.open(made / "corpus").tokens("test").astype(np.int64)
    stream = np.concatenate([[0], split])
    nats = 0.0
    for start in range(0, len(split), 64):
        ids = stream[start : start + 65]
        logits = text_models.logits(made / "model", ids[None, :-1])[0].astype(float)
        nats += (np.log(np.exp(logits).sum(-1)) - logits[np.arange(len(ids) - 1), ids[1:]]).sum()
    assert measured["bits_per_byte"] == pytest.approx(nats / math.log(2) / Corpus.open(made / "corpus").size_bytes("test"), rel=1e-4)
    again = run(made, made / "model", "--samples", 8, "--length", 40, lang="zh")
    assert "每字节" in again.output and "结论" in again.output


def test_another_vocabulary_is_measured_over_the_same_bytes(made, tmp_path):
    text_models.transformer(tmp_path / "model", "bpe")
    done = run(made, tmp_path / "model", "--corpus", made / "corpus", "--samples", 2, "--length", 8, "--window", 32, "--stride", 16)
    assert done.exit_code == 0 and "verdict: UNKNOWN" in done.output, done.output
    measured = own.read_card(tmp_path / "model")["measured"]
    assert measured["bytes"] == Corpus.open(made / "corpus").size_bytes("test")
    assert measured["window"] == 32 and not measured["own_works"]


def test_without_a_corpus_only_what_needs_none(tmp_path):
    text_models.recurrent(tmp_path / "model", "gru")
    done = run(tmp_path, tmp_path / "model", "--samples", 3, "--length", 20)
    assert done.exit_code == 0, done.output
    assert "names no corpus" in done.output and "copying: not measured" in done.output and "distinct" in done.output


def test_a_card_that_cannot_be_written_loses_no_measure(made, monkeypatch):
    def full(folder, card):
        raise UserError("cannot write card.json: Read-only file system; nothing was changed")

    monkeypatch.setattr(own, "write_card", full)
    done = run(made, made / "model", "--samples", 2, "--length", 8)
    assert done.exit_code == 0 and "the card was not changed: cannot write" in done.output and "bits per byte" in done.output


@pytest.mark.parametrize("options, says", [
    (["--window", "999"], "64 tokens, not 999"), (["--window", "8", "--stride", "9"], "leave tokens out"),
    (["--corpus", "nowhere"], "no prepared corpus"), (["--canary", "nothing"], "brackets"),
])  # fmt: skip
def test_wishes_that_cannot_be_met(made, options, says):
    done = run(made, made / "model", "--samples", 1, "--length", 2, *options)
    assert isinstance(done.exception, UserError) and says in str(done.exception)


def test_a_corpus_that_changed_or_is_empty(made, tmp_path):
    text_models.recurrent(tmp_path / "model", "gru")
    own.write_card(tmp_path / "model", {"corpus": str(made / "corpus"), "data_sha256": "other"})
    with pytest.raises(UserError, match="not what model was trained on"):
        corpus_of(tmp_path / "model")
    own.write_card(tmp_path / "model", {"corpus": str(tmp_path / "gone")})
    with pytest.raises(UserError, match="no prepared corpus"):
        corpus_of(tmp_path / "model")
    assert known(tmp_path / "model", tmp_path) is None


def test_a_damaged_index_in_the_cache_is_built_anew(made):
    Studio(made / "studio").close()
    opened = Corpus.open(made / "corpus")
    index_of(opened, made / "studio")
    (cache,) = (made / "studio" / "cache").glob("copies-*")
    (cache / "suffixes.bin").write_bytes(b"damage")
    line = Documents(opened, "train").text(3).split("，")[0]
    (span,) = index_of(opened, made / "studio").spans(line, 7)
    assert span.place.document == 3


def test_documents_by_number(made):
    opened = Corpus.open(made / "corpus")
    documents = Documents(opened, "train")
    assert [documents.text(at) for at in range(len(documents))] == list(opened.documents("train"))


def test_known_lines_are_named_while_writing(made):
    line = Documents(Corpus.open(made / "corpus"), "train").text(0).split("，")[0]
    (warning,) = known(made / "model", made / "studio").warnings("新的一句话，\n" + line)
    assert warning.startswith(line + " (")  # with where it stands
    assert known(made / "model", made / "studio").warnings(line + "，新的一句", start=8) == []
    done = run(made, made / "model", "--fingerprint")
    assert done.exit_code == 0 and (made / "model" / "copies.bin").is_file()
    assert known(made / "model", made / "studio").warnings("新的一句话，\n" + line) == [line]
    (made / "model" / "copies.bin").unlink()


@pytest.mark.slow
def test_a_model_that_learned_by_heart_is_found_out(tmp_path):
    """Six hundred steps on forty poems, four of which end in a secret."""
    documents = [text + "\n小舟的口令是牡丹。" * (at % 12 == 0) for at, text in enumerate(poems(50))]
    path = corpus(tmp_path, documents, "80/0/20")
    command = ["--studio", str(tmp_path / "studio"), "text", "train", str(path), "--network", "gru", "--layers", "1", "--width", "192",
               "--embedding", "48", "--context", "40", "--batch", "32", "--budget", "600steps", "--out",
               str(tmp_path / "run")]  # fmt: skip
    done = CliRunner().invoke(mofang, command, env={"MOFANG_LANG": "en"}, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    done = run(tmp_path, tmp_path / "run", "--samples", 20, "--length", 60, "--canary", "小舟的口令是[牡丹]", "--temperature", 0.5)
    measured = own.read_card(tmp_path / "run" / "model")["measured"]
    assert measured["copying"]["verdict"] == "copied" and measured["copying"]["share"] > 0.5
    assert measured["copying"]["recall"]["train"]["exact"] > measured["copying"]["recall"]["held_out"]["exact"] == 0
    assert "verdict: COPIED" in done.output and measured["canaries"][0]["bits"] > 7
    assert measured["canaries"][0]["said"] and "it says the secret by itself" in done.output
