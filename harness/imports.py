"""Importing many of our modules at once, quickly."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder


@contextmanager
def quick_imports() -> Iterator[None]:
    """Import our modules as Python does by itself, and without garbage collection.

    pytest would parse every module of a plugin anew, to rewrite its asserts; ours are there for
    type checkers. And an import makes many objects and no garbage: walking them again and again
    takes a third of the start of a run that has one spec, and some of every collection after it.
    """
    is_collecting = gc.isenabled()
    gc.disable()
    sys.meta_path.insert(0, _OwnModules)
    try:
        yield
    finally:
        sys.meta_path.remove(_OwnModules)
        if is_collecting:
            gc.enable()
            gc.freeze()


class _OwnModules:
    """Finds the modules below this package, before pytest does."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: object = None
    ) -> ModuleSpec | None:
        return PathFinder.find_spec(name, path) if name.startswith(f"{__package__}.") else None
