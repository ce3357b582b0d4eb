"""The one kind of error a user can cause."""


class UserError(Exception):
    """What was wrong and what to do, in one line.

    The command line prints it without a traceback and exits with status 2; the web answers 400 with the same line.
    """

    def __init__(self, message: str) -> None:
        # One line is the promise, whatever was interpolated into the message.
        super().__init__(" ".join(message.split()))
