"""The arguments of a call: bound to the function's parameters before anything of it runs."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Any

from harness.application.annotations import (
    alternatives,
    is_coroutine_function,
    name_of,
    resolved,
    shown_signature,
)
from harness.application.conversion import ConversionError, converted
from harness.application.injection import (
    INJECTED,
    Injected,
    Injection,
    Kind,
    accepts_none,
    injected,
)
from harness.errors import SpecError, did_you_mean

__all__ = ["BindingError", "Bound", "Injection", "bind", "bind_factory"]

_BY_POSITION = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_VARIABLE = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


class BindingError(SpecError):
    """Arguments that a function does not take.

    Attributes:
        path: where in the operation, e.g. ("with", "title") or ("args", 0).
    """

    def __init__(self, what: str, *path: Any, hint: str | None = None) -> None:
        super().__init__(what, hint=hint)
        self.path = path


@dataclass(frozen=True, slots=True)
class Bound:
    """A function and its arguments, ready to be called."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    injection: Injection

    def call(self) -> Any:
        """Make what is injected, and call the function.

        Returns:
            What the function gives, to be awaited if it can be. Of a generator, which would not
            run by itself, a list of all that it yields.
        """
        kwargs = {name: self._argument(each) for name, each in self.kwargs.items()}
        given = self.function(*map(self._argument, self.args), **kwargs)
        if inspect.isgenerator(given):
            return list(given)
        return _collected(given) if inspect.isasyncgen(given) else given

    def _argument(self, given: Any) -> Any:
        return given.made_by(self.injection) if isinstance(given, Injected) else given


async def _collected(generator: AsyncGenerator[Any, Any]) -> list[Any]:
    return [each async for each in generator]


def bind(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    injection: Injection,
) -> Bound:
    """Bind the arguments of a spec; values are converted as `conversion` says.

    Parameters annotated with a class that is injected, also in `Optional` and `Annotated`, get
    theirs unless `kwargs` has them. `args` fill the other positional parameters, in order. An
    Actor where there is no actor is the parameter's default, or None if the annotation has it.

    Args:
        function: anything callable; what does not tell its signature is called as it is.
        args: the operation's `args`.
        kwargs: its `with`.
        injection: what can be injected.

    Raises:
        BindingError: the function does not take these arguments, or needs others; or it is none.
    """
    signature = _signature(function)
    if signature is None:
        return Bound(function, tuple(args), dict(kwargs), injection)
    binding = _Binding(function, signature, injection)
    binding.take_positions(args)
    binding.take_names(kwargs)
    return binding.bound()


def bind_factory(factory: Callable[..., Any], injection: Injection) -> Bound:
    """Bind the configured `caller`, which is called as `factory(session, actor)`.

    The session is of the kind that the first parameter is annotated with: Session, AsyncSession,
    Connection or AsyncConnection. Without annotation it is an AsyncSession for coroutine
    functions, else a Session. Further parameters are injected by annotation.

    Raises:
        BindingError: it cannot be called so.
    """
    signature = _signature(factory)
    session: Kind = "async_session" if is_coroutine_function(factory) else "session"
    if signature is None:
        return Bound(factory, (Injected(session), Injected("actor")), {}, injection)
    binding = _Binding(factory, signature, injection)
    binding.take_roles(session)
    return binding.bound()


def _signature(function: Callable[..., Any]) -> Signature | None:
    if not callable(function):
        raise BindingError(
            f"an object of type {type(function).__name__} cannot be called",
            "call",
            hint="name a function, a method or a class",
        )
    try:
        return inspect.signature(function)
    except ValueError:
        return None  # some that are written in C do not tell theirs


