"""A spec as a script for psql: the SQL that it sent, from its beginning up to its failure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path as FilePath

import psycopg

from harness.config import Config
from harness.database.catalog import Catalog
from harness.database.literals import identifier, literal, text_of
from harness.database.worker import DEFAULT_SETTINGS
from harness.loader import LoadedSpec
from harness.results import Mismatch, Path, SpecResult
from harness.running.constants import constant, type_of
from harness.running.psql import comment
from harness.running.psql import statement as sendable
from harness.running.sql import Prepared
from harness.spec.operations import BaseOperation

_PREPARABLE = ("select", "insert", "update", "delete", "merge", "with", "values", "table", "(")
_OF_PARAMETERS = ("42601", "42P02", "42P18", "08P01")
"""SQLSTATEs of a parameter that may not stand where it does, or that nothing gives a type."""
_LISTS = ("search_path", "temp_tablespaces")
"""Settings whose values are lists of names, which SET does not take as one text."""


@dataclass(slots=True)
class _Step:
    """What one part of the spec sent.

    Attributes:
        part: the beginning of the paths that lead into it.
        guarded: a savepoint was set before it.
        statements: what writes each of them, for hardly any will ever be read.
        prepared: the statement that was noted last, if it has parameters.
    """

    part: Path
    title: str
    guarded: bool = False
    statements: list[Callable[[], str]] = field(default_factory=list)
    prepared: Prepared | None = None


class Replay:
    """Notes what one spec sends, in order, and writes it down as a script.

    The script runs in one transaction that it rolls back, on a database that the project's `setup`
    has built. It shows there what the spec saw, errors included: parameters are constants of the
    same type, and sequences begin where they did.

    Args:
        loaded: the spec.
        catalog: the database as it was built.
        config: the project's settings.
    """

    def __init__(self, loaded: LoadedSpec, catalog: Catalog, config: Config) -> None:
        self._loaded = loaded
        self._catalog = catalog
        self._config = config
        self._steps: list[_Step] = []

    def seed(self, statements: Sequence[str]) -> None:
        """Note what the spec's own seed has sent."""
        if statements:
            self._begin(("seed",), "seed")
            self.sent(statements)

    def operation(self, index: int, operation: BaseOperation, *, may_fail: bool) -> None:
        """Note that an operation begins; one that may fail is undone if it does."""
        name = f": {operation.name}" if operation.name else ""
        step = self._begin(("operations", index), f"operation {index + 1} ({operation.verb}){name}")
        if may_fail:
            step.guarded = True
            step.statements.append(partial(sendable, "SAVEPOINT harness_operation"))

    def statement(self, prepared: Prepared) -> None:
        """Note the statement that the operation is about to send."""
        self._steps[-1].prepared = prepared
        self._steps[-1].statements.append(partial(_with_constants, prepared))

    def left_out(self, what: str) -> None:
        """Note that the application was called, whose statements are not repeated."""
        self._steps[-1].statements.append(partial(comment, f"left out: what {what} sends"))

    def sent(self, statements: Sequence[str]) -> None:
        """Note statements of the harness's own that were sent: the seed of an operation."""
        self._steps[-1].statements += [partial(sendable, each) for each in statements]

    def failed(self, error: BaseException) -> None:
        """Note the error with which the operation ended."""
        step = self._steps[-1]
        if step.prepared is not None and isinstance(error, psycopg.Error):
            step.statements[-1] = partial(_failing, step.prepared, error)
        if step.guarded:
            back = "ROLLBACK TO SAVEPOINT harness_operation"
            step.statements.append(partial(sendable, back))

    def escaped(self) -> None:
        """Note that the last statement ended the transaction: in psql it must not."""
        statements = self._steps[-1].statements
        statements[-1] = partial(_ending, statements[-1])

    def checked(self) -> None:
        """Note that deferred constraints were checked, and did not hold."""
        self._begin(("operations",), "what a COMMIT would check")
        self.sent(["SET CONSTRAINTS ALL IMMEDIATE"])

    def script(self, result: SpecResult) -> str:
        """The script, up to the last operation that failed."""
        failures = [mismatch for _, mismatch in result.failures]
        failed = {_part(mismatch) for mismatch in failures}
        steps = list(self._steps)
        while steps and not result.mismatches and steps[-1].part not in failed:
            steps.pop()
        blocks = [self._block(step, failures) for step in steps]
        parts = {step.part for step in steps}
        rest = [_told(mismatch) for mismatch in failures if _part(mismatch) not in parts]
        return "\n\n".join([self._opening(blocks), *blocks, "\n".join([*rest, "ROLLBACK;"])]) + "\n"

    def _begin(self, part: Path, title: str) -> _Step:
        step = _Step(part, title)
        self._steps.append(step)
        return step

    def _block(self, step: _Step, failures: Sequence[Mismatch]) -> str:
        where = self._loaded.locate(step.part)
        place = f"{self._shown(where.path)}:{where.line}"
        heading = comment(f"{_on_one_line(step.title)}, {place}")
        own = (_told(mismatch) for mismatch in failures if _part(mismatch) == step.part)
        return "\n".join([heading, *(write() for write in step.statements), *own])

    def _shown(self, path: FilePath) -> FilePath:
        root = self._config.root
        return path.relative_to(root) if path.is_relative_to(root) else path

    def _opening(self, blocks: Sequence[str]) -> str:
        settings = {"client_encoding": "UTF8", **DEFAULT_SETTINGS, **self._config.settings}
        lines = [
            comment(f"{self._shown(self._loaded.path)}::{_on_one_line(self._loaded.id)}"),
            comment("for psql, on a database that the project's `setup` has built"),
            "BEGIN;",
            *(_setting(name, text_of(value)) for name, value in settings.items()),
            *map(sendable, self._positions("\n".join(blocks).lower())),
        ]
        return "\n".join(lines)

    def _positions(self, text: str) -> list[str]:
        """Statements that set the sequences that a text may be about to where the spec found them.

        ALTER SEQUENCE gives a sequence new storage, which is gone with the ROLLBACK: so what is
        taken from the sequence afterwards, and even `setval`, is undone like all else.

        Args:
            text: in lower case.
        """
        behind_tables = {
            column.sequence
            for table in self._catalog.tables.values()
            if _trace(table.name) in text
            for column in table.columns.values()
        }
        states = [
            state
            for state in self._catalog.sequences
            if state.name in behind_tables or _trace(state.name.rpartition(".")[2]) in text
        ]
        taken = [
            f"setval({literal(state.name)}, {state.value})" for state in states if state.called
        ]
        return [
            *(f"ALTER SEQUENCE {state.name} RESTART WITH {state.value}" for state in states),
            *([f"SELECT {', '.join(taken)}"] if taken else []),
            *(["DISCARD SEQUENCES"] if states else []),
        ]


