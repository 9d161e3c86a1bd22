"""SQLAlchemy, imported when a setup asks for it: one of SQL files alone starts a fifth faster."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeGuard

import psycopg
from psycopg.conninfo import conninfo_to_dict

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData


@contextmanager
def connection(dsn: str) -> Iterator[Connection]:
    """A SQLAlchemy Connection, closed at the end of the block."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=NullPool
    )
    with engine.connect() as opened:
        yield opened


def url(dsn: str) -> str:
    """The URL that SQLAlchemy's engines take for this database."""
    from sqlalchemy import URL

    parameters = {key: str(value) for key, value in conninfo_to_dict(dsn).items() if value}
    return URL.create("postgresql+psycopg", query=parameters).render_as_string(hide_password=False)


def is_metadata(found: object) -> TypeGuard[MetaData]:
    """Whether an object is a MetaData; there can be none where SQLAlchemy is not imported."""
    sqlalchemy = sys.modules.get("sqlalchemy")
    return sqlalchemy is not None and isinstance(found, sqlalchemy.MetaData)


def ddl(metadata: MetaData) -> str:
    """The statements that create all tables of a MetaData, sorted: what its key is made of.

    SQLAlchemy gives the indexes of a table in the order of a set, which is another in each process.
    """
    from sqlalchemy import create_mock_engine

    statements: list[str] = []

    def collect(statement: Any, *_: Any, **__: Any) -> None:
        statements.append(str(statement.compile(dialect=engine.dialect)))

    engine = create_mock_engine("postgresql+psycopg://", collect)
    metadata.create_all(engine, checkfirst=False)
    return "\n".join(sorted(statements))


def driver_error(error: BaseException) -> BaseException:
    """The driver's error inside one of SQLAlchemy's, or the error itself."""
    return getattr(error, "orig", None) or error
