"""The voices that can be chosen, by name."""

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

from mofang.sound.engines.base import VoiceEngine
from mofang.studio.errors import UserError

Lang = Literal["zh", "en"]

# Name, gender, and what it sounds like in Chinese and in English; the order is the one to try them in. The grades are
# those of hexgrad/Kokoro-82M's VOICES.md (as kokoro-js 1.2.1 carries them); Mandarin voices are all graded D there.
_MANDARIN = """
zf_xiaobei female 晓北：明快的女声，咬字清楚，适合讲述 | Xiaobei: bright woman with clear words, for narration
zf_xiaoxiao female 晓晓：亲切的年轻女声，声调分明 | Xiaoxiao: warm young woman, distinct tones
zf_xiaoni female 晓妮：柔和的女声 | Xiaoni: soft-spoken woman
zf_xiaoyi female 晓伊：活泼的女声 | Xiaoyi: lively young woman
zm_yunxi male 云希：清亮的年轻男声，适合故事 | Yunxi: clear young man, for stories
zm_yunjian male 云健：有力的男声，适合解说 | Yunjian: firm man, for commentary
zm_yunxia male 云夏：少年的声音 | Yunxia: boyish voice
zm_yunyang male 云扬：沉稳的男声，适合新闻 | Yunyang: steady man, for news
"""
_SMALL = "hibari female 美式女声，Heart 的小模型，速度极快 | American woman, a small and very fast copy of Heart"
_ENGLISH = """
af_heart female 美式女声，温暖自然，英文首选（A） | American woman, warm and natural, the first choice (A)
af_bella female 美式女声，热情有表现力（A-） | American woman, expressive (A-)
af_nicole female 美式女声，耳语般轻柔（B-） | American woman, close to a whisper (B-)
af_aoede female 美式女声，平稳（C+） | American woman, even (C+)
af_kore female 美式女声，干脆（C+） | American woman, crisp (C+)
af_sarah female 美式女声，沉着（C+） | American woman, composed (C+)
af_alloy female 美式女声（C） | American woman (C)
af_nova female 美式女声（C） | American woman (C)
af_sky female 美式女声（C-） | American woman (C-)
af_jessica female 美式女声（D） | American woman (D)
af_river female 美式女声（D） | American woman (D)
am_michael male 美式男声，稳重，男声首选（C+） | American man, steady, the first choice of men (C+)
am_fenrir male 美式男声，有力（C+） | American man, strong (C+)
am_puck male 美式男声，轻快（C+） | American man, light (C+)
am_echo male 美式男声（D） | American man (D)
am_eric male 美式男声（D） | American man (D)
am_liam male 美式男声（D） | American man (D)
am_onyx male 美式男声，低沉（D） | American man, deep (D)
am_santa male 美式男声，圣诞老人（D-） | American man, Santa Claus (D-)
am_adam male 美式男声（F+） | American man (F+)
bf_emma female 英式女声，英音首选（B-） | British woman, the first choice of British voices (B-)
bf_isabella female 英式女声（C） | British woman (C)
bf_alice female 英式女声（D） | British woman (D)
bf_lily female 英式女声（D） | British woman (D)
bm_fable male 英式男声，讲故事（C） | British man, a storyteller (C)
bm_george male 英式男声（C） | British man (C)
bm_lewis male 英式男声（D+） | British man (D+)
bm_daniel male 英式男声（D） | British man (D)
"""


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice: its name, the engine that speaks it, its language, gender, and what it is like in both languages."""

    name: str
    engine: str
    language: Lang
    gender: str
    zh: str
    en: str


@cache
def voices() -> dict[str, Voice]:
    """Every voice by name, the best of each language first."""
    found = [*_parse(_MANDARIN, "kokoro", "zh"), *_parse(_SMALL, "hibari", "en"), *_parse(_ENGLISH, "kokoro", "en")]
    return {voice.name: voice for voice in found}


def _parse(table: str, engine: str, language: Lang) -> list[Voice]:
    parsed = []
    for line in table.strip().splitlines():
        name, gender, both = line.split(" ", 2)
        zh, _, en = both.partition(" | ")
        parsed.append(Voice(name, engine, language, gender, zh, en))
    return parsed


def voice(name: str, studio: Path | None = None) -> Voice:
    """The voice of that name, or the creator's own in a folder or a studio. Raises `UserError` naming the closest."""
    if name in voices():
        return voices()[name]
    if name.partition(":")[0] in ELSEWHERE:
        return _elsewhere(name)
    if found := own_voice(name, studio):
        return found
    # People remember `xiaoxiao`, not `zf_xiaoxiao`.
    short = {known.partition("_")[2] or known: known for known in voices()}
    wanted = name.strip().lower()
    if wanted in short:
        return voices()[short[wanted]]
    near = get_close_matches(wanted, [*voices(), *short], n=1, cutoff=0.5)
    hint = f"did you mean {short.get(near[0], near[0])}? " if near else ""
    raise UserError(f"there is no voice '{name[:40]}'; {hint}See them all with: mofang speech voices")


