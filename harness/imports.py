"""Importing many modules at once, quickly."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import PathFinder


@contextmanager
def quick_imports() -> Iterator[None]:
    """Import as Python does by itself, without garbage collection.

    pytest would parse every module of a plugin anew, to rewrite its asserts; ours are there for
    type checkers. And an import makes many objects and no garbage: walking them again and again
    takes a third of the start of a run that has one spec, and some of every collection after it.
    """
    is_collecting = gc.isenabled()
    gc.disable()
    sys.meta_path.insert(0, PathFinder)
    try:
        yield
    finally:
        sys.meta_path.remove(PathFinder)
        if is_collecting:
            gc.enable()
            gc.freeze()
