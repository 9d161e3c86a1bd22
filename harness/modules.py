"""What `module:attribute` names: imported, or an error without a traceback of ours."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
import traceback
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, Location, did_you_mean, nearest

_TARGET = re.compile(r"[^\W\d][\w.]*:[^\W\d][\w.]*")
_ON_PATH = (
    "is it installed, or its folder on the path? "
    'e.g. pythonpath = ["src"] in [tool.pytest.ini_options]'
)


class TargetError(HarnessError):
    """A target that names nothing, or whose module fails; it is for the caller to say whose."""


def is_target(text: str) -> bool:
    """Whether a text has the form `package.module:attribute[.attribute]`."""
    return _TARGET.fullmatch(text) is not None


def imported(target: str, root: Path) -> Any:
    """The object that a target names.

    Args:
        target: `package.module:attribute[.attribute]`.
        root: the project's folder; it becomes the last place where modules are looked for, and
            stays it, as modules may import others when they are called.

    Raises:
        TargetError: there is no such module or attribute, or the module fails; then the place is
            the line of the project's own code that failed.
    """
    if not is_target(target):
        raise TargetError(
            f"{target!r} names nothing", hint="targets are written package.module:attribute"
        )
    if str(root) not in sys.path:
        sys.path.append(str(root))
    name, _, attributes = target.partition(":")
    try:
        found: Any = importlib.import_module(name)
        for attribute in attributes.split("."):
            found = _attribute(target, found, attribute)
    except TargetError:
        raise
    except (Exception, SystemExit) as error:  # importing runs the module
        told = error.msg if isinstance(error, SyntaxError) else error
        raise TargetError(
            f"{target} cannot be imported: {type(error).__name__}: {told}",
            where=_place(error, root),
            hint=_missing_module_hint(error),
        ) from error
    return found


def _attribute(target: str, owner: Any, name: str) -> Any:
    try:
        return getattr(owner, name)
    except AttributeError as error:
        public = [each for each in dir(owner) if not each.startswith("_")]
        raise TargetError(
            f"{target} names nothing: {error}", hint=did_you_mean(name, public)
        ) from error


def _missing_module_hint(error: BaseException) -> str | None:
    if not isinstance(error, ModuleNotFoundError):
        return None
    near = _nearest_module(error.name or "")
    return f"did you mean {near!r}? {_ON_PATH}" if near else _ON_PATH


def _nearest_module(missing: str) -> str | None:
    """The module that exists where the one that was not found would be, if its name is near."""
    package, _, name = missing.rpartition(".")
    path = getattr(sys.modules.get(package), "__path__", ()) if package else None
    near = nearest(name, (each.name for each in pkgutil.iter_modules(path)))
    return f"{package}.{near}".lstrip(".") if near else None


def _place(error: BaseException, root: Path) -> Location | None:
    """Where an error comes from: the innermost line of the project, or else of any library."""
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).is_file():
        return Location(Path(error.filename), error.lineno or 1, error.offset or 1)
    places = [
        Location(Path(frame.f_code.co_filename), line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_globals.get("__name__") not in (__name__, "importlib")
    ]
    real = [place for place in places if place.path.is_file()]
    own = [place for place in real if _is_own(place.path, root)]
    return next(reversed(own or real), None)


def _is_own(path: Path, root: Path) -> bool:
    """Whether a file is the project's, and not of an environment that lies in its folder."""
    return path.is_relative_to(root) and not {"site-packages", "dist-packages"} & {*path.parts}
