"""Files become specs: suites, single specs, and the shared parts that they use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import Location, Problem, SpecError, did_you_mean
from harness.loader.cases import Case, expand
from harness.loader.checks import check
from harness.loader.parts import Layer, Parts, suite_layer, variable_place, variables
from harness.loader.placeholders import cut
from harness.loader.problems import reachable, validated
from harness.results import Path as SpecPath
from harness.source import YamlMapping, YamlSequence, locate, read
from harness.spec.suite import Spec, Suite, merged

MAX_PROBLEMS = 20
"""Problems of one file that are shown; what follows is usually the same mistake again."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an item comes from.

    Attributes:
        path: of the file.
        index: the spec's place in `specs`; None for a spec that is a file of its own.
        cases: how many items the same YAML makes.
    """

    path: Path
    index: int | None = None
    cases: int = 1


@dataclass(frozen=True, slots=True)
class LoadedSpec:
    """One item: a spec with every default merged in, its case, and where it was written.

    Attributes:
        id: the name, with the case's id in brackets if it has cases.
        chosen: its case, if it has cases.
        source: the YAML that its case was put into.
        layers: the shared parts and the suite that gave it defaults.
        placeholders: paths of the expectations that are still to be written.
        unexpanded: gives the YAML as it is without its case, if it has one.
    """

    id: str
    spec: Spec
    origin: Origin
    chosen: Case | None
    source: YamlMapping
    layers: Sequence[Layer]
    placeholders: tuple[SpecPath, ...]
    unexpanded: Callable[[], YamlMapping] | None

    @property
    def path(self) -> Path:
        """The file."""
        return self.origin.path

    @property
    def index(self) -> int | None:
        """Its place in `specs`; None for a spec that is a file of its own."""
        return self.origin.index

    @property
    def cases(self) -> int:
        """How many items the same YAML makes."""
        return self.origin.cases

    @property
    def case(self) -> Mapping[str, Any] | None:
        """The values of its case."""
        return self.chosen.values if self.chosen else None

    @property
    def written(self) -> YamlMapping:
        """The YAML before its cases were expanded."""
        return self.unexpanded() if self.unexpanded else self.source

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
    refuse_part(path)
    return tuple(specs_of(read(path), path, Parts(root)))


def refuse_part(path: Path) -> None:
    """Raise a SpecError if the file is one that specs share."""
    if path.name.startswith("_"):
        raise SpecError(
            "this is a shared part: a name that begins with _ is never collected",
            where=Location(path),
            hint="rename the file, or name it in `use`",
        )


def specs_of(
    data: Any, path: Path, parts: Parts, opened: Callable[[Any], Any] = lambda item: item
) -> Iterator[LoadedSpec]:
    """The specs of a file, one by one; of a file with problems some come before they are raised.

    Args:
        data: what the file says; the items of its `specs` may be packed.
        path: of the file.
        parts: that it uses.
        opened: gives an item of `specs` unpacked.

    Raises:
        SpecError: everything that is wrong with the file.
    """
    if not isinstance(data, YamlMapping):
        raise SpecError(
            "this file holds no spec" if data is None else "a spec file is a mapping",
            where=locate(data, ()) if isinstance(data, YamlSequence) else Location(path),
            hint="a suite has `specs`, a single spec has `operations`",
        )
    if "specs" in data:
        suite = suite_layer(data)
        yield from _suite(data, _Context(path, parts, suite, parts.used_by(data, path)), opened)
    elif "operations" in data:
        yield from _specs(data, _Context(path, parts))
    else:
        raise _no_spec(data)


def assembled(
    data: YamlMapping,
    case: Case | None,
    layers: Sequence[Layer],
    origin: Origin,
    unexpanded: Callable[[], YamlMapping],
) -> LoadedSpec:
    """A spec of YAML that its case was put into; what else it refers to is not checked.

    Raises:
        SpecError: everything that is wrong with the spec by itself.
    """
    written, placeholders = cut(data)
    spec = merged(validated(Spec, written), [layer.model for layer in layers])
    name = spec.name or origin.path.name.removesuffix(origin.path.suffix).removesuffix(".spec")
    return LoadedSpec(
        id=f"{name}[{case.id}]" if case else name,
        spec=spec,
        origin=origin,
        chosen=case,
        source=data,
        layers=layers,
        placeholders=placeholders,
        unexpanded=unexpanded if case else None,
    )


@dataclass(frozen=True, slots=True)
class _Context:
    """What the specs of one file have in common."""

    path: Path
    parts: Parts
    suite: Layer | None = None
    shared: tuple[Layer, ...] = ()


def _no_spec(data: YamlMapping) -> SpecError:
    known = Suite.known_keys() | Spec.known_keys()
    unknown = next((key for key in data if key not in known), None)
    return SpecError(
        "this file holds no spec: it has neither `specs` nor `operations`",
        where=data.key_location(unknown) if unknown else data.location,
        hint=(did_you_mean(unknown, ("specs", "operations")) if unknown else None)
        or "a shared part is named with a leading underscore, and not collected",
    )


def _suite(
    data: YamlMapping, context: _Context, opened: Callable[[Any], Any]
) -> Iterator[LoadedSpec]:
    first: dict[str, int] = {}
    problems: list[Problem] = []
    repeated: list[Problem] = []
    for index, packed in enumerate(data["specs"]):
        item = opened(packed)
        try:
            if not isinstance(item, YamlMapping):
                place = data["specs"].item_location(index)
                raise SpecError("a spec is a mapping", where=place)
            for loaded in _specs(item, context, index):
                if loaded.id in first:
                    repeated.append(_repeated(loaded, first[loaded.id]))
                first.setdefault(loaded.id, loaded.where.line)
                yield loaded
        except SpecError as error:
            problems += error.problems
    problems += repeated
    if problems:
        raise SpecError(*_first(problems, context.path))


def _repeated(loaded: LoadedSpec, line: int) -> Problem:
    what = f"two specs are called {loaded.id!r}; the first is in line {line}"
    return Problem(what, loaded.where, "names are unique within a file")


def _first(problems: list[Problem], path: Path) -> list[Problem]:
    """The problems, each once, and not endlessly many."""
    unique = list(dict.fromkeys(problems))
    more = len(unique) - MAX_PROBLEMS
    rest = [Problem(f"… and {more} more in this file", Location(path))] if more > 0 else []
    return unique[:MAX_PROBLEMS] + rest


def _specs(data: YamlMapping, context: _Context, index: int | None = None) -> list[LoadedSpec]:
    """The items of one spec."""
    own = context.parts.used_by(data, context.path)
    # A part that the spec itself uses comes last, and so wins, wherever the suite has it.
    layers = [layer for layer in context.shared if layer not in own]
    layers += (*own, *((context.suite,) if context.suite else ()))
    expansions = list(expand(data, lambda: variables(layers, data)))
    origin = Origin(context.path, index, len(expansions))
    found: list[LoadedSpec] = []
    for case, expanded in expansions:
        loaded = assembled(expanded, case, layers, origin, lambda: data)
        if context.suite and loaded.spec.name is None:
            hint = "a suite's specs have names"
            raise SpecError("`name` is missing", where=data.location, hint=hint)
        if problems := check(loaded.spec, loaded.locate, case is not None):
            raise SpecError(*problems)
        found.append(loaded)
    return found
