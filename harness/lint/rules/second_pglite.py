"""A PGlite beside the one that Harness starts for the worker."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from harness.lint import makers
from harness.lint.functions import Role
from harness.lint.module import Module
from harness.lint.names import dotted, last
from harness.lint.places import is_expected_to_fail, place
from harness.lint.project import Project
from harness.lint.rule import Found, Node, Rule
from harness.lint.text import source

_FIXTURES = frozenset(
    {
        "pglite_manager", "pglite_manager_custom", "pglite_manager_isolated",
        "pglite_engine", "pglite_async_engine", "pglite_session", "pglite_async_session",
        "pglite_sqlalchemy_manager", "pglite_async_sqlalchemy_manager",
        "pglite_sqlalchemy_engine", "pglite_sqlalchemy_async_engine", "pglite_sqlalchemy_session",
        "pglite_django_manager", "django_pglite_db", "django_pglite_transactional_db",
    }
)  # fmt: skip
"""The fixtures of py-pglite that start one."""


def _check(module: Module, project: Project) -> Found:
    if not project.has_harness:
        return
    for call, function in module.calls:
        if not makers.is_manager(module.qualified(call.func, function)):
            continue
        root = module.in_tests.get(function) if function else None
        if is_expected_to_fail(call, module):
            continue
        if function and root:
            yield call, f"a second PGlite is made {place(function, root)}"
        elif function is None and _is_imported_by_pytest(module):
            yield call, "a second PGlite is made when the module is imported"
    for node, name in _asked_for(module):
        if name not in _own(module, project):
            yield node, f"py-pglite's fixture {name} starts a second PGlite"


def _is_imported_by_pytest(module: Module) -> bool:
    return module.in_test_file or module.path.name == "conftest.py"


def _asked_for(module: Module) -> Iterator[tuple[Node, str]]:
    """Where a test or fixture asks for one of py-pglite's, by whatever way."""
    for function in module.functions:
        if function.role is not Role.HELPER:
            arguments = function.node.args
            for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
                if each.arg in _FIXTURES:
                    yield each, each.arg
    for call, _ in module.calls:
        if last(dotted(call.func)) in ("usefixtures", "getfixturevalue"):
            for argument in call.args:
                if isinstance(argument, ast.Constant) and argument.value in _FIXTURES:
                    yield argument, str(argument.value)


def _own(module: Module, project: Project) -> frozenset[str]:
    """The fixtures of these names that the project has made its own, in the way to Harness."""
    own = _defined(module)
    for folder in module.path.absolute().parents:
        own |= _in_conftest(folder)
        if folder == project.root:
            break
    return own


def _defined(module: Module) -> frozenset[str]:
    return frozenset(
        function.name
        for function in module.functions
        if function.role is Role.FIXTURE or function.role is Role.SHARED
    )


@cache
def _in_conftest(folder: Path) -> frozenset[str]:
    path = folder / "conftest.py"
    try:
        text = source(path)
        return _defined(Module(path, text, in_test_file=False)) if "pglite" in text else frozenset()
    except (OSError, SyntaxError, ValueError):
        return frozenset()  # what is wrong with it is told where it is linted itself


RULE = Rule(
    name="second-pglite",
    what="A manager of py-pglite, or one of its fixtures, in a project that has [tool.harness].",
    why="There is one PGlite for each worker; another costs 100 to 400 MB, and a run that starts "
    "one gets a SecondDatabaseError.",
    instead="ask for db_session, db_connection or worker_db: the PGlite that the worker has",
    bad="""\
from sqlalchemy import text

def test_there_are_no_accounts(pglite_session):
    assert pglite_session.scalar(text("select count(*) from accounts")) == 0
""",
    good="""\
from sqlalchemy import text

def test_there_are_no_accounts(db_session):
    assert db_session.scalar(text("select count(*) from accounts")) == 0
""",
    words=("pglite",),
    check=_check,
)
