"""PostgreSQL's protocol as bytes, for tests of what no driver would send."""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
import time
from contextlib import suppress
from dataclasses import dataclass

SSL_REQUEST = struct.pack("!II", 8, 80877103)


def message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def startup(
    body: bytes = b"user\0postgres\0database\0postgres\0\0", *, version: int = 3 << 16
) -> bytes:
    return struct.pack("!II", len(body) + 8, version) + body


def query(sql: str) -> bytes:
    return message(b"Q", sql.encode() + b"\0")


def extended(sql: str) -> bytes:
    """An extended query without parameters, and without the Sync that ends it."""
    return message(b"P", b"\0" + sql.encode() + b"\0\0\0") + run_prepared("")


def run_prepared(name: str) -> bytes:
    bind = message(b"B", b"\0" + name.encode() + b"\0" + bytes(6))
    return bind + message(b"D", b"P\0") + message(b"E", b"\0" + bytes(4))


SYNC = message(b"S")
FLUSH = message(b"H")
TERMINATE = message(b"X")
COPY_DONE = message(b"c")


def copy_data(data: bytes) -> bytes:
    return message(b"d", data)


def copy_fail(reason: str) -> bytes:
    return message(b"f", reason.encode() + b"\0")


@dataclass(frozen=True, slots=True)
class Answer:
    """One message of the server."""

    kind: str
    body: bytes

    def __str__(self) -> str:
        """What tests compare: of an error its code, of a tag or a status the text."""
        if self.kind == "E":
            return f"E {self.field('C')}"
        if self.kind in "CZ":
            return f"{self.kind} {self.body.rstrip(bytes(1)).decode()}"
        return self.kind

    def field(self, code: str) -> str:
        """A field of an error or notice."""
        fields = {field[:1].decode(): field[1:].decode() for field in self.body.split(b"\0")}
        return fields[code]


def answers(data: bytes) -> list[Answer]:
    found = []
    while data:
        (length,) = struct.unpack("!I", data[1:5])
        found.append(Answer(chr(data[0]), data[5 : 1 + length]))
        data = data[1 + length :]
    return found


def shown(data: bytes) -> list[str]:
    return [str(answer) for answer in answers(data)]


class Wire:
    """A client that sends exactly the bytes it is told to.

    It waits 20 seconds, no more: what should have come by then never will.
    """

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def await_read(self) -> None:
        """Returns when the server has taken all that was sent."""
        unread = struct.pack("i", 1)
        deadline = time.monotonic() + 20
        while unread != bytes(4) and time.monotonic() < deadline:
            unread = fcntl.ioctl(self.socket, termios.TIOCOUTQ, unread)
        assert unread == bytes(4)

    def receive(self, kind: str = "Z", count: int = 1) -> bytes:
        """All messages up to the next of this kind, or up to so many of them."""
        seen = b""
        while count:
            answer = self._message()
            seen += answer
            count -= answer[:1] == kind.encode()
        return seen

    def _message(self) -> bytes:
        header = self._read(5)
        (length,) = struct.unpack("!I", header[1:])
        return header + self._read(length - 4)

    def _read(self, length: int) -> bytes:
        data = bytearray()
        while len(data) < length:
            chunk = self.socket.recv(length - len(data))
            assert chunk, f"closed after {bytes(data)!r}"
            data += chunk
        return bytes(data)

    def rest(self) -> bytes:
        """All that comes until the server closes."""
        chunks = []
        with suppress(ConnectionResetError):  # it closed without having read all
            while chunk := self.socket.recv(65536):
                chunks.append(chunk)
        return b"".join(chunks)

    def begin(self) -> Wire:
        self.send(startup())
        self.receive()
        return self
