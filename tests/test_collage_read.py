"""Reading a passage into a scene: who, what, where, when, and what is not there."""

import re
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mofang.image.engines.collage import scene as contract
from mofang.image.engines.collage.data.build import kind
from mofang.image.engines.collage.glyphs import DRAWABLE, glyphs, of_emoji
from mofang.image.engines.collage.lexicon import lexicon
from mofang.image.engines.collage.read import explain, read, read_closely, read_story
from mofang.image.engines.collage.read_english import lemma
from mofang.image.engines.collage.scene import Scene


def drawn(scene: Scene) -> str:
    return " ".join(glyphs()[subject.glyph].emoji for subject in scene.subjects)


def code(emoji: str) -> str:
    glyph = of_emoji(emoji)
    assert glyph is not None, emoji
    return glyph.hexcode


def count(scene: Scene, emoji: str) -> int:
    return next((subject.count for subject in scene.subjects if subject.glyph == code(emoji)), 0)


def has(scene: Scene, emoji: str) -> bool:
    return count(scene, emoji) > 0


def sound(scene: Scene) -> None:
    """The contract with the painter, whatever was read."""
    for value, values in ((scene.place, contract.Place), (scene.time, contract.Time), (scene.weather, contract.Weather),
                          (scene.mood, contract.Mood)):
        assert value in get_args(values)
    assert scene.season is None or scene.season in get_args(contract.Season)
    assert 1 <= len(scene.subjects) <= 6
    assert len({subject.glyph for subject in scene.subjects}) == len(scene.subjects)
    assert sum(subject.role == "hero" for subject in scene.subjects) <= 1
    assert all(subject.role != "hero" for subject in scene.subjects[1:])
    for subject in scene.subjects:
        assert 1 <= subject.count <= 9 and subject.word and subject.glyph in glyphs()
        assert glyphs()[subject.glyph].kind != "view"


def test_every_cue_and_glyph_of_the_lexicon_is_one_the_painter_knows() -> None:
    allowed = {"place": get_args(contract.Place), "time": get_args(contract.Time), "season": get_args(contract.Season),
               "weather": get_args(contract.Weather), "mood": get_args(contract.Mood)}
    for lang in ("zh", "en"):
        known = lexicon(lang)
        senses = [sense.entry for several in known.senses.values() for sense in several]
        for entry in [*known.entries.values(), *known.classical.values(), *senses]:
            assert all(cue.value in allowed[cue.about] for cue in entry.cues), entry
            assert all(glyphs()[hexcode].kind in DRAWABLE | {"symbol", "flag", "body"} for hexcode in entry.draw + entry.filler)


@pytest.mark.parametrize(("passage", "lang", "yes", "no"), [
    ("和服务员说了一声谢谢。", "zh", "", "👘"),
    ("苹果公司的股价大涨。", "zh", "📱", "🍎"),
    ("她削了一个苹果。", "zh", "🍎", "📱"),
    ("他今天马上就到。", "zh", "", "🐎☀️"),
    ("今年三月，经济增长很快。", "zh", "📈", "🌕"),
    ("这件事花了我三个小时。", "zh", "", "🌼🌸"),
    ("牛市来了。", "zh", "📈", "🐂"),
    ("院子里没有狗，只有一只猫。", "zh", "🐈", "🐕"),
    ("他像老虎一样勇猛，孩子们都喜欢他。", "zh", "👧", "🐅"),
    ("He was as brave as a lion, and the children loved him.", "en", "👧", "🦁"),
    ("There are no dogs here, only a cat.", "en", "🐈", "🐕"),
    ("The bat flew out of the cave.", "en", "🦇", "⚾"),
    ("He hit the ball with his bat.", "en", "⚾", "🦇"),
    ("She feels well and will watch the show.", "en", "", "⌚🪣"),
    ("The price rose and profits fell.", "en", "", "🌹🍁"),
    ("She gave her mother a rose.", "en", "🌹👩", ""),
    ("Wild bears can fish.", "en", "🐻", ""),
    ("I cannot bear the noise.", "en", "", "🐻"),
    ("She wept by the window.", "en", "👩🪟", "👧"),
    ("New running shoes for spring", "en", "👟", "🏃"),
    ("A dragon lay guarding its gold.", "en", "🐉", "💂"),
    ("青蛙从荷叶上跳下来。", "zh", "🐸🪷", ""),
    ("她像一朵云那样轻。", "zh", "👩", "☁"),
])
def test_words_mean_what_they_mean_here(passage: str, lang: str, yes: str, no: str) -> None:
    scene = read(passage, lang)  # type: ignore[arg-type]
    sound(scene)
    for emoji in re.findall(r".\ufe0f?", yes):
        assert has(scene, emoji), (emoji, drawn(scene))
    for emoji in re.findall(r".\ufe0f?", no):
        assert not has(scene, emoji), (emoji, drawn(scene))


