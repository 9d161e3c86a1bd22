"""What PostgreSQL makes of a text as one of its types: asked rarely, and nothing twice."""

from __future__ import annotations

from typing import Literal, Protocol, TypeVar

Answer = TypeVar("Answer", str, bool)
Relation = Literal["<", "<=", "=", ">", ">="]


class IncomparableError(Exception):
    """An expected value that cannot be read as one of this type; says why."""

    def __init__(self, reason: str, hint: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class OtherKindError(IncomparableError):
    """In json, where kinds are told apart: a value of another kind, which plainly differs."""


class Casts(Protocol):
    """PostgreSQL's judgement of texts; each call may be a round trip."""

    def cast(self, text: str, type: str) -> str:
        """What PostgreSQL prints for `text` read as `type`: its output, not a cast to text.

        (For `inet` and `boolean` the two are not the same.)

        Raises:
            ValueError: PostgreSQL refuses the text; the argument is its message.
        """
        ...

    def compare(self, left: str, operator: Relation, right: str, type: str) -> bool:
        """Whether the operator holds for both texts read as `type`.

        Raises:
            ValueError: a text cannot be read so, or the type has no such operator.
        """
        ...


class RememberedCasts:
    """Casts that ask PostgreSQL each question once, and none that it has answered by itself."""

    def __init__(self, casts: Casts) -> None:
        self._casts = casts
        self._texts: dict[tuple[str, str], str | ValueError] = {}
        self._relations: dict[tuple[str, str, str, str], bool | ValueError] = {}

    def printed(self, text: str, type: str) -> None:
        """Note a text that PostgreSQL itself printed for a value of `type`."""
        self._texts[text, type] = text

    def cast(self, text: str, type: str) -> str:
        """As `Casts.cast`."""
        if (text, type) not in self._texts:
            try:
                self._texts[text, type] = self._casts.cast(text, type)
            except ValueError as error:
                self._texts[text, type] = error
        return _answer(self._texts[text, type])

    def compare(self, left: str, operator: Relation, right: str, type: str) -> bool:
        """As `Casts.compare`."""
        question = (left, operator, right, type)
        if question not in self._relations:
            try:
                self._relations[question] = self._casts.compare(left, operator, right, type)
            except ValueError as error:
                self._relations[question] = error
        return _answer(self._relations[question])


def _answer(answer: Answer | ValueError) -> Answer:
    if isinstance(answer, ValueError):
        raise ValueError(str(answer))  # a new one each time: tracebacks would pile up in the old
    return answer


class NoCasts:
    """Where there is no database: only what Python reads by itself is understood."""

    def cast(self, text: str, type: str) -> str:
        """Always refused."""
        raise ValueError(f"it cannot be read as {type}")

    def compare(self, left: str, operator: Relation, right: str, type: str) -> bool:
        """Always refused."""
        raise ValueError(f"values of type {type} cannot be compared here")
