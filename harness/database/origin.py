"""The line of the application's code that is at work."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

_INSTALLED = tuple(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))
"""Where code lies that is not the application's own."""


def origin() -> str | None:
    """The innermost line of code that is neither installed nor ours.

    Returns:
        It as people find it: `app/issues.py:12 in list_all`; None if no such code is at work.
    """
    for frame in _frames():
        file = frame.f_code.co_filename
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package != "harness" and os.path.isabs(file) and not file.startswith(_INSTALLED):
            return f"{_shown(Path(file))}:{frame.f_lineno} in {_name(frame)}"
    return None


def _frames() -> Iterator[FrameType]:
    """From here outwards; from a greenlet, which SQLAlchemy runs async code in, into its parent."""
    frame: FrameType | None = sys._getframe(1)
    greenlet = sys.modules.get("greenlet")
    current = greenlet.getcurrent() if greenlet else None
    while frame is not None or current is not None:
        while frame is not None:
            yield frame
            frame = frame.f_back
        current = getattr(current, "parent", None)
        frame = getattr(current, "gr_frame", None)


def _name(frame: FrameType) -> str:
    """The function, as its code calls it; a comprehension belongs to the function around it."""
    name = frame.f_code.co_qualname
    while name.endswith(">") and ".<locals>." in name:
        name = name.rpartition(".<locals>.")[0]
    return name


def _shown(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
