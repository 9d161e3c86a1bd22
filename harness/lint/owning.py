"""Whether what a call makes is closed again by the code that made it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from harness.lint.functions import Function, Role
from harness.lint.module import Module
from harness.lint.names import dotted, last
from harness.lint.places import is_expected_to_fail, is_made_once
from harness.lint.walking import of_self

Makes = Callable[[ast.Call, Function | None, Module], bool]

# What is handed to a function of such a name is taken to be closed there.
_CLOSING = re.compile(
    "clos|dispos|finali|clean|teardown|shutdown|enter_|push|callback", re.IGNORECASE
)


class _Fate(Enum):
    """What becomes of what a call makes: unknown is as good as closed, for no false alarms."""

    CLOSED = auto()
    RETURNED = auto()
    OPEN = auto()


@dataclass(frozen=True, slots=True)
class Opened:
    """Something that a test or a fixture makes and nothing closes.

    Attributes:
        giver: the function of the module that makes it, if the call itself does not.
    """

    call: ast.Call
    function: Function
    giver: Function | None


def left_open(module: Module, makes: Makes, ends: frozenset[str]) -> Iterator[Opened]:
    """The calls in tests and fixtures that make something which nothing closes.

    What a helper returns is its caller's to close, so it is the caller's call that counts.

    Args:
        module: where to look.
        makes: whether a call makes such a thing.
        ends: the methods that close it.
    """
    makers: dict[ast.Call, Function | None] = {
        call: None for call, function in module.calls if makes(call, function, module)
    }
    givers: set[Function] = set()
    while makers:
        new: set[Function] = set()
        for call, giver in makers.items():
            function = module.function_of(call)
            if function is None or function not in module.in_tests:
                continue
            if is_made_once(call, function, module) or is_expected_to_fail(call, module):
                continue
            fate = _fate(call, function, module, ends)
            if fate is _Fate.RETURNED:
                new.add(function)
            elif fate is _Fate.OPEN and not _is_closed_elsewhere(function, module, ends):
                yield Opened(call, function, giver)
        new -= givers
        givers |= new
        makers = _calls_of(new, module) if new else {}


def _calls_of(functions: set[Function], module: Module) -> dict[ast.Call, Function | None]:
    called = ((call, module.called(call, function)) for call, function in module.calls)
    return {call: function for call, function in called if function in functions}


def _is_closed_elsewhere(function: Function, module: Module, ends: frozenset[str]) -> bool:
    """Whether it is a fixture, and another one closes what it gives, by its name."""
    return function.role in (Role.FIXTURE, Role.SHARED) and _is_ended(
        function.name, module.tree, ends
    )


def _fate(call: ast.Call, function: Function, module: Module, ends: frozenset[str]) -> _Fate:
    """What becomes of what a call makes."""
    node: ast.AST = call
    parent = module.parent(node)
    while isinstance(parent, ast.Await | ast.IfExp | ast.BoolOp):
        node, parent = parent, module.parent(parent)
    match parent:
        case ast.Return():
            # Of a fixture that returns, nothing runs after the test.
            return _Fate.RETURNED if function.role is Role.HELPER else _Fate.OPEN
        case ast.Yield() | ast.Expr():
            return _Fate.OPEN
        case ast.Attribute(attr=attribute):
            return _of_chain(parent, attribute in ends, module)
        case ast.Assign(targets=targets):
            return _of_names(targets, function, module, ends)
        case ast.AnnAssign(target=target) | ast.NamedExpr(target=target):
            return _of_names([target], function, module, ends)
    return _Fate.CLOSED


def _of_chain(node: ast.AST, ended: bool, module: Module) -> _Fate:
    """Of `Session(engine).query(...).all()`: nobody has the session any more."""
    parent = module.parent(node)
    while isinstance(parent, ast.Attribute | ast.Call) and not ended:
        if isinstance(parent, ast.Call) and node is not parent.func:
            return _Fate.OPEN  # an argument: print(Session(engine).query(...))
        node, parent = parent, module.parent(parent)
    if isinstance(parent, ast.Assign | ast.withitem | ast.Return | ast.Yield):
        return _Fate.CLOSED  # what is kept may well be what closes it: a transaction, a copy
    return _Fate.CLOSED if ended else _Fate.OPEN


def _of_names(
    targets: list[ast.expr], function: Function, module: Module, ends: frozenset[str]
) -> _Fate:
    names = [name for target in targets if (name := _name(target))]
    if len(names) < len(targets):
        return _Fate.CLOSED  # in a mapping, or of an object that may close it
    if any(_is_ended(name, _reach(name, function, module), ends) for name in names):
        return _Fate.CLOSED
    if function.role is Role.HELPER and any(_is_returned(name, function) for name in names):
        return _Fate.RETURNED
    return _Fate.OPEN


def _name(target: ast.expr) -> str | None:
    """What a target is called, if its owner is this function or this object."""
    return dotted(target) if isinstance(target, ast.Name) or of_self(target) else None


def _reach(name: str, function: Function, module: Module) -> ast.AST:
    """The part of the module that can use a name of a function."""
    if "." in name:
        return function.owner.node if function.owner else module.tree
    if name in function.globals:
        return module.tree
    # Functions around this one, and inside of it, may close what it made.
    while function.outer is not None:
        function = function.outer
    return function.node


def _is_ended(name: str, tree: ast.AST, ends: frozenset[str]) -> bool:
    """Whether anything in a tree closes what has a name: called, handed over, or by `with`."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=attribute, value=value) if attribute in ends:
                base = dotted(value) or ""
                if base == name or base.startswith((f"{name}.", f"{name}()")):
                    return True
            case ast.withitem(context_expr=context):
                if dotted(context) == name:
                    return True
            case ast.Call(func=func, args=[_, *_] as arguments):
                closes = _CLOSING.search(last(dotted(func))) is not None
                if closes and any(dotted(each) == name for each in arguments):
                    return True
    return False


def _is_returned(name: str, function: Function) -> bool:
    """Whether a function returns what has a name, alone or inside something else."""
    return any(
        dotted(inner) == name
        for node in ast.walk(function.node)
        if isinstance(node, ast.Return) and node.value
        for inner in ast.walk(node.value)
        if isinstance(inner, ast.Name | ast.Attribute)
    )
