"""QR codes (ISO/IEC 18004) that a phone reads off the finished page."""

import numpy as np
from numpy.typing import NDArray

from mofang.studio.errors import UserError

QUIET = 4
"""Modules of empty margin that the standard asks for."""


def qr(text: str, side: int) -> NDArray[np.uint8]:
    """(n, n) coverage of the dark modules, 255 or 0, quiet zone included; n is the largest multiple of a module ≤ `side`.

    Correction level M, or better where it fits the same version. Raises `UserError` for more than a code can hold.
    """
    import segno

    try:
        code = segno.make_qr(text, error="m", boost_error=True)
    except (ValueError, UnicodeError) as error:
        raise UserError(f"a QR code cannot hold those {len(text):,} characters; give a shorter link") from error
    modules = np.array([list(row) for row in code.matrix], np.uint8)
    modules = np.pad(modules, QUIET) * np.uint8(255)
    scale = side // len(modules)
    if scale < 2:
        raise UserError("the QR code would be too fine to be read at that size; give a shorter link")
    return np.kron(modules, np.ones((scale, scale), np.uint8))
