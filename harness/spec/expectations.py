"""What a spec expects: of one operation's outcome, and of the state that all of them leave."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal, Self

from psycopg import errors as sqlstates
from pydantic import (
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictStr,
    Tag,
    model_validator,
)
from typing_extensions import TypeAliasType

from harness.errors import did_you_mean
from harness.spec.matchers import Count, Expected, Matcher, OrTemplate
from harness.spec.model import Model, is_extension, refuse


def _condition_names() -> dict[str, str]:
    """SQLSTATEs with PostgreSQL's names for them, from psycopg's generated classes.

    A few names stand for two: to such a class psycopg's own name adds `Ext`.
    """
    classes = (item for item in vars(sqlstates).values() if isinstance(item, type))
    named = {getattr(item, "sqlstate", None): item.__name__.removesuffix("Ext") for item in classes}
    return {
        state: re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower().strip("_")
        for state, name in named.items()
        if isinstance(state, str)  # psycopg's Diagnostic has a property of that name
    }


CONDITION_NAMES = _condition_names()
"""SQLSTATE → condition name (`23505` → `unique_violation`)."""

CONDITIONS = frozenset(CONDITION_NAMES.values())
"""The condition names."""

_SQLSTATE = re.compile(r"[0-9A-Z]{5}")


def _row(value: Any) -> Any:
    if isinstance(value, dict) and not value:
        refuse("an empty mapping holds for every row", hint="name the columns that matter")
    if isinstance(value, list) and not value:
        refuse("an empty list is no row", hint="write one value for each of `columns`")
    is_template = isinstance(value, str) and "{{" in value
    if not is_template and not isinstance(value, (dict, list, Matcher)):
        refuse(
            f"a row is a mapping of columns, not {value!r}",
            hint="with `columns` a row may also be a list of values",
        )
    return value


def _condition(value: Any) -> Any:
    if isinstance(value, str) and "{{" not in value and value not in CONDITIONS:
        refuse(
            f"{value!r} is not a condition name of PostgreSQL",
            hint=did_you_mean(value, CONDITIONS)
            or "see the appendix 'PostgreSQL Error Codes' of its manual",
        )
    return value


Row = TypeAliasType("Row", Annotated[Expected, BeforeValidator(_row)])
Rows = list[Row]
Condition = TypeAliasType("Condition", Annotated[Expected, BeforeValidator(_condition)])


def _sqlstate(value: Any) -> Any:
    if isinstance(value, int):
        refuse("an SQLSTATE is text", hint=f"quote it: '{value:05}'")
    return value


SqlState = TypeAliasType("SqlState", Annotated[Expected, BeforeValidator(_sqlstate)])


class ErrorExpectation(Model):
    """The error that an operation must end with; all keys hold for one error of its chain."""

    model_config = ConfigDict(extra="allow")
    nullable = frozenset({"constraint", "schema", "table", "column", "detail", "hint"})
    __pydantic_extra__: dict[str, Expected]

    condition: Condition = Field(
        None, description="PostgreSQL's name of the condition, e.g. `unique_violation`."
    )
    sqlstate: SqlState = Field(None, description="The SQLSTATE: five characters, quoted.")
    message: Expected = Field(None, description="The message, exactly, or a matcher.")
    constraint: Expected = Field(None, description="Name of the constraint that was violated.")
    schema_: Expected = Field(None, alias="schema", description="Schema that the error names.")
    table: Expected = Field(None, description="Table that the error names.")
    column: Expected = Field(None, description="Column that the error names.")
    detail: Expected = Field(None, description="DETAIL of the message.")
    hint: Expected = Field(None, description="HINT of the message.")
    exception: Expected = Field(
        None, description="Class of the exception: `Name` or `module:Name`; subclasses count."
    )

    @property
    def attributes(self) -> dict[str, Any]:
        """Expected attributes of the exception itself, by name."""
        return dict(self.model_extra or {})

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set and not self.attributes:
            refuse("an empty mapping says nothing about the error", hint="name its condition")
        fitting = (self._fits_every_error(*item) for item in self._written().items())
        if not self.attributes and all(fitting):
            refuse("every error satisfies this", hint="name its condition or its message")
        for name in self.attributes:
            if name.startswith("$"):
                what = f"an error is no value that {name} could hold for"
                refuse(what, name, hint="write the matcher behind `message`, for example")
        return self

    @classmethod
    def _fits_every_error(cls, name: str, expected: Any) -> bool:
        if isinstance(expected, Matcher):
            needed = expected.operators.get("$null")
            only = expected.operators.keys() <= {"$any", "$null"}
            return only and (needed is None or (needed is False and name not in cls.nullable))
        return expected in ("Exception", "BaseException", "builtins:Exception")


def _error(value: Any) -> Any:
    """The mapping that a short form stands for."""
    if isinstance(value, (bool, int)):
        refuse(
            f"{str(value).lower()} does not say which error",
            hint="name its condition (unique_violation) or its SQLSTATE in quotes ('23505')",
        )
    if not isinstance(value, str):
        return value
    if _SQLSTATE.fullmatch(value):
        return {"sqlstate": value}
    is_class = value[:1].isupper() or ":" in value or "." in value
    return {"exception": value} if is_class else {"condition": value}


Error = TypeAliasType("Error", Annotated[ErrorExpectation, BeforeValidator(_error)])


CountOrRows = Annotated[
    Annotated[Count, Tag("<count>")] | Annotated[Rows, Tag("<rows>")],
    Discriminator(lambda value: "<rows>" if isinstance(value, (list, tuple)) else "<count>"),
]
"""How many rows, or which."""


class TableChanges(Model):
    """Net difference of one table; what is left out is zero."""

    inserted: CountOrRows = Field(0, description="Rows that are new: how many, or which.")
    updated: CountOrRows = Field(0, description="Rows that changed: how many, or their new values.")
    deleted: CountOrRows = Field(0, description="Rows that are gone: how many, or which.")

    @model_validator(mode="after")
    def _rows_are_mappings(self) -> Self:
        for key in ("inserted", "updated", "deleted"):
            rows = getattr(self, key)
            check_row_lists(key, rows if isinstance(rows, list) else [], None)
        return self


def as_changes(value: Any) -> Any:
    """The mapping of format.md, with `ignore` beside the tables, in the model's own shape."""
    if not isinstance(value, dict):
        refuse(f"a mapping of tables is expected, not {value!r}", hint="{} says: nothing changed")
    tables = {k: v for k, v in value.items() if k != "ignore" and not is_extension(k)}
    return {"tables": tables, "ignore": value.get("ignore", [])}


