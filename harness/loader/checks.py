"""What no single model can see: references between the parts of a spec, and what is to come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import Any

from harness.errors import Location, Problem, nearest
from harness.results import Path
from harness.spec.marks import same_names
from harness.spec.model import Model
from harness.spec.operations import BaseOperation, SeedOperation
from harness.spec.seeds import RowSource, SeedRow, TableSeed
from harness.spec.suite import Spec, unknown_actor
from harness.templating import UnrenderableError, in_order, templates_in

FUNCTIONS = frozenset({"now", "today", "ago", "ahead", "uuid", "env"})
"""The functions that every template can call."""

# The models are the whole format; these parts of it have no execution yet. A spec that uses one
# is refused, because passing it would claim something that nobody checked.
LATER_VERBS = frozenset({"resume"})
LATER_EXPECTATIONS = frozenset({"blocks"})

_NOT_GIVEN = frozenset({"sql", "seed", *BaseOperation.model_fields})
"""Fields of operations that are no data for them, or no templates."""

Locate = Callable[[Path], Location]


def check(spec: Spec, locate: Locate, has_case: bool) -> list[Problem]:
    """What is wrong with a spec whose models are valid.

    Args:
        spec: with all defaults merged in.
        locate: gives the place of a path in the spec's own YAML.
        has_case: whether templates may name `case`.
    """
    later = [] if spec.skip else list(_not_implemented(spec, locate))
    return later or [
        *_repeated_labels(spec),
        *_actors(spec, locate),
        *_names(spec, locate, has_case),
        *_lonely_marks(spec, locate),
    ]


def _not_implemented(spec: Spec, locate: Locate) -> Iterator[Problem]:
    for path in _later_paths(spec):
        shown = f"`{path[-1]}: database`" if path[-1] == "isolation" else f"`{path[-1]}`"
        what = f"{shown} is not implemented yet"
        yield Problem(what, locate(path), "remove or skip this spec")


def _later_paths(spec: Spec) -> Iterator[Path]:
    """The paths of all that has no execution yet; a matcher's ends in its operator."""
    if spec.isolation == "database":
        yield ("isolation",)
    if spec.sessions:
        yield ("sessions",)
    for index, operation in enumerate(spec.operations):
        yield from (("operations", index, key) for key in _later_keys(operation))
        here: Path = ("operations", index, "expect")
        yield from ((*here, key) for key in _later_expectations(operation))


def _later_keys(operation: BaseOperation) -> Iterator[str]:
    if operation.verb in LATER_VERBS:
        yield operation.verb
    if operation.session is not None:
        yield "session"


def _later_expectations(operation: BaseOperation) -> list[str]:
    given = operation.expect.model_fields_set if operation.expect else set()
    return sorted(LATER_EXPECTATIONS & given)


def _lonely_marks(spec: Spec, locate: Locate) -> Iterator[Problem]:
    """Names of `$same` that nothing is compared with."""
    places: dict[str, Path] = {}
    names: dict[str, int] = {}
    expectations: list[tuple[Model | None, Path]] = [(spec.expect, ("expect",))]
    for index, operation in enumerate(spec.operations):
        expectations.append((operation.expect, ("operations", index, "expect")))
    for expectation, path in expectations:
        for name, times in same_names(expectation).items() if expectation else ():
            names[name] = names.get(name, 0) + times
            places[name] = path
    for name, times in names.items():
        if times == 1:
            what = f"`$same: {name}` stands in one place only: it could never fail"
            yield Problem(what, locate(places[name]), "mark the other values with the same name")


def _repeated_labels(spec: Spec) -> Iterator[Problem]:
    seen: dict[tuple[str, str], SeedRow] = {}
    later = (each.seed for each in spec.operations if isinstance(each, SeedOperation))
    for table in chain(spec.seed, *later):
        for row in table.rows if not isinstance(table.rows, RowSource) else ():
            if row.label is None:
                continue
            first = seen.setdefault((table.table, row.label), row)
            if first is not row:
                yield Problem(
                    f"{table.table!r} already has a row labelled {row.label!r}, at {first.where}",
                    row.where,
                    "give it another label",
                )


