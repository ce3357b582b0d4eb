"""A script from a one-line brief: code makes the plan, a model fills in one sentence a scene, and every sentence is checked."""

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from mofang.studio.errors import UserError
from mofang.studio.progress import Progress, silent
from mofang.text.check import fault
from mofang.text.engines.base import Completion, Message, TextEngine
from mofang.text.keywords import keywords
from mofang.text.language import Lang, language_of
from mofang.text.plan import Beat, Plan, plan
from mofang.text.repeat import repeats, similarity, units

MAX_BRIEF = 400
MAX_SCENES = 40
CANDIDATES = 6
"""Sentences drawn for a scene, of which the best is kept."""
ROUNDS = 3
"""How often a scene is drawn again, each time a little bolder, before it is left out."""
_TEMPERATURE = 0.5
_GRAMMAR = {
    # Loose on purpose: a tight limit cuts sentences short, so what the grammar lets through is checked for that.
    "zh": 'root ::= [\u4e00-\u9fa5，、]{4,44} [。！]',
    "en": 'root ::= " " word (sep word){3,30} [.!]\nword ::= [A-Za-z] [a-z\'-]{0,13}\nsep ::= " " | ", "',
}
_LEAD = {
    "zh": re.compile(r"^(?:请|帮我)*(?:写|讲|做|拍)(?:一[个篇段部]|个)?(?:关于)?(?=.{2})"),
    "en": re.compile(r"^(?:please )?(?:write|tell|make)(?: me)?(?: an?)?(?: short)? "
                     r"(?:story|film|video|script|tale)(?: about)? ", re.I),
}
_OWN = {"zh": 4, "en": 10}
"""Letters a sentence must have beyond its opener."""
_COLON = {"zh": "：", "en": ": "}


@dataclass(frozen=True)
class Script:
    """What a film says: one passage a scene. `notes` are lines to show the creator, `model` what wrote it, `kind` the
    plan it followed, `drawn` and `refused` how many sentences the model wrote and how many were turned down."""

    title: str
    lang: Lang
    passages: tuple[str, ...]
    notes: tuple[str, ...]
    model: str
    kind: str
    drawn: int = 0
    refused: int = 0


def write_script(brief: str, engine: TextEngine, *, lang: Lang | None = None, scenes: int = 8, seed: int = 0,
                 progress: Progress = silent) -> Script:  # fmt: skip
    """A script of `scenes` sentences (3 to `MAX_SCENES`) about `brief`, with none said twice; the same seed and model
    give the same script. Raises `UserError` for a brief without words or far too long, and if the model writes
    nothing that can be used.
    """
    brief = " ".join(brief.split())
    if not any(character.isalpha() for character in brief):
        raise UserError("the brief has no words; say in one line what the film is about")
    if len(brief) > MAX_BRIEF:
        raise UserError(f"the brief has {len(brief)} characters, at most {MAX_BRIEF} make a brief; save a longer text in a file")
    if not 3 <= scenes <= MAX_SCENES:
        raise UserError(f"a script has 3 to {MAX_SCENES} scenes, not {scenes}; choose a number between")
    language = lang or language_of(brief)
    writer = _Writer(plan(brief, language, scenes, seed), engine, seed)
    lines = writer.all_at_once() if engine.chats and not engine.weak else [""] * scenes
    for at, beat in enumerate(writer.plan.beats):
        progress(at / scenes, writer.plan.beats[at].label)
        if not lines[at]:
            lines[at] = writer.fill(beat, lines, at)
    progress(1.0, brief)
    passages = tuple(line for line in lines if line)
    if len(passages) < min(3, scenes):
        raise UserError(f"{engine.model} wrote nothing that could be used for this brief; choose a larger model with --text-engine")
    return Script(title_of(brief, language), language, passages, tuple(writer.notes(scenes - len(passages))), engine.model,
                  writer.plan.kind, writer.drawn, sum(writer.faults.values()))  # fmt: skip


def title_of(brief: str, lang: Lang) -> str:
    """The brief as a title: without “write a story about”, and with capitals in English."""
    limit = 24 if lang == "zh" else 80
    title = brief.strip(" 。.!！\"“”《》")
    title = _LEAD[lang].sub("", title)
    title = re.split(r"[，。,;；:：]", title)[0] if len(title) > limit else title
    small = {"a", "an", "the", "and", "or", "of", "in", "on", "at", "to", "by", "for", "with", "who", "that", "from", "not"}
    if lang == "en":
        words = title.split()
        title = " ".join(word if at and word in small else word[:1].upper() + word[1:] for at, word in enumerate(words))
    return title[:limit].rstrip()


