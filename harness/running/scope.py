"""What templates can name while a spec runs."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from harness.database.isolation import CastError, Isolation
from harness.loader.checks import FUNCTIONS
from harness.matching.display import show
from harness.templating import UnrenderableError, in_order, render

_NAMESPACE = uuid.UUID("6f4b1d8e-3c3a-5d0f-9b1e-2f6b1b0f7a11")  # any fixed one; never change it


class Scope(dict[str, Any]):
    """Names for templates: functions, `seed`, `case`, the spec's `vars`, and what it saved."""

    def __init__(
        self, isolation: Isolation, case: Mapping[str, Any] | None, allowed: tuple[str, ...]
    ) -> None:
        super().__init__(seed={}, uuid=_stable_uuid, env=_environment_reader(allowed))
        self._isolation = isolation
        self.update(
            now=lambda: self._timestamp("now()"),
            today=lambda: self._timestamp("now()")[:10],
            ago=lambda interval: self._timestamp(f"now() - {_interval(interval)}"),
            ahead=lambda interval: self._timestamp(f"now() + {_interval(interval)}"),
        )
        if case is not None:
            self["case"] = case

    def define(self, variables: Mapping[str, Any]) -> None:
        """Add variables; they may name each other."""
        for name in in_order(variables):
            try:
                self[name] = render(variables[name], self)
            except UnrenderableError as error:
                raise error.below(name) from error

    def shown(self) -> tuple[tuple[str, str], ...]:
        """The spec's own names and their values, ready to show."""
        own = ((name, value) for name, value in self.items() if name not in FUNCTIONS)
        return tuple((name, show(value)) for name, value in own if name != "seed")

    def _timestamp(self, expression: str) -> str:
        try:
            return self._isolation.evaluate(expression)
        except CastError as error:
            raise UnrenderableError(str(error), hint="e.g. ago('3 days')") from error


def _interval(text: Any) -> str:
    from_number = isinstance(text, (int, float)) and not isinstance(text, bool)
    if from_number or not isinstance(text, str):
        raise UnrenderableError(f"{text!r} is not an interval", hint="e.g. ago('3 days')")
    return "interval '" + text.replace("'", "''") + "'"


def _stable_uuid(name: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, str(name)))


def _environment_reader(allowed: tuple[str, ...]) -> Callable[..., Any]:
    def env(name: str, default: Any = None) -> Any:
        if name not in allowed:
            raise UnrenderableError(
                f"env({name!r}) is not allowed", hint="add the name to `env` in [tool.harness]"
            )
        value = os.environ.get(name, default)
        if value is None:
            raise UnrenderableError(
                f"the environment has no {name}", hint=f"set it, or write env({name!r}, 'default')"
            )
        return value

    return env
