"""What the shipped poet keeps of form, and how well it foretells verse, beside plainer models of the same data.

    python benchmarks/text_poem.py [--quick] [--minutes 5]

Data: `recipes/poem_zh.py`, made once under `benchmarks/.peers/poems`. For 500 held-out titles the model writes one poem each
as `mofang text write poem-zh` does, in the form of the held-out poem: form to the letter, rhyme in one Pingshui group of
level tone, lines within the tonal pattern, and letters in runs of seven or more that stand in the training poems. The same
titles without the rules show what the network knows by itself. Bits per character are over all tokens of 1,000 held-out
poems: poem-zh, a 5-gram model with modified Kneser–Ney smoothing trained on all of the training poems, and, trained here
for the same minutes from nothing, our Transformer and nanoGPT's blocks of the same size (`text_speedrun.py`).
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from common import HERE, Row, report
from kneser_ney import KneserNey
from mofang.models import own
from mofang.text.batches import Windows, whole
from mofang.text.corpus import Cleaning, Corpus, Papers, Split, Vocabulary, prepare
from mofang.text.evaluate.bits import measure
from mofang.text.evaluate.works import index_of
from mofang.text.forms.regulated import FORMS, exact_form, fits_tones, lines_of, rhymes
from mofang.text.nets import build
from mofang.text.own import OwnModel
from mofang.text.poem import SAMPLING, wish, write_poem
from mofang.text.sizes import Shape
from mofang.text.train import LanguageModel, Settings
from mofang.training.budget import Budget
from mofang.training.loop import Plan, train
from text_speedrun import NanoGPT

DATA = HERE / ".peers" / "poems"
SHAPE = Shape(6, 256, 128, 32, heads=4, kv_heads=2)
COPY = 7


def data() -> Corpus:
    """The corpus of poem-zh, with its vocabulary."""
    if not (DATA / "corpus" / "corpus.json").exists():
        if not (DATA / "poems.jsonl").exists():
            subprocess.run([sys.executable, str(HERE.parent / "recipes" / "poem_zh.py"), str(DATA)], check=True)
        prepare([DATA / "poems.jsonl"], DATA / "corpus", cleaning=Cleaning(False, near=0.0), split=Split.parse("98/1/1", False, 0),
                vocabulary=Vocabulary(folder=own.find("poem-zh")), papers=Papers("MIT", "chinese-poetry"))  # fmt: skip
    return Corpus.open(DATA / "corpus")


def free(model: OwnModel, title: str, form: str, seed: int) -> str:
    """A poem without rules."""
    asked = wish(title, form)
    return model.write(asked.prompt, max_tokens=110, sampling=SAMPLING, seed=seed)[0].text.strip()


def kept(poems: list[tuple[str, str]], corpus: Corpus) -> dict[str, float]:
    """Shares of poems and lines that keep the rules; poems are (text, form)."""
    index = index_of(corpus, DATA)
    shape = [exact_form(text, form) for text, form in poems]
    rhyming = [rhymes(lines_of(text)) for text, _ in poems]
    tones = [fits_tones(lines_of(text)) for text, _ in poems]
    copied = [sum(span.end - span.start for span in index.spans(text, COPY)) for text, _ in poems]
    letters = sum(len(text) for text, _ in poems)
    return {"exact form": statistics.mean(shape), "rhyme in one level group": statistics.mean(rhyming),
            "lines within the tonal pattern": statistics.mean(tones),
            f"letters in copied runs of {COPY} or more": sum(copied) / letters}  # fmt: skip


def ours_from_nothing(corpus: Corpus, seconds: float, windows: np.ndarray) -> float:
    """Nats per token on the windows after `seconds` of training."""
    torch.manual_seed(0)
    settings = Settings(SHAPE.context, SHAPE.batch)
    net = build(SHAPE.config("transformer", corpus.tokenizer.size, 0.0))
    experiment = LanguageModel(net, corpus.tokens("train"), corpus.tokens("val"), corpus.tokenizer, settings)
    experiment.held_out = windows
    with tempfile.TemporaryDirectory() as folder:
        return train(experiment, Path(folder), Plan(Budget(seconds, "seconds"), ema=0.99, validations=1, samples=1)).best


def plain_from_nothing(corpus: Corpus, seconds: float, windows: np.ndarray) -> float:
    """The same of nanoGPT's blocks, AdamW and a cosine, in float32."""
    torch.manual_seed(0)
    net = NanoGPT(corpus.tokenizer.size, SHAPE.layers, SHAPE.width, SHAPE.heads, SHAPE.context)
    optimizer = torch.optim.AdamW(net.parameters(), 1e-3, (0.9, 0.99), weight_decay=0.1)
    stream, used, step = Windows(corpus.tokens("train"), SHAPE.context), 0.0, 0
    while used < seconds:
        start = time.perf_counter()
        for group in optimizer.param_groups:
            group["lr"] = 1e-4 + 9e-4 * min(1, (step + 1) / 50) * 0.5 * (1 + math.cos(math.pi * used / seconds))
        ids = torch.from_numpy(stream.batch(step, SHAPE.batch))
        loss = F.cross_entropy(net(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        used, step = used + time.perf_counter() - start, step + 1
    with torch.no_grad():
        return statistics.mean(float(F.cross_entropy(net(part[:, :-1]).flatten(0, 1), part[:, 1:].flatten()))
                               for part in torch.from_numpy(windows).split(1))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="20 titles, no training")
    parser.add_argument("--minutes", type=float, default=5.0)
    options = parser.parse_args()
    torch.set_num_threads(2)
    corpus, model = data(), OwnModel.open(own.find("poem-zh"))
    held = [json.loads(line) for line in (DATA / "heldout.jsonl").read_text("utf-8").splitlines()]
    titled = [poem for poem in held if poem["title"] and poem["form"] in FORMS][: 20 if options.quick else 500]
    start = time.perf_counter()
    ruled = [(write_poem(model, poem["title"], poem["form"], seed=seed)[0].body, poem["form"]) for seed, poem in enumerate(titled)]
    seconds = (time.perf_counter() - start) / len(titled)
    loose = [(free(model, poem["title"], poem["form"], seed), poem["form"]) for seed, poem in enumerate(titled)]
    real = [("\n".join(poem["text"].split("\n")[1:]), poem["form"]) for poem in titled]
    mine, bare, people = (kept(poems, corpus) for poems in (ruled, loose, real))
    goals = {"exact form": 0.99, "rhyme in one level group": 0.9, "lines within the tonal pattern": 0.85}
    rows = []
    for what, share in mine.items():
        goal = goals.get(what)
        met = share >= goal if goal else share <= 0.02
        rows.append(Row(f"{len(titled)} titles: {what}", "share", round(share, 4), round(bare[what], 4), "same model, no rules", None,
                        f">= {goal}" if goal else "<= 0.02", met))  # fmt: skip
        rows.append(Row(f"{len(titled)} titles: {what}", "share", round(share, 4), round(people[what], 4), "the held-out poems"))
    rows.append(Row("time for a poem (12 drafts)", "s", round(seconds, 2)))

    text = [poem["text"] for poem in held]
    ids = np.concatenate([[*corpus.tokenizer.encode(each), corpus.tokenizer.end] for each in text])
    characters = sum(map(len, text))
    bits = measure(model.runner, ids, corpus.tokenizer.end, characters=characters, size=1).per_character
    history = np.full(4, corpus.tokenizer.end)
    ngram = KneserNey(np.concatenate([history, np.asarray(corpus.tokens("train"), np.int64)]), corpus.tokenizer.size)
    kneser = float(ngram.bits(np.concatenate([history, ids])).sum()) / characters
    rows.append(Row(f"{len(text)} held-out poems", "bits/character", round(bits, 3), round(kneser, 3), "5-gram, modified Kneser–Ney",
                    round(kneser / bits, 2), "below the peer", bits < kneser))  # fmt: skip
    if not options.quick:
        windows = whole(ids, SHAPE.context)
        scale = len(ids) / characters / math.log(2)
        new = ours_from_nothing(corpus, options.minutes * 60, windows) * scale
        plain = plain_from_nothing(corpus, options.minutes * 60, windows) * scale
        rows.append(Row(f"the same after {options.minutes:g} minutes from nothing", "bits/character", round(new, 3), round(plain, 3),
                        "nanoGPT's blocks, same size", round(plain / new, 2), "below the peer", new < plain))  # fmt: skip
    report("text_poem", rows)


if __name__ == "__main__":
    main()
