"""The one kind of error a user can cause."""

import unicodedata


class UserError(Exception):
    """What was wrong and what to do, in one line.

    The command line prints it without a traceback and exits with status 2; the web answers 400 with the same line.
    """

    def __init__(self, message: str) -> None:
        # One line is the promise, whatever was interpolated into the message.
        line = " ".join(message.split())
        # A file's name may hold what a terminal obeys, and bytes that are no text.
        super().__init__("".join(f"\\x{ord(each):02x}" if unicodedata.category(each) in ("Cc", "Cs") else each for each in line))
