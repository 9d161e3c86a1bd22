"""What a function's parameters are annotated with: resolved, taken apart, and shown."""

from __future__ import annotations

import ast
import functools
import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, NewType, get_origin, get_type_hints

_UNIONS = (typing.Union, types.UnionType)
_PREFIX = re.compile(r"""('[^']*'|"[^"]*")|\b(?:[^\W\d]\w*\.|<locals>\.)+""")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def resolved(function: Callable[..., Any], signature: inspect.Signature) -> inspect.Signature:
    """The signature with strings replaced by what they name.

    Names that a module imports under `if TYPE_CHECKING` are imported for this. An annotation that
    cannot be resolved, as its names are local to some function, stays a string.
    """
    names = _names(function)
    return signature.replace(
        parameters=[
            parameter.replace(annotation=_resolved(parameter.annotation, names))
            for parameter in signature.parameters.values()
        ]
    )


def alternatives(annotation: Any) -> Iterator[Any]:
    """What a union consists of, or the annotation itself; without `Annotated`, aliases, NewType."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = annotation.__origin__
        elif type(annotation).__name__ == "TypeAliasType":  # typing's, or typing_extensions'
            annotation = annotation.__value__
        elif isinstance(annotation, NewType):
            annotation = annotation.__supertype__
        else:
            break
    if get_origin(annotation) in _UNIONS:
        for each in typing.get_args(annotation):
            yield from alternatives(each)
    else:
        yield annotation


def shown(annotation: Any) -> str:
    """An annotation as it would be written, without modules and what `Annotated` adds."""
    if isinstance(annotation, str):
        return annotation
    if get_origin(annotation) is Annotated:
        return shown(annotation.__origin__)
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation.__name__
    return _ADDRESS.sub("", _PREFIX.sub(lambda match: match[1] or "", repr(annotation)))


def shown_signature(function: Callable[..., Any], signature: inspect.Signature) -> str:
    """A function's name and parameters as one would write them: `create(session, *, title: str)`.

    Defaults that are more than a constant are shown as dots.
    """
    parameters = [
        parameter.replace(
            annotation=_as_written(parameter.annotation, shown),
            default=_as_written(parameter.default, _shown_default),
        )
        for parameter in signature.parameters.values()
    ]
    return f"{name_of(function)}{inspect.Signature(parameters)}"


def name_of(function: Callable[..., Any]) -> str:
    """What a function is called; of a callable object the name of its type."""
    while isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__name__", None)
    return name if isinstance(name, str) else type(function).__name__


def bodies(function: Callable[..., Any]) -> tuple[Any, Any]:
    """What may run: the function, and the method behind an object that is called like one."""
    while isinstance(function, functools.partial):
        function = function.func
    return function, type(function).__call__


def is_coroutine_function(function: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine; others may give something to await all the same."""
    return any(map(inspect.iscoroutinefunction, bodies(function)))


class _Verbatim:
    """Prints as the text that it is made of."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _as_written(value: Any, text: Callable[[Any], str]) -> Any:
    return value if value is inspect.Parameter.empty else _Verbatim(text(value))


def _shown_default(value: Any) -> str:
    return repr(value) if type(value) in (type(None), bool, int, float, str) else "..."


def _names(function: Callable[..., Any]) -> dict[str, Any]:
    """The global names where the annotations of a function were written."""
    while isinstance(function, functools.partial):
        function = function.func
    if isinstance(function, type):
        makers = (function.__init__, function.__new__)  # type: ignore[misc]  # only looked at
    else:
        makers = (function, type(function).__call__)
    for maker in makers:
        names = getattr(inspect.unwrap(maker), "__globals__", None)
        if names is not None:
            return typing.cast(dict[str, Any], names)
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    return vars(module) if module else {}


def _resolved(annotation: Any, names: dict[str, Any]) -> Any:
    if annotation is inspect.Parameter.empty or isinstance(annotation, type):
        return annotation

    def holder() -> None: ...

    holder.__annotations__ = {"annotated": annotation}
    imported: dict[str, Any] = {}
    while True:
        try:
            return get_type_hints(holder, names, imported, include_extras=True)["annotated"]
        except NameError as error:
            if error.name in imported or not _import_for_typing(error.name, names, imported):
                return annotation
        except Exception:  # noqa: BLE001 - an annotation is any expression, and need not be a type
            return annotation


def _import_for_typing(name: str | None, names: dict[str, Any], imported: dict[str, Any]) -> bool:
    """Import what only type checkers have imported into a module; says whether it was found."""
    module = sys.modules.get(names.get("__name__", ""))
    statement = _typing_imports(module).get(name or "") if module else None
    if statement is None:
        return False
    scope = {key: names.get(key) for key in ("__name__", "__package__")}
    try:
        exec(statement, scope)  # an import statement out of that very module
    except Exception:  # noqa: BLE001 - it is for type checkers alone: there may be no such module
        return False
    imported.update((key, value) for key, value in scope.items() if not key.startswith("__"))
    return True


@functools.lru_cache(maxsize=256)
def _typing_imports(module: types.ModuleType) -> Mapping[str, str]:
    """The names that a module imports under `if TYPE_CHECKING`, and the statement for each."""
    try:
        tree = ast.parse(inspect.getsource(module))
    except (OSError, TypeError, SyntaxError):
        return {}
    return {
        alias.asname or alias.name.partition(".")[0]: ast.unparse(statement)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test).endswith("TYPE_CHECKING")
        for statement in block.body
        if isinstance(statement, (ast.Import, ast.ImportFrom))
        for alias in statement.names
    }
