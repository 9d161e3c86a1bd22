"""The functions of a module, and how each is run: as a test, as a fixture, or by another one."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from enum import Enum

from harness.lint.names import Bindings, last, qualified

Definition = ast.FunctionDef | ast.AsyncFunctionDef
Scopes = tuple[Bindings, ...]

_FIXTURES = ("pytest", "pytest_asyncio", "anyio", "pytest_trio", "pytest_twisted")
_EACH_TEST = {"setUp", "asyncSetUp", "setup_method", "setup_function"}
_AFTER_EACH_TEST = {"tearDown", "asyncTearDown", "teardown_method", "teardown_function"}
_ONCE = {
    "setUpClass", "tearDownClass", "setUpTestData", "setup_class", "teardown_class",
    "setUpModule", "tearDownModule", "setup_module", "teardown_module",
}  # fmt: skip
_CACHES = {"cache", "lru_cache", "cached_property", "alru_cache"}


class Role(Enum):
    """How a function comes to run.

    Attributes:
        FIXTURE: of function scope.
        SHARED: a fixture of a wider scope or of one that is not known, or a setup for many tests.
        HELPER: only when another function calls it.
    """

    TEST = "test"
    FIXTURE = "fixture"
    SETUP = "setup"
    TEARDOWN = "teardown"
    SHARED = "shared"
    HELPER = "helper"


@dataclass(eq=False, slots=True)
class Class:
    """A class of the module.

    Attributes:
        bindings: its attributes, with those that methods assign to `self`.
    """

    node: ast.ClassDef
    holds_tests: bool
    methods: dict[str, Function] = field(default_factory=dict)
    bindings: Bindings = field(default_factory=Bindings)


@dataclass(eq=False, slots=True)
class Function:
    """A function of the module.

    Attributes:
        outer: the function that it is defined in.
        owner: the class that `self` is of.
        scopes: where its names are looked up, the nearest first.
        cached: it runs once, however often it is called.
        local: the functions that are defined in it.
    """

    node: Definition
    role: Role
    outer: Function | None
    owner: Class | None
    scopes: Scopes
    cached: bool
    local: dict[str, Function] = field(default_factory=dict)
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """As it is defined."""
        return self.node.name

    def __str__(self) -> str:
        kind = "test" if self.role is Role.TEST else "fixture"
        is_setup = self.role in (Role.SETUP, Role.TEARDOWN) or self.name in _ONCE
        return self.name if is_setup or self.role is Role.HELPER else f"the {kind} {self.name}"


def function_of(
    node: Definition,
    outer: Function | None,
    owner: Class | None,
    around: Scopes,
    *,
    in_test_file: bool,
) -> Function:
    """A function, and how it is run.

    Args:
        node: its definition.
        outer: the function that it stands in.
        owner: the class that it stands in.
        around: where its decorators are looked up.
        in_test_file: whether pytest looks for tests in the file.
    """
    role = next(filter(None, (_of_fixture(each, around) for each in node.decorator_list)), None)
    if role is None:
        is_run = outer is None and (owner.holds_tests if owner else in_test_file)
        role = _by_name(node.name) if is_run else Role.HELPER
    return Function(node, role, outer, owner, (Bindings(), *around), _is_cached(node, around))


def _by_name(name: str) -> Role:
    if name in _EACH_TEST:
        return Role.SETUP
    if name in _AFTER_EACH_TEST:
        return Role.TEARDOWN
    if name in _ONCE:
        return Role.SHARED
    return Role.TEST if name.startswith("test") else Role.HELPER


def _of_fixture(decorator: ast.expr, scopes: Scopes) -> Role | None:
    called = decorator if isinstance(decorator, ast.Call) else None
    name = qualified(called.func if called else decorator, scopes) or ""
    package, _, attribute = name.rpartition(".")
    if package.partition(".")[0] not in _FIXTURES or attribute not in ("fixture", "yield_fixture"):
        return None
    if called is None:
        return Role.FIXTURE
    given = [keyword.value for keyword in called.keywords if keyword.arg == "scope"]
    unknown = any(keyword.arg is None for keyword in called.keywords)  # **options
    # pytest once took the scope as the first argument; pytest_asyncio still takes the function.
    given += [first for first in called.args[:1] if isinstance(first, (ast.Constant, ast.Name))]
    if not given:
        return Role.SHARED if unknown else Role.FIXTURE
    scope = given[0]
    is_function = isinstance(scope, ast.Constant) and scope.value == "function"
    return Role.FIXTURE if is_function else Role.SHARED


def _is_cached(node: Definition, scopes: Scopes) -> bool:
    """Whether a decorator keeps what the function gave at first."""
    names = (
        qualified(each.func if isinstance(each, ast.Call) else each, scopes)
        for each in node.decorator_list
    )
    return any(last(name) in _CACHES for name in names)


def holds_tests(node: ast.ClassDef, scopes: Scopes, *, in_test_file: bool) -> bool:
    """Whether pytest or unittest runs the methods of a class."""
    if any(last(qualified(base, scopes)).endswith("TestCase") for base in node.bases):
        return True
    return in_test_file and node.name.startswith("Test")