ELSEWHERE = {"openai": "OpenAIVoices", "transformers": "TransformersVoices"}
"""Engines whose voices are named `engine:…` and the classes they are, in `engines/ENGINE_speech.py`."""


def _elsewhere(name: str) -> Voice:
    """`openai:MODEL/VOICE` of a service, or `transformers:FOLDER` (VITS, MMS, Bark) with `#SPEAKER` for one of several."""
    kind, _, rest = name.partition(":")
    if not rest or not rest.isprintable():
        raise UserError("name the voice as openai:MODEL/VOICE (openai:tts-1/alloy) or transformers:FOLDER")
    # Such voices read both scripts; the language only says how sentences are cut.
    return Voice(name, kind, "zh", "", f"{kind} 音色 {rest}", f"a voice by {kind}: {rest}")


def own_voice(name: str, studio: Path | None = None) -> Voice | None:
    """The voice that `mofang sound join` wrote, by its folder or its name in the studio, and `#SPEAKER` for one of several."""
    from mofang.models import own

    place, mark, speaker = name.partition("#")
    try:
        folder = own.find(place, studio).resolve()
        config = own.read_config(folder)
    except UserError:
        return None
    if config["model_type"] != "voice":
        return None
    from mofang.sound.own.consent import may_speak

    may_speak(own.read_card(folder), studio)
    language: Lang = "en" if config.get("languages") == ["en"] else "zh"
    title = f"{folder.name} {speaker}".strip()
    return Voice(f"{folder}{mark}{speaker}", "own", language, "", f"自己的音色：{title}", f"your own voice: {title}")


def own_voices(studio: Path | None = None) -> list[Voice]:
    """The creator's voices that may speak, by name."""
    from mofang.models import own

    found = []
    for place in own.names(studio).values():
        try:
            if voice := own_voice(str(place), studio):
                found.append(voice)
        except UserError:  # Its consent has ended.
            continue
    return found


def default_voice(language: Lang) -> Voice:
    """The voice for a text in `language` when none was chosen."""
    # Of the Mandarin voices tried on benchmarks/sets/mandarin60.tsv, Xiaobei was the one best understood.
    return voice("zf_xiaobei" if language == "zh" else "hibari")


def sample_text(language: Lang) -> str:
    """What a voice says to introduce itself."""
    if language == "zh":
        return "春眠不觉晓，处处闻啼鸟。你好，今天想听我讲个什么故事？"
    return "Once upon a time, in a house by the sea, there lived a painter. Shall I tell you more?"


@lru_cache(maxsize=4)
def engine(name: str, threads: int) -> VoiceEngine:
    """The engine of that name, loaded once."""
    if name == "hibari":
        from mofang.sound.engines.hibari import Hibari

        return Hibari(threads)
    if name in ELSEWHERE:
        from importlib import import_module

        made: VoiceEngine = getattr(import_module(f"mofang.sound.engines.{name}_speech"), ELSEWHERE[name])(threads)
        return made
    if name == "own":
        from mofang.sound.own.speaker import OwnVoices

        return OwnVoices()
    from mofang.sound.engines.kokoro import Kokoro

    return Kokoro(threads)
