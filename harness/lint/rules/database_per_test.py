"""A database or an engine that is made anew for each test."""

from __future__ import annotations

import ast
import re

from harness.lint import makers
from harness.lint.functions import Function
from harness.lint.module import Module
from harness.lint.places import is_expected_to_fail, is_made_once, place
from harness.lint.project import Project
from harness.lint.rule import Found, Rule
from harness.lint.statements import statement

_CREATES = re.compile(r"\s*create\s+database\b", re.IGNORECASE)
_CLONING = re.compile(r"pytest_postgresql\.(\w+\.)*factories\.(\w+\.)*postgresql(_async)?")


def _check(module: Module, project: Project) -> Found:
    for call, function in module.calls:
        if _CLONING.fullmatch(module.qualified(call.func, function)):
            yield call, "its fixture clones and drops a database for each test"
            continue
        root = module.per_test.get(function) if function else None
        what = _what(call, function, module, project) if root else None
        if what is None or function is None or root is None:
            continue
        if not (is_expected_to_fail(call, module) or is_made_once(call, function, module)):
            yield call, f"{what} is made for each test, {place(function, root)}"


def _what(
    call: ast.Call, function: Function | None, module: Module, project: Project
) -> str | None:
    name = module.qualified(call.func, function)
    # Where there is Harness, any manager is one too many: that is another rule.
    if makers.is_server(name) or (makers.is_manager(name) and not project.has_harness):
        return "a database"
    if _CREATES.match(statement(call, function, module)):
        return "a database"
    return "an engine" if makers.is_engine(call, function, module) else None


RULE = Rule(
    name="database-per-test",
    what="A database, a server, or an engine for one, is made in a test or in a fixture of "
    "function scope.",
    why="Each PGlite takes 100 to 400 MB and up to ten seconds to start; the clone of a template "
    "takes 27 to 48 times as long as a transaction that is rolled back; each engine has a pool, "
    "which keeps up to five connections open. Memory runs out, and the machine stands still.",
    instead="ask for db_session or db_connection: the worker's one database, and a transaction "
    "for each test that is rolled back",
    bad="""\
import pytest
from sqlalchemy import create_engine, text

@pytest.fixture
def connection():
    engine = create_engine("postgresql+psycopg://localhost/shop_test")
    with engine.connect() as connection:
        yield connection
    engine.dispose()

def test_there_are_no_accounts(connection):
    assert connection.scalar(text("select count(*) from accounts")) == 0
""",
    good="""\
from sqlalchemy import text

def test_there_are_no_accounts(db_connection):
    assert db_connection.scalar(text("select count(*) from accounts")) == 0
""",
    words=(
        "_engine",
        "engine_",
        "pglite",
        "testcontainers",
        "testing",
        "pytest_postgresql",
        "create_database",
        "create database",
    ),
    check=_check,
)
