"""Reading: from a passage, Chinese or English, to the scene it asks for.

    scenes = read_story(["小狐狸在雪地里走。", "夜深了，它看见一盏灯笼。"], "zh")
    print(explain(scenes[0]))

Every subject of a scene can name the word that called it: nothing is drawn because of a word's neighbours in some
embedding. See `lexicon.py` for how words are known, `read_grammar.py` for who acts, what is denied, how many.
"""

from dataclasses import dataclass, field
from typing import Literal, cast

from mofang.image.engines.collage.glyphs import ACTIVITIES, ALIVE, DRAWABLE, glyphs
from mofang.image.engines.collage.lexicon import Entry
from mofang.image.engines.collage.read_cast import Cast
from mofang.image.engines.collage.read_find import TRUST, Mention, mentions
from mofang.image.engines.collage.read_grammar import LEFT_BEHIND, weighed
from mofang.image.engines.collage.read_setting import Votes, usual_place, voted
from mofang.image.engines.collage.read_words import Clause, clauses, clean
from mofang.image.engines.collage.scene import Mood, Place, Role, Scene, Season, Subject, Time, Weather

Lang = Literal["zh", "en"]
MOST_SUBJECTS = 6
THRESHOLD = 0.6
"""Scores below it are drawn only when there is nothing better."""
_BASE = {"person": 2.0, "animal": 2.0, "vehicle": 1.4, "aircraft": 1.4, "food": 1.3, "thing": 1.3, "building": 1.2,
         "plant": 1.2, "sky": 1.1, "land": 0.9, "symbol": 1.0, "flag": 1.0}
_MOODY = {"joyful": "1F388", "festive": "1F3EE", "warm": "1F56F", "sad": "1F343", "tense": "26C8", "mysterious": "2728",
          "lonely": "1F343", "calm": "1F331"}
_SUN, _NIGHT_SKY = {"2600"}, {"1F315", "1F319", "2B50"}


@dataclass
class Memory:
    """What a story carries from passage to passage until its words change it."""

    cast: Cast = field(default_factory=Cast)
    place: str | None = None
    time: str | None = None
    season: str | None = None
    weather: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A scene, and why: `because` has a line per thing the words decided, in the order they were said."""

    scene: Scene
    because: tuple[str, ...]


def read(passage: str, lang: Lang, *, context: str = "", seed: int = 0) -> Scene:
    """The scene of one passage. `context` is the text before it: pronouns, place and time carry over from there.

    Reading is deterministic; `seed` is accepted so that every stage of a film is called alike.
    """
    memory = Memory()
    for before in filter(str.strip, context[-4000:].splitlines()):
        _step(before, lang, memory)
    return _step(passage, lang, memory).scene


def read_story(passages: list[str], lang: Lang) -> list[Scene]:
    """The scenes of a story's passages in order; hero, place, hour and season hold until the words change them."""
    return [reading.scene for reading in read_closely(passages, lang)]


def read_closely(passages: list[str], lang: Lang) -> list[Reading]:
    """As `read_story`, each scene with its reasons."""
    memory = Memory()
    return [_step(passage, lang, memory) for passage in passages]


def explain(scene: Scene, lang: Lang = "en") -> str:
    """One line per subject: the word, the glyph it called, how many and where; and the setting first."""
    setting = " · ".join(filter(None, [scene.place, scene.time, scene.season, scene.weather, scene.mood]))
    lines = [setting]
    for subject in scene.subjects:
        glyph = glyphs()[subject.glyph]
        number = f" ×{subject.count}" if subject.count > 1 else ""
        lines.append(f"{subject.word} → {glyph.emoji} {glyph.label(lang)}{number} ({subject.role})")
    return "\n".join(lines)


def _step(passage: str, lang: Lang, memory: Memory) -> Reading:
    parts = clauses(clean(passage), lang)
    around = frozenset(text for part in parts for word in part.words for text in (word.lemma, word.text.lower()))
    found = [mention for number, part in enumerate(parts) for mention in mentions(part, number, around, lang)]
    memory.cast.christen(parts, found, lang)
    found += memory.cast.named(parts)
    found = [weighed(mention, parts[mention.clause], lang) for mention in found]
    found += _meant(parts, found, memory)
    found.sort(key=lambda mention: (mention.clause, mention.start))
    votes = voted(found)
    ranked = _ranked(found, votes, memory, lang)
    scene = _scene(ranked, votes, memory, any(part.classical for part in parts))
    _remember(scene, ranked, votes, memory)
    return Reading(scene, tuple(_reasons(found)))


def _meant(parts: list[Clause], found: list[Mention], memory: Memory) -> list[Mention]:
    """Whom the passage's pronouns mean, when that someone is not in the passage by name."""
    if any(mention.agent for mention in found):
        first = min((mention.clause, mention.start) for mention in found if mention.agent)
    else:
        first = (len(parts), 0)
    for number, part in enumerate(parts):
        weathery = any(cue.about in {"weather", "time", "season"} for mention in found if mention.clause == number
                       for cue in mention.entry.cues)
        for index, word in enumerate(part.words):
            if (number, index) > first:
                return []
            following = part.words[index + 1] if index + 1 < len(part.words) else None
            if pair := memory.cast.meant(word, following, weathery):
                return [Mention(pair[1], Entry((pair[0],), (), ()), "pronoun", number, index, index + 1, agent=True)]
    if memory.cast.known and parts and parts[0].words and first == (len(parts), 0) and parts[0].words[0].tag == "v":
        hexcode, word_before = memory.cast.known[0]  # 走进森林: Chinese leaves out the subject it has just named
        return [Mention(word_before, Entry((hexcode,), (), ()), "pronoun", 0, 0, 0, agent=True)]
    return []


