"""The application at work in one spec: its functions are called, its app gets requests."""

from __future__ import annotations

import inspect
import re
import warnings
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg

from harness.actor import Actor
from harness.application.application import Application
from harness.application.binding import Bound, Injection, bind, bind_factory
from harness.application.targets import load, member
from harness.database.isolation import Isolation
from harness.errors import ConfigError, SpecError
from harness.matching import SqlResult
from harness.matching.plaindata import plain_data
from harness.matching.responses import FAILED, Response, parsed
from harness.results import SentQuery
from harness.running.performed import Performed
from harness.running.sql import error_data
from harness.spec import actors

if TYPE_CHECKING:
    from harness.application.sessions import Sessions
    from harness.database.savepoints import Transaction

T = TypeVar("T")
_OUTCOMES = (Exception, SystemExit, CancelledError)
"""What application code may end with; anything else is for who runs the tests, such as Ctrl-C."""
_REQUEST = re.compile(r"([A-Za-z]+) (/\S*)")


class LeftOpenWarning(UserWarning):
    """The application left a session or a connection in a transaction."""


class Calls:
    """Reaches the application, inside one spec's transaction.

    Args:
        application: what is shared by all specs of this worker.
        isolation: the spec's transaction.

    Attributes:
        last_sent: the statement that the application sent last, in the operation that runs.
    """

    def __init__(self, application: Application, isolation: Isolation) -> None:
        self._application = application
        self._isolation = isolation
        self._config = application.config
        self._sessions: dict[str, Sessions] = {}
        self._callers: dict[str, Any] = {}
        self._has_begun = False
        self.last_sent: SentQuery | None = None

    def call(
        self,
        target: str,
        positional: list[Any],
        arguments: Mapping[str, Any],
        actor: actors.Actor | None,
    ) -> Performed:
        """Call a function.

        Args:
            target: `module:attribute`, or a dotted name on what the configured factory gives.
            positional: arguments by position.
            arguments: arguments by name.
            actor: who calls it, rendered.

        Raises:
            SpecError: there is no such function, it does not take these arguments, or it left work
                uncommitted that it should not; nothing has run in the first two cases.
            psycopg.OperationalError: the connection is lost.
            EscapedTransactionError: it ended the spec's transaction.
        """
        self._isolation.begin()
        who = _identity(actor)
        with self._loss_told():
            sessions = self._sessions_of(who)
        injection = _injection(sessions, who)
        # What the application changes in its arguments must not change what is expected.
        positional, named = deepcopy((positional, dict(arguments)))

        def work() -> Any:
            # What it takes to make the caller is sent once in a spec, and is no operation's.
            with self._application.recorder.recording():
                function = self._function(target, injection)
            return self._value(bind(function, positional, named, injection))

        value, error, sent = self._perform(target, work, sessions)
        return Performed(SqlResult(error=error), {}, returned=value, queries=sent)

    def request(self, given: Mapping[str, Any], actor: actors.Actor | None) -> Performed:
        """Send a request to the configured app.

        Args:
            given: the parts of the operation that are written, by their fields, rendered.
            actor: who sends it, rendered.

        Raises:
            SpecError: it is no request.
            psycopg.OperationalError, EscapedTransactionError: as for a call.
        """
        request = self._application.request(**_parts(given, actor))
        self._isolation.begin()
        who = _identity(actor)
        application = self._application
        with self._loss_told():
            sessions = self._new_sessions()  # a request is a unit of work of its own

        def send() -> Response:
            with application.overrides.bound(sessions, who):
                return application.web.send(request)

        try:
            response, error, sent = self._perform(str(given["http"]), send, sessions)
        finally:
            self._close(sessions)
        return Performed(SqlResult(error=error), {}, response=response, queries=sent)

    def data(self, performed: Performed) -> dict[str, Any]:
        """What came of a call or a request as plain data, for `save`.

        Raises:
            psycopg.OperationalError: the connection is lost.
        """
        if performed.result.error is not None:
            return {"error": error_data(performed.result.error)}
        if performed.response is not None:
            return _response_data(performed.response)
        with self._loss_told():
            return {"result": plain_data(performed.returned)}

    def settle(self) -> None:
        """End what looking at a result has begun, and forget what was loaded.

        A later operation is another unit of work: it reads what the database holds then.
        """
        self.last_sent = None
        with self._loss_told():
            for sessions in self._sessions.values():
                sessions.renew()

    def close(self) -> None:
        """Give up the sessions of this spec."""
        for sessions in self._sessions.values():
            self._close(sessions)
        if self._sessions:
            self._application.joined.transactions.forget()

    def _perform(
        self, name: str, work: Callable[[], T], sessions: Sessions
    ) -> tuple[T | None, BaseException | None, tuple[SentQuery, ...]]:
        """Do some work of the application; what it gave, or its error, and what it sent.

        An error, and a response that says that the request failed, undo what is not committed.
        """
        value, error = None, None
        with self._undoing(name, sessions), self._application.recorder.recording() as sent:
            try:
                value = work()
                if not (isinstance(value, Response) and value.status >= FAILED):
                    self._keep(sessions)
            except (SpecError, ConfigError):
                raise
            except _OUTCOMES as raised:
                if self._isolation.lost:
                    raise psycopg.OperationalError(str(raised)) from raised
                value, error = None, raised
            finally:
                self.last_sent = sent[-1] if sent else None
        return value, error, tuple(sent)

    def _keep(self, sessions: Sessions) -> None:
        """Keep what was left uncommitted, or refuse it."""
        if sessions.has_work and self._config.uncommitted == "error":
            raise SpecError(
                "the operation returned with uncommitted work",
                hint="the application has to commit it; `uncommitted` in [tool.harness] allows it",
            )
        sessions.keep()

    @contextmanager
    def _undoing(self, name: str, sessions: Sessions) -> Iterator[None]:
        """After the block, whatever came of it, undo what is still open, and tell of it.

        Raises:
            SpecError: it cannot be undone, or not alone.
            psycopg.OperationalError: the connection is lost.
            EscapedTransactionError: the spec's transaction was ended.
        """
        failed = True
        try:
            yield
            failed = False
        finally:
            recorder = self._application.recorder
            changed, recorder.schema_changed = recorder.schema_changed, False
            self._isolation.schema_changed = self._isolation.schema_changed or changed
            left = self._undo(sessions)
            if left and not failed:
                _tell(name, left)

    def _undo(self, sessions: Sessions) -> tuple[Transaction, ...]:
        """Undo what is still open; gives what nobody will ever close."""
        with self._loss_told():
            self._isolation.check()
            try:
                sessions.undo()
            finally:
                left = self._application.joined.undo()
        if not self._isolation.usable:
            raise SpecError(
                "the operation left the transaction in a failed state",
                hint="a savepoint that the harness needs was released or rolled back by SQL: let "
                "SQLAlchemy begin and end transactions",
            )
        return left

    @contextmanager
    def _loss_told(self) -> Iterator[None]:
        """Whatever is raised inside the block, a lost connection is what went wrong.

        Raises:
            psycopg.OperationalError: it is lost.
        """
        try:
            yield
        except Exception as error:
            if self._isolation.lost:
                raise psycopg.OperationalError(str(error)) from error
            raise
        if self._isolation.lost:
            raise psycopg.OperationalError("the connection is lost")

    def _close(self, sessions: Sessions) -> None:
        with suppress(Exception):  # of a connection that is lost; the first error counts
            sessions.close()

    def _value(self, bound: Bound) -> Any:
        """What a function returns, waited for."""
        value = bound.call()
        return self._application.loop.run(_awaited(value)) if inspect.isawaitable(value) else value

    def _function(self, target: str, injection: Injection) -> Any:
        if ":" in target:
            return load(target, self._config.root)
        key = repr(injection.actor)
        if key not in self._callers:
            factory = bind_factory(self._application.factory, injection)
            self._callers[key] = self._value(factory)
        return member(self._callers[key], target)

    def _sessions_of(self, who: Actor | None) -> Sessions:
        key = repr(who)
        if key not in self._sessions:
            self._sessions[key] = self._new_sessions()
        return self._sessions[key]

    def _new_sessions(self) -> Sessions:
        if not self._has_begun:
            self._application.lend()
            self._has_begun = True
        return self._application.sessions()