@pytest.mark.parametrize(("passage", "lang", "emoji", "number"), [
    ("三只小猫在睡觉。", "zh", "🐈", 3), ("一群大雁飞过。", "zh", "🪿", 5), ("两头牛在吃草。", "zh", "🐂", 2),
    ("一只小鸟", "zh", "🐦", 1), ("十二只羊", "zh", "🐑", 9), ("Three little kittens lost their mittens.", "en", "🐈", 3),
    ("A flock of geese flew by.", "en", "🪿", 5), ("A pair of swans", "en", "🦢", 2), ("100 sheep", "en", "🐑", 9),
    ("五岁的小女孩在跳绳。", "zh", "👧", 1)])
def test_number_words(passage: str, lang: str, emoji: str, number: int) -> None:
    assert count(read(passage, lang), emoji) == number  # type: ignore[arg-type]


def test_a_story_keeps_its_hero_place_and_hour_until_the_words_change_them() -> None:
    scenes = read_story(["冬天的晚上，小狐狸阿布走进竹林。", "它看见一盏灯笼。", "第二天早上，阿布来到海边。"], "zh")
    assert [scene.subjects[0].glyph for scene in scenes] == [code("🦊")] * 3
    assert [scene.place for scene in scenes] == ["bamboo", "bamboo", "beach"]
    assert [scene.time for scene in scenes] == ["night", "night", "dawn"]
    assert {scene.season for scene in scenes} == {"winter"}


def test_english_names_and_pronouns() -> None:
    scenes = read_story(["A fox named Rusty met a girl.", "She gave him a scarf.", "Rusty ran home."], "en")
    assert scenes[1].subjects[0].glyph == code("👧")
    assert has(scenes[1], "🧣")
    assert scenes[2].subjects[0].glyph == code("🦊")


def test_context_is_the_text_before() -> None:
    assert has(read("它睡着了。", "zh", context="森林里住着一只小熊。"), "🐻")
    assert read("它睡着了。", "zh", context="下雪了。\n小熊走进森林。").season == "winter"


def test_verse() -> None:
    snow = read("千山鸟飞绝，万径人踪灭。孤舟蓑笠翁，独钓寒江雪。", "zh")
    assert (snow.place, snow.season, snow.weather) == ("river", "winter", "snow")
    assert has(snow, "🚣") and not has(snow, "🐦")
    moon = read("床前明月光，\n疑是地上霜。", "zh")
    assert (moon.place, moon.time) == ("bedroom", "night") and has(moon, "🌕")


def test_festivals() -> None:
    scene = read("中秋节到了。", "zh")
    assert (scene.time, scene.season, scene.mood) == ("night", "autumn", "festive")
    assert has(scene, "🥮") and has(scene, "🏮") and has(scene, "🌕")
    assert has(read("It was Christmas Eve.", "en"), "🎄")


def test_emoji_in_the_text_are_the_plainest_wish() -> None:
    assert has(read("🐼🎋", "zh"), "🐼")
    assert has(read("👨‍🌾 wakes up", "en"), "👨‍🌾")


def test_explaining_says_which_word_called_what() -> None:
    reading = read_closely(["没有狗，小猫在睡觉。"], "zh")[0]
    assert any(line.startswith("狗") and "denied" in line for line in reading.because)
    assert "小猫 → 🐈" in explain(reading.scene, "zh").replace("\ufe0f", "")


@pytest.mark.parametrize(("word", "base"), [
    ("foxes", "fox"), ("wolves", "wolf"), ("running", "run"), ("baked", "bake"), ("children", "child"),
    ("walked", "walk"), ("berries", "berry"), ("mice", "mouse"), ("glass", "glass"), ("swimming", "swim")])
def test_lemmas(word: str, base: str) -> None:
    assert lemma(word) == base


@pytest.mark.parametrize("passage", [
    "", " ", "。。。", "\ud800", "\u202eمرحبا بالعالم", "שלום", "a" * 10_000, "月" * 3_000, "😀", "\x00\x07", "🏳️‍🌈" * 9, "1234567890",
    "’'’", "像", "没有", "as", "like", "the", "三"])
def test_anything_at_all_is_a_scene(passage: str) -> None:
    for lang in ("zh", "en"):
        sound(read(passage, lang))  # type: ignore[arg-type]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(max_size=80) | st.text("月日花鸟没有不像一二三只它他小狐狸叫的，。the fox's bear 3", max_size=60), max_size=4),
       st.sampled_from(["zh", "en"]))
def test_any_story_is_read_and_read_the_same_again(passages: list[str], lang: str) -> None:
    scenes = read_story(passages, lang)  # type: ignore[arg-type]
    for scene in scenes:
        sound(scene)
        explain(scene, "zh")
    assert scenes == read_story(passages, lang)  # type: ignore[arg-type]


def test_framed_pictures_and_clock_faces_are_no_stickers() -> None:
    assert kind({"emoji": "🌃", "label": "night with stars"}, "place-other") == "view"
    assert kind({"emoji": "🕐", "label": "one o’clock"}, "time") == "skip"
