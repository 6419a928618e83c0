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
