"""The file in which a session keeps what its items are made of."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, TypeVar

from harness.errors import HarnessError

Result = TypeVar("Result")

_PIECE = 1 << 18

Slot = tuple[int, int]
"""Where something begins and ends."""


class Spool:
    """Bytes outside memory, which nobody else can change: its file has no name.

    An item runs what was collected, whatever happens to its file and to the cache meanwhile.

    Attributes:
        end: where what comes next will begin.
    """

    def __init__(self) -> None:
        self.end = 0
        self._file: IO[bytes] | None = None
        self._flushed = 0

    def add(self, content: bytes) -> Slot:
        """Append.

        Raises:
            HarnessError: there is no room.
        """
        begin = self.end
        self._try(lambda: self._open().write(content))
        self.end += len(content)
        return begin, self.end

    def get(self, slot: Slot) -> bytes:
        """What was appended.

        Raises:
            HarnessError: it cannot be read.
        """
        begin, end = slot
        if end > self._flushed:
            self._try(lambda: self._open().flush())
            self._flushed = self.end
        return self._try(lambda: os.pread(self._open().fileno(), end - begin, begin))

    def pieces(self, slot: Slot) -> Iterator[bytes]:
        """The same, in pieces."""
        begin, end = slot
        for at in range(begin, end, _PIECE):
            yield self.get((at, min(at + _PIECE, end)))

    def close(self) -> None:
        """Forget everything."""
        if self._file is not None:
            self._file.close()

    def _open(self) -> IO[bytes]:
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=_PIECE)  # noqa: SIM115 - open until `close`
        return self._file

    @staticmethod
    def _try(access: Callable[[], Result]) -> Result:
        try:
            return access()
        except OSError as error:
            raise HarnessError(
                f"what was collected cannot be kept in {tempfile.gettempdir()}: {error.strerror}",
                hint="make room there, or name another folder in TMPDIR",
            ) from error