def _actors(spec: Spec, locate: Locate) -> Iterator[Problem]:
    references: list[tuple[Any, Path]] = [(spec.as_, ("as",))]
    for index, operation in enumerate(spec.operations):
        here: Path = ("operations", index, "as")
        references.append((operation.as_, here))
        if isinstance(operation, SeedOperation) and operation.as_ is not None:
            what = "rows are seeded as the connection's own role, never as an actor"
            yield Problem(what, locate(here), "remove `as`")
    for reference, path in references:
        hint = unknown_actor(spec, reference)
        if hint is not None:
            yield Problem(f"there is no actor {reference!r}", locate(path), hint)


def _names(spec: Spec, locate: Locate, has_case: bool) -> Iterator[Problem]:
    """Templates that name something which is not in scope where they stand."""
    scope = {*FUNCTIONS, "seed", *spec.vars, *(("case",) if has_case else ())}
    for name, value in spec.vars.items():
        yield from _unknown(value, scope, partial(locate, ("vars", name)))
    yield from _circle(spec, locate)
    for table in spec.seed:
        yield from _unknown_in_seed(table, scope)
    for index, operation in enumerate(spec.operations):
        here: Path = ("operations", index)
        acting = operation.as_ if operation.given("as_") else spec.as_
        actor = spec.actors.get(acting) if isinstance(acting, str) else acting
        yield from _unknown(actor, scope, partial(locate, (*here, "as")))
        within = scope if acting is None else {*scope, "actor"}
        if isinstance(operation, SeedOperation):
            for table in operation.seed:
                yield from _unknown_in_seed(table, within)
        for path, value in _given_to(operation):
            yield from _unknown(value, within, partial(locate, (*here, *path)))
        yield from _unknown(operation.expect, within, partial(locate, (*here, "expect")))
        scope |= operation.save.keys()
    tables = spec.expect.tables if spec.expect else None
    for name, state in (tables or {}).items():
        where = partial(locate, ("expect", "tables", name))
        yield from _unknown([state.rows, state.contains, state.count], scope, where)
        if isinstance(state.where, dict):
            yield from _unknown(state.where, scope, where)


def _given_to(operation: BaseOperation) -> Iterator[tuple[Path, Any]]:
    """What an operation is given, where templates may stand, with the way to it."""
    given = operation.model_fields_set - _NOT_GIVEN
    for field, info in type(operation).model_fields.items() if given else ():
        if field not in given:
            continue
        key = info.alias or field
        value = getattr(operation, field)
        if isinstance(value, dict):
            yield from (((key, name), item) for name, item in value.items())
        else:
            yield (key,), value


def _circle(spec: Spec, locate: Locate) -> Iterator[Problem]:
    """Variables that need each other."""
    try:
        in_order(spec.vars)
    except UnrenderableError as error:
        if error.path:  # a malformed template is told where it stands already
            yield Problem(error.problems[0].what, locate(("vars", *error.path)))


def _unknown_in_seed(table: TableSeed, scope: set[str]) -> Iterator[Problem]:
    if isinstance(table.rows, RowSource):
        if table.rows.kind == "file":
            source = table.rows
            yield from _unknown(source.text, scope, lambda: source.where)
        return
    for row in table.rows:
        for column, value in row.values.items():
            yield from _unknown(value, scope, partial(row.place, column))


def _unknown(value: Any, scope: set[str], where: Callable[[], Location]) -> Iterator[Problem]:
    try:
        templates = templates_in(value)
    except UnrenderableError as error:
        problem = error.problems[0]
        yield Problem(problem.what, where(), problem.hint)
        return
    for template in templates:
        for name in sorted(template.names - scope):
            match = nearest(name, scope)
            hint = f"did you mean {match!r}?" if match else f"in scope: {', '.join(sorted(scope))}"
            yield Problem(f"{template.text!r} names {name!r}, which is undefined", where(), hint)
