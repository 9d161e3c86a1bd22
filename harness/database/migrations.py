"""Alembic as a part of the setup: a project's migrations, run up to their head."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from harness.database import orm
from harness.errors import ConfigError, DatabaseError, Location

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LAST_CHANGE = "select pg_snapshot_xmax(pg_current_snapshot())::text"


@dataclass(frozen=True, slots=True)
class AlembicStep:
    """An alembic.ini, upgraded to its heads."""

    ini: Path

    def content(self) -> bytes:
        """The ini file, and all files of its script folders.

        Raises:
            ConfigError: alembic is not installed, or the ini file names no script folder.
        """
        parts = [self.ini.read_bytes()]
        for folder in self._folders():
            files = (path for path in sorted(folder.rglob("*")) if path.is_file())
            parts += [path.read_bytes() for path in files if path.suffix != ".pyc"]
        return b"\0".join(parts)

    def run(self, dsn: str) -> None:
        """Upgrades, both for an env.py that takes our connection and for one that makes its own.

        Raises:
            DatabaseError: a migration fails, or env.py has connected to something else.
        """
        config = self._config()
        config.set_main_option("sqlalchemy.url", orm.url(dsn).replace("%", "%%"))
        with orm.connection(dsn) as connection, _logging_kept():
            before = _last_change(connection)
            config.attributes["connection"] = connection
            try:
                _alembic("command").upgrade(config, "heads")
            except Exception as error:  # migrations are the user's code
                raise self._error(error) from error
            connection.commit()
            if _last_change(connection) == before:
                raise self._elsewhere()

    def _folders(self) -> list[Path]:
        try:
            script = _alembic("script").ScriptDirectory.from_config(self._config())
        except _alembic("util").CommandError as error:
            raise ConfigError(f"setup: {error}", where=Location(self.ini)) from error
        return [Path(folder) for folder in (script.dir, *(script.version_locations or ()))]

    def _config(self) -> Any:
        return _alembic("config").Config(str(self.ini))

    def _error(self, error: Exception) -> DatabaseError:
        cause = orm.driver_error(error)
        return DatabaseError(
            f"alembic upgrade failed: {type(cause).__name__}: {cause}",
            where=Location(self.ini),
            hint=cause.diag.message_hint if isinstance(cause, psycopg.Error) else None,
        )

    def _elsewhere(self) -> DatabaseError:
        return DatabaseError(
            "alembic upgrade changed nothing here: env.py takes its URL from elsewhere, so that "
            "ANOTHER DATABASE may have been upgraded",
            where=Location(self.ini),
            hint='env.py: use config.attributes.get("connection"), or the option sqlalchemy.url',
        )


def _alembic(module: str) -> Any:
    """One of alembic's modules; a project without migrations need not have it."""
    try:
        return importlib.import_module(f"alembic.{module}")
    except ModuleNotFoundError as error:
        raise ConfigError(
            "setup names an alembic.ini, but alembic is not installed", hint="`pip install alembic`"
        ) from error


def _last_change(connection: Connection) -> str:
    """A mark that moves with every transaction that wrote something.

    It leaves the connection closed, to come back by itself when it is used: PGlite has one place,
    and env.py may want to connect on its own.
    """
    mark = str(connection.exec_driver_sql(_LAST_CHANGE).scalar_one())
    connection.rollback()
    connection.invalidate()
    return mark


@contextmanager
def _logging_kept() -> Iterator[None]:
    """Undoes what the usual env.py does to the process's logging by `fileConfig`."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    known = root.manager.loggerDict.values()
    disabled = {each: each.disabled for each in known if isinstance(each, logging.Logger)}
    try:
        yield
    finally:
        root.handlers[:], root.level = handlers, level
        for logger, was_disabled in disabled.items():
            logger.disabled = was_disabled
