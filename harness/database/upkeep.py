"""Keeps a database as small as it began: what is rolled back stays in its files until tidied."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from harness.database.memory import MEGABYTE, Meter, shown, size_on_disk
from harness.database.session import Session

# Asking costs as much as a third of a small spec, tidying as much as twenty.
_SPECS_BETWEEN_LOOKS = 100
_SECONDS_BETWEEN_LOOKS = 1.0
_SPECS_BETWEEN_VACUUMS = 1000
_WRITTEN_BETWEEN_VACUUMS = 8 * MEGABYTE
# What it may grow by, beyond what it held when it was new: specs that are no larger than most never
# reach this, however many they are.
_MEMORY = 96 * MEGABYTE
_DISK = 64 * MEGABYTE

_WRITTEN = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"
# Autovacuum's own question, PostgreSQL's catalogs included: rolled-back DDL is dead rows there.
_UNTIDY = """
SELECT format('%I.%I', schemaname, relname) FROM pg_stat_all_tables
 WHERE n_dead_tup > 0 AND schemaname !~ '^pg_(toast|temp)'
"""


@dataclass(frozen=True, slots=True)
class _Sizes:
    """What a database holds, in bytes."""

    memory: int
    disk: int


class Upkeep:
    """Tidies one database between specs, and says when that is not enough.

    PGlite has no autovacuum. Specs are counted, for to ask PostgreSQL what they wrote costs more
    than most of them do; and once in a while it is asked how much was written since.

    Args:
        session: idle, on a database that is new.
        data: its data directory.
        meter: reads what its process holds.
    """

    def __init__(self, session: Session, data: Path, meter: Meter) -> None:
        self._session = session
        self._data = data
        self._meter = meter
        self._specs = 0
        self._vacuumed_after = 0
        self._vacuumed_at = self._written()
        self._beginning = _Sizes(meter.resident(), size_on_disk(data))
        self._look_at = time.monotonic() + _SECONDS_BETWEEN_LOOKS

    def tend(self) -> str | None:
        """To be called after each spec: tidy, if it is time to.

        Returns:
            Why the database should be replaced, if it has outgrown its budget all the same.

        Raises:
            psycopg.OperationalError: the connection is lost.
        """
        self._specs += 1
        now = time.monotonic()
        if self._specs % _SPECS_BETWEEN_LOOKS and now < self._look_at:
            return None
        self._look_at = now + _SECONDS_BETWEEN_LOOKS
        if self._is_vacuum_due():
            self._vacuum()
            size, before = size_on_disk(self._data), self._beginning.disk
            if size > before + _DISK:
                return f"its files take {shown(size)}, {shown(before)} when it was new"
        held, before = self._meter.resident(), self._beginning.memory
        if held > before + _MEMORY:
            return f"its process holds {shown(held)}, {shown(before)} when it was new"
        return None

    def _is_vacuum_due(self) -> bool:
        if self._specs - self._vacuumed_after >= _SPECS_BETWEEN_VACUUMS:
            return True
        return self._written() - self._vacuumed_at >= _WRITTEN_BETWEEN_VACUUMS

    def _vacuum(self) -> None:
        """Give the room of dead rows back, in the tables that have any, and that of the WAL."""
        # What was counted since the last second is still to be told by the session itself.
        self._session.run("SELECT pg_stat_force_next_flush()")
        tables = [str(name) for (name,) in self._session.run(_UNTIDY)[0].rows]
        if tables:
            self._session.run(f"VACUUM {', '.join(tables)}")
        self._session.run("CHECKPOINT")
        self._vacuumed_after, self._vacuumed_at = self._specs, self._written()

    def _written(self) -> int:
        """Bytes that were ever written to the WAL."""
        return int(self._session.run(_WRITTEN)[0].rows[0][0] or 0)
