"""Files become specs: suites, single specs, and the shared parts that they use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import Location, Problem, SpecError, did_you_mean
from harness.loader.cases import Case, expand
from harness.loader.checks import check
from harness.loader.problems import reachable, validated
from harness.results import Path as SpecPath
from harness.source import YamlMapping, YamlSequence, locate, read
from harness.spec.suite import Part, Spec, Suite, merged

MAX_PROBLEMS = 20
"""Problems of one file that are shown; what follows is usually the same mistake again."""


@dataclass(frozen=True, slots=True)
class LoadedSpec:
    """One item: a spec with every default merged in, its case, and where it was written.

    Attributes:
        id: the name, with the case's id in brackets if it has cases.
    """

    id: str
    spec: Spec
    path: Path
    case: Mapping[str, Any] | None
    source: YamlMapping

    @property
    def where(self) -> Location:
        """Where the spec begins: its name, or the first key that it has."""
        return locate(self.source, ("name",), key=True)

    def locate(self, path: SpecPath) -> Location:
        """The place of a path like ("operations", 0, "expect", "rows", 1), or of its nearest part.

        Steps that a short form leaves out (`rows` of a list) are passed over.
        """
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
    parts = _Parts(root)
    if "specs" in data:
        return _suite(data, path, parts)
    if "operations" in data:
        found, problems = _spec(data, None, (), path, parts)
        if problems:
            raise SpecError(*problems)
        return tuple(found)
    unknown = [
        key for key in data if key not in Suite.known_keys() and key not in Spec.known_keys()
    ]
    raise SpecError(
        "this file holds no spec: it has neither `specs` nor `operations`",
        where=data.key_location(unknown[0]) if unknown else data.location,
        hint=(did_you_mean(unknown[0], ("specs", "operations")) if unknown else None)
        or "a shared part is named with a leading underscore, and not collected",
    )


def _suite(data: YamlMapping, path: Path, parts: _Parts) -> tuple[LoadedSpec, ...]:
    suite = validated(Suite, data)
    shared = parts.used_by(data, path)
    found: list[LoadedSpec] = []
    problems: list[Problem] = []
    for index, item in enumerate(data["specs"]):
        if not isinstance(item, YamlMapping):
            problems.append(Problem("a spec is a mapping", data["specs"].item_location(index)))
            continue
        specs, wrong = _spec(item, suite, shared, path, parts)
        found += specs
        problems += wrong
    problems += _repeated(found)
    if problems:
        unique = list(dict.fromkeys(problems))
        raise SpecError(*unique[:MAX_PROBLEMS])
    return tuple(found)


def _spec(
    data: YamlMapping, suite: Suite | None, shared: tuple[Part, ...], path: Path, parts: _Parts
) -> tuple[list[LoadedSpec], list[Problem]]:
    """The items of one spec, and what is wrong with it."""
    found: list[LoadedSpec] = []
    try:
        own = parts.used_by(data, path)
        used = (*shared, *(part for part in own if not any(part is other for other in shared)))
        for case, expanded in expand(data, _variables(data, suite, used)):
            found.append(_loaded(expanded, case, suite, used, path))
    except SpecError as error:
        return [], list(error.problems)
    return found, []


def _loaded(
    data: YamlMapping, case: Case | None, suite: Suite | None, used: tuple[Part, ...], path: Path
) -> LoadedSpec:
    spec = validated(Spec, data)
    if suite is not None and spec.name is None:
        raise SpecError("`name` is missing", where=data.location, hint="a suite's specs have names")
    spec = merged(spec, suite, used)
    name = spec.name or path.name.removesuffix(path.suffix).removesuffix(".spec")
    loaded = LoadedSpec(
        id=f"{name}[{case.id}]" if case else name,
        spec=spec,
        path=path,
        case=case.values if case else None,
        source=data,
    )
    problems = check(spec, loaded.locate, case is not None)
    if problems:
        raise SpecError(*problems)
    return loaded


def _variables(data: YamlMapping, suite: Suite | None, parts: tuple[Part, ...]) -> dict[str, Any]:
    own = data.get("vars")
    layers = [*(part.vars for part in parts), suite.vars if suite else {}]
    layers.append(own if isinstance(own, dict) else {})
    return {name: value for layer in layers for name, value in layer.items()}


def _repeated(found: list[LoadedSpec]) -> Iterator[Problem]:
    seen: dict[str, LoadedSpec] = {}
    for item in found:
        first = seen.setdefault(item.id, item)
        if first is not item:
            what = f"two specs are called {item.id!r}; the first is in line {first.where.line}"
            yield Problem(what, item.where, "names are unique within a file")


class _Parts:
    """The shared parts of one file, each read once."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._read: dict[Path, tuple[Part, YamlMapping]] = {}

    def used_by(self, data: YamlMapping, path: Path) -> tuple[Part, ...]:
        """The parts that `data`, written in the file at `path`, uses: in order, each once."""
        found: dict[Path, Part] = {}
        if "use" in data:
            self._collect(data, path.resolve(), (path.resolve(),), found)
        return tuple(found.values())

    def _collect(
        self, data: YamlMapping, path: Path, chain: tuple[Path, ...], found: dict[Path, Part]
    ) -> None:
        names = data["use"]
        if not isinstance(names, YamlSequence) or not all(isinstance(name, str) for name in names):
            raise SpecError("`use` is a list of files", where=data.value_location("use"))
        for index, name in enumerate(names):
            where = names.item_location(index)
            target = (path.parent / name).resolve()
            if target in chain:
                cycle = " → ".join(item.name for item in (*chain[chain.index(target) :], target))
                raise SpecError(f"shared parts use each other: {cycle}", where=where)
            part, source = self._part(target, name, where)
            if "use" in source:
                self._collect(source, target, (*chain, target), found)
            found.setdefault(target, part)

    def _part(self, target: Path, name: str, where: Location) -> tuple[Part, YamlMapping]:
        if target in self._read:
            return self._read[target]
        if not target.is_relative_to(self._root):
            raise SpecError(f"{name!r} lies outside the project {self._root}", where=where)
        if not target.is_file():
            siblings = [item.name for item in target.parent.glob("_*.y*ml")]
            hint = did_you_mean(target.name, siblings) or "the path is relative to this file"
            raise SpecError(f"there is no file {name!r}", where=where, hint=hint)
        source = read(target)
        if not isinstance(source, YamlMapping):
            raise SpecError(f"{name!r} is no shared part: it is not a mapping", where=where)
        part = validated(Part, source)
        self._read[target] = part, source
        return part, source
