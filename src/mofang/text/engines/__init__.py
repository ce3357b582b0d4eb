"""What runs a model that writes text: GGUF files in this process, or a service that speaks OpenAI's protocol."""

from mofang.studio.errors import UserError
from mofang.text.engines.base import Completion, Message, Prompt, TextEngine
from mofang.text.language import Lang

__all__ = ["Completion", "Message", "Prompt", "TextEngine", "choose"]


def choose(setting: str, lang: Lang) -> TextEngine:
    """The engine a setting names: nothing for the default model of the language, the name of a model Mofang knows, a GGUF
    file, or `URL#MODEL` for a service (`http://localhost:11434/v1#qwen2.5:7b`). Raises `UserError`.
    """
    from mofang import models
    from mofang.text.engines.gguf import GGUFEngine, default_engine
    from mofang.text.engines.openai import OpenAIEngine

    if not setting:
        return default_engine(lang)
    if setting.startswith(("http://", "https://")):
        url, mark, model = setting.partition("#")
        if not mark or not model:
            raise UserError(f"name the model after the address, like {url}#qwen2.5:7b")
        return OpenAIEngine(url, model)
    known = next((card for card in models.cards() if card.name == setting), None)
    if known and known.kind == "text":
        return GGUFEngine(models.ensure(setting).file("model"), name=setting)
    if known:
        raise UserError(f"{setting} is a model for {known.kind}, not for text; choose a text model, a GGUF file or URL#MODEL")
    return GGUFEngine(setting)
