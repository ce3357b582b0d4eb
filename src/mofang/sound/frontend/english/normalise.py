from mofang.sound.frontend.spoken import Run


def normalise(text: str) -> list[Run]:
    return [Run(text, text)] if text else []
