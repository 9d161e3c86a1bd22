"""One visit to every node of a module, in the order of its source, that collects what rules ask."""

from __future__ import annotations

import ast

from harness.lint.functions import Class, Function, Scopes, function_of, holds_tests
from harness.lint.names import Bindings

_BINDING = frozenset(
    {
        ast.Name, ast.arg, ast.Assign, ast.AnnAssign, ast.NamedExpr,
        ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal,
    }
)  # fmt: skip


class Walk:
    """What stands in a module, and where.

    Attributes:
        calls: every call with the function that it stands in; None is the module itself.
        attributes: every attribute, in the same way.
        parents: node → the node that it stands in.
        top: the functions and classes of the module by name.
    """

    def __init__(self, tree: ast.Module, *, in_test_file: bool) -> None:
        self.bindings = Bindings()
        self.functions: list[Function] = []
        self.calls: list[tuple[ast.Call, Function | None]] = []
        self.attributes: list[tuple[ast.Attribute, Function | None]] = []
        self.parents: dict[ast.AST, ast.AST] = {}
        self.top: dict[str, Function | Class] = {}
        self._in_test_file = in_test_file
        self._assigned: set[ast.expr] = set()
        self._waiting: list[tuple[ast.AST, Function | None, Class | None]] = [(tree, None, None)]
        while self._waiting:
            self._visit(*self._waiting.pop())

    def _visit(self, node: ast.AST, function: Function | None, owner: Class | None) -> None:
        """Look at a node, and have its children wait: no recursion, as generated code is deep."""
        if isinstance(node, ast.Call):
            self.calls.append((node, function))
        elif isinstance(node, ast.Attribute):
            self.attributes.append((node, function))
        elif type(node) in _BINDING:
            self._bind(node, function, owner)
        children = _children(node)
        for child in children:
            self.parents[child] = node
        # Last in, first out: backwards, so that imports come before what they are used for.
        children.reverse()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = self._function(node, function, owner)
            inside = {*node.body, node.args}
            self._waiting += [
                (child, inner if child in inside else function, owner) for child in children
            ]
        elif isinstance(node, ast.ClassDef):
            own = self._class(node, function)
            self._waiting += [
                (child, function, own if child in node.body else owner) for child in children
            ]
        elif isinstance(node, ast.arguments) and not isinstance(self.parents[node], ast.Lambda):
            # Defaults are made where the function is defined.
            outer = function.outer if function else None
            around = {*node.defaults, *node.kw_defaults}
            self._waiting += [
                (child, outer if child in around else function, owner) for child in children
            ]
        else:
            self._waiting += [(child, function, owner) for child in children]

    def _bind(self, node: ast.AST, function: Function | None, owner: Class | None) -> None:
        """Take note of what a node says about names."""
        match node:
            case ast.Name(id=name, ctx=ast.Store()) if node not in self._assigned:
                self._assign(name, None, function, owner)
            case ast.arg(arg=name):
                self._assign(name, None, function, owner)
            case ast.Import() | ast.ImportFrom():
                self._scope(function, owner).bind(node)
            case ast.Global(names=names) if function is not None:
                function.globals.update(names)
            case ast.Nonlocal(names=names) if function is not None:
                function.nonlocals.update(names)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._target(target, value, function, owner)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._target(target, value, function, owner)
            case ast.NamedExpr(target=target, value=value):
                self._target(target, value, function, owner)

    def _target(
        self, target: ast.expr, value: ast.expr, function: Function | None, owner: Class | None
    ) -> None:
        if isinstance(target, ast.Name):
            self._assigned.add(target)
            self._assign(target.id, value, function, owner)
        elif owner is not None and (name := of_self(target)):
            owner.bindings.assign(name, value)

    def _assign(
        self, name: str, value: ast.expr | None, function: Function | None, owner: Class | None
    ) -> None:
        if function is not None and name in function.nonlocals:
            return
        if function is not None and name in function.globals:
            self.bindings.assign(name, value)
        else:
            self._scope(function, owner).assign(name, value)

    def _scope(self, function: Function | None, owner: Class | None) -> Bindings:
        if function is not None:
            return function.scopes[0]
        return owner.bindings if owner is not None else self.bindings

    def _function(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef,
        outer: Function | None,
        owner: Class | None,
    ) -> Function:
        around: Scopes = outer.scopes if outer else (self.bindings,)
        function = function_of(node, outer, owner, around, in_test_file=self._in_test_file)
        self.functions.append(function)
        if outer is not None:
            outer.local[node.name] = function
        elif owner is not None:
            owner.methods[node.name] = function
        else:
            self.top[node.name] = function
        return function

    def _class(self, node: ast.ClassDef, function: Function | None) -> Class:
        scopes: Scopes = function.scopes if function else (self.bindings,)
        own = Class(node, holds_tests(node, scopes, in_test_file=self._in_test_file))
        if function is None:
            self.top[node.name] = own
        return own


def _children(node: ast.AST) -> list[ast.AST]:
    """The nodes right inside of a node, without operators and contexts, which tell nothing."""
    children: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if value.__class__ is list:
            children += [each for each in value if isinstance(each, ast.AST)]
        elif isinstance(value, ast.AST) and value._fields:
            children.append(value)
    return children


def of_self(node: ast.expr) -> str | None:
    """The name of an attribute of `self` or `cls`."""
    match node:
        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
            return name
    return None
