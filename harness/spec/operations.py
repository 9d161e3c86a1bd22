"""The operations of a spec: one verb each, its own keys, and the keys that all of them share."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Self

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    StrictStr,
    Tag,
    model_validator,
)

from harness.errors import did_you_mean, nearest
from harness.spec.actors import ActorRef
from harness.spec.expectations import (
    CallOutcome,
    ErrorExpectation,
    HttpOutcome,
    Outcome,
    ResumeOutcome,
    SeedOutcome,
    SqlOutcome,
)
from harness.spec.matchers import OrTemplate
from harness.spec.model import Model, Name, refuse
from harness.spec.seeds import Seed, plain_data
from harness.sqltext import bind, client_copy, unbound

RESERVED = frozenset(
    {
        "seed",
        "case",
        "actor",
        "now",
        "today",
        "ago",
        "ahead",
        "uuid",
        "env",
        "true",
        "false",
        "none",
    }
)
"""Names that templates know already, so that nothing else may be called so."""


def variable_name(name: str) -> str:
    """A name that templates can use."""
    if not name.isidentifier():
        refuse(f"{name!r} cannot be used in a template", name, hint="use letters, digits and _")
    if name in RESERVED:
        refuse(f"{name!r} already has a meaning in templates", name, hint="choose another name")
    return name


def _save_path(path: str) -> str:
    try:
        jmespath.compile(path.removesuffix("?"))
    except JMESPathError as error:
        reason = str(error).splitlines()[0]
        refuse(f"{path!r} is not a JMESPath expression: {reason}", hint="e.g. rows[0].id")
    return path


VariableName = Annotated[StrictStr, AfterValidator(variable_name)]
SavePath = Annotated[StrictStr, AfterValidator(_save_path)]


def _rows_of_list(value: Any) -> Any:
    return {"rows": value} if isinstance(value, list) else value


class BaseOperation(Model):
    """What every operation may have beside its verb."""

    verb: ClassVar[str]
    nullable: ClassVar[frozenset[str]] = frozenset({"as"})

    name: Name | None = Field(None, description="What it does, for messages.")
    as_: ActorRef = Field(None, alias="as", description="The actor that it runs as.")
    session: StrictStr | None = Field(None, description="Which of `sessions` runs it.")
    save: dict[VariableName, SavePath] = Field(
        {},
        description="Name → JMESPath over the outcome, e.g. `rows[0].id`; a path that ends in ? "
        "may find nothing.",
    )
    expect: Outcome | None = Field(None, description="What must hold of the outcome.")

    @classmethod
    def unknown_key(cls, key: str) -> tuple[str, str | None]:
        """Say whose key it is, if another verb has it."""
        owners = [verb for verb, model in VERBS.items() if key in model.known_keys()]
        if owners:
            return f"`{key}` belongs to `{owners[0]}`, not to `{cls.verb}`", None
        return super().unknown_key(key)


def check_error_keys(expect: Outcome | None) -> None:
    """Refuse attributes that were probably meant to be keys: the error is PostgreSQL's."""
    if expect is not None and expect.error is not None:
        for key in expect.error.attributes:
            meant = nearest(key, ErrorExpectation.known_keys())
            if meant:
                hint = f"did you mean {meant!r}?"
                refuse(f"unknown key `{key}`", "expect", "error", key, hint=hint)


class SqlOperation(BaseOperation):
    """Runs a statement."""

    verb = "sql"

    sql: Annotated[StrictStr, Field(min_length=1)] = Field(
        description="The statement; never a template."
    )
    params: dict[StrictStr, Annotated[Any, AfterValidator(plain_data)]] | None = Field(
        None, description="Bind parameters: each `:name` in the statement is one."
    )
    expect: Annotated[SqlOutcome, BeforeValidator(_rows_of_list)] | None = Field(
        None, description="What must hold of the outcome; a list is short for `rows`."
    )

    @model_validator(mode="after")
    def _can_be_sent(self) -> Self:
        if not self.sql.strip():
            refuse("the statement is empty", "sql")
        if client_copy(self.sql) is not None:
            refuse(
                "COPY from or to the client cannot run in a spec",
                "sql",
                hint="give the rows as a seed: {table: {file: rows.csv}}, or use INSERT",
            )
        if "\0" in self.sql:
            refuse("PostgreSQL cannot take a NUL character", "sql")
        if self.params is not None:
            self._check_params(self.params)
        check_error_keys(self.expect)
        return self

    def _check_params(self, params: dict[str, Any]) -> None:
        for name in params:
            if not re.fullmatch(r"[^\W\d]\w*", name):
                refuse(f"{name!r} cannot be a parameter's name", "params", name)
        unused = sorted(params.keys() - set(bind(self.sql, frozenset(params)).names))
        if unused:
            refuse(
                f"the statement has no parameter :{unused[0]}",
                "params",
                unused[0],
                hint="inside literals, comments, casts and array slices a colon is no parameter",
            )
        missing = unbound(self.sql, frozenset(params))
        if missing is not None:
            refuse(
                f"`params` has no value for :{missing}",
                "params",
                hint=did_you_mean(missing, params),
            )


