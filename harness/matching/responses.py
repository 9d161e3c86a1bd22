"""Judging what an application answered to a request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from harness.errors import nearest
from harness.matching.alone import judge_within
from harness.matching.comparison import Comparison
from harness.matching.display import abridged, show, whole_texts
from harness.matching.expected import allows_absence
from harness.matching.values import Value, count_of, of_json, value_of, whole_number
from harness.results import Mismatch, Path
from harness.spec.expectations import HttpOutcome

FAILED = 400
"""The lowest status of a request that failed."""

_BEGINNING = 1_000
"""Characters of a body that are shown."""


@dataclass(frozen=True, slots=True)
class Response:
    """What came back.

    Attributes:
        headers: by name as they came; a name may come more than once.
        text: the body, decoded as its headers say.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    text: str

    @property
    def title(self) -> str:
        """The status in words: `404 Not Found`."""
        known = self.status in HTTPStatus.__members__.values()
        return f"{self.status} {HTTPStatus(self.status).phrase}" if known else str(self.status)


def judge_response(
    expect: HttpOutcome | None, response: Response, path: Path, comparison: Comparison
) -> list[Mismatch]:
    """Judge a response by its expectations, to which `path` leads.

    Without a status that is expected, one of 400 or more is a mismatch by itself.
    """
    found: list[Mismatch | None] = []
    if expect is None or not expect.given("status"):
        if response.status >= FAILED:
            found.append(
                Mismatch(path, f"the request failed: {response.title}", actual=_beginning(response))
            )
    else:
        found.append(_status(expect.status, response, (*path, "status"), comparison))
    if expect is not None and expect.given("json_"):
        found.append(_json(expect.json_, response, (*path, "json"), comparison))
    if expect is not None and expect.given("text"):
        body = value_of(response.text, "text")
        found.append(_alone(expect.text, body, (*path, "text"), "text", comparison))
    if expect is not None and expect.given("headers"):
        found += _headers(expect.headers, response, (*path, "headers"), comparison)
    return [mismatch for mismatch in found if mismatch]


def _alone(
    expected: Any, value: Value, path: Path, noun: str, comparison: Comparison
) -> Mismatch | None:
    with comparison.marks.at(path):
        return judge_within(expected, value, path, noun, comparison)


def _status(
    expected: Any, response: Response, path: Path, comparison: Comparison
) -> Mismatch | None:
    mismatch = _alone(expected, count_of(response.status), path, "status", comparison)
    if mismatch is None:
        return None
    body = _beginning(response)  # it says why, more often than not
    return replace(mismatch, actual=f"{response.title}\n{body}" if body else response.title)


def _json(expected: Any, response: Response, path: Path, comparison: Comparison) -> Mismatch | None:
    try:
        value = of_json(parsed(response.body), "json")
    except (ValueError, RecursionError) as error:
        if not response.body:
            reason = "the body is empty"
        elif isinstance(error, RecursionError):
            reason = "the body is nested too deeply"
        else:
            reason = f"the body is not JSON: {abridged(show(str(error)))}"
        left, _ = whole_texts(show(expected), "")
        return Mismatch(path, reason, left, _beginning(response) or None)
    return _alone(expected, value, path, "json", comparison)


def parsed(body: bytes) -> Any:
    """The JSON in a body, its fractions as Decimal.

    Raises:
        ValueError: it is none, or an object has a key twice, of which readers make what they like.
    """
    return json.loads(
        body,
        parse_float=Decimal,
        parse_int=whole_number,
        parse_constant=_no_constant,
        object_pairs_hook=_unique,
    )


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number in JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"an object has the key {show(key)} twice")
        found[key] = value
    return found


def _headers(
    expected: Any, response: Response, path: Path, comparison: Comparison
) -> Iterator[Mismatch | None]:
    if not isinstance(expected, Mapping) or not expected:
        reason = "headers: a mapping of names is expected here"
        yield Mismatch(path, reason, show(expected), hint="name those that matter")
        return
    found: dict[str, list[str]] = {}
    for name, value in response.headers:
        found.setdefault(name.lower(), []).append(value)
    for name, item in expected.items():
        place = (*path, name)
        values = found.get(str(name).lower())
        if values is not None:
            header = value_of(", ".join(values), "text")
            yield _alone(item, header, place, f"header {abridged(str(name))}", comparison)
        elif not allows_absence(item):
            near = nearest(str(name).lower(), found)
            yield Mismatch(
                place,
                f"there is no header {abridged(show(name))}",
                show(item),
                f"headers: {', '.join(found)}" if found else "no headers",
                hint=f"did you mean {near!r}?" if near else None,
            )


def _beginning(response: Response) -> str:
    return abridged(response.text, longest=_BEGINNING)
