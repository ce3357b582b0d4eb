"""What runs a model that writes text: GGUF files in this process, or a service that speaks OpenAI's protocol."""

from mofang.text.engines.base import Completion, Message, Prompt, TextEngine

__all__ = ["Completion", "Message", "Prompt", "TextEngine"]
