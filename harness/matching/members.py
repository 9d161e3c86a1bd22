"""The members of Python objects by name, whatever made their classes."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from pydantic import BaseModel

from harness.matching.display import abridged, show

_NOT_THERE = object()


class UnreadableError(Exception):
    """A member that is there and cannot be read; says why, and what to do."""

    def __init__(self, reason: str, hint: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class Members:
    """The members of one object.

    Attributes:
        owner: the object.
    """

    def __init__(self, owner: Any) -> None:
        self.owner = owner

    @property
    def names(self) -> tuple[str, ...]:
        """What the object says of itself: its fields, as far as they are there to be read.

        Others, such as properties, can be read by name nevertheless.
        """
        return declared(self.owner) or _stored(self.owner)

    def read(self, name: str) -> Any:
        """The member of that name.

        Raises:
            KeyError: there is none.
            UnreadableError: reading it fails, or it is a method.
        """
        try:
            found = getattr(self.owner, name)
        except RecursionError:
            raise  # it says how deep the whole comparison goes, and nothing of this member
        except Exception as error:
            if isinstance(error, AttributeError) and not self._has(name):
                raise KeyError(name) from error
            raise UnreadableError(f"{self.called(name)} cannot be read: {_told(error)}") from error
        if inspect.isroutine(found):
            hint = "name a field or property, or call it in the application"
            raise UnreadableError(f"{self.called(name)} is a method", hint)
        return found

    def called(self, name: str) -> str:
        """The name of a member with its class."""
        return f"{type(self.owner).__name__}.{abridged(name)}"

    def _has(self, name: str) -> bool:
        return inspect.getattr_static(self.owner, name, _NOT_THERE) is not _NOT_THERE


class MappedMembers(Members):
    """The members of an instance of a class that SQLAlchemy maps.

    Nothing is loaded that the application has not loaded: who uses what it returned may not be able
    to load it any more, or would do so N times. Columns that have merely expired, as all do at a
    commit, are read again, with what the application's own options load beside them.
    """

    def __init__(self, owner: Any) -> None:
        super().__init__(owner)
        self._state = sys.modules["sqlalchemy"].inspect(owner)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are loaded or have expired."""
        there = {*self._state.dict, *self._expired}
        return tuple(name for name, _ in self._columns.items() if name in there)

    @property
    def loaded_relationships(self) -> tuple[str, ...]:
        """The relationships that the application has loaded."""
        names = self._state.mapper.relationships.keys()
        return tuple(name for name in names if name in self._state.dict)

    def read(self, name: str) -> Any:
        """As for any object, but that nothing is loaded."""
        if name not in self._state.dict and self._expired:
            self._refresh()
        if name in self._state.dict or (name in self._expired and not self._state.detached):
            return super().read(name)
        if name in self._columns and self._state.detached:
            raise self._not_loaded(name, "expire_on_commit=False")
        # Of an object that is in no database yet, SQLAlchemy loads nothing.
        if name in self._state.mapper.relationships and self._state.key is not None:
            raise self._not_loaded(name, f"selectinload({self.called(name)})")
        with self._loading_nothing(name):
            return super().read(name)

    @property
    def _columns(self) -> Any:
        return self._state.mapper.column_attrs

    @property
    def _expired(self) -> list[str]:
        """The columns that SQLAlchemy reads again all at once when one of them is asked for."""
        expired = self._state.expired_attributes
        return [
            name
            for name, column in self._columns.items()
            if name in expired and not column.deferred
        ]

    def _refresh(self) -> None:
        with suppress(Exception):  # it comes again where a column is read that has expired
            getattr(self.owner, self._expired[0])

    @contextmanager
    def _loading_nothing(self, name: str) -> Iterator[None]:
        """Inside the block nothing may be loaded.

        Raises:
            UnreadableError: something would have been.
        """
        # An instance of a mapped class exists: the application has imported these.
        sqlalchemy, orm = sys.modules["sqlalchemy"], sys.modules["sqlalchemy.orm"]
        session = orm.object_session(self.owner)
        refused: list[UnreadableError] = []

        def refuse(execution: Any) -> None:
            if execution.is_relationship_load or execution.is_column_load:
                refused.append(self._not_loaded(name, f"undefer({self.called(name)})"))
                raise refused[0]

        if session is None:
            yield
            return
        sqlalchemy.event.listen(session, "do_orm_execute", refuse)
        try:
            yield
        finally:
            sqlalchemy.event.remove(session, "do_orm_execute", refuse)
            if refused:  # be it that a property of the application caught the error
                raise refused[0]

    def _not_loaded(self, name: str, option: str) -> UnreadableError:
        if name in self._state.mapper.attrs:
            reason = f"{self.called(name)} is not loaded"
            return UnreadableError(
                reason, f"load it in the application, e.g. with {option}: a spec loads nothing"
            )
        return UnreadableError(
            f"{self.called(name)} needs something that is not loaded",
            "load it in the application: a spec loads nothing",
        )


def members_of(owner: Any) -> Members:
    """The members of an object."""
    return MappedMembers(owner) if is_mapped(owner) else Members(owner)


def is_mapped(value: Any) -> bool:
    """Whether a value is an instance of a class that SQLAlchemy maps."""
    if "sqlalchemy.orm" not in sys.modules:
        return False
    return "_sa_instance_state" in getattr(value, "__dict__", {})


def declared(value: Any) -> tuple[str, ...]:
    """The fields that a class declares: of pydantic, attrs, a dataclass; of others none."""
    if isinstance(value, type):
        return ()
    if isinstance(value, BaseModel):
        made = type(value)
        return (*made.model_fields, *(value.model_extra or ()), *made.model_computed_fields)
    if dataclasses.is_dataclass(value):
        return tuple(field.name for field in dataclasses.fields(value))
    return tuple(field.name for field in getattr(type(value), "__attrs_attrs__", ()))


def named_fields(value: Any) -> tuple[str, ...]:
    """The names of a named tuple's fields, and of a row of SQLAlchemy's; of others none."""
    if not isinstance(value, Sequence):
        return ()
    names = getattr(value, "_fields", None)
    return names if isinstance(names, tuple) and len(names) == len(value) else ()


def _stored(value: Any) -> tuple[str, ...]:
    """What stands in an object's `__dict__` and its slots, but what is private."""
    slots = (getattr(made, "__slots__", ()) for made in type(value).__mro__)
    listed = [name for each in slots for name in ((each,) if isinstance(each, str) else each)]
    there = [*getattr(value, "__dict__", ()), *(name for name in listed if hasattr(value, name))]
    return tuple(dict.fromkeys(name for name in there if not name.startswith("_")))


def _told(error: Exception) -> str:
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - it is the application's own code
        message = ""
    return type(error).__name__ + (f": {abridged(show(message))}" if message else "")
