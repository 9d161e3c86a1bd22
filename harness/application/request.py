"""A request as a spec writes it, and what of it is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import httpx

from harness.database.literals import json_text, text_of
from harness.errors import SpecError

ABSENT: Final = object()
"""The `json` of a request that has none; None is JSON's null."""

_BASE_URL = "http://testserver"
_EVERY_CLIENT_SENDS = {"accept": "*/*", "user-agent": "harness"}
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


@dataclass(frozen=True, slots=True)
class Request:
    """One request; at most one of `json`, `form` and `content` is its body.

    Attributes:
        path: begins with a slash; `query` is added to a query that it has.
        form: its values are text, a list is a field that is repeated; `query` likewise.
        content: sent in UTF-8, without a content-type.
        headers: win over those that a body brings with it.
    """

    method: str
    path: str
    json: Any = ABSENT
    form: Mapping[str, Any] | None = None
    content: str | None = None
    headers: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)

    def built(self) -> httpx.Request:
        """The request as it is sent.

        Raises:
            SpecError: something in it cannot be sent.
        """
        headers = httpx.Headers(_EVERY_CLIENT_SENDS)
        try:
            body, content_type = self._body()
            if content_type:
                headers["content-type"] = content_type
            headers.update(list(_sendable(self.headers)))
            return httpx.Request(self.method, self._url(), headers=headers, content=body)
        except (httpx.InvalidURL, ValueError) as error:
            raise SpecError(f"the request cannot be sent: {error}") from error

    def _body(self) -> tuple[bytes | None, str | None]:
        if self.json is not ABSENT:
            return json_text(self.json).encode(), "application/json"
        if self.form is not None:
            fields = urlencode(list(_fields("form", self.form)))
            return fields.encode(), "application/x-www-form-urlencoded"
        return None if self.content is None else self.content.encode(), None

    def _url(self) -> str:
        path, _, _ = self.path.partition("#")  # a client keeps the fragment to itself
        query = urlencode(list(_fields("query", self.query)))
        if query:
            path += ("&" if "?" in path else "?") + query
        return _BASE_URL + path


def _fields(key: str, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        for item in value if isinstance(value, (list, tuple)) else (value,):
            yield name, _text(f"`{key}`, {name!r}", item)


def _sendable(headers: Mapping[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise SpecError(
                f"{name!r} cannot be the name of a header",
                hint="a name has letters, digits and - . _ ! # $ % & ' * + ^ ` | ~",
            )
        text = _text(f"header {name!r}", value)
        if not _HEADER_VALUE.fullmatch(text):
            raise SpecError(
                f"the value of the header {name!r} cannot be sent: {text!r}",
                hint="a header's value is one line of Latin-1 text",
            )
        yield name.encode("ascii"), text.encode("latin-1")


def _text(where: str, value: Any) -> str:
    if value is None:
        raise SpecError(f"{where}: null cannot be sent", hint='leave it out, or write ""')
    if isinstance(value, (Mapping, list, tuple)):
        kind = "a mapping" if isinstance(value, Mapping) else "a list"
        raise SpecError(f"{where}: {kind} cannot be sent as text", hint="write a scalar")
    return text_of(value)
