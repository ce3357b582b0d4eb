"""Scripts from a brief: plans, the checks on every sentence, and engines that are weak, stubborn or silly."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mofang.studio.errors import UserError
from mofang.text.check import fault
from mofang.text.engines.base import Completion, OnText, Prompt
from mofang.text.engines.gguf import GGUFEngine
from mofang.text.language import language_of
from mofang.text.plan import kind_of, plan, topic_of
from mofang.text.repeat import distinct, loops, repeated_sentences, repeats, similarity, stuck_ending
from mofang.text.script import title_of, write_script

GOOD = {
    "zh": ["河边的柳树刚刚发芽。", "他带着一壶热茶出门了。", "山路上下起了小雨。",
    "远处传来一阵钟声。", "老人把伞借给了他。", "桥头的灯亮了起来。",
           "他们坐在屋里听雨。", "第二天的阳光特别暖和。", "院子里开满了白色的花。", "孩子们追着风筝跑远了。"],
    "en": [" a boat came in from the open sea.", " nobody in the town had seen such a light.",
    " his hands were cold and the rope was wet.",
           " the old bell began to ring by itself.",
           " a girl brought him bread and hot soup.", " they pulled together until morning.",
           " every window on the hill was bright.",
           " gulls followed the boat along the coast.", " the wind turned and carried them home.",
           " rain washed the salt from the roof."],
}  # fmt: skip


class Fake:
    """An engine that says what it is told to say, in turn."""

    def __init__(self, say: Callable[[int], str], *, chats: bool = False, weak: bool = True) -> None:
        self.model, self.chats, self.weak, self.constrains = "fake-1m", chats, weak, False
        self.calls = 0
        self._say = say

    def generate(self, prompt: Prompt, *, max_tokens: int = 256, temperature: float = 0.8, top_p: float = 0.95,
                 seed: int = 0, stop: Sequence[str] = (), grammar: str | None = None,
                 on_text: OnText | None = None) -> Completion:  # fmt: skip
        self.calls += 1
        return Completion(self._say(self.calls - 1), 9, "stop", self.model)

    def close(self) -> None:
        """Nothing to free."""


@pytest.mark.parametrize(("brief", "lang", "kind", "topic"), [
    ("中秋节的由来", "zh", "origin", "中秋节"), ("小狐狸和月亮", "zh", "story", "小狐狸"),
    ("为什么天空是蓝色的", "zh", "explain", "天空"),
    ("如何泡一杯好茶", "zh", "howto", "泡一杯好茶"),
    ("老街的早晨", "zh", "portrait", "老街的早晨"), ("一只不会飞的小鸟", "zh", "story", "小鸟"),
    ("a lighthouse keeper's last night", "en", "story", "the lighthouse keeper"),
    ("why is the sky blue", "en", "explain", "the sky"),
    ("how to make a good cup of tea", "en", "howto", "make a good cup of tea"),
    ("the history of the bicycle", "en", "origin", "the bicycle"),
    ("winter in the mountains", "en", "portrait", "winter in the mountains"), ("why do stars shine", "en", "explain", "stars"),
])  # fmt: skip
def test_briefs_are_understood(brief: str, lang: str, kind: str, topic: str) -> None:
    assert (kind_of(brief, lang), topic_of(brief, lang, kind)) == (kind, topic)  # type: ignore[arg-type]


@given(st.text(min_size=1, max_size=60), st.sampled_from(["zh", "en"]), st.integers(3, 40), st.integers(0, 99))
def test_every_brief_has_a_plan(brief: str, lang: str, scenes: int, seed: int) -> None:
    made = plan(brief, lang, scenes, seed)  # type: ignore[arg-type]
    assert len(made.beats) == scenes and made == plan(brief, lang, scenes, seed)  # type: ignore[arg-type]


@pytest.mark.parametrize(("sentence", "lang", "wrong"), [
    ("小狐狸坐在山坡上看月亮。", "zh", ""), ("小狐狸坐在山坡上看着", "zh", "unfinished"),
    ("小狐狸坐在山坡上看见一个。", "zh", "unfinished"),
    ("很好。", "zh", "short"), ("小狐狸" * 30 + "。", "zh", "long"),
    ("1. 小狐狸坐在山坡上。", "zh", "markup"), ("The fox sat on a hill.", "zh", "language"),
    ("小狐狸坐在山坡上看見月亮。", "zh", "language"), ("蓝色的天空是蓝色的天空。", "zh", "garbled"),
    ("他慢慢慢慢慢慢地走过去了。", "zh", "garbled"),
    ("他说：“我们现在就走吧。", "zh", "unbalanced"),
    ("The fox sat on a hill.", "en", ""), ("The fox sat on the.", "en", "unfinished"),
    ("The fox sat on a hill", "en", "unfinished"), ("Yes we can.", "en", "short"), ("* The fox sat on a hill.", "en", "markup"),
    ("狐狸 sat on a hill in the sun.", "en", "language"), ("The fox the the fox sat on a hill.", "en", "garbled"),
])  # fmt: skip
def test_faults_of_sentences(sentence: str, lang: str, wrong: str) -> None:
    assert fault(sentence, lang) == wrong  # type: ignore[arg-type]


def test_repetition_is_found() -> None:
    assert repeats("小狐狸，坐在山坡上！", ["小狐狸坐在山坡上。"])
    assert repeats("The fox sat on the hill.", ["the fox sat on the hills!"])
    assert not repeats("小狐狸跑到湖边。", ["青蛙从荷叶上跳下来。"])
    assert fault("那只小狐狸坐在山坡上等待天亮。", "zh", ["夜里小狐狸坐在山坡上唱歌，大家都来听。"]) == "repeated"
    assert fault("The lighthouse keeper slept.",
           "en", ["The lighthouse keeper woke at dawn and went down."], topic="the lighthouse keeper") == ""
    assert loops("走啊走啊走啊走", "zh") and loops("so it goes so it goes on", "en")
    assert not loops("天天都慢慢地走", "zh") and not loops("It was a very very good day.", "en")
    assert stuck_ending("he went to the sea and she went home but he went to the sea", "en")
    assert similarity("一样的话。", "一样的话！") == 1.0 and similarity("", "") == 1.0
    assert distinct(["一二三", "一二三"], "zh") == 0.5 and repeated_sentences(["a b c", "d", "A b c!"]) == ["A b c!"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_looping_model_still_gives_no_repeated_sentence(lang: str) -> None:
    good = GOOD[lang]
    engine = Fake(lambda call: good[call // 9 % len(good)] if call % 3 else good[0])
    script = write_script("小狐狸和月亮" if lang == "zh" else "the fox and the moon", engine)
    assert len(script.passages) >= 3 and not repeated_sentences(script.passages)
    assert script.refused > 0 and "--text-engine" in script.notes[0] and script.model == "fake-1m"


@pytest.mark.parametrize("garbage", ["", "。", "{}" * 10, "好" * 500, "a b",
       "\ufffd\ufffd\ufffd", "he he he he he he he.", "fuck the fox on a hill."])
def test_a_model_that_writes_nothing_usable_is_named(garbage: str) -> None:
    engine = Fake(lambda call: garbage)
    with pytest.raises(UserError, match="fake-1m"):
        write_script("the fox and the moon", engine)
    assert engine.calls <= 8 * 18


def test_a_capable_model_is_asked_once_and_only_faults_again() -> None:
    lines = ["河边的柳树刚刚发芽，风也暖了。", "他带着一壶热茶，走上了山路。", "山路上下起了小雨。", "山路上下起了小雨。"]
    answer = "\n".join(f"{n}. {line}" for n, line in enumerate(lines, 1))
    engine = Fake(lambda call: f"好的，以下是解说词：\n\n{answer}" if not call else "老人在桥头点亮了一盏灯。", chats=True, weak=False)
    script = write_script("春天的山村", engine, scenes=4)
    assert script.passages == (*lines[:3], "老人在桥头点亮了一盏灯。") and not script.notes
    assert engine.calls <= 7


@pytest.mark.parametrize(("brief", "scenes"), [("", 8), ("🦊🌙", 8), ("x" * 401, 8), ("the fox", 2), ("the fox", 41)])
def test_briefs_that_are_none(brief: str, scenes: int) -> None:
    with pytest.raises(UserError):
        write_script(brief, Fake(lambda call: "x"), scenes=scenes)


def test_titles() -> None:
    assert title_of("a lighthouse keeper's last night", "en") == "A Lighthouse Keeper's Last Night"
    assert title_of("请帮我写一个关于月亮的故事。", "zh") == "月亮的故事"


@given(st.binary(max_size=300))
def test_any_bytes_are_no_model(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "x.gguf"
    path.write_bytes(b"GGUF" + data if data[:1] < b"\x80" else data)
    with pytest.raises(UserError):
        GGUFEngine(path)


@pytest.mark.models
@pytest.mark.parametrize("brief", ["小狐狸和月亮", "a lighthouse keeper's last night"])
def test_the_default_model_writes_a_script_and_the_same_one_again(brief: str) -> None:
    from mofang import models
    from mofang.text.engines.gguf import BILINGUAL, default_engine

    lang = language_of(brief)
    if lang == "zh" and not models.installed(BILINGUAL):
        pytest.skip(f"the licence of {BILINGUAL} is for a person to accept: mofang models pull {BILINGUAL}")
    scripts = []
    for _ in range(2):
        engine = default_engine(lang)
        scripts.append(write_script(brief, engine, scenes=3, seed=4))
        engine.close()
    assert scripts[0] == scripts[1] and len(scripts[0].passages) == 3
    assert not repeated_sentences(scripts[0].passages)


@pytest.mark.models
def test_the_default_model_streams_obeys_a_grammar_and_refuses_what_it_cannot() -> None:
    from mofang.text.engines.gguf import default_engine

    engine = default_engine()
    got: list[str] = []
    done = engine.generate("从前有一只小狐狸，", max_tokens=12, on_text=got.append)
    assert "".join(got) == done.text and done.tokens == 12 and done.finish == "length" and done.logprob is not None
    assert engine.generate("x", grammar='root ::= "yes" | "no"').text in ("yes", "no")
    assert engine.generate([{"role": "user", "content": "hi"}], max_tokens=4).tokens == 4
    with pytest.raises(UserError, match="too long"):
        engine.generate("word " * 5000)
    with pytest.raises(UserError, match="grammar"):
        engine.generate("x", grammar="root = x")
    with pytest.raises(KeyboardInterrupt):
        engine.generate("x", max_tokens=50, on_text=_interrupt)
    assert engine.generate("x", max_tokens=3).tokens == 3
    engine.close()


@pytest.mark.models
def test_a_cut_off_model_is_refused(tmp_path: Path) -> None:
    from mofang import models

    whole = models.ensure("smollm2-135m").file("model")
    with whole.open("rb") as file:
        (tmp_path / "cut.gguf").write_bytes(file.read(20_000_000))
    for path in (tmp_path / "cut.gguf", tmp_path / "none.gguf", tmp_path):
        with pytest.raises(UserError):
            GGUFEngine(path)


def _interrupt(text: str) -> None:
    raise KeyboardInterrupt