def _with_constants(prepared: Prepared) -> str:
    """The statement with its parameters put in as constants."""
    if prepared.bound is None or prepared.values is None:
        return sendable(prepared.text)
    values = prepared.values
    try:
        pieces = [
            constant(values[int(after.removeprefix("$")) - 1])
            if before not in ("", after)
            else after
            for before, after in prepared.bound.pieces
        ]
    except ValueError as error:
        return comment(f"cannot be sent: {error}\n{prepared.text}")
    return sendable("".join(pieces))


def _failing(prepared: Prepared, error: psycopg.Error) -> str:
    """The statement so that it fails alike.

    What PostgreSQL says of a parameter (no type fits, two types do, it may not stand here) it does
    not say of a constant; but PREPARE takes the types of parameters from the same places.
    """
    sqlstate = error.sqlstate or ""
    parsed = sqlstate.startswith("42") and error.diag.statement_position is not None
    if not prepared.values or not (parsed or sqlstate in _OF_PARAMETERS):
        return _with_constants(prepared)
    if prepared.text.lstrip().lower().startswith(_PREPARABLE):
        types = ", ".join(type_of(value) or "unknown" for value in prepared.values)
        return sendable(f"PREPARE harness_operation ({types}) AS\n{prepared.text}")
    return sendable(prepared.text) if sqlstate in _OF_PARAMETERS else _with_constants(prepared)


def _part(mismatch: Mismatch) -> Path:
    """The part of the spec that a mismatch is one of."""
    return mismatch.path[:2] if mismatch.path[:1] == ("operations",) else mismatch.path[:1]


def _ending(write: Callable[[], str]) -> str:
    return comment(f"left out, as it ends the transaction:\n{write()}")


def _told(mismatch: Mismatch) -> str:
    return comment(f"failed: {_on_one_line(mismatch.reason)}")


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _trace(name: str) -> str:
    """What SQL that has this name in it must hold, however it is quoted there; in lower case."""
    return max(re.findall(r"\w+", name), key=len, default="").lower()


def _setting(name: str, value: str) -> str:
    text = value if name.lower() in _LISTS and value else literal(value)
    return sendable(f"SET LOCAL {identifier(*name.split('.')) if '.' in name else name} = {text}")
