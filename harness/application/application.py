"""The application under test: what of it is made once for all specs of a worker."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import psycopg

from harness.application.loop import Loop
from harness.application.targets import load
from harness.config import Config
from harness.database.recorder import Recorder
from harness.errors import ConfigError, SpecError

if TYPE_CHECKING:
    from harness.application.dependencies import Overrides
    from harness.application.request import Request
    from harness.application.sessions import Sessions
    from harness.application.web import Web
    from harness.database.joined import Joined


class Application:
    """The configured application; nothing of it is imported before a spec needs it.

    SQLAlchemy and httpx are imported only then, too: most of what starts a run is imports.

    Args:
        config: says where the application is.
        connection: gives the worker's connection, which may be another one after a while.

    Attributes:
        config: the project's settings.
        loop: runs whatever is asynchronous.
    """

    def __init__(self, config: Config, connection: Callable[[], psycopg.Connection[Any]]) -> None:
        self.config = config
        self._connection = connection
        self.loop = Loop()

    def close(self) -> None:
        """End what is running: the app's lifespan, the loop."""
        try:
            if "web" in self.__dict__:
                self.web.close()
        finally:
            self.loop.close()

    @cached_property
    def joined(self) -> Joined:
        """The engines on the worker's connection."""
        joined: Joined = _module("harness.database.joined").Joined(self._connection)
        return joined

    @cached_property
    def recorder(self) -> Recorder:
        """Notes what the application sends."""
        return Recorder(self.joined.transactions)

    @cached_property
    def factory(self) -> Any:
        """The configured factory of callers.

        Raises:
            SpecError: there is none, or it cannot be imported.
        """
        if self.config.caller is None:
            raise SpecError(
                "no `caller` is configured in [tool.harness]",
                hint="write caller = 'module:factory', or call a `module:attribute`",
            )
        return load(self.config.caller, self.config.root)

    @cached_property
    def web(self) -> Web:
        """The configured ASGI or WSGI application.

        Raises:
            SpecError: there is none, or it is neither.
        """
        with _told_of_the_spec():
            web: Web = _module("harness.application.web").Web(self._app, self.loop)
        return web

    @cached_property
    def overrides(self) -> Overrides:
        """How the app gets the spec's session and actor.

        Raises:
            SpecError: something that is configured cannot be used so.
        """
        make = _module("harness.application.dependencies").Overrides
        sessions = [load(each, self.config.root) for each in _listed(self.config.app_session)]
        actors = [load(each, self.config.root) for each in _listed(self.config.app_actor)]
        with _told_of_the_spec():
            overrides: Overrides = make(self._app, sessions, actors)
        return overrides

    def request(self, **parts: Any) -> Request:
        """A request, of its parts."""
        request: Request = _module("harness.application.request").Request(**parts)
        return request

    def lend(self) -> None:
        """Begin the work of another spec: nothing that one before has set is in force."""
        connection: Any = self._connection()  # of the worker's own kind
        connection.renew()
        connection.lend(self.recorder)

    def sessions(self) -> Sessions:
        """New sessions on the worker's connection."""
        sessions: Sessions = _module("harness.application.sessions").Sessions(self.joined)
        return sessions

    @cached_property
    def _app(self) -> object:
        if self.config.app is None:
            raise SpecError(
                "no `app` is configured in [tool.harness]",
                hint="write app = 'module:app', the ASGI or WSGI application",
            )
        return load(self.config.app, self.config.root)


@contextmanager
def _told_of_the_spec() -> Iterator[None]:
    """What is wrong with the settings is told where a spec needs them; others run all the same."""
    try:
        yield
    except ConfigError as error:
        raise SpecError(*error.problems) from error


def _module(name: str) -> Any:
    """One of our modules that imports much."""
    return importlib.import_module(name)


def _listed(targets: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (targets,) if isinstance(targets, str) else targets or ()
