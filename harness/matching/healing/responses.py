"""Healing what is expected of a response, or writing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.matching.expected import allows_absence
from harness.matching.healing.repairs import TEMPLATE, Refusal, Repair, at, replacement
from harness.matching.healing.values import Values
from harness.matching.healing.writer import Writer
from harness.matching.responses import FAILED, Response, parsed
from harness.matching.values import Value, count_of, of_json, value_of
from harness.results import Path
from harness.spec.expectations import HttpOutcome
from harness.spec.matchers import PLACEHOLDER

_BROKEN = 500
"""The lowest status by which an application says that something is wrong with itself."""

_NO_TEXT = frozenset("\0\ufffd")
"""What stands in a body that is no text: the latter for what could not be decoded."""


def is_failure(
    expect: HttpOutcome | None, written: Any, response: Response, values: Values
) -> bool:
    """Whether a request failed, and nobody has asked for what was answered.

    A status of 400 or more may take the place of another one that was expected; that the
    application is broken is written for a placeholder only.
    """
    if written == PLACEHOLDER:
        return response.status >= _BROKEN
    if response.status < FAILED:
        return False
    if expect is None or not expect.given("status"):
        return True
    node, _ = at(written, (), "status")
    is_asked = node == PLACEHOLDER or values.holds(expect.status, count_of(response.status))
    return response.status >= _BROKEN and not is_asked


def response_repairs(
    expect: HttpOutcome, written: Any, response: Response, path: Path, values: Values
) -> Iterator[Repair]:
    """What makes hold what is expected of a response."""
    if expect.given("status"):
        node, place = at(written, path, "status")
        if not values.holds(expect.status, count_of(response.status)):
            yield values.writer.count(node, response.status, place)
    if expect.given("json_"):
        node, place = at(written, path, "json")
        value = _json(response)
        if value is not None:
            yield from values.repairs(expect.json_, node, value, place)
        else:
            yield Refusal(place, f"the body is {'not JSON' if response.body else 'empty'}")
    if expect.given("text"):
        node, place = at(written, path, "text")
        yield from values.repairs(expect.text, node, value_of(response.text, "text"), place)
    if expect.given("headers"):
        node, place = at(written, path, "headers")
        yield from _headers(expect.headers, node, response, place, values)


def response_seen(response: Response, path: Path, writer: Writer) -> Repair:
    """What puts the status and the body of a response in the place of the placeholder at `path`."""

    def write() -> str:
        parts = [f"status: {writer.number(response.status, (*path, 'status'))}"]
        body = _body(response)
        if body is not None:
            key, value = body
            parts.append(f"{key}: {writer.text(value, (*path, key))}")
        return f"{{{', '.join(parts)}}}"

    return replacement(PLACEHOLDER, path, write)


def _headers(
    expected: Any, written: Any, response: Response, path: Path, values: Values
) -> Iterator[Repair]:
    if not isinstance(expected, Mapping):
        yield Refusal(path, TEMPLATE)  # only a template can have given what is no mapping
        return
    for name, item in expected.items():
        node, place = at(written, path, name)
        found = _header(response, name)
        if found is not None:
            yield from values.repairs(item, node, value_of(found, "text"), place)
        elif not allows_absence(item):
            yield Refusal(place, "there is no such header")


def _header(response: Response, name: str) -> str | None:
    """A header as it is compared."""
    found = [value for each, value in response.headers if each.lower() == name.lower()]
    return ", ".join(found) if found else None


def _body(response: Response) -> tuple[str, Value] | None:
    """The key by which a body is expected, and its value; None if there is none, or no text."""
    media = (_header(response, "content-type") or "").partition(";")[0].strip().lower()
    if media == "application/json" or media.endswith("+json"):
        value = _json(response)
        if value is not None:
            return "json", value
    if not response.text or _NO_TEXT.intersection(response.text):
        return None
    return "text", value_of(response.text, "text")


def _json(response: Response) -> Value | None:
    try:
        return of_json(parsed(response.body), "json")
    except (ValueError, RecursionError):
        return None
