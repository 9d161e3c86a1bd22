"""Which of SQLAlchemy's sessions and connections a function of the application gives or takes."""

from __future__ import annotations

import collections.abc
import contextlib
import inspect
import typing
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import Session

from harness.application.annotations import alternatives, bodies, name_of, resolved, shown
from harness.errors import ConfigError

Kind = type[Session] | type[AsyncSession] | type[Connection] | type[AsyncConnection]

_AROUND = frozenset(
    {
        collections.abc.Generator,
        collections.abc.Iterator,
        collections.abc.Iterable,
        collections.abc.AsyncGenerator,
        collections.abc.AsyncIterator,
        collections.abc.AsyncIterable,
        contextlib.AbstractContextManager,
        contextlib.AbstractAsyncContextManager,
    }
)
"""Generic types whose first argument is what they give."""


def given(function: Callable[..., Any]) -> Kind:
    """What it returns or yields, as its annotation says; a class gives itself.

    Without an annotation a function is taken to give a session of its own colour.

    Raises:
        ConfigError: it gives something else.
    """
    if inspect.isclass(function):
        return _kind(function, function, "gives")
    signature = inspect.signature(function)
    default = AsyncSession if is_asynchronous(function) else Session
    return _kind(_inside(function, signature.return_annotation) or default, function, "gives")


def taken(function: Callable[..., Any]) -> Kind:
    """What its first parameter is annotated with; without an annotation a `Session`.

    Raises:
        ConfigError: it takes something else.
    """
    first = next(iter(inspect.signature(function).parameters.values()), None)
    if first is None:
        raise ConfigError(
            f"app_session: {name_of(function)}() takes no session",
            hint="an application without `dependency_overrides` is told its session by calling it",
        )
    return _kind(_inside(function, first.annotation) or Session, function, "takes")


def is_asynchronous(function: Callable[..., Any]) -> bool:
    """Whether a coroutine or an asynchronous generator runs when it is called."""
    return any(
        inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each)
        for each in bodies(function)
    )


def is_generator(function: Callable[..., Any]) -> bool:
    """Whether a generator runs when it is called."""
    return any(map(inspect.isgeneratorfunction, bodies(function)))


def _inside(function: Callable[..., Any], annotation: Any) -> Any:
    """What an annotation names inside of generators and `Optional`; None where it says nothing."""
    if annotation is inspect.Parameter.empty:
        return None
    parameter = inspect.Parameter("it", inspect.Parameter.POSITIONAL_ONLY, annotation=annotation)
    found = resolved(function, inspect.Signature([parameter])).parameters["it"].annotation
    while True:
        found = next((each for each in alternatives(found) if each is not type(None)), None)
        if typing.get_origin(found) not in _AROUND:
            return None if found is Any or found in _AROUND else found
        found = typing.get_args(found)[0]


def _kind(found: Any, function: Callable[..., Any], verb: str) -> Kind:
    if inspect.isclass(found) and issubclass(
        found, (Session, AsyncSession, Connection, AsyncConnection)
    ):
        return found
    raise ConfigError(
        f"app_session: {name_of(function)}() {verb} {shown(found)}",
        hint="it may be SQLAlchemy's Session, AsyncSession, Connection or AsyncConnection",
    )
