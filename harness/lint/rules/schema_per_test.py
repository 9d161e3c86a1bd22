"""Tables that are made, or dropped, anew for each test."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from harness.lint import makers
from harness.lint.functions import Function
from harness.lint.module import Module
from harness.lint.names import dotted, last
from harness.lint.places import is_expected_to_fail, place
from harness.lint.project import Project
from harness.lint.rule import Found, Rule

_METADATA = re.compile(r"meta(data)?$|^db$", re.IGNORECASE)
_OF_PGLITE = ("create_all_tables", "drop_all_tables")
_SQLITE = re.compile(r"[\"']sqlite(\+\w+)?:|check_same_thread")
_POSTGRESQL = re.compile(r"[\"'](postgres|cockroachdb)|psycopg|asyncpg")
_OF_HARNESS = re.compile(r"^(db_connection|db_session|worker_db)\b")


def _check(module: Module, _project: Project) -> Found:
    if _is_for_another_database(module):
        return
    told: set[Function] = set()
    for node, function in _schemas(module):
        root = module.per_test.get(function)
        # Who drops the tables has made them, mostly: that is one thing to mend.
        if root is None or function in told or is_expected_to_fail(node, module):
            continue
        told.add(function)
        verb = "dropped" if "drop" in last(dotted(node)).lower() else "made"
        yield node, f"all tables are {verb} for each test, {place(function, root)}"


def _schemas(module: Module) -> Iterator[tuple[ast.expr, Function]]:
    """Where all tables are made or dropped: `Base.metadata.create_all`, called or handed over."""
    for node, function in module.attributes:
        if function is not None and _is_schema(node):
            call = module.parent(node)
            if not (isinstance(call, ast.Call) and _is_spared(call, function, module)):
                yield node, function
    for call, function in module.calls:
        name = module.qualified(call.func, function)
        if function is not None and name.startswith("py_pglite.") and last(name) in _OF_PGLITE:
            yield call.func, function


def _is_schema(node: ast.Attribute) -> bool:
    """Whether this is `Base.metadata.create_all`, called or handed to run_sync."""
    if node.attr not in ("create_all", "drop_all"):
        return False
    return _METADATA.search(last((dotted(node.value) or "").removesuffix("()"))) is not None


def _is_spared(call: ast.Call, function: Function, module: Module) -> bool:
    """Whether the tables are made in a test's transaction, in SQLite, or nowhere."""
    given = [*call.args, *(each.value for each in call.keywords)]
    return any(
        _OF_HARNESS.match(dotted(each) or "")
        or "mock" in module.qualified(each, function).lower()
        or _is_of_another_database(each, function, module)
        for each in given
    )


def _is_of_another_database(node: ast.expr, function: Function, module: Module) -> bool:
    """Whether an argument is an engine for SQLite, say."""
    made = module.value(node.id, function) if isinstance(node, ast.Name) else node
    return (
        isinstance(made, ast.Call)
        and makers.is_any_engine(made, function, module)
        and not makers.is_engine(made, function, module)
    )


def _is_for_another_database(module: Module) -> bool:
    """Whether the module speaks of SQLite alone: a new database there holds no tables yet."""
    return _SQLITE.search(module.text) is not None and not _POSTGRESQL.search(module.text)


RULE = Rule(
    name="schema-per-test",
    what="`create_all` or `drop_all` runs in a test or in a fixture of function scope.",
    why="Dropping and making a schema takes 135 times as long as a transaction that is rolled "
    "back, on a server 220 times, and bloats PostgreSQL's catalog.",
    instead='name the MetaData in `setup` of [tool.harness], e.g. "shop.models:Base.metadata": '
    "its tables are made once, in the template",
    bad="""\
import pytest
from shop.models import Base

@pytest.fixture(autouse=True)
def tables(engine):
    Base.metadata.create_all(engine)
    yield
    Base.metadata.drop_all(engine)
""",
    good="""\
from shop.models import Account

def test_an_account_is_empty(db_session):
    account = Account(owner="Ada")
    db_session.add(account)
    db_session.commit()
    assert account.balance == 0
""",
    words=("create_all", "drop_all"),
    check=_check,
)
