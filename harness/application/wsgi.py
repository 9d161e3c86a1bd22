"""Requests to a WSGI application, in process."""

from __future__ import annotations

import io
import sys
from types import TracebackType
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication

import httpx

from harness.errors import HarnessError

ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


class Wsgi:
    """Sends requests as PEP 3333 says.

    httpx's own transport is for ASCII only: it refuses other headers, and garbles other paths.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def exchange(self, request: httpx.Request) -> httpx.Response:
        """The whole response.

        Raises:
            HarnessError: the application did not answer.
            BaseException: whatever it lets through.
        """
        answer = _Answer()
        chunks = self._app(_environ(request), answer.start)
        try:
            # A generator may call `start_response` at its first step.
            for chunk in chunks:
                answer.body.write(chunk)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        return answer.response(has_body=request.method != "HEAD")

    def close(self) -> None:
        """Nothing to end: WSGI knows no lifespan."""


class _Answer:
    """What `start_response` was told, and what was written."""

    def __init__(self) -> None:
        self.body = io.BytesIO()
        self._status: str | None = None
        self._headers: list[tuple[str, str]] = []

    def start(
        self, status: str, headers: list[tuple[str, str]], _exc_info: ExcInfo | None = None, /
    ) -> Any:
        """PEP 3333's `start_response`; the last call counts, as nothing was sent before it."""
        self._status, self._headers = status, list(headers)
        return self.body.write

    def response(self, *, has_body: bool) -> httpx.Response:
        if self._status is None:
            raise HarnessError(
                "the application returned without a response",
                hint="is the configured `app` a WSGI application? it never called start_response",
            )
        response = httpx.Response(
            int(self._status.split()[0]),
            headers=[(name.encode("latin-1"), v.encode("latin-1")) for name, v in self._headers],
            # Given as content, it would bring headers that the application did not send.
            stream=httpx.ByteStream(self.body.getvalue() if has_body else b""),
        )
        response.read()
        return response


def _environ(request: httpx.Request) -> dict[str, Any]:
    """The request as PEP 3333 has it: text stands for the bytes of Latin-1."""
    path = request.url.raw_path.split(b"?")[0]
    environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": request.url.query.decode("ascii"),
        "SERVER_NAME": request.url.host,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.url.scheme,
        "wsgi.input": io.BytesIO(request.read()),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for raw_name, value in request.headers.raw:
        name = raw_name.decode("ascii").upper().replace("-", "_")
        key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
        environ[key] = value.decode("latin-1")
    return environ
