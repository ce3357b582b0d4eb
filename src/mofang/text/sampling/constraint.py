"""What may come next, said from outside the model: the form of a poem, a grammar."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Constraint(Protocol):
    """A rule that knows after every token which may follow. One text has one; `copy` is for texts that part ways."""

    @property
    def finished(self) -> bool:
        """Whether the text is complete: nothing may follow."""
        ...

    def mask(self) -> NDArray[np.bool_] | None:
        """(vocabulary,) True where a token may come next; None where anything may."""
        ...

    def push(self, token: int) -> None:
        """The token was written."""
        ...

    def copy(self) -> "Constraint":
        """A rule of its own, in the same place."""
        ...
