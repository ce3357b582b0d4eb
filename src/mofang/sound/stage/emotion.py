"""What a cue such as （高兴） or (whispering) does to a voice: speed, pitch, level and the rest before it.

The directions are those that studies of emotional speech agree on (Scherer, "Vocal communication of emotion", Speech
Communication 40, 2003, table 2; Murray & Arnott, JASA 93(2), 1993, table I): joy, anger and fear are faster, higher and louder,
sadness and tenderness slower, lower and softer. The sizes are small enough that a line stays the same person.
"""

import re
from dataclasses import dataclass

PAUSE = re.compile(r"(?:pause|beat|停顿|停|沉默|silence)\s*(?:(\d{1,2}(?:\.\d+)?)\s*(?:s|sec|seconds?|秒)?)?", re.IGNORECASE)
LONGEST_PAUSE = 10.0


@dataclass(frozen=True)
class Delivery:
    """How a line is said: `speed` (a factor), `pitch` in semitones, `gain` in dB, `rest` in seconds before it; whether it
    breaks `in` on the line before."""

    speed: float = 1.0
    pitch: float = 0.0
    gain: float = 0.0
    rest: float = 0.0
    breaks_in: bool = False

    def then(self, other: "Delivery") -> "Delivery":
        """Both at once, within what a voice can do."""
        return Delivery(min(max(self.speed * other.speed, 0.6), 1.6), min(max(self.pitch + other.pitch, -5), 5),
                        min(max(self.gain + other.gain, -14), 6), min(self.rest + other.rest, LONGEST_PAUSE),
                        self.breaks_in or other.breaks_in)  # fmt: skip


PLAIN = Delivery()

_MOODS = (
    (Delivery(1.08, 1.2, 1.0), "高兴 开心 快乐 欢快 愉快 喜悦 笑着 笑 微笑 happy happily cheerful glad joyful laughing smiling"),
    (Delivery(1.15, 2.0, 2.5), "兴奋 激动 excited excitedly thrilled eager eagerly"),
    (Delivery(0.86, -1.0, -2.5, 0.2), "悲伤 难过 伤心 哭着 哭 哽咽 忧伤 失落 sad sadly crying sobbing tearful mournful"),
    (Delivery(1.08, 0.6, 3.5), "生气 愤怒 怒 恼火 angry angrily furious"),
    (Delivery(1.02, 1.5, 5.0), "大喊 喊 喊道 大声 高声 叫 shouting shouts yelling loudly loud calling"),
    (Delivery(1.14, 2.2, 0.0), "害怕 恐惧 惊恐 紧张 afraid scared fearful frightened nervous nervously"),
    (Delivery(1.05, 2.4, 1.5, 0.1), "惊讶 吃惊 惊 surprised astonished amazed"),
    (Delivery(0.92, -0.3, -9.0), "低声 小声 悄声 轻声 耳语 悄悄 whispering whispers whisper softly quietly"),
    (Delivery(0.92, 0.3, -2.5), "温柔 温和 亲切 gentle gently tender tenderly warmly kindly"),
    (Delivery(0.90, -0.5, -1.0, 0.1), "平静 冷静 calm calmly"),
    (Delivery(0.90, -1.5, 0.0, 0.1), "严肃 郑重 冷冷 冷漠 serious seriously sternly coldly grave gravely"),
    (Delivery(0.84, -0.8, -3.0, 0.25), "疲惫 累 叹气 叹息 犹豫 tired wearily sighing sighs hesitating hesitant"),
    (Delivery(1.28, 0.3, 0.5), "快 快速 急 急切 匆忙 fast quickly hurriedly urgently"),
    (Delivery(0.80, 0.0, 0.0), "慢 缓慢 慢慢 slow slowly"),
    (Delivery(breaks_in=True), "插话 打断 抢话 同时 interrupting interrupts overlapping"),
)
MOODS = {word: delivery for delivery, words in _MOODS for word in words.split()}


def delivery(cue: str) -> Delivery | None:
    """What the words of a cue ask for, None if nothing in it is known.

    >>> delivery("whispering, slowly").gain
    -9.0
    """
    total, known = Delivery(), False
    for word in re.split(r"[,，、;；/\s]+|地(?=$|[,，、\s])", cue.strip().lower()):
        plain = re.sub(r"^(?:很|非常|有点|有些|十分)|[地的着]$|(?<=.)道$", "", word)
        found = MOODS.get(word) or MOODS.get(plain)
        if found:
            total, known = total.then(found), True
    if match := PAUSE.fullmatch(cue.strip()):
        total, known = total.then(Delivery(rest=min(float(match[1] or 1.0), LONGEST_PAUSE))), True
    return total if known else None
