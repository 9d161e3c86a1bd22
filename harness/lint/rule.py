"""What a rule is: what it finds and why, what to write instead, and an example of each."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harness.lint.module import Module
from harness.lint.project import Project

Node = ast.expr | ast.arg
"""What a finding can point at: an expression, or a parameter."""

Found = Iterator[tuple[Node, str]]
"""Nodes, each with what is wrong about it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern that lint finds.

    Attributes:
        name: as findings and `# harness: allow[name]` call it.
        what: what is found.
        why: what it costs.
        instead: what to do, as the end of a sentence.
        bad: an example that is found.
        good: the same, as it should be.
        words: a module that has none of them, in any case, holds nothing to find.
        check: finds it in a module; None for the rule about pytest's settings.
    """

    name: str
    what: str
    why: str
    instead: str
    bad: str
    good: str
    words: tuple[str, ...] = ()
    check: Callable[[Module, Project], Found] | None = None

    def __str__(self) -> str:
        """All that there is to say about it, for the terminal."""
        language = "toml" if self.check is None else "python"
        return "\n".join(
            (
                f"{self.name}: {self.what}",
                "",
                f"{self.why} So {self.instead}.",
                "",
                f"Found ({language}):",
                "",
                *(f"    {line}".rstrip() for line in self.bad.splitlines()),
                "",
                "Instead:",
                "",
                *(f"    {line}".rstrip() for line in self.good.splitlines()),
            )
        )
