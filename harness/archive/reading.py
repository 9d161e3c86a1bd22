"""A file of specs on its way from its text into the spool."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any

from harness.archive.outline import Outlines
from harness.archive.shelf import digest
from harness.archive.spool import Slot, Spool
from harness.loader import Layer, LoadedSpec, Parts, part_layer, specs_of, suite_layer
from harness.packing import packed, unpacked
from harness.source import Document, YamlMapping, content_of, decoded
from harness.spec.suite import Suite

_LARGE = 1 << 18
"""Bytes of a file whose specs are not in memory all at once: they take some 15 times as much."""


class Reading:
    """Reads and validates one file.

    Args:
        spool: where its specs are put.
        root: the folder that shared parts may not leave.

    Attributes:
        outlines: of its specs.
    """

    def __init__(self, spool: Spool, root: Path) -> None:
        self.outlines = Outlines()
        self._spool = spool
        self._parts = Parts(root, self._read_part)
        self._digests: dict[Path, str] = {}
        self._document: Document
        self._specs: Any = None
        self._layers: dict[Layer, int] = {}
        self._written: tuple[int | None, Slot] | None = None

    @property
    def parts(self) -> list[tuple[str, str, str]]:
        """Of each shared part that was looked up, its path, where that led, and a digest."""
        found = self._parts.targets.items()
        return [(str(name), str(target), self._digests[target]) for name, target in found]

    def read(self, path: Path, content: bytes) -> Slot:
        """Put the specs into the spool; gives where what they share is.

        Raises:
            SpecError: everything that is wrong with them.
        """
        data = decoded(content, path, {"specs": self._put} if len(content) > _LARGE else {})
        if isinstance(data, YamlMapping):
            self._document, self._specs = data.document, data.get("specs")
        for loaded in specs_of(data, path, self._parts, self._opened):
            self._keep(loaded)
        layers = (_packed_layer(each) for each in self._layers)
        return self._put(self._document.line_starts.tobytes(), *layers)

    def _put(self, *data: Any) -> Slot:
        return self._spool.add(packed(*data))

    def _opened(self, item: Any) -> Any:
        # Not packed are the specs of a small file, and those that an alias stands for.
        is_packed = type(item) is tuple
        return unpacked(self._spool.get(item), self._document)[0] if is_packed else item

    def _keep(self, loaded: LoadedSpec) -> None:
        layers = tuple(self._layers.setdefault(each, len(self._layers)) for each in loaded.layers)
        slot = written = self._slot(loaded)
        if loaded.chosen:
            slot = self._put(loaded.source, loaded.chosen.id, loaded.chosen.values)
        self.outlines.add(loaded, layers, slot, written)

    def _slot(self, loaded: LoadedSpec) -> Slot:
        """Of what was written, once for all of its cases."""
        item = None if loaded.index is None else self._specs[loaded.index]
        if type(item) is tuple:
            return item
        if self._written is None or self._written[0] != loaded.index:
            self._written = loaded.index, self._put(loaded.written)
        return self._written[1]

    def _read_part(self, path: Path) -> Any:
        content = content_of(path)
        self._digests[path] = digest(content).hex()
        return decoded(content, path)


def unpacked_shared(content: bytes, path: Path) -> tuple[Document, list[Layer]]:
    """The document of the file at `path`, and the layers of its specs."""
    own = Document(path, array("I"))
    starts, *layers = unpacked(content, own)
    own.line_starts.frombytes(starts)
    return own, [_unpacked_layer(each, own) for each in layers]


def _packed_layer(layer: Layer) -> bytes:
    document = layer.source.document
    is_suite = isinstance(layer.model, Suite)
    starts = b"" if is_suite else document.line_starts.tobytes()
    return packed(is_suite, str(document.path), starts, packed(layer.source))


def _unpacked_layer(content: bytes, own: Document) -> Layer:
    is_suite, path, starts, source = unpacked(content, own)
    if is_suite:
        return suite_layer(unpacked(source, own)[0])
    document = Document(Path(path), array("I"))
    document.line_starts.frombytes(starts)
    return part_layer(unpacked(source, document)[0])
