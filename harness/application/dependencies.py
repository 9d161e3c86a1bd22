"""How a web application gets this spec's session and actor in place of its own."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import Session

from harness.actor import Actor
from harness.application.annotations import name_of
from harness.application.kinds import Kind, given, is_asynchronous, is_generator, taken
from harness.errors import ConfigError

Target = Callable[..., Any]


class Sessions(Protocol):
    """The spec's own: within one operation, the same ones at each call.

    A `kind` is a subclass that the application works with, such as SQLModel's.
    """

    def session(self, kind: type[Session] = Session) -> Session:
        """An ORM session."""
        ...

    def async_session(self, kind: type[AsyncSession] = AsyncSession) -> AsyncSession:
        """An ORM session of asynchronous code."""
        ...

    def connection(self) -> Connection:
        """A connection."""
        ...

    def async_connection(self) -> AsyncConnection:
        """A connection of asynchronous code."""
        ...


Given = Session | AsyncSession | Connection | AsyncConnection


class Overrides:
    """What `app_session` and `app_actor` name, bound for one request at a time.

    In an application with `dependency_overrides`, as FastAPI's have, they are dependencies, and
    overridden, also in applications mounted in it. In any other they are hooks: each is called
    before the request, with the session, or with the actor or None; a context manager that it
    returns, or the generator that it is, is left after the request.

    What is given is what the annotation names: of a dependency what it returns, of a hook its
    first parameter.

    Raises:
        ConfigError: something named there cannot be used so.
    """

    def __init__(
        self, app: object, session_targets: Sequence[Target], actor_targets: Sequence[Target]
    ) -> None:
        for target in (*session_targets, *actor_targets):
            if not callable(target):
                raise ConfigError(
                    f"{target!r} cannot be called: it is no dependency",
                    hint="name functions as app_session and app_actor",
                )
        tables = list(_override_tables(app))
        self._binding: _Dependencies | _Hooks = (
            _Dependencies(tables, session_targets, actor_targets)
            if tables
            else _Hooks(session_targets, actor_targets)
        )

    def bound(self, sessions: Sessions, actor: Actor | None) -> AbstractContextManager[None]:
        """For one request, the application works with these sessions, as this actor.

        Without an actor, FastAPI's own dependency decides who it is: an endpoint that asks for
        somebody answers 401, as it should.
        """
        return self._binding.bound(sessions, actor)


class _Dependencies:
    """Entries of `dependency_overrides`, the same functions for every request."""

    def __init__(
        self,
        tables: Sequence[dict[Any, Any]],
        session_targets: Sequence[Target],
        actor_targets: Sequence[Target],
    ) -> None:
        self._tables = tables
        self._sessions: Sessions | None = None
        self._actor: Actor | None = None
        self._for_session = {each: self._dependency(given(each)) for each in session_targets}
        self._for_actor = dict.fromkeys(actor_targets, self._give_actor)

    @contextmanager
    def bound(self, sessions: Sessions, actor: Actor | None) -> Iterator[None]:
        before = [dict(table) for table in self._tables]
        self._sessions, self._actor = sessions, actor
        try:
            for table in self._tables:
                table.update(self._for_session)
                if actor is not None:
                    table.update(self._for_actor)
            yield
        finally:
            self._sessions = self._actor = None
            for table, entries in zip(self._tables, before, strict=True):
                table.clear()
                table.update(entries)

    def _dependency(self, kind: Kind) -> Target:
        async def dependency() -> AsyncIterator[Any]:
            if self._sessions is None:
                raise RuntimeError("a dependency was asked for outside of a request")
            own = _give(self._sessions, kind)
            try:
                yield own
            except BaseException:
                # What ends an endpoint (HTTPException, too) would have ended the application's
                # own dependency, and its session with it.
                undone = own.rollback()
                if inspect.isawaitable(undone):
                    await undone
                raise

        return dependency

    async def _give_actor(self) -> Actor | None:
        return self._actor


class _Hooks:
    """Functions that tell the application what to work with."""

    def __init__(self, session_targets: Sequence[Target], actor_targets: Sequence[Target]) -> None:
        self._for_session = [(_hook(each), taken(each)) for each in session_targets]
        self._for_actor = [_hook(each) for each in actor_targets]

    @contextmanager
    def bound(self, sessions: Sessions, actor: Actor | None) -> Iterator[None]:
        with ExitStack() as stack:
            for hook, kind in self._for_session:
                _enter(stack, hook, _give(sessions, kind))
            for hook in self._for_actor:
                _enter(stack, hook, actor)
            yield


def _enter(stack: ExitStack, hook: Target, value: object) -> None:
    returned = hook(value)
    # A session is a context manager, too; one that is handed back is not the hook's to close.
    if returned is not value and isinstance(returned, AbstractContextManager):
        stack.enter_context(returned)


def _hook(target: Target) -> Target:
    if is_asynchronous(target):
        raise ConfigError(
            f"{name_of(target)}() is asynchronous: an application without `dependency_overrides` "
            "is told its session and its actor before the request, outside of its loop",
            hint="make it a plain function, or a generator that yields once",
        )
    return contextmanager(target) if is_generator(target) else target


def _give(sessions: Sessions, kind: Kind) -> Given:
    if issubclass(kind, Session):
        return sessions.session(kind)
    if issubclass(kind, AsyncSession):
        return sessions.async_session(kind)
    return sessions.connection() if issubclass(kind, Connection) else sessions.async_connection()


def _override_tables(app: object) -> Iterator[dict[Any, Any]]:
    """`dependency_overrides` of the application, of what it wraps, and of what is mounted in it."""
    seen: dict[int, object] = {}
    waiting = [app]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen[id(each)] = each
        table = getattr(each, "dependency_overrides", None)
        if isinstance(table, dict):
            yield table
        # A middleware and a mount have an `app`; FastAPI keeps an included router as it was.
        waiting += (getattr(each, name, None) for name in ("app", "original_router"))
        routes = getattr(each, "routes", None)
        waiting += routes if isinstance(routes, list) else ()
