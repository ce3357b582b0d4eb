"""Sound: voices that speak, and the desk that mixes them.

>>> from mofang.sound import speak
>>> speech = speak("床前明月光，疑是地上霜。", "zf_xiaoxiao")
>>> speech.duration, speech.alignment[0].text
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mofang.sound.cast import Voice, default_voice, own_voices, sample_text, voice, voices
    from mofang.sound.engines.base import Speech
    from mofang.sound.speech import speak, stream

__all__ = ["Speech", "Voice", "default_voice", "own_voices", "sample_text", "speak", "stream", "voice", "voices"]

_HOMES = {
    "Speech": "engines.base",
    "speak": "speech",
    "stream": "speech",
    **dict.fromkeys(("Voice", "default_voice", "own_voices", "sample_text", "voice", "voices"), "cast"),
}


def __getattr__(name: str) -> Any:
    """Public names load their module when first used: listing commands must not wait for a front-end."""
    if name not in _HOMES:
        raise AttributeError(f"module 'mofang.sound' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"mofang.sound.{_HOMES[name]}"), name)