class Changes(Model):
    """Net difference of the whole database, by primary key."""

    texts = frozenset({"ignore"})

    tables: dict[StrictStr, TableChanges] = Field(description="What changed, by table.")
    ignore: list[StrictStr] = Field(
        default_factory=list, description="Tables that may change in any way."
    )

    @model_validator(mode="after")
    def _ignored_or_not(self) -> Self:
        for index, name in enumerate(self.ignore):
            if name in self.tables:
                refuse(f"{name!r} cannot be both ignored and expected", "ignore", index)
        return self


class Queries(Model):
    """How many statements an operation may send."""

    max: Count = Field(None, description="At most so many statements.")
    repeated: Count = Field(
        None,
        description="So many statements differ from an earlier one only in parameters; 0: no N+1.",
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            refuse("an empty `queries` could never fail", hint="write max or repeated")
        return self


class Plan(Model):
    """How the statement may be planned."""

    texts = frozenset({"index"})

    index: StrictStr = Field(description="An index that can serve the statement.")


Contradictions = tuple[tuple[str, frozenset[str]], ...]


class Outcome(Model):
    """What every verb's outcome can be judged by.

    An operation ends in an error or with a result, and a result is described in one way:
    `contradictions` pairs each key with those that cannot stand beside it.
    """

    contradictions: ClassVar[Contradictions] = ()

    error: Error | None = Field(
        None,
        description="The operation must fail: a condition name, an SQLSTATE, an exception class, "
        "or a mapping.",
    )
    notices: list[Expected] | None = Field(
        None, description="Messages of level NOTICE and WARNING, in order; [] means none."
    )
    changes: Annotated[Changes, BeforeValidator(as_changes)] | None = Field(
        None, description="What this operation changed in the whole database, by table."
    )
    queries: Queries | Count | None = Field(
        None, description="How many statements the operation sent: a number, a matcher or limits."
    )
    blocks: Literal[True] | None = Field(
        None, description="With sessions: the operation waits for another session."
    )

    @classmethod
    def unknown_key(cls, key: str) -> tuple[str, str | None]:
        """Say that another verb has the key, where that is so."""
        if any(key in other.known_keys() for other in (SqlOutcome, CallOutcome, HttpOutcome)):
            return f"`{key}` is not an expectation of this verb", did_you_mean(
                key, cls.known_keys()
            )
        return super().unknown_key(key)

    @model_validator(mode="after")
    def _says_something_once(self) -> Self:
        fields = type(self).model_fields
        given = {fields[name].alias or name for name in self.model_fields_set}
        if not given:
            refuse("an empty `expect` could never fail", hint="remove it, or say what must hold")
        for key, others in self.contradictions:
            clash = sorted(given & others) if key in given else []
            if clash:
                refuse(f"`{key}` and `{clash[0]}` contradict each other", clash[0])
        return self


RESULT = frozenset({"rows", "contains", "columns", "row", "value", "count", "affected"})
RESPONSE = frozenset({"result", "status", "json", "text", "headers"})


class SqlOutcome(Outcome):
    """What `sql` can be judged by."""

    texts = frozenset({"columns"})
    nullable = frozenset({"value"})
    contradictions: ClassVar[Contradictions] = (
        ("error", RESULT | {"plan"}),
        ("row", frozenset({"rows", "contains", "value"})),
        ("value", frozenset({"rows", "contains", "columns"})),
    )

    rows: Rows | None = Field(
        None, description="All rows of the result; each names the columns that matter."
    )
    order: Literal["any"] | None = Field(None, description="`any`: the rows come in any order.")
    contains: Annotated[Rows, Field(min_length=1)] | None = Field(
        None, description="Rows that are among the result's, each matched to a different one."
    )
    columns: Annotated[list[StrictStr], Field(min_length=1)] | None = Field(
        None, description="The result's column names, exactly; rows may then be lists."
    )
    row: Row = Field(None, description="There is exactly one row, and it matches.")
    value: Expected = Field(
        None, description="There is exactly one row with one column, and it matches."
    )
    count: Count = Field(None, description="Number of rows.")
    affected: Count = Field(None, description="PostgreSQL's command count.")
    plan: Plan | None = Field(None, description="What the planner can do for the statement.")

    @model_validator(mode="after")
    def _rows_have_columns(self) -> Self:
        if self.order is not None and self.rows is None:
            refuse("`order` says how `rows` are compared, and there are none", "order")
        check_count(self.count, self.rows, self.contains)
        if self.given("row") or self.given("value"):
            check_count(self.count, [None], None)
        for key, rows in (("rows", self.rows), ("contains", self.contains), ("row", [self.row])):
            check_row_lists(key, rows or [], self.columns)
        return self


def check_count(count: Any, rows: list[Any] | None, contains: list[Any] | None) -> None:
    """Refuse a `count` that the rows given beside it contradict."""
    if not isinstance(count, int):
        return
    if rows is not None and len(rows) != count:
        refuse(f"`count: {count}` contradicts the number of rows, {len(rows)}", "count")
    if contains is not None and len(contains) > count:
        refuse(f"`count: {count}` is less than the {len(contains)} rows contained", "count")


def check_row_lists(key: str, rows: list[Any], columns: list[str] | None) -> None:
    """Refuse rows that are written as lists where `columns` is missing or of another length."""
    for index, row in enumerate(rows):
        path = (key,) if key == "row" else (key, index)
        if not isinstance(row, list):
            continue
        if columns is None:
            refuse("a row that is written as a list needs `columns`", *path)
        if len(row) != len(columns):
            refuse(f"{len(row)} values for {len(columns)} columns", *path)


class CallOutcome(Outcome):
    """What `call` can be judged by."""

    nullable = frozenset({"result"})
    contradictions: ClassVar[Contradictions] = (("error", frozenset({"result"})),)

    result: Expected = Field(
        None, description="What the call returned; of an object the attributes that matter."
    )


class HttpOutcome(Outcome):
    """What `http` can be judged by."""

    nullable = frozenset({"json"})
    contradictions: ClassVar[Contradictions] = (
        ("error", frozenset({"status", "json", "text", "headers"})),
    )

    status: Count = Field(
        None, description="Status code of the response; by default it is less than 400."
    )
    json_: Expected = Field(None, alias="json", description="Body of the response, as JSON.")
    text: Expected = Field(None, description="Body of the response, as text.")
    headers: OrTemplate[Annotated[dict[StrictStr, Expected], Field(min_length=1)]] | None = Field(
        None, description="Headers of the response, without regard to case; only those named."
    )


class SeedOutcome(Outcome):
    """What `seed` can be judged by."""


class ResumeOutcome(SqlOutcome, CallOutcome, HttpOutcome):
    """What `resume` can be judged by: whatever the operation that waited can be."""

    nullable = SqlOutcome.nullable | CallOutcome.nullable | HttpOutcome.nullable
    contradictions: ClassVar[Contradictions] = (*SqlOutcome.contradictions, ("error", RESPONSE))
