"""Where a call stands: in the words of messages, and whether it makes anything there each time."""

from __future__ import annotations

import ast

from harness.lint.functions import Function
from harness.lint.module import Module
from harness.lint.names import dotted, last

_RAISES = ("raises", "assertraises", "assertraisesregex", "raisesgroup")


def place(function: Function, root: Function) -> str:
    """The function, and the test or fixture that leads to it."""
    if function is root:
        return f"in {function}"
    return f"in {function.name}, by way of {root} (line {root.node.lineno})"


def is_expected_to_fail(node: ast.AST, module: Module) -> bool:
    """Whether nothing is made: in `with pytest.raises(...)`, or in a function run only there."""
    function = module.function_of(node)
    if function is None or function.outer is None:
        return _is_in_raises(node, module)
    uses = [
        each
        for each in ast.walk(function.outer.node)
        if isinstance(each, ast.Name) and each.id == function.name
    ]
    used_there = bool(uses) and all(_is_in_raises(each, module) for each in uses)
    return used_there or _is_in_raises(node, module)


def _is_in_raises(node: ast.AST, module: Module) -> bool:
    return any(
        last((dotted(item.context_expr) or "").removesuffix("()")).lower() in _RAISES
        for each in module.above(node)
        if isinstance(each, ast.With | ast.AsyncWith)
        for item in each.items
    )


def is_made_once(node: ast.AST, function: Function, module: Module) -> bool:
    """Whether what a call makes is kept beyond the function, under a condition: made once."""
    above = list(module.above(node))
    if not any(isinstance(each, ast.If) for each in above):
        return False
    targets = [
        target
        for each in above
        if isinstance(each, ast.Assign | ast.AnnAssign)
        for target in (each.targets if isinstance(each, ast.Assign) else [each.target])
    ]
    return any(_outlives(target, function) for target in targets)


def _outlives(target: ast.expr, function: Function) -> bool:
    match target:
        case ast.Name(id=name):
            return name in function.globals
        case ast.Attribute(value=ast.Name(id="self")):
            return False
    return isinstance(target, ast.Attribute | ast.Subscript)