def _tell(name: str, left: Sequence[Transaction]) -> None:
    """Warn of transactions that were left open.

    Raises:
        SpecError: the project makes errors of warnings.
    """
    places = dict.fromkeys(each.origin for each in left if each.origin)
    count = "a transaction" if len(left) == 1 else f"{len(left)} transactions"
    begun = f", begun at {' and '.join(places)}" if places else ""
    what = f"{name} left {count} open{begun}: undone, as by a session that is lost"
    try:
        warnings.warn(what, LeftOpenWarning, stacklevel=1)
    except LeftOpenWarning:
        raise SpecError(what, hint="close every session that the harness did not make") from None


async def _awaited(value: Awaitable[T]) -> T:
    return await value


def _identity(actor: actors.Actor | None) -> Actor | None:
    """An actor as the application sees it: all that the spec says of it, under the same names."""
    return None if actor is None else Actor(actor.model_dump(by_alias=True, exclude_unset=True))


def _injection(sessions: Sessions, who: Actor | None) -> Injection:
    return Injection(
        session=sessions.session,
        async_session=sessions.async_session,
        connection=sessions.connection,
        async_connection=sessions.async_connection,
        actor=who,
    )


def _parts(given: Mapping[str, Any], actor: actors.Actor | None) -> dict[str, Any]:
    """What the parts of an operation say of its request."""
    match = _REQUEST.fullmatch(str(given["http"]))
    if match is None:
        raise SpecError(
            f"{given['http']!r} is no request", hint="write a method and a path: GET /issues"
        )
    own = {name: value for name, value in given.items() if name not in ("http", "json_", "headers")}
    headers = dict(given.get("headers", {}))
    written = {name.lower() for name in headers}
    if actor is not None:
        of_actor = actor.headers.items()
        headers |= {name: value for name, value in of_actor if name.lower() not in written}
    json = {"json": given["json_"]} if "json_" in given else {}
    return {"method": match[1].upper(), "path": match[2], "headers": headers, **own, **json}


def _response_data(response: Response) -> dict[str, Any]:
    """A response as plain data, for `save`: status, headers in lower case, text, json if it is."""
    headers = {name.lower(): value for name, value in response.headers}
    found = {"status": response.status, "headers": headers, "text": response.text}
    with suppress(ValueError):
        found["json"] = parsed(response.body)
    return found
