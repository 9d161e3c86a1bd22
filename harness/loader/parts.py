"""Shared parts: what `use` brings in, each file read once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import Location, SpecError, did_you_mean
from harness.loader.problems import validated
from harness.source import YamlMapping, YamlSequence, read
from harness.spec.suite import Part, Suite


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """What gives a spec defaults, a shared part or a suite, with the YAML that it came from."""

    model: Part
    source: YamlMapping

    def variables(self) -> YamlMapping | dict[str, Any]:
        """Its `vars` as written; whether they are valid is the model's to say."""
        found = self.source.get("vars")
        return found if isinstance(found, YamlMapping) else {}


def part_layer(source: YamlMapping) -> Layer:
    """A shared part.

    Raises:
        SpecError: it is invalid.
    """
    return Layer(validated(Part, source), source)


def suite_layer(source: YamlMapping) -> Layer:
    """What a suite gives its specs, without holding these.

    Raises:
        SpecError: the suite itself is invalid.
    """
    model = validated(Suite, source)
    return Layer(model.model_copy(update={"specs": []}), source.replaced({"specs": [None]}))


def variables(layers: Sequence[Layer], own: YamlMapping) -> dict[str, Any]:
    """The variables of a spec before validation: its own win, then those of later layers."""
    written = own.get("vars")
    spec = written if isinstance(written, YamlMapping) else {}
    sources = (*(layer.variables() for layer in layers), spec)
    return {name: value for source in sources for name, value in source.items()}


def variable_place(layers: Sequence[Layer], own: YamlMapping, name: str) -> Location:
    """Where the value of a variable was written."""
    written = own.get("vars")
    for source in (written, *(layer.variables() for layer in reversed(layers))):
        if isinstance(source, YamlMapping) and name in source:
            return source.value_location(name)
    return own.location


class Parts:
    """The shared parts that one file uses; they may not lie outside `root`.

    Args:
        root: the project's folder.
        read: gives what a file says.

    Attributes:
        targets: for each path that was looked up, the file that it led to.
    """

    def __init__(self, root: Path, read: Callable[[Path], Any] = read) -> None:
        self._root = root
        self._read = read
        self._layers: dict[Path, Layer] = {}
        self.targets: dict[Path, Path] = {}

    def used_by(self, data: YamlMapping, path: Path) -> tuple[Layer, ...]:
        """The parts that `data`, written in the file at `path`, uses: in order, each once.

        Raises:
            SpecError: a part is missing, invalid, outside the root, or uses itself.
        """
        found: dict[Path, Layer] = {}
        if "use" in data:
            self._collect(data, path.resolve(), (path.resolve(),), found)
        return tuple(found.values())

    def _collect(
        self, data: YamlMapping, path: Path, chain: tuple[Path, ...], found: dict[Path, Layer]
    ) -> None:
        names = data["use"]
        if not isinstance(names, YamlSequence) or not all(isinstance(name, str) for name in names):
            raise SpecError("`use` is a list of files", where=data.value_location("use"))
        for index, name in enumerate(names):
            where = names.item_location(index)
            target = self.targets[path.parent / name] = (path.parent / name).resolve()
            if target in chain:
                cycle = " → ".join(item.name for item in (*chain[chain.index(target) :], target))
                raise SpecError(f"shared parts use each other: {cycle}", where=where)
            layer = self._layer(target, name, where)
            if "use" in layer.source:
                self._collect(layer.source, target, (*chain, target), found)
            found.setdefault(target, layer)

    def _layer(self, target: Path, name: str, where: Location) -> Layer:
        if target in self._layers:
            return self._layers[target]
        root = self._root.resolve()
        if not target.is_relative_to(root):
            raise SpecError(f"{name!r} lies outside the project {root}", where=where)
        if not target.is_file():
            siblings = [item.name for item in target.parent.glob("_*.y*ml")]
            hint = did_you_mean(target.name, siblings) or "the path is relative to this file"
            raise SpecError(f"there is no file {name!r}", where=where, hint=hint)
        source = self._read(target)
        if not isinstance(source, YamlMapping):
            raise SpecError(f"{name!r} is no shared part: it is not a mapping", where=where)
        layer = self._layers[target] = part_layer(source)
        return layer