class _Writer:
    """Draws sentences from one engine for one plan, and remembers what was turned down and why."""

    def __init__(self, scenes: Plan, engine: TextEngine, seed: int) -> None:
        self.plan = scenes
        self.engine = engine
        self.drawn = 0
        self.faults: Counter[str] = Counter()
        self._seed = seed
        self._words = keywords(scenes.brief, scenes.lang, 6)
        self._copied = [line for _, lines in scenes.examples for line in lines] if not engine.chats or engine.weak else []
        self._borrowed = {pair for line in self._copied for pair in pairwise(units(line, scenes.lang))}
        self._simplified = _is_simplified(scenes.brief)

    def fill(self, beat: Beat, lines: Sequence[str], at: int) -> str:
        """The best of several sentences for the scene `at`, or nothing if every one has a fault."""
        earlier = [line for line in lines if line]
        for round_ in range(ROUNDS):
            candidates: list[tuple[float, str]] = []
            for try_ in range(CANDIDATES):
                seed = random.Random(f"{self._seed} {at} {round_} {try_}").getrandbits(31)
                written = self._draw(beat, lines, at, seed, _TEMPERATURE + 0.2 * round_)
                sentence = _tidy(written.text if self._answers else beat.opener + written.text, self.plan.lang)
                if self._says_something(written.text, lines) and self._accept(sentence, earlier):
                    candidates.append((self._score(sentence, beat, earlier, written.logprob), sentence))
            if candidates:
                return max(candidates)[1]
        return ""

    def all_at_once(self) -> list[str]:
        """Every scene in one answer, from a model that follows instructions; faulty lines come back empty."""
        count = len(self.plan.beats)
        answer = self.engine.generate(self._request(), max_tokens=80 * count + 200, temperature=0.7, seed=self._seed)
        found = [_tidy(re.sub(r"^\W*\d+\W+", "", line), self.plan.lang) for line in answer.text.splitlines() if line.strip()]
        numbered = [_tidy(match[1], self.plan.lang) for line in answer.text.splitlines()
                    if (match := re.match(r"\W*\d+\s*[.)、：:．]\s*(.+)", line))]  # fmt: skip
        kept: list[str] = []
        for line in (numbered if len(numbered) >= count else found)[:count]:
            kept.append(line if self._accept(line, kept) else "")
        return kept + [""] * (count - len(kept))

    def notes(self, missing: int) -> list[str]:
        """What the creator should know about this script."""
        said = []
        model, zh = self.engine.model, self.plan.lang == "zh"
        if self.engine.weak:
            said.append(f"{model} 是很小的模型，只能写出很简单的句子；用 --text-engine 指定更大的 GGUF 模型或 API 会好得多" if zh else
                        f"{model} is a very small model; point --text-engine at a larger GGUF or an API for better scripts")
            if self.plan.kind in ("explain", "origin", "howto"):
                said.append("小模型不懂事实，请逐句核对这份脚本再发布" if zh else
                            "a small model knows few facts: check every sentence of this script before you publish it")
        if missing:
            said.append(f"有 {missing} 个场景没有写出合格的句子，已省去" if zh else
                        f"{missing} scene(s) were left out because no good sentence came")
        return said

    @property
    def _answers(self) -> bool:
        return self.engine.chats and not self.engine.weak

    def _draw(self, beat: Beat, lines: Sequence[str], at: int, seed: int, temperature: float) -> Completion:
        self.drawn += 1
        lang = self.plan.lang
        grammar = _GRAMMAR[lang] if self.engine.constrains else None
        if self._answers:
            return self.engine.generate(self._request_one(lines, at), max_tokens=120, temperature=temperature + 0.3, seed=seed)
        return self.engine.generate(self._text_so_far(lines, at) + beat.label + _COLON[lang] + beat.opener, max_tokens=56,
                                    temperature=temperature, top_p=0.9, seed=seed, stop=("\n",), grammar=grammar)  # fmt: skip

    def _text_so_far(self, lines: Sequence[str], at: int) -> str:
        colon = _COLON[self.plan.lang]
        parts = [f"《{brief}》\n" + "".join(f"{label}{colon}{line}\n" for label, line in zip(self.plan.labels, said, strict=False))
                 for brief, said in self.plan.examples]  # fmt: skip
        own = "".join(f"{beat.label}{colon}{line}\n" for beat, line in zip(self.plan.beats[:at], lines, strict=False) if line)
        return "\n".join([*parts, f"《{self.plan.brief}》\n{own}"])

    def _request(self) -> list[Message]:
        count, beats = len(self.plan.beats), "; ".join(beat.label for beat in self.plan.beats)
        if self.plan.lang == "zh":
            system = "你为有旁白的短片写解说词。语言自然、具体、有画面感，事实准确。"
            user = (f"题目：{self.plan.brief}\n写 {count} 句解说词，每句一行，编号 1 到 {count}，"
                    "每句 15 到 40 个字，每句讲一个看得见的画面。"
                    f"依次是：{beats}。不要写这些标签，不要重复，不要写别的话。")  # fmt: skip
        else:
            system = "You write narration for short films: natural, concrete, easy to picture, and true."
            user = (f"Brief: {self.plan.brief}\nWrite {count} sentences of narration, one a line, numbered 1 to {count}, "
                    "10 to 25 words each, each about one thing that can be seen. "
                    f"In this order: {beats}. Do not write these labels, repeat nothing, add nothing else.")  # fmt: skip
        return [{"role": "system", "content": system}, {"role": "user", "content": user}]

    def _request_one(self, lines: Sequence[str], at: int) -> list[Message]:
        said = "\n".join(f"{n}. {line}" for n, line in enumerate(lines, 1) if line)
        label = self.plan.beats[at].label
        ask = (f"现有：\n{said}\n请只写第 {at + 1} 句（{label}），一句完整的话，与上面的都不同。" if self.plan.lang == "zh" else
               f"So far:\n{said}\nWrite only sentence {at + 1} ({label}): one whole sentence, unlike any above.")
        first = self._request()
        return [first[0], {"role": "user", "content": first[1]["content"] + "\n" + ask}]

    def _says_something(self, own: str, lines: Sequence[str]) -> bool:
        """Whether what follows the opener is more than a crumb, and not an earlier scene's words with one exchanged."""
        said = [line.removeprefix(beat.opener) for beat, line in zip(self.plan.beats, lines, strict=False) if line]
        fresh = sum(map(str.isalnum, own)) >= _OWN[self.plan.lang] and not repeats(own, said, near=0.5)
        self.faults["stale"] += not fresh
        return fresh

    def _accept(self, sentence: str, earlier: Sequence[str]) -> bool:
        wrong = fault(sentence, self.plan.lang, earlier, self._copied, topic=self.plan.topic, simplified=self._simplified)
        if wrong:
            self.faults[wrong] += 1
        return not wrong

    def _score(self, sentence: str, beat: Beat, earlier: Sequence[str], logprob: float | None) -> float:
        """The model's own likelihood, plus what is new of the brief, minus what was heard before or belongs to an example."""
        lang = self.plan.lang
        written = sentence[len(beat.opener) :]
        before = " ".join(earlier[-2:]).lower()
        about = sum(word.lower() in written.lower() and word.lower() not in before for word in self._words)
        heard = max((similarity(sentence, line) for line in earlier), default=0.0)
        pairs = set(pairwise(units(written.replace(self.plan.topic, ""), lang)))
        borrowed = len(pairs & self._borrowed) / max(1, len(pairs))
        words = [word for word in units(written, lang) if len(word) > 3] if lang == "en" else list(pairwise(units(written, lang)))
        again = 1 - len(set(words)) / max(1, len(words))
        length = len(written) if lang == "zh" else len(written.split()) * 2.2
        thin = max(0.0, 9 - length) * 0.15
        return (logprob or 0.0) + 0.5 * min(about, 2) - 3.0 * heard - 2.0 * borrowed - 3.0 * again - thin


def _tidy(text: str, lang: Lang) -> str:
    text = " ".join(text.split()).strip(" *_#\"")
    if lang == "zh":
        text = re.sub(r"(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])", "", text)
    return text


def _is_simplified(brief: str) -> bool:
    try:
        brief.encode("gb2312", "strict")
    except UnicodeEncodeError:
        # An emoji says nothing; a traditional character does.
        return not any("\u4e00" <= character <= "\u9fff" and not _in_gb2312(character) for character in brief)
    return True


def _in_gb2312(character: str) -> bool:
    try:
        return bool(character.encode("gb2312"))
    except UnicodeEncodeError:
        return False
