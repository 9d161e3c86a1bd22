"""The worker's PGlite: booted on first use, replaced when it cannot be trusted."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg.adapt import AdaptersMap
from psycopg.rows import tuple_row

from harness.config import Config
from harness.database.catalog import Catalog, read_catalog
from harness.database.isolation import FORGET
from harness.database.literals import literal
from harness.database.memory import Footprint, Meter, shown
from harness.database.node import runtime
from harness.database.pglite import PGliteProcess
from harness.database.recorder import ApplicationCursor, ApplicationServerCursor, Recorder
from harness.database.session import Session
from harness.database.template import template
from harness.database.upkeep import Upkeep
from harness.errors import ConfigError, DatabaseError, HarnessError

# PGlite begins with a session user that no setting names: a rollback would not bring it back. And
# once an actor had claims, they are '' for all that follow, not NULL: so they are from the start.
_BEGINNING = (
    "SELECT set_config('session_authorization', session_user, false),"
    " set_config('request.jwt.claims', '', false)"
)
DEFAULT_SETTINGS = {"TimeZone": "UTC", "DateStyle": "ISO"}
"""What every session begins with, unless the configuration says otherwise."""
_ATTEMPTS = 3
# One that is recycled only to be past the limit again a spec later would be recycled for ever.
_ROOM = 0.95


class _Connection(psycopg.Connection[Any]):
    """The worker's connection, which the application gets to use, too.

    Its statements end when they are cancelled. PGlite ignores cancel requests: on Ctrl-C psycopg
    would send one and wait ten seconds for it to work. Only killing the process works.
    """

    kill: Callable[[], None]
    recorder: Recorder | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._lent_adapters = super().adapters
        self._own_adapters: AdaptersMap | None = None
        self.renew()

    @property
    def adapters(self) -> AdaptersMap:
        """How values go to PostgreSQL and come back, in all cursors that are made from here on."""
        return self._lent_adapters

    def renew(self) -> None:
        """Be as if it were new: what applications set on it is no part of the session to undo."""
        if self._own_adapters is not None:
            self._lent_adapters = AdaptersMap(self._own_adapters)
        self.cursor_factory = ApplicationCursor
        self.server_cursor_factory = ApplicationServerCursor
        self.row_factory = tuple_row
        self.prepare_threshold = None

    def lend(self, recorder: Recorder) -> None:
        """Give it to the application of a spec, or to a test; engines on it have been made."""
        if self._own_adapters is None:  # SQLAlchemy has registered its own by now
            self._own_adapters = AdaptersMap(self._lent_adapters)
        self.recorder = recorder

    def cancel_safe(self, *, timeout: float = 0.0) -> None:
        """End the statement that runs, and with it the database."""
        self.kill()


class WorkerPGlite:
    """The one PGlite of a worker.

    A failure to start is remembered: what failed once fails for every spec, at once, and alike.

    Args:
        config: says how the database is set up.
        progress: gets one sentence before long work.
        notify: gets a sentence about each replacement that no spec is to blame for.
        rebuild: build the template anew, even if one is cached.
        launched: a process that waits for its database already; the first one takes it.

    Attributes:
        exhausted: why no more specs should be run, once the memory limit cannot be kept.
    """

    def __init__(
        self,
        config: Config,
        progress: Callable[[str], None],
        *,
        notify: Callable[[str], None] | None = None,
        rebuild: bool = False,
        launched: PGliteProcess | None = None,
    ) -> None:
        self._config = config
        self._progress = progress
        self._notify = notify or progress
        self._rebuild = rebuild
        self._launched = launched
        self._process: PGliteProcess | None = None
        self._connected: tuple[Session, Catalog] | None = None
        self._upkeep: Upkeep | None = None
        self._meter: Meter | None = None
        self._failure: Exception | None = None
        self._python = Meter(os.getpid())
        self.exhausted: str | None = None

    def launch(self) -> None:
        """Begin to start the process, while there is other work to do.

        Raises:
            ConfigError: a setting names something that is not there. `connect` tells all else.
        """
        if self._failure is None:
            with self._failure_kept():
                self._booted()
        if isinstance(self._failure, ConfigError):
            raise self._failure

    def connect(self) -> tuple[Session, Catalog]:
        """The session and the catalog; see `Database`.

        Raises:
            ConfigError, DatabaseError: it cannot be built or started.
        """
        if self._connected is None and self._failure is None:
            with self._failure_kept():
                self._connected = self._started()
        if self._failure is not None:
            raise self._failure
        assert self._connected is not None  # it did not fail
        return self._connected

    def replace(self) -> None:
        """End the process; the next `connect` starts another from the template."""
        connected, self._connected = self._connected, None
        self._upkeep = None
        processes = (self._process, self._launched)
        self._process = self._launched = None
        if connected is not None:
            connected[0].connection.close()
        for process in filter(None, processes):
            process.stop()

    def kill(self) -> None:
        """Kill the process, from any thread."""
        process = self._process
        if process is not None:
            process.kill()

    def footprint(self) -> Footprint | None:
        """What this process and the database's hold; None while no database is running."""
        if self._connected is None or self._meter is None:
            return None
        return Footprint(self._python.resident(), self._meter.resident(), self._meter.pid)

    def revive(self) -> None:
        """Between two specs: give up a database that has ended by itself."""
        if self._connected is not None and not self._is_alive():
            self._replace(f"the database was replaced: it had ended by itself ({self.ending()})")

    def tend(self) -> None:
        """Between two specs: keep the database small, by replacing it if nothing else helps."""
        if self._connected is None or self._upkeep is None:
            return
        limit = self._config.memory_limit
        held = self.footprint() if limit else None
        if held is not None and held.total > limit:
            self._keep_limit(limit, held)
            return
        try:
            reason = self._upkeep.tend()
        except psycopg.Error as error:
            reason = f"it could not be tidied: {error if self._is_alive() else self.ending()}"
        if reason:
            self._recycle(reason)

    def _keep_limit(self, limit: int, held: Footprint) -> None:
        self._recycle(f"this worker holds {held}, more than memory_limit = {shown(limit)}")
        try:
            self.connect()
        except HarnessError:
            return  # the next spec tells it
        after = self.footprint()
        if after is not None and after.total > limit * _ROOM:
            self.exhausted = (
                f"memory_limit = {shown(limit)} cannot be kept: this worker held {held}, and still "
                f"holds {after} with a new database"
            )

    def _recycle(self, reason: str) -> None:
        self._replace(f"the database was recycled: {reason}")

    def _replace(self, note: str) -> None:
        self.replace()
        self._notify(note)

    def _is_alive(self) -> bool:
        """Whether the process runs, and the connection to it stands."""
        if self._process is None or self._connected is None:
            return False
        process = self._process.process
        lost = self._connected[0].connection.closed
        return not lost and process is not None and process.poll() is None

    def ending(self) -> str:
        """How the process ended, with the last lines of its log."""
        if self._process is None:
            return "it was not running"
        if self._process.process is not None:
            # The connection is lost a moment before the process is gone.
            with suppress(subprocess.TimeoutExpired):
                self._process.process.wait(timeout=1)
        tail = self._process.log_tail(5)
        return self._process.exit_description() + (f"\n{tail}" if tail else "")

    def prepare(self) -> Path:
        """The template, with everything that it needs installed and built.

        Raises:
            ConfigError, DatabaseError: something cannot be installed or built.
        """
        config = self._config
        rebuild, self._rebuild = self._rebuild, False
        return template(
            config.root,
            config.setup,
            config.watch,
            config.extensions,
            rebuild=rebuild,
            progress=self._progress,
        )

    @contextmanager
    def _failure_kept(self) -> Iterator[None]:
        """Keep what goes wrong inside the block, for `connect` to raise whenever it is called."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, it would happen again
            self._failure = error
            self.replace()
        except BaseException:
            self.replace()
            raise

    def _booted(self) -> PGliteProcess:
        if self._process is None:
            directory = self.prepare()
            launched, self._launched = self._launched, None
            self._process = launched or PGliteProcess(runtime(self._progress))
            self._process.boot(directory, self._config.extensions)
        return self._process

    def _started(self) -> tuple[Session, Catalog]:
        """Start; one that something kills while it starts, is started again."""
        for _ in range(_ATTEMPTS - 1):
            try:
                return self._start()
            except (DatabaseError, psycopg.OperationalError) as error:
                if self._process is None or not self._process.was_killed:
                    raise
                self._replace(f"the database was started again: {error.args[0]}")
        return self._start()

    def _start(self) -> tuple[Session, Catalog]:
        process = self._booted()
        process.start()
        try:
            connection = _Connection.connect(process.dsn, autocommit=True, prepare_threshold=None)
        except psycopg.OperationalError as error:
            raise DatabaseError(
                f"PGlite cannot be reached ({self.ending()}): {error}",
                hint="it was up a moment ago; did something kill it, for want of memory?",
            ) from error
        connection.kill = self.kill
        session = Session(connection)
        self._configure(session)
        catalog = read_catalog(session.run)
        session.learn_types(catalog.types)
        session.run(f"{_BEGINNING};{FORGET}")
        self._meter = Meter(process.pid)
        self._upkeep = Upkeep(session, process.data, self._meter)
        return session, catalog

    def _configure(self, session: Session) -> None:
        settings = {**DEFAULT_SETTINGS, **self._config.settings}
        try:
            session.run(
                ";".join(
                    f"SELECT set_config({literal(name)}, {literal(_setting(value))}, false)"
                    for name, value in settings.items()
                )
            )
        except psycopg.Error as error:
            raise DatabaseError(
                f"a setting of [tool.harness.settings] was refused: {error.diag.message_primary}",
                hint="settings are PostgreSQL's own, by their names",
            ) from error


def _setting(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
