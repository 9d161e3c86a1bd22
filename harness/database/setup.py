"""What builds the database once: the steps that the `setup` setting names."""

from __future__ import annotations

import glob
import inspect
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import psycopg

from harness.database import orm
from harness.database.migrations import AlembicStep
from harness.database.script import Script, Statement
from harness.errors import ConfigError, DatabaseError, Location, nearest
from harness.modules import TargetError, imported, is_target

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData

_SETUP = "pyproject.toml: [tool.harness] setup"
_WATCH = "pyproject.toml: [tool.harness] watch"


class SetupStep(Protocol):
    """One part of the setup; it opens its own connection, for PGlite takes one client at a time."""

    def content(self) -> bytes:
        """What decides about the result: it belongs to the template's key."""

    def run(self, dsn: str) -> None:
        """Does its work on the database, and commits it.

        Raises:
            DatabaseError: it fails; the text says where.
        """


def setup_steps(root: Path, entries: Sequence[str]) -> list[SetupStep]:
    """The steps that the entries of `setup` stand for.

    Args:
        root: the folder that relative paths start from.
        entries: SQL files, folders or globs of them, `module:MetaData`, `module:callable`,
            alembic.ini.

    Raises:
        ConfigError: an entry names nothing, or its target does not import.
    """
    return [step for entry in entries for step in _steps(root, entry)]


def watched_content(root: Path, patterns: Sequence[str]) -> Iterator[bytes]:
    """What the files hold that the patterns of `watch` name, in name order.

    Raises:
        ConfigError: a pattern matches no file.
    """
    for pattern in patterns:
        path = root / pattern
        files = _files(path / "**/*" if path.is_dir() else path)
        if not files:
            raise _no_file(_WATCH, root, pattern, f"paths begin at {root}")
        yield from (file.read_bytes() for file in files)


