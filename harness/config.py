"""The settings of a project: pyproject.toml, the environment and options as one frozen Config."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveInt,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from harness.errors import ConfigError, Problem, did_you_mean

_NOT_SETTINGS = ("HARNESS_CACHE_DIR",)


def _listed(value: Any) -> Any:
    """A list as the tuple that the frozen model holds."""
    if not isinstance(value, (list, tuple)):
        raise PydanticCustomError("list", "a list of texts is expected")
    return tuple(value)


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]

_LEAST = 100_000_000
"""A worker with its database holds more than so many bytes before its first spec."""


def _size(value: Any) -> Any:
    """A size as a number of bytes, whatever unit it is written with."""
    try:
        size = _SIZES.validate_python(value)
    except ValidationError:
        raise PydanticCustomError("size", "a size such as `400MB` is expected") from None
    if 0 < size < _LEAST:
        raise PydanticCustomError(
            "size", "this is less than a worker begins with; a size such as `400MB` is expected"
        )
    return int(size)


_SIZES = TypeAdapter(ByteSize)
Size = Annotated[int, BeforeValidator(_size), Field(ge=0)]


class Config(BaseModel):
    """Settings of one project; paths in it are relative to `root`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    root: Path = Field(exclude=True)
    setup: Texts = Field(
        (),
        description="What builds the database once, in order: `*.sql` files, folders or globs of "
        "them, `module:MetaData`, `module:callable`, `alembic.ini`.",
    )
    watch: Texts = Field(
        (), description="Further files on which the database depends: what a callable reads."
    )
    backend: str = Field("pglite", description="Which database: `pglite`.")
    extensions: Texts = Field((), description="Extensions to load and create before `setup`.")
    caller: str | None = Field(
        None,
        description="`module:factory`, called as `factory(session, actor)`: it gives what dotted "
        "names of `call` are looked up on.",
    )
    app: str | None = Field(
        None, description="`module:app`, ASGI or WSGI: it gets the requests of `http`."
    )
    app_session: str | Texts | None = Field(
        None,
        description="`module:function`, or a list: its dependencies that are overridden with the "
        "spec's session; where there are none, hooks that are called with it.",
    )
    app_actor: str | Texts | None = Field(None, description="The same for the actor.")
    uncommitted: Literal["keep", "error"] = Field(
        "keep",
        description="What of the application is uncommitted when it returns: `keep` commits it, "
        "`error` makes the operation fail.",
    )
    db_role: str | None = Field(
        None, description="The role of operations whose actor names none, or that have none."
    )
    settings: dict[str, str | int | float | bool] = Field(
        {}, description="PostgreSQL settings of the session."
    )
    max_workers: PositiveInt = Field(
        2, description="No run uses more pytest-xdist workers than this."
    )
    memory_limit: Size = Field(
        0,
        description="For one worker together with its database, e.g. `400MB`: past it the database "
        "is recycled between specs, and if that does not help, the run stops. 0 is none.",
    )
    memory: bool = Field(
        False,
        description="Print what worker and database hold: after each spec with `-v`, and a table "
        "at the end.",
    )
    timeout: Annotated[NonNegativeFloat, Field(allow_inf_nan=False)] = Field(
        10.0, description="Seconds for one spec; 0 is none."
    )
    autofill: bool = Field(True, description="Fill NOT NULL columns that a seed leaves out.")
    env: Texts = Field((), description="Names that `env()` may read.")


def load_config(
    root: Path, table: Any, environment: Mapping[str, str], options: Mapping[str, Any]
) -> Config:
    """The settings in force: the table, over it the environment, over that the options.

    Args:
        root: the folder of pyproject.toml.
        table: its `[tool.harness]`.
        environment: where `HARNESS_<KEY>` is looked up; lists and mappings are JSON.
        options: values given on the command line; None where an option was not given.

    Raises:
        ConfigError: an unknown key, a value of the wrong type, or a backend that is still to come.
    """
    keys = Config.model_fields.keys() - {"root"}
    if not isinstance(table, Mapping):
        raise ConfigError(f"pyproject.toml: tool.harness is a table, not {table!r}")
    for key in table:
        if key not in keys:
            raise ConfigError(
                f"pyproject.toml: [tool.harness] has no setting {key!r}",
                hint=did_you_mean(key, keys),
            )
    layers = (
        ("pyproject.toml: [tool.harness]", dict(table)),
        ("the environment, HARNESS_*", _from_environment(keys, environment)),
        ("the command line", {k: _parsed(v) for k, v in options.items() if v is not None}),
    )
    values = {key: value for _, layer in layers for key, value in layer.items()}
    origins = {key: origin for origin, layer in layers for key in layer}
    try:
        config = Config(root=root, **values)
    except ValidationError as error:
        problems = [_problem(details, origins) for details in error.errors()]
        raise ConfigError(*problems) from None
    _refuse_other_backends(config)
    return config


def _from_environment(keys: Iterable[str], environment: Mapping[str, str]) -> dict[str, Any]:
    names = {f"HARNESS_{key.upper()}": key for key in keys}
    for name in environment:
        # Other tools have variables that begin so, too: only what is nearly ours is a mistake.
        known = name in names or name in _NOT_SETTINGS or not name.startswith("HARNESS_")
        if not known and get_close_matches(name, names, cutoff=0.9):
            raise ConfigError(
                f"the environment has {name}, which is no setting", hint=did_you_mean(name, names)
            )
    return {key: _parsed(environment[name]) for name, key in names.items() if name in environment}


def _parsed(value: Any) -> Any:
    """A value from outside: JSON where its text is, the text itself where it is not."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _problem(details: Any, origins: Mapping[str, str]) -> Problem:
    key = str(details["loc"][0])
    return Problem(f"{origins.get(key)}: {key}: {details['msg']}, not {details['input']!r}")


def _refuse_other_backends(config: Config) -> None:
    if config.backend != "pglite":
        raise ConfigError(
            f"the backend {config.backend!r} is not implemented yet",
            hint="use 'pglite', the default",
        )
