"""Errors against what a spec expects of them: PostgreSQL's, the application's, wrapped ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg import errors
from sqlalchemy.exc import IntegrityError

from harness.matching import SqlResult, judge_error, judge_sql
from harness.results import Mismatch
from harness.spec.expectations import SqlOutcome

from .recorded import comparison, result_set


@dataclass
class Diagnostic:
    """What PostgreSQL says of an error, as psycopg presents it."""

    message_primary: str | None = None
    constraint_name: str | None = None
    schema_name: str | None = None
    table_name: str | None = None
    column_name: str | None = None
    message_detail: str | None = None
    message_hint: str | None = None


class Duplicate(errors.UniqueViolation):
    """A unique violation as it comes from the server."""

    diag = Diagnostic(  # type: ignore[assignment]  # psycopg's own is made by libpq alone
        message_primary='duplicate key value violates unique constraint "t_pkey"',
        constraint_name="t_pkey",
        schema_name="public",
        table_name="t",
        message_detail="Key (id)=(1) already exists.",
        message_hint="Choose another id.",
    )


class NotFoundError(LookupError):
    """An error of an application."""

    def __init__(self, code: int, detail: object = None) -> None:
        super().__init__(f"nothing has the code {code}")
        self.code = code
        self.detail = detail

    @property
    def broken(self) -> int:
        raise RuntimeError("never read me")


def duplicate() -> Duplicate:
    return Duplicate('duplicate key value violates unique constraint "t_pkey"\nLINE 1: insert')


def wrapped() -> Exception:
    return IntegrityError("insert into t", {}, duplicate())


def judged(error: Any, raised: BaseException | None) -> tuple[Mismatch, ...]:
    expect = SqlOutcome.model_validate({"error": error})
    return judge_sql(expect, SqlResult(error=raised), ("expect",), comparison())


def handled() -> NotFoundError:
    """An application's error that PostgreSQL's was the reason of."""
    error = NotFoundError(5)
    error.__cause__ = wrapped()
    return error


def _null(keys: dict[str, Any]) -> dict[str, Any]:
    return {key: {"$null": True} for key in keys}


# What must hold besides, the keys that are null, and the error.
ABSENT: list[tuple[dict[str, Any], dict[str, Any], BaseException]] = [
    ({"condition": "unique_violation"}, {"column": None}, duplicate()),
    ({"condition": "unique_violation"}, {"column": None}, wrapped()),
    ({"exception": "sqlalchemy.exc:IntegrityError"}, {"column": None}, wrapped()),
    ({"code": 5}, {"constraint": None, "hint": None, "detail": None}, NotFoundError(5)),
    ({"code": 5}, {"column": None}, handled()),
]
PRESENT: list[tuple[dict[str, Any], dict[str, Any], BaseException]] = [
    *(
        ({"condition": "unique_violation"}, {name: None}, duplicate())
        for name in ("constraint", "schema", "table", "detail", "hint")
    ),
    ({"exception": "sqlalchemy.exc:IntegrityError"}, {"hint": None}, wrapped()),
    ({"message": {"$regex": "duplicate"}}, {"detail": None}, wrapped()),
    ({"code": 5}, {"constraint": None}, handled()),
    ({"code": 5}, {"detail": None}, NotFoundError(5, "x")),
]

MATCHING: list[tuple[Any, BaseException]] = [
    ("unique_violation", duplicate()),
    ("23505", duplicate()),
    ("UniqueViolation", duplicate()),
    ("psycopg.errors:UniqueViolation", duplicate()),
    ("psycopg.errors.UniqueViolation", duplicate()),
    ("psycopg:IntegrityError", duplicate()),
    ("psycopg:Error", duplicate()),
    ("unique_violation", wrapped()),
    ("sqlalchemy.exc:IntegrityError", wrapped()),
    (
        {
            "condition": "unique_violation",
            "sqlstate": "23505",
            "message": 'duplicate key value violates unique constraint "t_pkey"',
            "constraint": "t_pkey",
            "schema": "public",
            "table": "t",
            "detail": "Key (id)=(1) already exists.",
            "hint": "Choose another id.",
            "exception": "Duplicate",
        },
        wrapped(),
    ),
    ({"message": {"$regex": "t_pkey"}, "column": {"$null": True}}, duplicate()),
    ({"condition": {"$in": ["unique_violation", "check_violation"]}}, duplicate()),
    ({"sqlstate": {"$regex": "^23"}}, duplicate()),
    ("LookupError", NotFoundError(5)),
    ("NotFoundError", NotFoundError(5)),
    (f"{__name__}:NotFoundError", NotFoundError(5)),
    ({"exception": "NotFoundError", "code": 5}, NotFoundError(5)),
    ({"code": {"$gt": 4}}, NotFoundError(5)),
    ({"message": "nothing has the code 5"}, NotFoundError(5)),
    ({"detail": {"$partial": {"field": "id"}}}, NotFoundError(5, {"field": "id", "n": 1})),
    ({"exception": {"$regex": "^NotFound"}}, NotFoundError(5)),
    *((given | absent, raised) for given, absent, raised in ABSENT),
    *((given | _null(absent), raised) for given, absent, raised in ABSENT),
]

OTHERS: list[tuple[Any, BaseException]] = [
    ("foreign_key_violation", duplicate()),
    ("integrity_constraint_violation", duplicate()),
    ("23503", duplicate()),
    ("ForeignKeyViolation", duplicate()),
    ("psycopg2.errors:UniqueViolation", duplicate()),
    ("UniqueViolatio", duplicate()),
    ({"exception": "object"}, duplicate()),
    ({"message": "duplicate key"}, duplicate()),
    ({"message": {"$regex": "LINE 1"}}, duplicate()),
    ({"constraint": "t_other"}, duplicate()),
    ({"constraint": {"$not": "t_pkey"}}, duplicate()),
    ({"column": {"$not": "id"}}, duplicate()),
    ({"column": ""}, duplicate()),
    ({"condition": "unique_violation", "table": "other"}, duplicate()),
    ({"condition": {"$not": "unique_violation"}}, wrapped()),
    ({"exception": {"$not": "Duplicate"}}, duplicate()),
    ({"exception": "sqlalchemy.exc:IntegrityError", "constraint": "t_pkey"}, wrapped()),
    ("unique_violation", NotFoundError(5)),
    ({"sqlstate": {"$not": "23505"}}, NotFoundError(5)),
    ({"condition": {"$not": "unique_violation"}}, NotFoundError(5)),
    ({"code": 6}, NotFoundError(5)),
    ({"code": "5"}, NotFoundError(5)),
    ({"code": True}, NotFoundError(1)),
    ({"gone": {"$not": 5}}, NotFoundError(5)),
    ({"code": 5, "gone": {"$any": True}}, NotFoundError(5)),
    ({"code": 5, "gone": {"$absent": True}}, NotFoundError(5)),
    ({"code": 5, "broken": {"$any": True}}, NotFoundError(5)),
    ({"detail": "x"}, NotFoundError(5)),
    *((given | absent, raised) for given, absent, raised in PRESENT),
    *((given | _null(absent), raised) for given, absent, raised in PRESENT),
]


@pytest.mark.parametrize(("expected", "raised"), MATCHING, ids=repr)
def test_the_expected_error(expected: Any, raised: BaseException) -> None:
    assert judged(expected, raised) == ()


@pytest.mark.parametrize(("expected", "raised"), OTHERS, ids=repr)
def test_another_error(expected: Any, raised: BaseException) -> None:
    (mismatch,) = judged(expected, raised)

    assert mismatch.path[:2] == ("expect", "error")
    assert mismatch.reason.startswith("another error than the expected one: ")
    assert mismatch.expected
    assert mismatch.actual


def test_no_error_where_one_is_expected() -> None:
    (mismatch,) = judged("unique_violation", None)

    assert mismatch.path == ("expect", "error")
    assert mismatch.reason == "the operation succeeded, an error was expected"
    assert mismatch.expected == "{condition: unique_violation}"


@pytest.mark.parametrize("key", ["condition", "sqlstate", "message", "hint", "exception"])
def test_null_that_a_template_gave_is_no_key_left_out(key: str) -> None:
    expect = SqlOutcome.model_validate({"error": {"constraint": "t_pkey", key: "{{ it }}"}}).error
    assert expect is not None

    (mismatch,) = judge_error(expect.model_copy(update={key: None}), duplicate(), ())

    assert mismatch.path == ("error", key)
    assert "null expected, " in mismatch.reason


def test_a_condition_that_is_missing_is_null() -> None:
    (mismatch,) = judged("unique_violation", NotFoundError(5))

    assert mismatch.reason.endswith(": condition: unique_violation expected, null found")


def test_no_error_where_none_is_expected() -> None:
    assert judge_error(None, None, ("operations", 0)) == ()


def test_an_unexpected_error_says_all_that_postgresql_said() -> None:
    (mismatch,) = judge_error(None, duplicate(), ("operations", 0))

    assert mismatch == Mismatch(
        ("operations", 0),
        'the operation failed: duplicate key value violates unique constraint "t_pkey"',
        actual=(
            "tests.unit.matching.test_errors:Duplicate: "
            'duplicate key value violates unique constraint "t_pkey"\n'
            "SQLSTATE 23505 (unique_violation)\n"
            "constraint: t_pkey\n"
            "schema: public\n"
            "table: t\n"
            "detail: Key (id)=(1) already exists.\n"
            "hint: Choose another id."
        ),
        hint="Choose another id.",
    )


def test_an_unexpected_error_is_reported_alone() -> None:
    expect = SqlOutcome.model_validate({"rows": [{"id": 1}], "count": 1})
    outcome = SqlResult(result_set({"id": "integer"}), 0, wrapped())

    (mismatch,) = judge_sql(expect, outcome, ("expect",), comparison())

    assert mismatch.reason.startswith("the operation failed: duplicate key value")
    assert (mismatch.actual or "").endswith("raised as sqlalchemy.exc:IntegrityError")


def test_the_one_key_that_differs_is_pointed_at() -> None:
    (mismatch,) = judged({"condition": "unique_violation", "constraint": "x"}, duplicate())

    assert mismatch.path == ("expect", "error", "constraint")
    assert mismatch.reason.endswith(": constraint: x expected, t_pkey found")


@pytest.mark.parametrize("link", ["__cause__", "__context__", "orig"])
def test_wrapped_errors_are_found(link: str) -> None:
    outer, inner = NotFoundError(1), NotFoundError(2)
    setattr(outer, link, inner)
    inner.__context__ = outer  # a ring

    assert judged({"code": 2}, outer) == ()
    assert judged({"code": 1}, outer) == ()
    assert judged({"code": 3}, outer) != ()


def test_a_condition_that_a_template_gave_may_be_none() -> None:
    expect = SqlOutcome.model_validate({"error": {"condition": "{{ name }}"}})
    assert expect.error is not None
    rendered = expect.error.model_copy(update={"condition": "unique_violatio"})

    (mismatch,) = judge_error(rendered, duplicate(), ())

    assert mismatch.hint == "did you mean 'unique_violation'?"


def test_an_error_that_cannot_be_printed() -> None:
    class Mute(Exception):  # noqa: N818 - the name is the point
        def __str__(self) -> str:
            raise RuntimeError

    (mismatch,) = judge_error(None, Mute(), ())

    assert "its message cannot be read" in mismatch.reason


def test_an_error_of_the_connection_has_its_own_message() -> None:
    (mismatch,) = judge_error(None, psycopg.OperationalError("server closed"), ())

    assert mismatch.reason == "the operation failed: server closed"
