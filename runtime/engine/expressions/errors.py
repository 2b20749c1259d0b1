"""How a formula says what is wrong with it."""

from __future__ import annotations


class ExpressionError(ValueError):
    """A formula that cannot be read or worked out.

    ``code``: ``syntax``, ``unknown_function``, ``unknown_name``, ``arguments``, ``missing``, ``type``, ``number``,
    ``date``, ``too_long``, ``too_deep``, ``too_big``, ``refused``. ``message``: one or two plain sentences.
    ``position``: index in the field's text of the ``{{`` of the formula.
    """

    def __init__(self, code: str, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.position = position

    def at(self, position: int) -> ExpressionError:
        """The same error, placed in the field's text."""
        return ExpressionError(self.code, self.message, position)


class Unsolved(str):
    """A formula's own text in the place of a value that it could not give; ``error`` says why.

    Settings that are only looked at in turn (the rules of a decision) hold it, so that a rule which decides before
    needs nothing of those after it. Being text, it is written down as the formula that it is.
    """

    __slots__ = ("error",)

    def __new__(cls, text: str, error: ExpressionError) -> Unsolved:
        made = super().__new__(cls, text)
        made.error = error
        return made

    error: ExpressionError
