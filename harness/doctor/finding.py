"""What one look at the machine or the project has found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from harness.doctor.project import Project
from harness.errors import HarnessError


class Mark(StrEnum):
    """How it is: nothing to do, worth knowing, or in the way."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What the report says of one thing.

    Attributes:
        mark: how it is.
        text: what is there, as a sentence without its full stop.
        advice: what to do about it.
        facts: the figures and paths of the text as plain data, for programs.
    """

    mark: Mark
    text: str
    advice: str | None
    facts: dict[str, Any]


Check = Callable[[Project], Finding]
"""Looks at one thing, and changes nothing."""


def ok(text: str, **facts: Any) -> Finding:
    """There is nothing to do."""
    return Finding(Mark.OK, text, None, facts)


def note(text: str, advice: str | None = None, /, **facts: Any) -> Finding:
    """Worth knowing, and Harness works all the same."""
    return Finding(Mark.NOTE, text, advice, facts)


def problem(text: str, advice: str | None, /, **facts: Any) -> Finding:
    """In the way of specs, now or soon."""
    return Finding(Mark.PROBLEM, text, advice, facts)


def refusal(error: HarnessError) -> Finding:
    """The problem that an error of ours tells, with its hints as the advice."""
    told = [str(replace(each, hint=None)) for each in error.problems]
    hints = dict.fromkeys(each.hint for each in error.problems if each.hint)
    return problem("\n".join(told), "\n".join(hints) or None)
