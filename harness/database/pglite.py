"""One PGlite process: launched, given its own copy of a template, ended with this process."""

from __future__ import annotations

import json
import logging
import os
import selectors
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from py_pglite import PGliteConfig, PGliteManager  # type: ignore[import-untyped] # no py.typed

from harness.database.child import node_environment, spawn
from harness.database.leftovers import WorkDirectory, sweep_left_overs
from harness.database.node import Runtime
from harness.errors import DatabaseError

_SERVER = Path(__file__).with_name("pglite_server.mjs")
# Memory, not speed, is what a run of many workers is short of. --liftoff-only makes heavy queries
# half as slow again, and short transactions, which tests are, not at all. The stack is for
# PostgreSQL's own check (max_stack_depth) to come before V8's: PGlite does not survive that one.
NODE_FLAGS = (
    "--liftoff-only",
    "--v8-pool-size=1",
    "--max-semi-space-size=1",
    "--stack-size=3900",
)
SETTINGS = (
    "shared_buffers=4MB",
    "wal_buffers=64kB",
    "max_connections=5",
    "autovacuum_worker_slots=1",  # room for locks is reserved for each process that there may be
    "max_locks_per_transaction=512",  # for all of them: 500 tables created in one transaction
    "max_stack_depth=500kB",
    "wal_level=minimal",
    "max_wal_senders=0",
    "min_wal_size=2MB",
    "max_wal_size=16MB",
    "wal_recycle=off",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    "log_min_messages=fatal",  # a test's expected errors are no news
)
_START_SECONDS = 60
_SHUT_DOWN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Server:
    """What a PGlite that is up says of itself.

    Attributes:
        pid: the number of its process.
        node: the version of Node, as are the next two of what they name.
        pglite: the npm package.
        postgres: the PostgreSQL in it.
    """

    pid: int
    node: str
    pglite: str
    postgres: str

    def __str__(self) -> str:
        return (
            f"PGlite {self.pglite} (PostgreSQL {self.postgres}) on Node {self.node}, "
            f"process {self.pid}"
        )

    @classmethod
    def parse(cls, line: str) -> Server:
        """Reads the line by which pglite_server.mjs says that it is ready.

        Raises:
            DatabaseError: it is another.
        """
        try:
            said = json.loads(line)
        except ValueError:
            said = None
        types = {"pid": int, "node": str, "pglite": str, "postgres": str}
        if not isinstance(said, dict) or {key: type(said[key]) for key in said} != types:
            raise DatabaseError(
                f"PGlite was to say that it is ready, and said {line.rstrip()[:200]!r}",
                hint="its stdout is for that line only: does `node` print anything else?",
            )
        return cls(**said)


