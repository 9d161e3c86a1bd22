"""What PostgreSQL makes of a text as one of its types: asked rarely, and nothing twice."""

from __future__ import annotations

from typing import Literal, Protocol, TypeVar

Answer = TypeVar("Answer", str, bool)
Relation = Literal["<", "<=", "=", ">", ">="]

MOST_QUESTIONS = 5_000
"""So many comparisons PostgreSQL is asked for, each a round trip: about a second."""


class IncomparableError(Exception):
    """An expected value that cannot be read as one of this type; says why."""

    def __init__(self, reason: str, hint: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class UndecidedError(IncomparableError):
    """PostgreSQL would have to be asked more often than a comparison may."""


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

    def now(self) -> str:
        """What PostgreSQL prints for the start of the transaction, with its offset.

        Raises:
            ValueError: there is no transaction.
        """
        ...


class RememberedCasts:
    """Casts that ask PostgreSQL each question once, and none that it has answered by itself."""

    def __init__(self, casts: Casts) -> None:
        self._casts = casts
        self._texts: dict[tuple[str, str], str | ValueError] = {}
        self._relations: dict[tuple[str, str, str, str], bool | ValueError] = {}
        self._now: str | None = None

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
        """As `Casts.compare`.

        Raises:
            UndecidedError: that would be one question too many.
        """
        question = (left, operator, right, type)
        if question not in self._relations:
            if len(self._relations) >= MOST_QUESTIONS:
                raise UndecidedError(
                    f"after {MOST_QUESTIONS} comparisons of type {type}, each of which PostgreSQL"
                    " had to make, no more are made",
                    "write the values as PostgreSQL prints them, or compare fewer rows",
                )
            try:
                self._relations[question] = self._casts.compare(left, operator, right, type)
            except ValueError as error:
                self._relations[question] = error
        return _answer(self._relations[question])

    def now(self) -> str:
        """As `Casts.now`."""
        if self._now is None:
            self._now = self._casts.now()
        return self._now


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

    def now(self) -> str:
        """Always refused."""
        raise ValueError("there is no transaction here")
