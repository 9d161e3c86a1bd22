"""The names of what makes databases, engines, sessions and connections."""

from __future__ import annotations

import ast
import re

from harness.lint.functions import Function
from harness.lint.module import Module
from harness.lint.names import dotted, last

_SQLALCHEMY = ("sqlalchemy", "sqlmodel", "flask_sqlalchemy")
_ENGINES = {
    "create_engine", "create_async_engine", "engine_from_config", "async_engine_from_config",
}  # fmt: skip
_SESSION_FACTORIES = ("sessionmaker()", "async_sessionmaker()")
_FACTORY_NAME = re.compile(r"\w*SessionLocal|(\w*Async|async_)?session_?maker", re.IGNORECASE)
_CONNECTS = re.compile(r"(psycopg|psycopg2|asyncpg|pg8000)(\.\w+)*\.connect")
_FOLLOWED = 8
"""Steps from an expression to its text: names, and calls that only wrap it."""
_TEXTS = {"text", "SQL", "create", "make_url", "dedent"}
_POSTGRESQL = ("postgresql", "postgres:")


def is_manager(name: str) -> bool:
    """Whether a call makes a manager of py-pglite, which starts a PGlite."""
    return name.startswith("py_pglite.") and name.endswith("PGliteManager")


def is_server(name: str) -> bool:
    """Whether a call makes a database, or a server that holds one."""
    return name in (
        "testing.postgresql.Postgresql",
        "testing.postgresql.PostgresqlFactory()",
        "sqlalchemy_utils.create_database",
    ) or (name.startswith("testcontainers.") and name.endswith(".PostgresContainer"))


def is_any_engine(call: ast.Call, function: Function | None, module: Module) -> bool:
    """Whether a call makes an engine of SQLAlchemy, for whatever database."""
    name = module.qualified(call.func, function)
    return name.partition(".")[0] in _SQLALCHEMY and last(name) in _ENGINES


def is_engine(call: ast.Call, function: Function | None, module: Module) -> bool:
    """Whether a call makes an engine that connects to PostgreSQL, as far as can be seen.

    An engine on a connection that somebody else made (`creator`) is none of these.
    """
    if not is_any_engine(call, function, module):
        return False
    if any(keyword.arg in ("creator", "async_creator", "pool") for keyword in call.keywords):
        return False
    if any("check_same_thread" in ast.unparse(keyword.value) for keyword in call.keywords):
        return False  # which only SQLite knows
    urls = [*call.args[:1], *(each.value for each in call.keywords if each.arg == "url")]
    return not any(_is_foreign(url, function, module) for url in urls)


def is_session(call: ast.Call, function: Function | None, module: Module) -> bool:
    """Whether a call makes a session of SQLAlchemy, or a connection of a driver."""
    name = module.qualified(call.func, function)
    if _CONNECTS.fullmatch(name):
        return True
    own = last(name)
    if name.partition(".")[0] in _SQLALCHEMY:
        return own in ("Session", "AsyncSession") or own.endswith(_SESSION_FACTORIES)
    # What a project imports from a module of its own is known by its name alone.
    return "." in name and "()" not in name and _FACTORY_NAME.fullmatch(own) is not None


def _is_foreign(url: ast.expr, function: Function | None, module: Module) -> bool:
    """Whether an address is written out, and is that of another database: SQLite, mostly."""
    text = literal(url, function, module)
    return bool(text) and re.match(r"\w+", text) is not None and not text.startswith(_POSTGRESQL)


def literal(node: ast.expr, function: Function | None, module: Module) -> str:
    """The text that an expression begins with, as far as it is written out; `{}` for the rest."""
    for _ in range(_FOLLOWED):
        match node:
            case ast.Constant(value=str() as text):
                return text
            case ast.JoinedStr(values=values):
                return "".join(
                    str(each.value) if isinstance(each, ast.Constant) else "{}" for each in values
                )
            case ast.BinOp(left=left):
                node = left
            case ast.Call(func=ast.Attribute(value=inner, attr="format" | "strip")):
                node = inner
            case ast.Call(args=[first, *_]) if last(dotted(node.func)) in _TEXTS:
                node = first
            case ast.Name(id=name):
                value = module.value(name, function)
                if value is None:
                    return ""
                node = value
            case _:
                return ""
    return ""