class CallOperation(BaseOperation):
    """Calls the application."""

    verb = "call"

    call: Annotated[StrictStr, Field(min_length=1)] = Field(
        description="`package.module:attribute`, or a dotted name on the configured caller."
    )
    with_: OrTemplate[dict[StrictStr, Any]] = Field(
        default_factory=dict,
        alias="with",
        description="Arguments by name; sessions and the actor are injected.",
    )
    args: OrTemplate[list[Any]] = Field(default_factory=list, description="Arguments by position.")
    expect: CallOutcome | None = Field(None, description="What must hold of the outcome.")


_REQUEST = r"^[A-Za-z]+ /\S*$"


class HttpOperation(BaseOperation):
    """Sends one request to the application."""

    verb = "http"
    nullable = frozenset({"as", "json"})

    http: Annotated[StrictStr, Field(pattern=_REQUEST + r"|\{\{")] = Field(
        description='Method and path: "POST /issues".',
        examples=[f"{method} /" for method in ("GET", "POST", "PUT", "PATCH", "DELETE")],
    )
    json_: Any = Field(None, alias="json", description="Body of the request, as JSON.")
    form: OrTemplate[dict[StrictStr, Any]] | None = Field(
        None, description="Body of the request, as a form."
    )
    content: StrictStr | None = Field(None, description="Body of the request, as it is.")
    headers: OrTemplate[dict[StrictStr, Any]] = Field(
        default_factory=dict, description="Headers of the request, beside those of the actor."
    )
    query: OrTemplate[dict[StrictStr, Any]] = Field(
        default_factory=dict, description="Query parameters; a list repeats one."
    )
    expect: HttpOutcome | None = Field(None, description="What must hold of the response.")

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        bodies = [key for key in ("json_", "form", "content") if self.given(key)]
        if len(bodies) > 1:
            refuse("a request has one body: json, form or content", bodies[1].rstrip("_"))
        return self


class SeedOperation(BaseOperation):
    """Inserts more rows."""

    verb = "seed"

    seed: Seed = Field(description="Rows by table; not counted in `changes`.")
    expect: SeedOutcome | None = Field(None, description="What must hold of the outcome.")

    @model_validator(mode="after")
    def _can_fail_so(self) -> Self:
        check_error_keys(self.expect)
        return self


class ResumeOperation(BaseOperation):
    """Collects the outcome of a session's waiting operation."""

    verb = "resume"

    resume: StrictStr = Field(description="The session whose operation is waiting.")
    expect: Annotated[ResumeOutcome, BeforeValidator(_rows_of_list)] | None = Field(
        None, description="What must hold of the outcome."
    )


VERBS: dict[str, type[BaseOperation]] = {
    model.verb: model
    for model in (SqlOperation, CallOperation, HttpOperation, SeedOperation, ResumeOperation)
}
"""Verb → model."""


def _verb(value: Any) -> str | None:
    if isinstance(value, BaseOperation):
        return f"<{value.verb}>"
    written = [key for key in value if key in VERBS] if isinstance(value, dict) else []
    return f"<{written[0]}>" if len(written) == 1 else None


Operation = Annotated[
    Annotated[SqlOperation, Tag("<sql>")]
    | Annotated[CallOperation, Tag("<call>")]
    | Annotated[HttpOperation, Tag("<http>")]
    | Annotated[SeedOperation, Tag("<seed>")]
    | Annotated[ResumeOperation, Tag("<resume>")],
    Discriminator(
        _verb,
        custom_error_type="harness",
        custom_error_message="an operation has exactly one verb: sql, call, http, seed or resume",
    ),
]
"""One operation."""