def _ranked(found: list[Mention], votes: Votes, memory: Memory, lang: Lang) -> list[Subject]:
    """Subjects, most important first, not yet with their final roles."""
    scores: dict[str, float] = {}
    words: dict[str, str] = {}
    counts: dict[str, int] = {}
    total = max(len(found), 1)
    for order, mention in enumerate(found):
        for rank, hexcode in enumerate(mention.entry.draw):
            glyph = glyphs()[hexcode]
            if mention.weight == 0 or glyph.kind == "view":
                continue
            leading = bool(memory.cast.known) and memory.cast.known[0][0] == hexcode
            score = _BASE.get(glyph.kind, 1.0) * TRUST[mention.source] - 0.15 * rank + 0.3 * (1 - order / total)
            score += (1.0 if mention.agent else 0.0) + (0.6 if leading else 0.0)
            score *= 1.0 if mention.weight == LEFT_BEHIND else min(mention.weight, 1.0)  # what one leaves is still in sight
            scores[hexcode] = max(scores.get(hexcode, 0.0), score) + (0.25 if hexcode in scores else 0.0)
            words.setdefault(hexcode, mention.word)
            counts[hexcode] = max(counts.get(hexcode, 1), _number(mention) if rank == 0 else 1)
    actors = {code for mention in found if mention.agent for code in mention.entry.draw if not _activity(code)}
    scores = {code: score for code, score in scores.items() if not (actors and _activity(code) and code not in actors)}
    time = votes.winner("time", memory.time, 0.5)
    clash = _SUN if time == "night" else _NIGHT_SKY if time == "day" else set()
    if votes.winner("place", memory.place, 0.6) == "space":
        clash = set()
    sure = [code for code in sorted(scores, key=lambda code: -scores[code]) if scores[code] >= THRESHOLD and code not in clash]
    if not any(glyphs()[code].kind != "sky" for code in sure):
        sure += [code for mention in found if mention.weight > 0.5 for code in mention.entry.filler
                 if not (code in clash or words.setdefault(code, mention.word) is None)][:2]
    sure = list(dict.fromkeys(sure)) or sorted(scores, key=lambda code: -scores[code])[:1]
    if "1F315" in sure and "1F319" in sure:
        sure.remove("1F319")
    if not sure:
        if memory.cast.known:
            sure, words[memory.cast.known[0][0]] = [memory.cast.known[0][0]], memory.cast.known[0][1]
        else:
            mood = votes.winner("mood") or "calm"
            sure, words[_MOODY[mood]] = [_MOODY[mood]], mood
    return [Subject(code, words[code], _count(code, counts.get(code, 1)), "prop")
            for code in sure[:MOST_SUBJECTS]]


def _number(mention: Mention) -> int:
    """How many of its first glyph; 孩子们 are a girl and a boy already."""
    return 1 if len(mention.entry.draw) > 1 and mention.count <= 3 else mention.count


def _activity(hexcode: str) -> bool:
    """Whether the glyph is somebody doing something: beside an actor it would be a second person."""
    return glyphs()[hexcode].subgroup in ACTIVITIES


def _count(hexcode: str, count: int) -> int:
    """One of what stands for an idea or fills the sky; many stars, herds and apples as said."""
    glyph = glyphs()[hexcode]
    alone = glyph.subgroup in {"office", "money", "computer", "science", "medical", "phone", "place-building"}
    return 1 if alone or (glyph.kind in {"sky", "symbol"} and hexcode != "2B50") else count


def _scene(ranked: list[Subject], votes: Votes, memory: Memory, verse: bool) -> Scene:
    codes = tuple(subject.glyph for subject in ranked)
    place = votes.winner("place", memory.place, 0.6) or usual_place(codes, verse)
    time = votes.winner("time", memory.time, 0.5) or "day"
    season = votes.winner("season", memory.season, 0.95)
    still = votes.winner("time") in {None, memory.time}
    weather = votes.winner("weather", memory.weather if still else None, 0.4) or "clear"
    mood = votes.winner("mood") or ("tense" if weather == "storm" else "calm")
    hero = next((code for code in codes if glyphs()[code].kind in ALIVE), None) or next(
        (code for code in codes if glyphs()[code].kind in DRAWABLE - {"sky"}), None)
    subjects = tuple(Subject(subject.glyph, subject.word, subject.count, _role(subject.glyph, hero)) for subject in ranked)
    subjects = tuple(sorted(subjects, key=lambda subject: subject.role != "hero"))
    return Scene(cast(Place, place), cast(Time, time), cast("Season | None", season), cast(Weather, weather),
                 cast(Mood, mood), subjects)


def _role(hexcode: str, hero: str | None) -> Role:
    return "hero" if hexcode == hero else glyphs()[hexcode].role()


def _remember(scene: Scene, ranked: list[Subject], votes: Votes, memory: Memory) -> None:
    for subject in scene.subjects:
        memory.cast.meet(subject.glyph, subject.word, subject.role == "hero")
    memory.place = votes.winner("place", memory.place, 0.6)
    memory.time = votes.winner("time", memory.time, 0.5)
    memory.season = votes.winner("season", memory.season, 0.95)
    memory.weather = scene.weather if scene.weather != "clear" else None


def _reasons(found: list[Mention]) -> list[str]:
    lines = []
    for mention in found:
        what = "".join(glyphs()[code].emoji for code in mention.entry.draw) or "·"
        cues = " ".join(f"{cue.about}:{cue.value}" for cue in mention.entry.cues)
        how = {0.0: "denied", 0.2: "only compared"}.get(mention.weight, "acts" if mention.agent else "")
        lines.append(" ".join(filter(None, [mention.word, "→", what, cues, f"[{mention.source}]", how])))
    return lines
