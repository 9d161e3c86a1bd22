"""Arguments that YAML cannot write, made from what it can write.

An argument is passed as the spec has it, but where its parameter is annotated with a type that
YAML has no values of: pydantic models, dataclasses, UUID, the types of datetime, Decimal and enums
(by value). There pydantic converts, as leniently as it is by default; also inside unions, lists
and mappings, unless another member of the union takes the value as it is. Numbers with a decimal
point, which specs keep as Decimal, become floats where the annotation says `float`. Nothing else
is converted, text never becomes a number or a number text, and None stays None: a conversion that
the application does not do itself would hide its bugs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, MutableMapping, MutableSequence, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from types import NoneType
from typing import Any, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, TypeAdapter, ValidationError

from harness.application.annotations import alternatives, shown

_SCALARS = (UUID, datetime, date, time, timedelta, Decimal)
_LISTS = (list, Sequence, MutableSequence, Collection, Iterable)
_MAPPINGS = (dict, Mapping, MutableMapping)


class ConversionError(ValueError):
    """A value that cannot become what the annotation says.

    Attributes:
        path: where in the value, keys and indices.
    """

    def __init__(self, message: str, path: tuple[Any, ...] = ()) -> None:
        super().__init__(message)
        self.path = path


def converted(annotation: Any, value: Any) -> Any:
    """The argument for a parameter so annotated.

    Raises:
        ConversionError: the value does not become one of that type.
    """
    if value is None or annotation is Any:
        return value
    members = [member for member in alternatives(annotation) if member is not NoneType]
    for member in members:
        if _holds(member, value):
            return _with_converted_elements(member, value)
    if float in members and isinstance(value, Decimal):
        return float(value)
    unwritable = tuple(member for member in members if _is_unwritable(member))
    return _made(unwritable, value) if unwritable else value


def _holds(member: Any, value: Any) -> bool:
    """Whether a value is of this type already; of what is no class nothing is known: it is."""
    kind = get_origin(member) or member
    try:
        return isinstance(value, kind)
    except TypeError:
        return True


def _is_unwritable(member: Any) -> bool:
    if not isinstance(member, type):
        return False
    if issubclass(member, (BaseModel, Enum)):
        return True
    # pydantic does not call the constructor of a dataclass; SQLAlchemy's cannot do without.
    return member in _SCALARS or (
        dataclasses.is_dataclass(member) and not hasattr(member, "__mapper__")
    )


def _with_converted_elements(member: Any, value: Any) -> Any:
    origin, arguments = get_origin(member), get_args(member)
    if origin in _LISTS and isinstance(value, list):
        return [_element(arguments[0], each, index) for index, each in enumerate(value)]
    if origin in _MAPPINGS and isinstance(value, dict):
        return {key: _element(arguments[1], each, key) for key, each in value.items()}
    return value


def _element(annotation: Any, value: Any, key: Any) -> Any:
    try:
        return converted(annotation, value)
    except ConversionError as error:
        error.path = (key, *error.path)
        raise


def _made(types: tuple[type, ...], value: Any) -> Any:
    try:
        if len(types) == 1 and issubclass(types[0], BaseModel):
            return types[0].model_validate(value)
        return _adapter(types).validate_python(value)
    except ValidationError as error:
        details = error.errors(include_url=False)
        path = details[0]["loc"] if len(types) == 1 else ()
        raise ConversionError(
            f"is no {_names(types)}: {'; '.join(map(_told, details))}", path
        ) from error
    except Exception as error:  # validators are the application's, and may raise anything
        raise ConversionError(
            f"cannot become {_names(types)}: {type(error).__name__}: {error}"
        ) from error


@lru_cache(maxsize=256)
def _adapter(types: tuple[type, ...]) -> TypeAdapter[Any]:
    union: Any = Union[types]  # noqa: UP007 - made of a tuple
    return TypeAdapter(union)


def _names(types: tuple[type, ...]) -> str:
    return " or ".join(map(shown, types))


def _told(details: Any) -> str:
    place = ".".join(map(str, details["loc"]))
    return f"{place}: {details['msg']}" if place else str(details["msg"])
