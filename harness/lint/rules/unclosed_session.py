"""Sessions and connections that a test or a fixture opens and leaves open."""

from __future__ import annotations

import ast

from harness.lint import makers
from harness.lint.module import Module
from harness.lint.owning import left_open
from harness.lint.places import place
from harness.lint.project import Project
from harness.lint.rule import Found, Rule

_ENDS = frozenset({"close", "aclose", "remove", "terminate", "close_all", "invalidate"})
_CLOSE_ALL = ("close_all_sessions", "close_all")


def _check(module: Module, _project: Project) -> Found:
    if any(module.qualified(call.func, at).endswith(_CLOSE_ALL) for call, at in module.calls):
        return
    for opened in left_open(module, makers.is_session, _ENDS):
        what = "a connection" if _is_connection(opened.call) else "a session"
        by = f" that {opened.giver.name} gives" if opened.giver else ""
        where = place(opened.function, module.in_tests[opened.function])
        yield opened.call, f"{what}{by} is never closed, {where}"


def _is_connection(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "connect"


RULE = Rule(
    name="unclosed-session",
    what="A session of SQLAlchemy, or a connection of a driver, that a test or a fixture opens and "
    "does not close.",
    why="It keeps its connection and every object it has loaded, until the garbage collector "
    "comes by; on a server, each connection is a process of its own.",
    instead="ask for db_session, or open it in a `with` block",
    bad="""\
from shop.database import engine
from shop.models import Account
from sqlalchemy.orm import Session

def test_an_account_is_empty():
    session = Session(engine)
    assert session.get(Account, 1).balance == 0
""",
    good="""\
from shop.database import engine
from shop.models import Account
from sqlalchemy.orm import Session

def test_an_account_is_empty():
    with Session(engine) as session:
        assert session.get(Account, 1).balance == 0
""",
    words=(
        "sqlalchemy",
        "sqlmodel",
        "psycopg",
        "asyncpg",
        "pg8000",
        "sessionlocal",
        "sessionmaker",
        "session_maker",
    ),
    check=_check,
)
