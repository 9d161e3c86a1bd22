"""What reads specs, as one text: other software may read the same file differently."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import harness

_PACKAGE = Path(harness.__file__).parent


def software() -> str:
    """A text that is another one after any change of Python, of installed packages or of ours.

    Our own modules are told by size and time, as Python tells whether to compile them anew: they
    change while they are developed. What is installed is told by the names of its folders, which
    hold versions; to ask for each version would take longer than to read a hundred specs.
    """
    parts = [sys.version, sys.implementation.cache_tag or "", harness.__version__]
    parts += sorted(set(_installed()))
    parts += sorted(_modules(str(_PACKAGE)))
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def _installed() -> Iterator[str]:
    for folder in sys.path:
        with suppress(OSError), os.scandir(folder or ".") as entries:
            yield from (each.name for each in entries if each.name.endswith(_INFO))


_INFO = (".dist-info", ".egg-info")


def _modules(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                status = entry.stat()
                yield f"{entry.path}:{status.st_size}:{status.st_mtime_ns}"
            elif entry.name != "__pycache__" and entry.is_dir():
                yield from _modules(entry.path)