class PGliteProcess(PGliteManager):  # type: ignore[misc] # its base is untyped, see the import
    """A PGlite that listens on a unix socket in a private directory.

    `launch` needs no data directory: who still has to find out which it is launches before. `boot`
    names it, and `start` waits until there is a database.

    Args:
        runtime: Node and the npm packages.
    """

    process: subprocess.Popen[str] | None
    server: Server | None = None
    """What was started; None before `start`."""

    def __init__(self, runtime: Runtime) -> None:
        # The base class adds a handler that prints to stdout, unless there is a handler.
        logging.getLogger(PGliteManager.__module__).addHandler(logging.NullHandler())
        self._runtime = runtime
        self._directory = WorkDirectory()
        self._returncode: int | None = None
        self._ended_here = False
        socket = self._directory.path / ".s.PGSQL.5432"
        super().__init__(
            PGliteConfig(
                work_dir=self._directory.path,
                socket_path=str(socket),
                log_level="ERROR",
                auto_install_deps=False,
            )
        )

    @property
    def dsn(self) -> str:
        """For psycopg; what PG* variables in the environment would add is ruled out."""
        return (
            f"host={self._directory.path} hostaddr='' port=5432 dbname=postgres user=postgres "
            "sslmode=disable gssencmode=disable options='' client_encoding=utf8"
        )

    @property
    def pid(self) -> int:
        """The number of the running process."""
        if self.process is None:
            raise DatabaseError("PGlite is not running", hint="start it first")
        return self.process.pid

    @property
    def data(self) -> Path:
        """The data directory, unless it works on a template in place."""
        return self._directory.path / "data"

    @property
    def was_killed(self) -> bool:
        """Whether the process has ended by a signal that was not sent from here."""
        code = self.process.poll() if self.process else self._returncode
        return code is not None and code < 0 and not self._ended_here

    def launch(self) -> None:
        """Begins to load PGlite, and returns at once; if that was done before, does nothing.

        Raises:
            DatabaseError: Node cannot be started; nothing is left of it.
        """
        if self.process is None:
            sweep_left_overs()
            with self._nothing_left_on_error():
                self.work_dir = self._directory.path
                self.process = self._spawn()
                self._directory.note_process(self.process.pid)

    def boot(
        self, template: Path, extensions: tuple[str, ...] = (), *, in_place: bool = False
    ) -> None:
        """Begins to boot the database, and returns at once; to be called once.

        Args:
            template: a data directory.
            extensions: names of the extensions to load.
            in_place: work on the template itself instead of a copy; for who builds it.

        Raises:
            ConfigError: PGlite has no such extension.
            DatabaseError: Node cannot be started; nothing is left of it.
        """
        options = {
            "dataDir": str(template if in_place else self.data),
            "template": None if in_place else str(template),
            "settings": SETTINGS,
            "extensions": self._runtime.extension_modules(extensions),
        }
        self.launch()
        self._tell(json.dumps(options))

    def start(self) -> None:
        """Returns when the booted PGlite accepts a connection; if it did before, does nothing.

        Raises:
            DatabaseError: it did not start; nothing is left of it.
        """
        if self.process is not None and self.process.stdout and not self.process.stdout.closed:
            with self._nothing_left_on_error():
                self._await_ready(self.process)

    @contextmanager
    def _nothing_left_on_error(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.stop()
            raise DatabaseError(
                f"PGlite cannot be started: {error}",
                hint=f"is there room in {self._directory.path.parent}?",
            ) from error
        except BaseException:  # Ctrl-C, too, leaves no process
            self.stop()
            raise

    def stop(self) -> None:
        """Ends PGlite and removes its directory; the data was a copy, and nobody wants it back."""
        self.kill()
        self._reap()
        self._directory.remove()

    def shut_down(self) -> None:
        """Ends PGlite as PostgreSQL should be ended: its data directory needs no recovery.

        Raises:
            DatabaseError: it did not end well; its data directory is not to be used.
        """
        process = self.process
        if process is not None:
            self._tell("stop")
            with suppress(subprocess.TimeoutExpired):  # judged by the exit code below
                process.wait(_SHUT_DOWN_SECONDS)
        tail = self.log_tail()
        self.stop()
        if self._returncode != 0:
            raise DatabaseError(f"PGlite did not shut down: {self.exit_description()}\n{tail}")

    def kill(self) -> None:
        """Kills PGlite at once; for another thread, when a query does not end."""
        process = self.process
        if process is not None and process.poll() is None:
            self._ended_here = True
            process.kill()

    def log_tail(self, lines: int = 20) -> str:
        """The end of what PGlite wrote to its log; empty after `stop`."""
        try:
            text = (self._directory.path / "node.log").read_text(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def exit_description(self) -> str:
        """How PGlite ended, for a message: "killed by signal 9", "exit code 3", "still running"."""
        code = self.process.poll() if self.process else self._returncode
        if code is None:
            return "still running" if self.process else "never started"
        return f"killed by signal {-code}" if code < 0 else f"exit code {code}"

    def _spawn(self) -> subprocess.Popen[str]:
        options = {
            "socket": self.config.socket_path,
            "nodeModules": str(self._runtime.modules),
            "parent": os.getpid(),
        }
        command = [str(self._runtime.node), *NODE_FLAGS, str(_SERVER), json.dumps(options)]
        path = self._directory.path
        with (path / "node.log").open("wb") as log:
            return spawn(command, log=log, directory=path, environment=node_environment())

    def _tell(self, line: str) -> None:
        if self.process is not None and self.process.stdin is not None:
            with suppress(BrokenPipeError):  # it has ended, which who waits for it will report
                self.process.stdin.write(f"{line}\n")
                self.process.stdin.flush()

    def _await_ready(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None  # spawn makes it a pipe
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            line = process.stdout.readline() if selector.select(_START_SECONDS) else None
        if line:
            process.stdout.close()
            self.server = Server.parse(line)
            return
        if line is None:
            what = f"PGlite did not start within {_START_SECONDS} seconds"
        else:
            process.wait()
            what = f"PGlite did not start: {self.exit_description()}"
        raise DatabaseError(
            f"{what}; its log ends with\n{self.log_tail()}",
            hint=f"is there room in {self._directory.path.parent}? --harness-rebuild builds the "
            "template anew",
        )

    def _reap(self) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        self._returncode = process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what could not be flushed has no reader
                    pipe.close()
