"""What the target of a `call` stands for: something imported, or a function of the caller."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.errors import SpecError, did_you_mean
from harness.modules import TargetError, imported


def load(target: str, root: Path | None = None) -> Any:
    """The object that `package.module:attribute[.attribute]` names.

    Args:
        target: as it stands in the spec or in the settings.
        root: the project's folder, where modules are looked for last; default: the current one.

    Raises:
        SpecError: there is no such module or attribute; or importing it fails: then with the
            place in the project's code.
    """
    try:
        return imported(target, root or Path.cwd())
    except TargetError as error:
        raise SpecError(*error.problems) from error.__cause__


def member(owner: object, path: str) -> Callable[..., Any]:
    """The function of a caller that a dotted name stands for, `issues.create`.

    What a mapping holds is named by its keys, what any other object has by its attributes.
    Whatever the caller's own properties raise is raised: they are the application.

    Raises:
        SpecError: a part of the name is private or names nothing, or the whole is no function.
    """
    found, seen = owner, "the caller"
    for name in path.split("."):
        if not name.isidentifier() or name.startswith("_"):
            raise SpecError(
                f"{path!r} is no function of the caller: {name!r} is no public name",
                hint="name a function of the caller, as in issues.create, or a module:function",
            )
        found = _part(found, name, seen)
        seen = f"{name!r}" if seen == "the caller" else f"{seen[:-1]}.{name}'"
    if not callable(found):
        functions = [name for name in _public(found) if callable(_static(found, name))]
        raise SpecError(
            f"{path!r} is {_described(found)}, which cannot be called",
            hint=did_you_mean("", [f"{path}.{name}" for name in functions]),
        )
    return found


def _part(owner: object, name: str, seen: str) -> Any:
    if isinstance(owner, Mapping):
        if name in owner:
            return owner[name]
    else:
        try:
            return getattr(owner, name)
        except AttributeError as error:
            if _has(owner, name) or error.name not in (None, name):
                raise  # out of a property: it is there, and it fails
    raise SpecError(
        f"{seen} is {_described(owner)}, which has no {name!r}",
        hint=did_you_mean(name, _public(owner)),
    )


def _public(owner: object) -> list[str]:
    names = owner if isinstance(owner, Mapping) else dir(owner)
    return [name for name in names if isinstance(name, str) and not name.startswith("_")]


def _has(owner: object, name: str) -> bool:
    missing = object()
    return inspect.getattr_static(owner, name, missing) is not missing


def _static(owner: object, name: str) -> Any:
    """What a name stands for, without running a property."""
    if isinstance(owner, Mapping):
        return owner[name]
    found = inspect.getattr_static(owner, name, None)
    return found.__func__ if isinstance(found, (staticmethod, classmethod)) else found


def _described(found: object) -> str:
    if found is None:
        return "None"
    if inspect.ismodule(found):
        return f"the module {found.__name__}"
    return f"of type {type(found).__name__}"
