"""`cases` and `matrix`: one spec becomes one for each case, before anything is validated."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from harness.errors import Problem, SpecError
from harness.results import Path
from harness.source import YamlMapping, YamlSequence, locate
from harness.spec.model import without_extensions
from harness.spec.suite import case_id
from harness.templating import UnrenderableError, compiled, names_of, render


@dataclass(frozen=True, slots=True)
class Case:
    """One case: its id and its values."""

    id: str
    values: dict[str, Any]


def expand(
    data: YamlMapping, variables: Callable[[], dict[str, Any]]
) -> Iterator[tuple[Case | None, YamlMapping]]:
    """The spec once for each of its cases, or as it is when it has none.

    `variables` gives the spec's `vars`: those that hold no template can be used here already. What
    needs more than them and `case` waits until the spec runs.
    """
    if "cases" not in data and "matrix" not in data:
        yield None, data
        return
    known = {name: value for name, value in variables().items() if not names_of(value)}
    body = data.without("cases", "matrix")
    for case in _unique(_cases(data, known), data):
        yield case, _substituted(body, (), {**known, "case": case.values})


def _cases(data: YamlMapping, known: dict[str, Any]) -> list[Case]:
    if "cases" in data and "matrix" in data:
        raise SpecError(
            "`cases` and `matrix` cannot stand in one spec",
            where=data.key_location("matrix"),
            hint="write every case, or every list of the matrix",
        )
    cases = data.get("cases")
    if isinstance(cases, YamlSequence) and cases and all(isinstance(case, dict) for case in cases):
        return [_case(_substituted(case, (), known)) for case in cases]
    matrix = data.get("matrix")
    if isinstance(matrix, YamlMapping) and matrix and all(map(_is_filled_list, matrix.values())):
        matrix = _substituted(matrix, (), known)
        products = itertools.product(*matrix.values())
        return [_case(dict(zip(matrix, values, strict=True))) for values in products]
    key = "cases" if "cases" in data else "matrix"
    shape = "a list of mappings" if key == "cases" else "a mapping of lists"
    raise SpecError(f"`{key}` is {shape}, and not empty", where=data.key_location(key))


def _is_filled_list(value: Any) -> bool:
    return isinstance(value, YamlSequence) and bool(value)


def _case(data: dict[str, Any]) -> Case:
    data = without_extensions(data)
    values = {key: value for key, value in data.items() if key != "id"}
    named = {"id": data["id"]} if data.get("id") is not None else values
    return Case(case_id(named), dict(data))


def _unique(cases: list[Case], data: YamlMapping) -> list[Case]:
    seen: set[str] = set()
    for index, case in enumerate(cases):
        if case.id in seen or not case.id:
            what = f"two cases are called {case.id!r}" if case.id else "a case has no values"
            place = (
                locate(data, ("cases", index)) if "cases" in data else data.key_location("matrix")
            )
            raise SpecError(what, where=place, hint="give each case an `id` of its own")
        seen.add(case.id)
    return cases


def _substituted(value: Any, path: Path, scope: dict[str, Any]) -> Any:
    """`value` with every template replaced that needs nothing but `scope`."""
    if isinstance(value, YamlMapping):
        changed = {
            key: _at(value, key, _substituted, (*path, key), scope) for key, item in value.items()
        }
        return value.replaced({k: v for k, v in changed.items() if v is not value[k]})
    if isinstance(value, YamlSequence):
        items = iter([_substituted(item, (*path, i), scope) for i, item in enumerate(value)])
        return value.mapped(lambda _: next(items))
    if not isinstance(value, str) or "{{" not in value or _is_sql(path):
        return value
    return render(value, scope) if compiled(value).names <= scope.keys() else value


def _at(mapping: YamlMapping, key: str, function: Any, path: Path, scope: dict[str, Any]) -> Any:
    """What `function` gives for a value; a template that fails says where it stands."""
    try:
        return function(mapping[key], path, scope)
    except UnrenderableError as error:
        if error.problems[0].where:
            raise
        problem = error.problems[0]
        where = mapping.value_location(key)
        raise UnrenderableError(Problem(problem.what, where, problem.hint)) from None


def _is_sql(path: Path) -> bool:
    """Whether SQL text stands at this path of a spec: it is never a template."""
    match path:
        case (*_, "$sql") | ("operations", _, "sql"):
            return True
        case ("expect", "tables", _, "where") | (*_, "seed", _, "sql"):
            return True
    return False
