"""What a model refused, as problems at their places in the YAML."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harness.errors import Location, Problem, SpecError, did_you_mean, nearest
from harness.source import locate
from harness.spec.operations import VERBS

Validated = TypeVar("Validated", bound=BaseModel)


def validated(model: type[Validated], data: Any) -> Validated:
    """`data` as a model.

    Raises:
        SpecError: every problem that the model found, each at its place.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise SpecError(*problems(error, data)) from None


def problems(error: ValidationError, data: Any) -> list[Problem]:
    """One problem for each thing that is wrong in `data`."""
    found = [_problem(details, data) for details in error.errors(include_url=False)]
    return list(dict.fromkeys(found))


def _problem(details: ErrorDetails, data: Any) -> Problem:
    context = details.get("ctx", {})
    path = [*details["loc"], *context.get("path", ())]
    # A location also holds tags of unions and keys of short forms, which `reachable` leaves out.
    steps = reachable(path, data)
    if details["type"] == "missing":
        return Problem(f"`{path[-1]}` is missing", locate(data, steps), None)
    if "what" in context:
        return Problem(context["what"], _place(data, steps, bool(context["path"])), context["hint"])
    if details["type"] == "harness":
        written = _misspelt_verbs(details["input"])
        place = locate(data, [*steps, *written[:1]], key=bool(written))
        return Problem(details["msg"], place, did_you_mean(written[0], VERBS) if written else None)
    describe = _MESSAGES.get(details["type"])
    what = describe(details) if describe else details["msg"]
    hint = "put it in quotes" if details["type"] == "string_type" and _scalar(details) else None
    return Problem(what, locate(data, steps), hint)


def _misspelt_verbs(operation: Any) -> list[str]:
    """The keys of an operation without a verb that were probably meant to be one."""
    if not isinstance(operation, dict) or VERBS.keys() & operation.keys():
        return []
    return [key for key in operation if nearest(key, VERBS)]


def _place(data: Any, steps: list[str | int], names_key: bool) -> Location:
    return locate(data, steps, key=names_key and bool(steps))


def reachable(path: Iterable[str | int], data: Any) -> list[str | int]:
    """The steps of a path that exist in `data`; the others are passed over."""
    steps: list[str | int] = []
    node = data
    for step in path:
        in_list = isinstance(node, list) and isinstance(step, int) and step < len(node)
        if in_list or (isinstance(node, dict) and step in node):
            node = node[step]
            steps.append(step)
    return steps


def _scalar(details: ErrorDetails) -> bool:
    return isinstance(details["input"], (int, float, Decimal, bool))


def described(value: Any) -> str:
    """What a value is, for a sentence that says it should be something else."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"the text {value if len(value) < 40 else value[:37] + '…'!r}"
    return str(value)


def _instead_of(expected: str) -> Callable[[ErrorDetails], str]:
    return lambda details: f"{expected} is expected here, not {described(details['input'])}"


_MESSAGES: Mapping[str, Callable[[ErrorDetails], str]] = {
    "string_type": _instead_of("text"),
    "list_type": _instead_of("a list"),
    "dict_type": _instead_of("a mapping"),
    "model_type": _instead_of("a mapping"),
    "model_attributes_type": _instead_of("a mapping"),
    "bool_type": _instead_of("true or false"),
    "bool_parsing": _instead_of("true or false"),
    "too_short": lambda details: (
        "this list is too short"
        if details["input"]
        else "this is empty, and could never fail or do anything"
    ),
    "too_long": lambda _: "this list is too long",
    "string_too_short": lambda _: "this text is empty",
    "string_pattern_mismatch": lambda details: f"{details['input']!r} is not of the form expected",
    "literal_error": lambda details: (
        f"{described(details['input'])} is not {details['ctx']['expected'].replace('True', 'true')}"
    ),
    "union_tag_not_found": lambda details: f"this cannot be {described(details['input'])}",
}
