"""The folder in pytest's cache where one session leaves what the next need not read anew."""

from __future__ import annotations

import json
import os
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, NamedTuple

_FORM = b"harness\1"
_BEGIN = struct.Struct(f"{len(_FORM)}s 16s I I Q")
"""Form, key, and the lengths of path, head and body, which follow; a digest of it all ends it."""

_DIGEST = 16
_PIECE = 1 << 18
_ABANDONED = 3600.0
"""Seconds after which nobody is still writing a file."""


def digest(*contents: bytes) -> bytes:
    """16 bytes that tell whether contents are equal."""
    return _hash(contents).digest()


@dataclass(frozen=True, slots=True)
class Entry:
    """What is left for the next session.

    Attributes:
        path: what it was made of.
        key: only a session that has the same can use it.
        head: as JSON.
        body: gives it in pieces.
        length: of the body.
    """

    path: Path
    key: bytes
    head: Any
    body: Callable[[], Iterable[bytes]]
    length: int


class _Record(NamedTuple):
    """Where an entry is in its file."""

    begin: int
    end: int
    key: bytes
    head: int
    body: int


class Shelf:
    """Entries by their path; that one cannot be had, or cannot be left, is no error.

    A few files hold them all: one for each would take longer to make than its specs to read.
    Files are only ever replaced, so two processes may do that at once, and the last one stays.

    Args:
        folder: of the files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: dict[Path, dict[bytes, _Record]] = {}
        self._put: dict[Path, dict[bytes, Entry]] = {}

    def head(self, path: Path, key: bytes, keep: Callable[[bytes], Any]) -> Any | None:
        """The head of the entry for a path, if it has this key and is undamaged.

        `keep` is given the body before, piece by piece; without a head it is worth nothing.
        """
        file, name = self._file(path), os.fsencode(path)
        try:
            if file not in self._found:
                self._found[file] = {}
                with file.open("rb") as stream:
                    self._found[file].update(_records(stream))
            record = self._found[file].get(name)
            if record is None or record.key != key:
                return None
            with file.open("rb") as stream:
                return _read(stream, record, keep)
        except (OSError, ValueError, struct.error):
            return None

    def put(self, entry: Entry) -> None:
        """Have an entry written."""
        self._put.setdefault(self._file(entry.path), {})[os.fsencode(entry.path)] = entry

    def write(self) -> None:
        """Write what was put, and then remove what was made of files that are no longer there."""
        stale = (file for file in self._swept() if file not in self._put)
        for file in [*self._put, *(stale if self._put else ())]:
            draft = file.with_suffix(f".{os.getpid()}")
            with suppress(OSError):
                try:
                    _rewrite(file, draft, self._put.get(file, {}))
                finally:
                    draft.unlink(missing_ok=True)
        self._put, self._found = {}, {}

    def _file(self, path: Path) -> Path:
        return self._folder / f"{digest(os.fsencode(path)).hex()[0]}.specs"

    def _swept(self) -> Iterator[Path]:
        """The files with entries that nothing is left of; drafts of dead processes are removed."""
        with suppress(OSError):
            for file in self._folder.iterdir():
                if file.suffix != ".specs":
                    if time.time() - file.stat().st_mtime > _ABANDONED:
                        file.unlink()
                    continue
                with file.open("rb") as stream:
                    names = [name for name, _ in _records(stream)]
                if not all(map(os.path.lexists, names)):
                    yield file


def _hash(contents: Iterable[bytes]) -> blake2b:
    result = blake2b(digest_size=_DIGEST)
    for content in contents:
        result.update(content)
    return result


def _records(stream: IO[bytes]) -> Iterator[tuple[bytes, _Record]]:
    """The entries of a file by their paths, up to the first whose lengths cannot be."""
    size, begin = os.fstat(stream.fileno()).st_size, 0
    while begin + _BEGIN.size < size:
        stream.seek(begin)
        form, key, name, head, body = _BEGIN.unpack(stream.read(_BEGIN.size))
        end = begin + _BEGIN.size + name + head + body + _DIGEST
        if form != _FORM or end > size:
            return
        yield stream.read(name), _Record(begin, end, key, name + head, body)
        begin = end


def _read(stream: IO[bytes], record: _Record, keep: Callable[[bytes], Any]) -> Any | None:
    stream.seek(record.begin)
    begin = stream.read(_BEGIN.size)
    if _BEGIN.unpack(begin)[1] != record.key:
        return None  # somebody has replaced the file
    text = stream.read(record.head)
    seal = _hash([begin, text])
    for piece in _pieces(stream, record.body):
        seal.update(piece)
        keep(piece)
    is_whole = stream.read(_DIGEST) == seal.digest()
    return json.loads(text[_BEGIN.unpack(begin)[2] :]) if is_whole else None


def _rewrite(file: Path, draft: Path, entries: dict[bytes, Entry]) -> None:
    with draft.open("wb") as target:
        with suppress(FileNotFoundError), file.open("rb") as source:
            for name, record in _records(source):
                if name not in entries and os.path.lexists(name):
                    source.seek(record.begin)
                    target.writelines(_pieces(source, record.end - record.begin))
        for name, entry in entries.items():
            _write(target, name, entry)
    draft.replace(file)


def _write(stream: IO[bytes], name: bytes, entry: Entry) -> None:
    head = json.dumps(entry.head, separators=(",", ":")).encode()
    begin = _BEGIN.pack(_FORM, entry.key, len(name), len(head), entry.length) + name + head
    stream.write(begin)
    seal = _hash([begin])
    for piece in entry.body():
        seal.update(piece)
        stream.write(piece)
    stream.write(seal.digest())


def _pieces(stream: IO[bytes], length: int) -> Iterator[bytes]:
    while length > 0 and (piece := stream.read(min(length, _PIECE))):
        yield piece
        length -= len(piece)
