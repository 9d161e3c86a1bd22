"""What a spec expects of the state that its operations leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StrictStr, field_validator, model_validator

from harness.spec.expectations import Changes, Rows, as_changes, check_count, check_row_lists
from harness.spec.matchers import Count
from harness.spec.model import Model, refuse, without_extensions
from harness.sqltext import is_balanced


class TableState(Model):
    """What one table holds after the last operation."""

    texts = frozenset({"columns"})

    rows: Rows | None = Field(None, description="All rows, in any order.")
    contains: Annotated[Rows, Field(min_length=1)] | None = Field(
        None, description="Rows that are among the table's, each matched to a different one."
    )
    count: Count = Field(None, description="Number of rows.")
    where: StrictStr | dict[StrictStr, Any] | None = Field(
        None, description="Which rows: SQL text, or a mapping of columns to values."
    )
    columns: Annotated[list[StrictStr], Field(min_length=1)] | None = Field(
        None, description="The columns that are compared; rows may then be lists."
    )

    @field_validator("where")
    @classmethod
    def _where_selects(cls, where: Any) -> Any:
        if where in ("", {}):
            refuse("an empty `where` selects nothing in particular", hint="remove it")
        if isinstance(where, str) and not is_balanced(where):
            refuse("the parentheses of `where` do not match")
        if isinstance(where, dict) and any(isinstance(value, dict) for value in where.values()):
            refuse("`where` takes plain values", hint="for a comparison write SQL text")
        return where

    def rendered(self, render: Callable[[str, Any], Any]) -> Self:
        """As for any model, but that `where` as SQL text is no template."""
        return super().rendered(
            lambda key, value: (
                value if key == "where" and isinstance(value, str) else render(key, value)
            )
        )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set & {"rows", "contains", "count"}:
            refuse("nothing is expected of this table", hint="write rows, contains or count")
        check_count(self.count, self.rows, self.contains)
        for key, rows in (("rows", self.rows), ("contains", self.contains)):
            check_row_lists(key, rows or [], self.columns)
            self._check_selected(key, rows or [])
        return self

    def _check_selected(self, key: str, rows: list[Any]) -> None:
        for index, row in enumerate(rows):
            outside = [name for name in row if name not in (self.columns or row)]
            if isinstance(row, dict) and outside:
                refuse(f"{outside[0]!r} is not among `columns`", key, index, outside[0])


def _table_state(value: Any) -> Any:
    return {"rows": value} if isinstance(value, list) else value


class StateExpectation(Model):
    """What a spec expects after its last operation."""

    tables: (
        Annotated[
            dict[StrictStr, Annotated[TableState, BeforeValidator(_table_state)]],
            Field(min_length=1),
            BeforeValidator(without_extensions),
        ]
        | None
    ) = Field(None, description="What tables hold: rows, or a mapping of rows, contains, count, …")
    changes: Annotated[Changes, BeforeValidator(as_changes)] | None = Field(
        None, description="What all the operations together changed, by table; seeds excluded."
    )
    constraints: Literal["deferred"] | None = Field(
        None, description="`deferred`: leave deferred constraints unchecked at the end."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            refuse("an empty `expect` could never fail", hint="remove it, or say what must hold")
        return self
