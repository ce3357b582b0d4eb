"""How long work says how far it is: one callback type that every stage accepts."""

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Called with the share done, 0..1, and a short word for what is being done. It may raise KeyboardInterrupt."""


def silent(share: float, what: str) -> None:
    """A `Progress` that says nothing."""
