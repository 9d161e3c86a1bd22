"""Engines that a test or a fixture makes and never disposes of."""

from __future__ import annotations

import ast

from harness.lint import makers
from harness.lint.functions import Function
from harness.lint.module import Module
from harness.lint.names import dotted, last
from harness.lint.owning import left_open
from harness.lint.places import place
from harness.lint.project import Project
from harness.lint.rule import Found, Rule

_ENDS = frozenset({"dispose"})


def _check(module: Module, _project: Project) -> Found:
    for opened in left_open(module, _makes_pool, _ENDS):
        by = f" that {opened.giver.name} gives" if opened.giver else ""
        where = place(opened.function, module.in_tests[opened.function])
        yield opened.call, f"an engine{by} is never disposed of, {where}"


def _makes_pool(call: ast.Call, function: Function | None, module: Module) -> bool:
    """Whether a call makes an engine that keeps connections after their use."""
    pools = (keyword.value for keyword in call.keywords if keyword.arg == "poolclass")
    keeps = all(last(dotted(pool)) != "NullPool" for pool in pools)
    return keeps and makers.is_engine(call, function, module)


RULE = Rule(
    name="undisposed-engine",
    what="An engine that a test or a fixture makes, of whatever scope, and never disposes of.",
    why="Its pool keeps the connections open that were ever in use, up to five of them, for as "
    "long as the process lives; on a server, each is a process of its own.",
    instead="call `engine.dispose()` behind the fixture's yield, or ask for db_session",
    bad="""\
import pytest
from sqlalchemy import create_engine

@pytest.fixture(scope="session")
def engine():
    return create_engine("postgresql+psycopg://localhost/shop_test")
""",
    good="""\
import pytest
from sqlalchemy import create_engine

@pytest.fixture(scope="session")
def engine():
    engine = create_engine("postgresql+psycopg://localhost/shop_test")
    yield engine
    engine.dispose()
""",
    words=("_engine", "engine_"),
    check=_check,
)
