"""Files become specs: suites, single specs, and the shared parts that they use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.errors import Location, Problem, SpecError, did_you_mean
from harness.loader.cases import Case, expand
from harness.loader.checks import check
from harness.loader.parts import Layer, Parts, variable_place, variables
from harness.loader.placeholders import cut
from harness.loader.problems import reachable, validated
from harness.results import Path as SpecPath
from harness.source import YamlMapping, YamlSequence, locate, read
from harness.spec.suite import Spec, Suite, merged

MAX_PROBLEMS = 20
"""Problems of one file that are shown; what follows is usually the same mistake again."""


@dataclass(frozen=True, slots=True)
class LoadedSpec:
    """One item: a spec with every default merged in, its case, and where it was written.

    Attributes:
        id: the name, with the case's id in brackets if it has cases.
        layers: the shared parts and the suite that gave it defaults.
        written: the same before its cases were expanded.
        index: its place in `specs`; None for a spec that is a file of its own.
        cases: how many items the same YAML makes.
        placeholders: paths of the expectations that are still to be written.
    """

    id: str
    spec: Spec
    path: Path
    case: Mapping[str, Any] | None
    source: YamlMapping
    layers: tuple[Layer, ...]
    written: YamlMapping
    index: int | None = None
    cases: int = 1
    placeholders: tuple[SpecPath, ...] = ()

    @property
    def where(self) -> Location:
        """Where the spec begins: its name, or the first key that it has."""
        return locate(self.source, ("name",), key=True)

    def locate(self, path: SpecPath) -> Location:
        """The place of a path like ("operations", 0, "expect", "rows", 1), or of its nearest part.

        Steps that a short form leaves out (`rows` of a list) are passed over.
        """
        if path[:1] == ("vars",) and len(path) > 1:
            return variable_place(self.layers, self.source, str(path[1]))
        return locate(self.source, reachable(path, self.source))


def load(path: Path, root: Path) -> tuple[LoadedSpec, ...]:
    """The specs of a file, in order; `root` is the folder that shared parts may not leave.

    Raises:
        SpecError: everything that is wrong with the file.
    """
    if path.name.startswith("_"):
        raise SpecError(
            "this is a shared part: a name that begins with _ is never collected",
            where=Location(path),
            hint="rename the file, or name it in `use`",
        )
    data = read(path)
    if not isinstance(data, YamlMapping):
        raise SpecError(
            "this file holds no spec" if data is None else "a spec file is a mapping",
            where=locate(data, ()) if isinstance(data, YamlSequence) else Location(path),
            hint="a suite has `specs`, a single spec has `operations`",
        )
    if "specs" in data:
        return _suite(data, path, Parts(root))
    if "operations" in data:
        items = tuple(_specs(data, (), None, path, Parts(root)))
        return tuple(replace(each, cases=len(items)) for each in items)
    unknown = [
        key for key in data if key not in Suite.known_keys() and key not in Spec.known_keys()
    ]
    raise SpecError(
        "this file holds no spec: it has neither `specs` nor `operations`",
        where=data.key_location(unknown[0]) if unknown else data.location,
        hint=(did_you_mean(unknown[0], ("specs", "operations")) if unknown else None)
        or "a shared part is named with a leading underscore, and not collected",
    )


def _suite(data: YamlMapping, path: Path, parts: Parts) -> tuple[LoadedSpec, ...]:
    suite = Layer(validated(Suite, data), data)
    shared = parts.used_by(data, path)
    found: list[LoadedSpec] = []
    problems: list[Problem] = []
    for index, item in enumerate(data["specs"]):
        try:
            if not isinstance(item, YamlMapping):
                place = data["specs"].item_location(index)
                raise SpecError("a spec is a mapping", where=place)
            items = tuple(_specs(item, shared, suite, path, parts))
            found += (replace(each, index=index, cases=len(items)) for each in items)
        except SpecError as error:
            problems += error.problems
    problems += _repeated(found)
    if problems:
        raise SpecError(*_first(problems, path))
    return tuple(found)


def _first(problems: list[Problem], path: Path) -> list[Problem]:
    """The problems, each once, and not endlessly many."""
    unique = list(dict.fromkeys(problems))
    more = len(unique) - MAX_PROBLEMS
    rest = [Problem(f"… and {more} more in this file", Location(path))] if more > 0 else []
    return unique[:MAX_PROBLEMS] + rest


def _specs(
    data: YamlMapping,
    shared: tuple[Layer, ...],
    suite: Layer | None,
    path: Path,
    parts: Parts,
) -> Iterator[LoadedSpec]:
    """The items of one spec."""
    own = parts.used_by(data, path)
    # A part that the spec itself uses comes last, and so wins, wherever the suite has it.
    used = (*(layer for layer in shared if layer not in own), *own)
    layers = (*used, *((suite,) if suite else ()))
    for case, expanded in expand(data, variables(layers, data)):
        loaded = _loaded(expanded, case, layers, suite, path)
        yield replace(loaded, written=data)


def _loaded(
    data: YamlMapping,
    case: Case | None,
    layers: tuple[Layer, ...],
    suite: Layer | None,
    path: Path,
) -> LoadedSpec:
    written, placeholders = cut(data)
    spec = validated(Spec, written)
    if suite is not None and spec.name is None:
        raise SpecError("`name` is missing", where=data.location, hint="a suite's specs have names")
    spec = merged(spec, tuple(layer.model for layer in layers))
    name = spec.name or path.name.removesuffix(path.suffix).removesuffix(".spec")
    loaded = LoadedSpec(
        id=f"{name}[{case.id}]" if case else name,
        spec=spec,
        path=path,
        case=case.values if case else None,
        source=data,
        layers=layers,
        written=data,
        placeholders=placeholders,
    )
    problems = check(spec, loaded.locate, case is not None)
    if problems:
        raise SpecError(*problems)
    return loaded


def _repeated(found: list[LoadedSpec]) -> Iterator[Problem]:
    seen: dict[str, LoadedSpec] = {}
    for item in found:
        first = seen.setdefault(item.id, item)
        if first is not item:
            what = f"two specs are called {item.id!r}; the first is in line {first.where.line}"
            yield Problem(what, item.where, "names are unique within a file")
