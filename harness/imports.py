"""Importing many modules at once, quickly."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collector() -> Iterator[None]:
    """Import without garbage collection, and spare later collections what was imported.

    An import makes many objects and no garbage. Walking them again and again takes a third of the
    start of a run that has one spec, and some of every collection after it.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()
