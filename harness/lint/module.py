"""One Python file, read: its calls, what each name means, and what runs for each test."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from harness.lint import names
from harness.lint.functions import Class, Function, Role, Scopes
from harness.lint.walking import Walk, of_self

# Fixtures before tests: of what both bring, the fixture is the one to mend.
_FOR_EACH_TEST = (Role.FIXTURE, Role.SETUP, Role.TEARDOWN, Role.TEST)


class Module:
    """A module as the rules see it."""

    def __init__(self, path: Path, text: str, *, in_test_file: bool) -> None:
        """Read a file.

        Args:
            path: where it is.
            text: what it holds.
            in_test_file: whether pytest looks for tests in it.

        Raises:
            SyntaxError: it is not Python.
        """
        self.path = path
        self.text = text
        self.in_test_file = in_test_file
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python warns of is not ours to tell
            self.tree = ast.parse(text)
        self._walk = Walk(self.tree, in_test_file=in_test_file)
        self.functions = self._walk.functions
        self.calls = self._walk.calls
        self.attributes = self._walk.attributes
        self._names: dict[ast.AST, str] = {}
        self._functions: dict[ast.AST, Function | None] = dict(self.calls)

    def function_of(self, node: ast.AST) -> Function | None:
        """The function that a call stands in."""
        return self._functions.get(node)

    def qualified(self, node: ast.AST, function: Function | None) -> str:
        """The full name of what an expression refers to; empty where that is not known."""
        if node not in self._names:
            self._names[node] = self._name(node, function)
        return self._names[node]

    def _name(self, node: ast.AST, function: Function | None) -> str:
        owner = function.owner if function else None
        own = of_self(node) if owner and isinstance(node, ast.Attribute) else None
        value = owner.bindings.value(own) if owner and own else None
        return names.qualified(value or node, self._scopes(function)) or ""

    def value(self, name: str, function: Function | None) -> ast.expr | None:
        """What a name is assigned, if that is known."""
        return names.value(name, self._scopes(function))

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node that a node stands in."""
        return self._walk.parents.get(node)

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes that a node stands in, from the inside, as far as its function."""
        parent = self.parent(node)
        while parent is not None and not isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
            yield parent
            parent = self.parent(parent)

    def called(self, call: ast.Call, function: Function | None) -> Function | None:
        """The function of this module that a call calls."""
        if isinstance(call.func, ast.Attribute):
            owner = function.owner if function else None
            return owner.methods.get(of_self(call.func) or "") if owner else None
        if not isinstance(call.func, ast.Name):
            return None
        name = call.func.id
        inner = function
        while inner is not None:
            if name in inner.local:
                return inner.local[name]
            if name in inner.scopes[0]:
                return None  # a parameter, or something assigned
            inner = inner.outer
        found = self._walk.top.get(name)
        return found.methods.get("__init__") if isinstance(found, Class) else found

    @cached_property
    def per_test(self) -> dict[Function, Function]:
        """The functions that run for each test → the test, fixture or setup that brings it."""
        return self._reached(
            each for role in _FOR_EACH_TEST for each in self.functions if each.role is role
        )

    @cached_property
    def in_tests(self) -> dict[Function, Function]:
        """The functions that run in tests at all, for fixtures of every scope too."""
        return self._reached(each for each in self.functions if each.role is not Role.HELPER)

    def _reached(self, roots: Iterable[Function]) -> dict[Function, Function]:
        """What the roots call and define, each with the first root that leads to it."""
        reached: dict[Function, Function] = {}
        for root in roots:
            reached[root] = root
            waiting = [root]
            while waiting:
                function = waiting.pop()
                for inner in (*function.local.values(), *self._callees.get(function, ())):
                    if inner.role is Role.HELPER and not inner.cached and inner not in reached:
                        reached[inner] = root
                        waiting.append(inner)
        return reached

    @cached_property
    def _callees(self) -> dict[Function, list[Function]]:
        callees: dict[Function, list[Function]] = {}
        for call, function in self.calls:
            called = self.called(call, function) if function else None
            if function is not None and called is not None:
                callees.setdefault(function, []).append(called)
        return callees

    def _scopes(self, function: Function | None) -> Scopes:
        return function.scopes if function else (self._walk.bindings,)
