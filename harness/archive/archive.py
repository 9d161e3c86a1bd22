"""The specs of a session: in memory what collection has to know, in the spool all the rest."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from harness.archive.outline import Outline, outlines
from harness.archive.reading import Reading, unpacked_shared
from harness.archive.shelf import Entry, Shelf, digest
from harness.archive.software import software
from harness.archive.spool import Slot, Spool
from harness.loader import Case, Layer, LoadedSpec, Origin, assembled, refuse_part
from harness.packing import unpacked
from harness.source import Document, content_of


class ArchivedFile:
    """A file of specs.

    Args:
        spool: where they are.
        path: of the file.
        outlines: of its specs, in order.
        shared: the slot of what they share.
    """

    def __init__(self, spool: Spool, path: Path, outlines: list[Outline], shared: Slot) -> None:
        self.outlines = outlines
        self._spool = spool
        self._path = path
        self._slot = shared
        self._shared: tuple[Document, list[Layer]] | None = None

    def load(self, outline: Outline) -> LoadedSpec:
        """A spec, as it was collected.

        Raises:
            HarnessError: it cannot be read.
        """
        if self._shared is None:
            self._shared = unpacked_shared(self._spool.get(self._slot), self._path)
        document, layers = self._shared
        source, *case = unpacked(self._spool.get(outline.slot), document)
        return assembled(
            *(source, Case(*case) if case else None),
            [layers[number] for number in outline.manner.layers],
            Origin(self._path, outline.number, outline.cases),
            lambda: unpacked(self._spool.get(outline.written), document)[0],
        )

    def forget(self) -> None:
        """Keep nothing in memory of what its specs share."""
        self._shared = None


class Archive:
    """The files of a session: read, or taken from the shelf where nothing has changed.

    Args:
        root: the project's folder.
        folder: the shelf, in pytest's cache; None if there is none.
    """

    def __init__(self, root: Path, folder: Path | None) -> None:
        self._root = root
        self._shelf = Shelf(folder) if folder else None
        self._circumstances = (str(root), os.path.realpath(root), software() if folder else "")
        self._spool = Spool()
        self._folders: dict[Path, str] = {}
        self._digests: dict[str, str | None] = {}
        self._last: ArchivedFile | None = None

    def file(self, path: Path) -> ArchivedFile:
        """A file of specs, validated.

        Raises:
            SpecError: everything that is wrong with it.
            HarnessError: there is no room for it.
        """
        refuse_part(path)
        content = content_of(path)
        key = self._key(path, content)
        return self._shelved(path, key) or self._read(path, key, content)

    def load(self, file: ArchivedFile, outline: Outline) -> LoadedSpec:
        """A spec as it was collected; what specs share is in memory for one file at a time.

        Raises:
            HarnessError: it cannot be read.
        """
        if self._last is not None and self._last is not file:
            self._last.forget()
        self._last = file
        return file.load(outline)

    def shelve(self) -> None:
        """Leave for the next session what this one has read."""
        if self._shelf is not None:
            self._shelf.write()

    def close(self) -> None:
        """Forget all but what is on the shelf."""
        self._spool.close()

    def _key(self, path: Path, content: bytes) -> bytes:
        """Of all that specs depend on, but for shared parts: only who has read them knows these."""
        folder = path.parent
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        link = os.path.realpath(path) if path.is_symlink() else ""
        places = (str(path), self._folders[folder], link, *self._circumstances)
        return digest(b"\0".join(map(os.fsencode, places)), digest(content))

    def _shelved(self, path: Path, key: bytes) -> ArchivedFile | None:
        if self._shelf is None:
            return None
        base = self._spool.end
        head = self._shelf.head(path, key, self._spool.add)
        if head is None or not all(self._is_same(*part) for part in head["parts"]):
            return None
        begin, end = head["shared"]
        found = outlines(head["outlines"], base)
        return ArchivedFile(self._spool, path, found, (base + begin, base + end))

    def _is_same(self, name: str, target: str, content: str) -> bool:
        """Whether the path of a shared part leads where it did, and to the same content."""
        if os.path.realpath(name) != target:
            return False
        if target not in self._digests:
            try:
                self._digests[target] = digest(Path(target).read_bytes()).hex()
            except OSError:
                self._digests[target] = None
        return self._digests[target] == content

    def _read(self, path: Path, key: bytes, content: bytes) -> ArchivedFile:
        base = self._spool.end
        reading = Reading(self._spool, self._root)
        shared = reading.read(path, content)
        if self._shelf is not None:
            head = {
                "parts": reading.parts,
                "shared": [place - base for place in shared],
                "outlines": reading.outlines.plain(base),
            }
            end = self._spool.end
            body = partial(self._spool.pieces, (base, end))
            self._shelf.put(Entry(path, key, head, body, end - base))
        return ArchivedFile(self._spool, path, reading.outlines.found, shared)
