"""What a folder holds, and whether something can be put into it."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

_MEASURING_SECONDS = 0.5


def measured(folder: Path) -> tuple[int, bool]:
    """The bytes in all files of a folder, and whether there was time to look at all of them."""
    total, folders = 0, [str(folder)]
    deadline = time.monotonic() + _MEASURING_SECONDS
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as entries:  # gone meanwhile
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    total += entry.stat(follow_symlinks=False).st_size
        if time.monotonic() > deadline:
            return total, not folders
    return total, True


def unwritable(folder: Path) -> str | None:
    """Why no file can be made in a folder, or the folder not be made."""
    try:
        with tempfile.TemporaryFile(dir=standing(folder)):
            return None
    except OSError as error:
        return error.strerror or str(error)


def standing(folder: Path) -> Path:
    """The folder, or the nearest above it that exists; what stands in the way is no folder."""
    return next(path for path in (folder, *folder.parents) if path.exists())
