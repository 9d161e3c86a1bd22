"""What a name in a module stands for: imports and plain assignments, followed within the file."""

from __future__ import annotations

import ast
from collections import defaultdict

_DEEPEST = 16
"""Assignments that are followed before a name counts as unknown: some name themselves."""


def dotted(node: ast.AST | None) -> str | None:
    """`a.b().c` for an expression of names, attributes and calls, without arguments; or None."""
    parts: list[str] = []
    while node is not None:
        if isinstance(node, ast.Attribute):
            parts.append(f".{node.attr}")
            node = node.value
        elif isinstance(node, ast.Call):
            parts.append("()")
            node = node.func
        elif isinstance(node, ast.Await):
            node = node.value
        elif isinstance(node, ast.Name):
            return "".join((node.id, *reversed(parts)))
        else:
            return None
    return None


def last(name: str | None) -> str:
    """The last part of a dotted name."""
    return (name or "").rpartition(".")[2]


class Bindings:
    """What the names of one scope are bound to: a function, a class or the module.

    Attributes:
        targets: name → what an import binds it to.
    """

    def __init__(self) -> None:
        self.targets: dict[str, str] = {}
        self._values: defaultdict[str, list[ast.expr | None]] = defaultdict(list)

    def assign(self, name: str, value: ast.expr | None) -> None:
        """A name gets a value; None is one that cannot be known, of a parameter for example."""
        self._values[name].append(value)

    def bind(self, statement: ast.Import | ast.ImportFrom) -> None:
        """The names that an import binds."""
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                top = alias.name.partition(".")[0]
                self.targets[alias.asname or top] = alias.name if alias.asname else top
            return
        module = "." * statement.level + (statement.module or "")
        for alias in statement.names:
            self.targets[alias.asname or alias.name] = f"{module}.{alias.name}"

    def __contains__(self, name: str) -> bool:
        return name in self._values or name in self.targets

    def value(self, name: str) -> ast.expr | None:
        """What the name stands for, if it is assigned once."""
        values = self._values.get(name, [])
        return values[0] if len(values) == 1 else None


def value(name: str, scopes: tuple[Bindings, ...]) -> ast.expr | None:
    """The expression that a name is assigned, in the nearest of the scopes that has it."""
    found = next((scope for scope in scopes if name in scope), None)
    return found.value(name) if found else None


def qualified(node: ast.AST | None, scopes: tuple[Bindings, ...]) -> str | None:
    """The full name of what an expression refers to: `sqlalchemy.create_engine`.

    What a call gives is the name of what is called, with `()`: after
    `Local = sessionmaker(engine)`, `Local` is `sqlalchemy.orm.sessionmaker()`.
    """
    rest = ""
    for _ in range(_DEEPEST):
        name = dotted(node)
        if name is None:
            return None
        head, *tail = name.replace("()", ".()").split(".")
        rest = "".join(part if part == "()" else f".{part}" for part in tail) + rest
        found = next((scope for scope in scopes if head in scope), None)
        if found is None:
            return head + rest
        if head in found.targets:
            return found.targets[head] + rest
        node = found.value(head)
    return None