class _Binding:
    """Gives each parameter its argument, step by step."""

    def __init__(
        self, function: Callable[..., Any], written: Signature, injection: Injection
    ) -> None:
        self._function = function
        self._written = written
        self._injection = injection
        self._signature = resolved(function, written)
        self._parameters = self._signature.parameters
        self._injected = {
            name: found
            for name, parameter in self._parameters.items()
            if parameter.kind not in _VARIABLE and (found := injected(parameter.annotation))
        }
        self._positional = [each for each in self._parameters.values() if each.kind in _BY_POSITION]
        self._arguments: dict[str, Any] = {}
        self._rest: tuple[Any, ...] = ()  # for *args
        self._others: dict[str, Any] = {}  # for **kwargs
        self._by_position = {
            each.name for each in self._positional if each.kind is Parameter.POSITIONAL_ONLY
        }

    def take_positions(self, args: Sequence[Any]) -> None:
        """Arguments without names: for the positional parameters that are not injected."""
        places = [each for each in self._positional if each.name not in self._injected]
        rest = self._variable(Parameter.VAR_POSITIONAL)
        if len(args) > len(places) and rest is None:
            raise self._error(
                f"takes {_at_most(len(places))}", "args", len(places), hint=self._injected_hint()
            )
        for index, (parameter, value) in enumerate(zip(places, args, strict=False)):
            self._arguments[parameter.name] = self._converted(parameter, value, "args", index)
            self._by_position.add(parameter.name)
        if rest is not None:
            self._rest = tuple(
                self._converted(rest, args[index], "args", index)
                for index in range(len(places), len(args))
            )

    def take_names(self, kwargs: Mapping[str, Any]) -> None:
        """Arguments by name."""
        rest = self._variable(Parameter.VAR_KEYWORD)
        by_name = [
            parameter.name
            for parameter in self._parameters.values()
            if parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
        ]
        for name, value in kwargs.items():
            if name in by_name:
                if name in self._arguments:
                    raise self._error(f"is given {name!r} twice", "with", name)
                parameter = self._parameters[name]
                self._arguments[name] = self._converted(parameter, value, "with", name)
            elif rest is not None:
                self._others[name] = self._converted(rest, value, "with", name)
            else:
                raise self._unknown(name, by_name)

    def take_roles(self, session: Kind) -> None:
        """A session and the actor, in this order, unless an annotation asks for them."""
        kinds = {each.kind for each in self._injected.values()}
        asked = {"actor" if kind == "actor" else session for kind in kinds}
        roles = [role for role in (session, "actor") if role not in asked]
        for parameter in self._positional:
            if roles and parameter.name not in self._injected:
                self._arguments[parameter.name] = Injected(roles.pop(0))
        self._by_position |= self._arguments.keys() | self._injected.keys()
        if self._variable(Parameter.VAR_POSITIONAL):
            self._rest = tuple(map(Injected, roles))
        elif roles:
            raise self._error(
                "cannot be called with a session and the actor",
                hint=f"write it as {name_of(self._function)}(session, actor)",
            )

    def bound(self) -> Bound:
        """All arguments, after what was not given is injected or left to its default."""
        missing: list[Parameter] = []
        for name, parameter in self._parameters.items():
            if name in self._arguments or parameter.kind in _VARIABLE:
                continue
            if name in self._injected:
                self._inject(parameter, self._injected[name])
            elif parameter.default is Parameter.empty:
                missing.append(parameter)
        if missing:
            names = " and ".join(repr(parameter.name) for parameter in missing)
            raise self._error(f"is missing {names}", "call", hint=_missing_hint(missing[0]))
        return Bound(self._function, *self._called_with(), self._injection)

    def _called_with(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """By position what was given so, and what stands before it; all else by name.

        Decorators may look for arguments by their names.
        """
        arguments, names = dict(self._arguments), [each.name for each in self._positional]
        taken = [index for index, name in enumerate(names, 1) if name in self._by_position]
        count = len(names) if self._rest else max(taken, default=0)
        leading = [arguments.pop(each.name, each.default) for each in self._positional[:count]]
        return (*leading, *self._rest), arguments | self._others

    def _inject(self, parameter: Parameter, injected: Injected) -> None:
        if injected.kind != "actor" or self._injection.actor is not None:
            self._arguments[parameter.name] = injected
        elif parameter.default is not Parameter.empty:
            return
        elif accepts_none(parameter.annotation):
            self._arguments[parameter.name] = None
        else:
            raise self._error(
                f"wants {parameter.name!r}, and there is no actor", "as", hint="write `as`"
            )

    def _converted(self, parameter: Parameter, value: Any, *path: Any) -> Any:
        try:
            return converted(parameter.annotation, value)
        except ConversionError as error:
            raise self._error(f"{parameter.name!r} {error}", *path, *error.path) from error

    def _variable(self, kind: Any) -> Parameter | None:
        return next((each for each in self._parameters.values() if each.kind is kind), None)

    def _unknown(self, name: str, known: Iterable[str]) -> BindingError:
        if name in self._parameters:
            return self._error(f"takes {name!r} only by position", "with", name, hint="use `args`")
        return self._error(
            f"has no parameter {name!r}", "with", name, hint=did_you_mean(name, known)
        )

    def _injected_hint(self) -> str | None:
        return f"injected: {', '.join(self._injected)}" if self._injected else None

    def _error(self, told: str, *path: Any, hint: str | None = None) -> BindingError:
        separator = ": " if told.startswith("'") else " "
        called = shown_signature(self._function, self._written)
        return BindingError(f"{called}{separator}{told}", *path, hint=hint)


def _at_most(count: int) -> str:
    if count == 0:
        return "no positional arguments"
    return f"at most {count} positional argument{'s' if count > 1 else ''}"


def _missing_hint(parameter: Parameter) -> str:
    key = "args" if parameter.kind is Parameter.POSITIONAL_ONLY else "with"
    injectable = f"; by annotation are injected: {', '.join(INJECTED)}"
    return f"give it in `{key}`{injectable if _may_be_meant(parameter.annotation) else ''}"


def _may_be_meant(annotation: Any) -> bool:
    """Whether a parameter may be one for a session; the YAML could not give it."""
    packages = (getattr(each, "__module__", "").split(".")[0] for each in alternatives(annotation))
    return annotation is Parameter.empty or not {"sqlalchemy", "psycopg"}.isdisjoint(packages)
