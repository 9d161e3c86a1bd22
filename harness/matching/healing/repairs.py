"""What healing gives: edits, and refusals where nothing can or should be written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from harness.results import Edit, Path
from harness.spec.matchers import PLACEHOLDER, Matcher
from harness.templating import Renderable, is_template

TEMPLATE = "it is a template"
_ANYTHING = Matcher.model_validate({"$any": True})


class UnwritableError(Exception):
    """What was seen cannot be expected as YAML; says why."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An expectation that stays as it is although it fails: where it stands, and why."""

    path: Path
    reason: str


Repair = Edit | Refusal


@dataclass(frozen=True, slots=True)
class Healing:
    """What is to be done about the expectations that fail; of those that hold there is nothing.

    Attributes:
        edits: all paths lead through the spec as it is written, before any edit; insertions at one
            path are in the order in which they are to stand.
        refusals: what cannot be healed, in the spec's order.
    """

    edits: tuple[Edit, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    @classmethod
    def of(cls, repairs: Iterable[Repair]) -> Healing:
        """The edits and the refusals apart, each refusal once."""
        found = list(repairs)
        refusals = dict.fromkeys(repair for repair in found if isinstance(repair, Refusal))
        edits = tuple(repair for repair in found if isinstance(repair, Edit))
        return cls(edits, tuple(refusals))


def insertion(path: Path, write: Callable[[], str]) -> Repair:
    """What inserts a text at `path`, if there is one; `write` may raise UnwritableError."""
    return _edit(path, "insert", write)


def replacement(written: Any, path: Path, write: Callable[[], str]) -> Repair:
    """What puts a text in the place of what is `written` at `path`; as for an insertion."""
    return Refusal(path, TEMPLATE) if holds_template(written) else _edit(path, "replace", write)


def removal(written: Any, path: Path) -> Repair:
    """The removal of what is `written` at `path`."""
    return Refusal(path, TEMPLATE) if holds_template(written) else Edit(path, "remove")


def _edit(path: Path, action: Literal["insert", "replace"], write: Callable[[], str]) -> Repair:
    try:
        return Edit(path, action, write())
    except UnwritableError as error:
        return Refusal(path, str(error))


def at(written: Any, path: Path, key: str) -> tuple[Any, Path]:
    """The node of a key, and the way to it.

    What is no mapping stands for the key itself: a short form, or a template of the whole.
    """
    return (written[key], (*path, key)) if isinstance(written, dict) else (written, path)


def holds_template(written: Any) -> bool:
    """Whether a template stands anywhere inside a node as it is written."""
    if isinstance(written, dict):
        return any(map(holds_template, written.values()))
    return any(map(holds_template, written)) if isinstance(written, list) else is_template(written)


def holds_placeholder(expected: Any) -> bool:
    """Whether a placeholder, which never holds, stands anywhere inside an expectation."""
    if isinstance(expected, dict):
        return any(map(holds_placeholder, expected.values()))
    if isinstance(expected, (list, tuple)):
        return any(map(holds_placeholder, expected))
    if isinstance(expected, Renderable):
        return any(map(holds_placeholder, expected.parts()))
    return isinstance(expected, str) and expected == PLACEHOLDER


def relaxed(expected: Any) -> Any:
    """The expectation with placeholders that hold for anything: it tells what belongs together."""
    if not holds_placeholder(expected):
        return expected
    if isinstance(expected, dict):
        return {name: relaxed(item) for name, item in expected.items()}
    if isinstance(expected, (list, tuple)):
        return [relaxed(item) for item in expected]
    if isinstance(expected, Renderable):
        return expected.rendered(lambda _key, part: relaxed(part))
    return _ANYTHING
