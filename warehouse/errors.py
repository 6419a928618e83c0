"""The one error that a user can cause and mend."""


class UserError(Exception):
    """Bad input, told in one sentence; the command line prints it and exits with status 2.

    `message` says what was found and what is valid; `hint`, where there is one, the next
    command to type.

    >>> str(UserError("found 'vgg12', which is no architecture", hint="lossnets status"))
    "found 'vgg12', which is no architecture"
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class BusyError(UserError):
    """Another process holds what is needed."""


NOT_GIVEN = "cannot be read"  # how the fault of a file begins that is none of its own


class CannotReadError(UserError):
    """The operating system did not give a file: no verdict on what the file holds."""
