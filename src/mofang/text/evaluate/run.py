"""One evaluation: how well a model foretells, how varied it writes, and how much of that stands in its works."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from mofang.models import own
from mofang.studio.errors import UserError
from mofang.studio.library import now
from mofang.studio.progress import Stages
from mofang.studio.recipe import Json
from mofang.text.corpus import Corpus
from mofang.text.evaluate import bits
from mofang.text.evaluate.canary import ALTERNATIVES, exposure, recall
from mofang.text.evaluate.copying import Copies, Copying, Index, Span, copying
from mofang.text.evaluate.diversity import diversity
from mofang.text.evaluate.fingerprint import Fingerprint
from mofang.text.evaluate.held import Held
from mofang.text.evaluate.nearest import nearest
from mofang.text.evaluate.samples import poems, samples, writes_poems
from mofang.text.evaluate.verdict import Verdict, difference, verdict
from mofang.text.evaluate.works import LEAST, Kind, corpus_of, index_of, kind_of, lang_of
from mofang.text.infer import Precision
from mofang.text.own import MOST, OwnModel
from mofang.text.sampling import Sampling
from mofang.text.tokenizer import UNK

STAGES = {"index": 2, "bits": 4, "samples": 4, "copies": 2}
PROBED = 100
"""Documents of each split whose endings are asked for."""


FLOOR = 400
"""Held-out texts that samples are held against: what real text copies is rare, and few texts would say never."""
LITTLE = 0.95
"""A model that needs more than this share of the bits that bare token frequencies (or chance) need has learned next to nothing."""
PRIVATE = ("model", "spans", "passages", "canary", "no_corpus", "not_written")
"""What an evaluation finds that does not go into the card."""


@dataclass(frozen=True)
class Plan:
    """What to measure. `samples` texts of at most `length` tokens with seeds from `seed` on; `least` letters make a copy
    (0: by the kind of text, see `works.LEAST`); `split` is test, val or train ("": test, else val); `window` and `stride`
    are in tokens (0: the model's context, side by side)."""

    samples: int = 50
    length: int = 256
    seed: int = 0
    sampling: Sampling = field(default_factory=Sampling)
    prompts: Sequence[str] = ()
    split: str = ""
    window: int = 0
    stride: int = 0
    least: int = 0
    canaries: Sequence[str] = ()
    alternatives: int = ALTERNATIVES
    precision: Precision = "float32"
    threads: int = 0


def evaluate(folder: Path, studio: Path, plan: Plan, corpus_folder: Path | None = None,
             on_event: Any = lambda event: None) -> dict[str, Json]:  # fmt: skip
    """Measure the model in `folder`, write the numbers into its card, and return all of it as JSON.

    Without a corpus (given, or named by the card) only what needs none is measured: diversity, canaries, and the lines that
    the fingerprint beside the weights knows. Raises `UserError`.
    """
    if not 1 <= plan.samples <= MOST:
        raise UserError(f"1 to {MOST} samples can be measured, not {plan.samples}")
    stages = Stages(STAGES, on_event)
    model = OwnModel.open(folder, plan.threads, plan.precision)
    corpus, why = _corpus(folder, corpus_folder)
    found: dict[str, Json] = {"model": model.name, "evaluated": now(), "samples": plan.samples, "seed": plan.seed,
                              "sampling": {"temperature": plan.sampling.temperature, "top_p": plan.sampling.top_p},
                              "length": plan.length}  # fmt: skip
    held: Held | None = None
    index: Index | None = None
    if corpus is None:
        found["no_corpus"] = why
    else:
        index = index_of(corpus, studio, stages.of("index"))
        held = Held(corpus, model, plan.split, plan.seed)
        found |= _bits(model, held, plan, stages.of("bits"))
        found["own_works"] = corpus.manifest["data_sha256"] == model.card.get("data_sha256")
    texts = _samples(model, held, plan, stages.of("samples"))
    kind: Kind = held.kind if held else kind_of(texts)
    found |= asdict(diversity(texts, lang_of(kind)))
    progress = stages.of("copies")
    copies: Copies | None = index or Fingerprint.open(folder)
    least = plan.least or (LEAST[kind] if index else 0)
    if copies is not None:
        found["copying"] = _copying(copies, texts, held, model, least, plan)
        found["copying"]["verdict"] = _final(found)
        progress(0.5, "copies")
    if index is not None and held is not None:
        found["nearest"] = _nearest(index, texts, held)
    if plan.canaries:
        found["canaries"] = [asdict(exposure(model, each, plan.alternatives, plan.seed)) for each in plan.canaries]
    progress(1.0, "copies")
    try:
        write(folder, found)
    except UserError as error:  # Models that came with the program may lie where nobody may write.
        found["not_written"] = str(error)
    return found | {"texts": texts}


def _final(found: dict[str, Json]) -> Verdict:
    """The verdict on copying, with what else is known: other works than its own acquit nobody, nor does noise."""
    said: Verdict = found["copying"]["verdict"]
    if said == "copied" or not found.get("own_works", False):
        return said if said == "copied" else "unknown"
    nothing = found["bits_per_byte"] > LITTLE * found["frequencies_bits_per_byte"]
    return "little" if said == "learned" and nothing else said


def write(folder: Path, found: dict[str, Json]) -> None:
    """Put the numbers into the card's `measured`; what training measured stays.

    A card goes wherever its model goes: passages of the works and the secrets of canaries do not.
    """
    card = own.read_card(folder)
    own.write_card(folder, {**card, "measured": {**card.get("measured", {}), **_numbers(found)}})


def _numbers(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _numbers(each) for key, each in value.items() if key not in PRIVATE}
    return [_numbers(each) for each in value] if isinstance(value, list) else value


def _corpus(folder: Path, given: Path | None) -> tuple[Corpus | None, str]:
    try:
        corpus = corpus_of(folder, given)
    except UserError as error:
        if given is not None:
            raise
        return None, str(error)
    if not corpus.manifest["splits"]["train"]["characters"]:
        raise UserError(f"{corpus.folder} has no text to train on; prepare a corpus with some")
    return corpus, ""


def _bits(model: OwnModel, held: Held, plan: Plan, progress: Any) -> dict[str, Json]:
    learned = model.card.get("recipe", {}).get("context")
    limit = model.runner.context
    window = plan.window or limit or (learned if isinstance(learned, int) and learned > 0 else bits.UNBOUNDED)
    if limit and window > limit:
        raise UserError(f"the model sees {limit} tokens, not {window}; take a window of at most that")
    if plan.stride > window:
        raise UserError(f"a stride of {plan.stride} would leave tokens out of windows of {window}; take at most that")
    counts = held.corpus.manifest["splits"][held.split]
    stream = held.stream()
    floor = min(bits.frequencies(held.stream("train", 1000), stream, model.runner.vocab), len(stream) * math.log(model.runner.vocab))
    found = bits.measure(model.runner, stream, model.tokenizer.end, characters=counts["characters"],
                         size=held.corpus.size_bytes(held.split), window=window, stride=plan.stride, progress=progress)  # fmt: skip
    return {"split": held.split, "bits_per_byte": found.per_byte, "bits_per_character": found.per_character,
            "frequencies_bits_per_byte": replace(found, nats=floor).per_byte, "perplexity": found.perplexity,
            "tokens": found.tokens, "bytes": found.size, "unknown": float(np.mean(stream == UNK)), "window": window,
            "stride": plan.stride or window, "precision": model.runner.precision}  # fmt: skip


def _samples(model: OwnModel, held: Held | None, plan: Plan, progress: Any) -> list[str]:
    if writes_poems(model):
        headings = list(plan.prompts) or (held.headings(plan.samples) if held else ["五绝|", "七绝|", "五律|", "七律|"])
        return poems(model, headings, plan.samples, plan.seed, progress)
    prompts = plan.prompts or (held.prompts(plan.samples) if held else [""])
    return samples(model, prompts, plan.samples, plan.length, plan.sampling, plan.seed, progress)


def _copying(copies: Copies, texts: Sequence[str], held: Held | None, model: OwnModel, least: int, plan: Plan) -> dict[str, Json]:
    ours = copying(copies, texts, least)
    found: dict[str, Json] = {"by": "index" if isinstance(copies, Index) else "fingerprint", **_shares(ours, texts)}
    floor: Copying | None = None
    by_heart = 0.0
    if held is not None and not held.seen:
        floor = copying(copies, held.same_lengths(list(texts) * max(1, FLOOR // len(texts))), least)
        found["floor"] = {"share": floor.share, "longest": floor.longest, "texts": len(floor.shares), "split": held.split}
        found["above_floor"] = list(difference(ours.shares, floor.shares, plan.seed))
        known = recall(model, held.probes(held.trained, PROBED))
        unknown = recall(model, held.probes(held.documents, PROBED))
        by_heart = known.exact - unknown.exact
        found["recall"] = {"train": asdict(known), "held_out": asdict(unknown)}
    found["verdict"] = verdict(ours.shares, floor.shares if floor else (), by_heart, plan.seed)
    return found


def _shares(found: Copying, texts: Sequence[str]) -> dict[str, Json]:
    return {"least": found.least, "share": found.share, "longest": found.longest,
            "texts_with_copies": sum(share > 0 for share in found.shares) / max(1, len(texts)),
            "spans": [_span(texts[number], number, span) for number, span in found.spans]}  # fmt: skip


def _span(text: str, number: int, span: Span) -> dict[str, Json]:
    return {"sample": number, "text": text[span.start : span.end], "letters": span.letters,
            "place": asdict(span.place) if span.place else None}  # fmt: skip


def _nearest(index: Index, texts: Sequence[str], held: Held) -> dict[str, Json]:
    ours = [nearest(index, text) for text in texts]
    found: dict[str, Json] = {"mean": float(np.mean([each.similarity if each else 0.0 for each in ours]))}
    if not held.seen:
        theirs = [nearest(index, text) for text in held.same_lengths(texts)]
        found["floor"] = float(np.mean([each.similarity if each else 0.0 for each in theirs]))
    order = sorted((at for at in range(len(ours)) if ours[at]), key=lambda at: -ours[at].similarity)  # type: ignore[union-attr]
    found["passages"] = [{"sample": at, "similarity": near.similarity, "document": near.place.document, "offset": near.place.offset,
                          "text": near.place.context} for at in order if (near := ours[at])]  # fmt: skip
    return found
