"""The archive of a session of pytest."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.archive.archive import Archive

_ARCHIVE: pytest.StashKey[Archive] = pytest.StashKey()


def archive_of(config: pytest.Config) -> Archive:
    """The one archive, with a shelf in pytest's cache if that is there and can be written."""
    if _ARCHIVE not in config.stash:
        cache = getattr(config, "cache", None)  # not with `-p no:cacheprovider`
        try:
            folder = cache.mkdir("harness-specs") if cache is not None else None
        except OSError:
            folder = None
        archive = config.stash[_ARCHIVE] = Archive(config.rootpath, folder)
        config.pluginmanager.register(_Finish(archive))
        config.add_cleanup(archive.close)
    return config.stash[_ARCHIVE]


class _Finish:
    """A plugin that writes what was read."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def pytest_collection_finish(self) -> None:
        """Write once for all files, and before the run, which may be broken off."""
        self._archive.shelve()


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """For code that makes much and leaves no cycles: to walk it all again finds nothing."""
    is_collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_collecting:
            gc.enable()
