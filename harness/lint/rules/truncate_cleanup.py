"""Rows that are deleted after each test, table by table."""

from __future__ import annotations

import ast
import re

from harness.lint.functions import Function, Role
from harness.lint.module import Module
from harness.lint.names import dotted, last
from harness.lint.places import place
from harness.lint.project import Project
from harness.lint.rule import Found, Rule
from harness.lint.statements import statement

_TRUNCATE = re.compile(r"(.*;)?\s*(--[^\n]*\n\s*)*truncate\b", re.IGNORECASE | re.DOTALL)
_DELETE_ALL = re.compile(r"\s*delete\s+from\s+[\w.\"{}]+\s*;?\s*", re.IGNORECASE)
_OF_PGLITE = ("clear_all_data", "clean_database_data")


def _check(module: Module, _project: Project) -> Found:
    for call, function in module.calls:
        root = module.per_test.get(function) if function else None
        what = _what(call, function, root, module) if function and root else None
        if function and root and what:
            yield call, f"{what} for each test, {place(function, root)}"


def _what(call: ast.Call, function: Function, root: Function, module: Module) -> str | None:
    """What a call does, if it cleans up."""
    if _empties_every_table(call, function, module):
        return "all tables are emptied"
    text = statement(call, function, module)
    if not text:
        name = module.qualified(call.func, function)
        of_pglite = name.startswith("py_pglite.") and last(name) in _OF_PGLITE
        return "all tables are emptied" if of_pglite else None
    # In a test, a TRUNCATE may well be what is tested; in its `finally` it is not.
    if root.role is Role.TEST and not _is_in_finally(call, module):
        return None
    if _TRUNCATE.match(text):
        return "tables are truncated"
    if _DELETE_ALL.fullmatch(text) and _is_after_the_test(call, function, module):
        return "a table is emptied"
    return None


def _empties_every_table(call: ast.Call, function: Function, module: Module) -> bool:
    """Whether this is `table.delete()`, or the like, in a loop over the tables of a MetaData."""
    deletes = last(dotted(call.func)) == "delete"
    deletes = deletes or _DELETE_ALL.fullmatch(statement(call, function, module)) is not None
    return deletes and any(
        isinstance(node, ast.Attribute) and node.attr in ("sorted_tables", "tables")
        for loop in module.above(call)
        if isinstance(loop, ast.For | ast.AsyncFor | ast.ListComp)
        for each in ([loop] if not isinstance(loop, ast.ListComp) else loop.generators)
        for node in ast.walk(each.iter)
    )


def _is_in_finally(node: ast.AST, module: Module) -> bool:
    inner = node
    for outer in module.above(node):
        if isinstance(outer, ast.Try) and inner in outer.finalbody:
            return True
        inner = outer
    return False


def _is_after_the_test(call: ast.Call, function: Function, module: Module) -> bool:
    """Whether a statement runs when the test is over: behind the yield of a fixture."""
    if function.role is Role.TEARDOWN or _is_in_finally(call, module):
        return True
    yields = [node.lineno for node in ast.walk(function.node) if isinstance(node, ast.Yield)]
    return bool(yields) and call.lineno > max(yields)


RULE = Rule(
    name="truncate-cleanup",
    what="TRUNCATE, or DELETE on every table, cleans up after each test.",
    why="Truncating twenty tables takes 38 times as long as a whole transaction that is rolled "
    "back, on a server 128 times, and what a forgotten table holds meets the next test.",
    instead="ask for db_session or db_connection: what a test does there, commits included, is "
    "rolled back",
    bad="""\
import pytest
from sqlalchemy import text

@pytest.fixture
def session(shared_session):
    yield shared_session
    shared_session.execute(text("truncate accounts, transfers restart identity cascade"))
    shared_session.commit()
""",
    good="""\
from sqlalchemy import text

def test_an_account_is_empty(db_session):
    db_session.execute(text("insert into accounts (owner) values ('Ada')"))
    db_session.commit()
    assert db_session.scalar(text("select balance from accounts")) == 0
""",
    words=(
        "truncate",
        "delete from",
        "sorted_tables",
        ".tables",
        "clear_all_data",
        "clean_database_data",
    ),
    check=_check,
)
