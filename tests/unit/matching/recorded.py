"""Answers such as PostgreSQL gives, written down for tests without a database; and shorthand."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from harness.matching import Marks, SqlResult, judge_sql, judge_table
from harness.matching.casts import Casts, Relation, RememberedCasts
from harness.matching.comparison import Comparison
from harness.matching.failure import Failure
from harness.matching.values import value_of
from harness.results import Column, Mismatch, ResultSet
from harness.spec.expectations import SqlOutcome
from harness.spec.matchers import Expected
from harness.spec.state import TableState

TSTZ = "timestamp with time zone"
TS = "timestamp without time zone"

NOW = "2026-01-01 10:00:00.5+00"
"""The start of the transaction; the session's time zone is two hours ahead of UTC."""

_CASTS: dict[tuple[str, str], str] = {
    ("Jan 1 2026", "date"): "2026-01-01",
    ("Jan 1 2026 10:00", "date"): "2026-01-01",
    ("Jan 1 2026", TSTZ): "2026-01-01 00:00:00+00",
    ("Jan 1 2026 10:00", TSTZ): "2026-01-01 10:00:00+00",
    ("Jan 1 2026 10:00 +02", TSTZ): "2026-01-01 08:00:00+00",
    ("2026-01-01", TSTZ): "2026-01-01 00:00:00+00",
    ("2026-01-01 08:00:00+00", TS): "2026-01-01 08:00:00",
    ("infinity", TSTZ): "infinity",
    ("2026-01-01 12:00:00", TSTZ): "2026-01-01 12:00:00+02",
    ("2026-01-01 10:00:00", TSTZ): "2026-01-01 10:00:00+02",
    ("2026-01-01T12:00:00", TSTZ): "2026-01-01 12:00:00+02",
    ("10:00 PM", "time without time zone"): "22:00:00",
    ("24:00", "time without time zone"): "24:00:00",
    ("10:00+02", "time with time zone"): "10:00:00+02",
    ("08:00+00", "time with time zone"): "08:00:00+00",
    ("24:00:00", "interval"): "24:00:00",
    ("1 day", "interval"): "1 day",
    ("1d", "interval"): "1 day",
    ("happy", "mood"): "happy",
    ("ok", "mood"): "ok",
    ("10.0.0.1/32", "inet"): "10.0.0.1",
    ("[1,4]", "int4range"): "[1,5)",
    ("{1, 2}", "integer[]"): "{1,2}",
    ("{ab}", "bpchar[]"): "{ab}",
    ("ab", "bytea"): "\\x6162",
    ("7f6f-0f5e-0000-4000-8000-000000000001", "uuid"): "7f6f0f5e-0000-4000-8000-000000000001",
    ("0x1F", "integer"): "31",
    ("mood", "regtype"): "mood",
    ("[1.0,2.0)", "numrange"): "[1.0,2.0)",
    ("(1.0,x)", "pair"): "(1.0,x)",
    ("1 week", "interval"): "7 days",
    ("7 days", "interval"): "7 days",
    ("(1,1),(0,0)", "box"): "(1,1),(0,0)",
    ("{24:00:00}", "interval[]"): "{24:00:00}",
    ("{1.0}", "numeric[]"): "{1.0}",
    ("{ABC}", "citext[]"): "{ABC}",
}
_RELATIONS: dict[tuple[str, str, str, str], bool] = {
    ("1 day", "=", "24:00:00", "interval"): True,
    ("1 day", ">=", "24:00:00", "interval"): True,
    ("1 day", "<=", "24:00:00", "interval"): True,
    ("1 day", ">", "24:00:00", "interval"): False,
    ("1 day", "=", "7 days", "interval"): False,
    ('{"1 day"}', "=", "{24:00:00}", "interval[]"): True,
    ("{1}", "=", "{1.0}", "numeric[]"): True,
    ("[1,2)", "=", "[1.0,2.0)", "numrange"): True,
    ("(1,x)", "=", "(1.0,x)", "pair"): True,
    ("(2,1),(1,0)", "=", "(1,1),(0,0)", "box"): True,  # their areas
    ("abc", "=", "ABC", "citext"): True,
    ("ABC", "=", "abc", "citext"): True,
    ("24:00:00", "=", "1 day", "interval"): True,
    ("abc", "=", "ABC", "public.citext"): True,
    ("abc", "=", "abd", "citext"): False,
    ("abc", "<=", "ABC", "citext"): True,
    ("abc", "<", "ABC", "citext"): False,
    ("{abc}", "=", "{ABC}", "citext[]"): True,
    ("ok", "=", "happy", "mood"): False,
    ("ok", ">", "happy", "mood"): False,
    ("ok", "<", "happy", "mood"): True,
    ("infinity", ">", "2026-01-01 00:00:00+00", TSTZ): True,
}


class Recorded:
    """The answers written down here; a question without one is refused.

    Attributes:
        asked: every text that was asked about.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []

    def cast(self, text: str, type: str) -> str:
        self.asked.append(text)
        if (text, type) not in _CASTS:
            raise ValueError(f'invalid input syntax for type {type}: "{text}"')
        return _CASTS[text, type]

    def now(self) -> str:
        self.asked.append("now()")
        return NOW

    def compare(self, left: str, operator: Relation, right: str, type: str) -> bool:
        self.asked.append(right)
        if (left, operator, right, type) not in _RELATIONS:
            raise ValueError(f"operator does not exist: {type} {operator} {type}")
        return _RELATIONS[left, operator, right, type]


def expectation(data: Any) -> Any:
    """Data as YAML has it, with its matchers as models."""
    return TypeAdapter(Expected).validate_python(data)


def comparison(casts: Casts | None = None, marks: Marks | None = None) -> Comparison:
    """A comparison that asks what is recorded here."""
    return Comparison(RememberedCasts(casts or Recorded()), marks=marks)


def failure(expected: Any, text: str | None, type: str) -> Failure | None:
    """Why a cell does not match what YAML says."""
    return comparison().verdict(expectation(expected), value_of(text, type))


def holds(expected: Any, text: str | None, type: str) -> bool:
    """Whether a cell matches what YAML says."""
    return failure(expected, text, type) is None


def result_set(columns: dict[str, str], *rows: tuple[str | None, ...]) -> ResultSet:
    """A result: its columns with their types, and its rows."""
    return ResultSet(tuple(Column(*column) for column in columns.items()), rows)


def sql(
    expect: dict[str, Any], result: ResultSet | None = None, affected: int | None = None
) -> tuple[Mismatch, ...]:
    """The mismatches of a statement whose expectation stands at `expect`."""
    outcome = SqlOutcome.model_validate(expect)
    return judge_sql(outcome, SqlResult(result, affected), ("expect",), comparison())


def table(expect: dict[str, Any], result: ResultSet) -> tuple[Mismatch, ...]:
    """The mismatches of a table whose expectation stands at `tables.t`."""
    state = TableState.model_validate(expect)
    return judge_table(state, result, ("tables", "t"), comparison())