@dataclass(frozen=True, slots=True)
class SqlStep:
    """A file of SQL, executed statement by statement as psql does."""

    path: Path

    def content(self) -> bytes:
        """The file as it is."""
        return self.path.read_bytes()

    def run(self, dsn: str) -> None:
        """Executes the file; a transaction that it begins it must also end.

        Raises:
            DatabaseError: a statement fails; the error has its line and column.
        """
        script = Script(self.path, self._text())
        with psycopg.connect(dsn, autocommit=True) as connection:
            for statement in script.statements():
                try:
                    _execute(connection, statement)
                except psycopg.Error as error:
                    raise _statement_error(script, statement, error) from error
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                raise DatabaseError(
                    "the file ends inside a transaction",
                    where=script.location(len(script.text)),
                    hint="a BEGIN lacks its COMMIT",
                )

    def _text(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise DatabaseError(
                f"the file is not UTF-8: {error.reason} at byte {error.start}",
                where=Location(self.path),
                hint="save it as UTF-8",
            ) from error


@dataclass(frozen=True, slots=True)
class MetadataStep:
    """The tables of a SQLAlchemy MetaData."""

    target: str
    metadata: MetaData

    def content(self) -> bytes:
        """The DDL that creates them."""
        with _failures_explained(self.target, None):
            return orm.ddl(self.metadata).encode()

    def run(self, dsn: str) -> None:
        """Creates the tables that are not there yet.

        Raises:
            DatabaseError: PostgreSQL refuses one.
        """
        with _failures_explained(self.target, None), orm.connection(dsn) as connection:
            self.metadata.create_all(connection)
            connection.commit()


@dataclass(frozen=True, slots=True)
class CallableStep:
    """A function that is called with a SQLAlchemy Connection, whose work is then committed."""

    target: str
    function: Callable[[Connection], object]
    source: Path

    def content(self) -> bytes:
        """Its name and its source file; what else it reads belongs into `watch`."""
        return self.target.encode() + b"\0" + self.source.read_bytes()

    def run(self, dsn: str) -> None:
        """Calls the function.

        Raises:
            DatabaseError: it raises; the error has the line in the function's file.
        """
        with _failures_explained(self.target, self.source), orm.connection(dsn) as connection:
            self.function(connection)
            connection.commit()


def _steps(root: Path, entry: str) -> Iterator[SetupStep]:
    path = root / entry
    if path.suffix == ".ini" and path.is_file():
        yield AlembicStep(path)
    elif is_target(entry) and not path.exists():
        yield _target_step(root, entry)
    else:
        files = _files(path / "*.sql" if path.is_dir() else path)
        if not files:
            hint = f"paths begin at {root}; a target is written module:name"
            raise _no_file(_SETUP, root, entry, hint)
        for file in files:
            if file.suffix != ".sql":
                raise ConfigError(
                    f"{_SETUP}: {entry!r} names {file.name}, which is neither SQL nor alembic.ini",
                    hint="SQL files end in .sql",
                )
            yield SqlStep(file)


def _files(pattern: Path) -> list[Path]:
    found = sorted(glob.glob(str(pattern), recursive=True))
    return [path for path in map(Path, found) if path.is_file()]


def _no_file(setting: str, root: Path, entry: str, hint: str) -> ConfigError:
    near = _nearest_path(root, Path(entry).parts)
    guess = f"did you mean {near!r}? " if near else ""
    return ConfigError(f"{setting}: {entry!r} matches no file", hint=f"{guess}{hint}")


def _nearest_path(root: Path, parts: tuple[str, ...]) -> str | None:
    """The path with its first part that is not there replaced by what is there, if it is near."""
    for index, part in enumerate(parts):
        folder = root.joinpath(*parts[:index])
        if folder.is_dir() and not (folder / part).exists():
            near = nearest(part, (path.name for path in folder.iterdir()))
            return str(Path(*parts[:index], near, *parts[index + 1 :])) if near else None
    return None


def _target_step(root: Path, target: str) -> MetadataStep | CallableStep:
    try:
        found = imported(target, root)
    except TargetError as error:
        (problem,) = error.problems
        what = f"{_SETUP}: {problem.what}"
        raise ConfigError(replace(problem, what=what)) from error.__cause__
    if orm.is_metadata(found):
        return MetadataStep(target, found)
    if not callable(found) or inspect.iscoroutinefunction(found):
        kind = "a coroutine function" if callable(found) else f"of type {type(found).__name__}"
        raise ConfigError(
            f"{_SETUP}: {target} is {kind}",
            hint="name a MetaData, or a plain function that takes a SQLAlchemy Connection",
        )
    source = inspect.getsourcefile(inspect.unwrap(found))
    if source is None:
        raise ConfigError(
            f"{_SETUP}: {target} has no source file, so that no change of it could be seen",
            hint="wrap it in a function of a module of yours",
        )
    return CallableStep(target, found, Path(source))


def _execute(connection: psycopg.Connection[Any], statement: Statement) -> None:
    text = statement.text.encode()
    if statement.data is None:
        connection.execute(text)
        return
    with connection.cursor() as cursor, cursor.copy(text) as copy:
        copy.write(statement.data)


def _statement_error(script: Script, statement: Statement, error: psycopg.Error) -> DatabaseError:
    position = error.diag.statement_position
    offset = statement.offset + (int(position) - 1 if position else 0)
    return DatabaseError(
        _described(error), where=script.location(offset), hint=error.diag.message_hint
    )


def _described(error: psycopg.Error) -> str:
    diag = error.diag
    if diag.message_primary is None:
        return str(error).strip()  # not PostgreSQL's word but the connection's
    parts = [
        f"{diag.message_primary} (SQLSTATE {diag.sqlstate})",
        diag.message_detail,
        diag.context,
    ]
    return "\n  ".join(part for part in parts if part)


@contextmanager
def _failures_explained(target: str, source: Path | None) -> Iterator[None]:
    """Turns what a target raises into an error that names it and, in its own file, the line."""
    try:
        yield
    except Exception as error:  # the user's code may raise anything
        cause = orm.driver_error(error)
        postgres = cause if isinstance(cause, psycopg.Error) else None
        told = _described(postgres) if postgres else f"{type(error).__name__}: {error}"
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if source and Path(frame.filename) == source]
        raise DatabaseError(
            f"setup: {target} failed: {told}",
            where=Location(source, lines[-1] or 1) if source and lines else None,
            hint=postgres.diag.message_hint if postgres else None,
        ) from error
