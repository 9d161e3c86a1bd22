"""What every model of the format has in common: frozen, closed to all but known and `x-` keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, ClassVar, NoReturn, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from harness.errors import did_you_mean
from harness.templating import Renderable, UnrenderableError

Name = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


def refuse(what: str, *path: str | int, hint: str | None = None) -> NoReturn:
    """Raise a validation error at `path` below the value that is being validated."""
    # The braces of a template in a message would be read as pydantic's own placeholders.
    raise PydanticCustomError("harness", "{what}", {"what": what, "path": path, "hint": hint})


def is_extension(key: object) -> bool:
    """Whether a key is one of the `x-` keys, which structural mappings allow and ignore."""
    return isinstance(key, str) and key.startswith("x-")


def without_extensions(value: Any) -> Any:
    """A mapping of names without its `x-` keys."""
    if isinstance(value, dict) and any(map(is_extension, value)):
        return {key: item for key, item in value.items() if not is_extension(key)}
    return value


class Model(BaseModel, Renderable):
    """A structural mapping of the format.

    Keys that begin with `x-` are dropped. A key that is written without a value is an error, unless
    the model lists it in `nullable`: in YAML that is usually a line that was left unfinished.
    Fields in `texts` are text, or a list of texts, after templates are rendered, too.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_alias=True,
        validate_by_name=False,
        regex_engine="python-re",
    )
    nullable: ClassVar[frozenset[str]] = frozenset()
    texts: ClassVar[frozenset[str]] = frozenset()
    open_to_extensions: ClassVar[bool] = True

    @model_validator(mode="before")
    @classmethod
    def _check_keys(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        known = cls.known_keys()
        if data.keys() <= known and None not in data.values():
            return data
        for key, value in data.items():
            if key not in known:
                cls._check_unknown(key)
            elif value is None and key not in cls.nullable:
                refuse(
                    f"`{key}` has no value",
                    key,
                    hint="write a value after the colon, or remove the key",
                )
        if cls.open_to_extensions and any(map(is_extension, data)):
            return {key: value for key, value in data.items() if not is_extension(key)}
        return data

    @classmethod
    @cache
    def known_keys(cls) -> frozenset[str]:
        """The keys that the model knows, as YAML writes them."""
        return frozenset(field.alias or name for name, field in cls.model_fields.items())

    @classmethod
    def unknown_key(cls, key: str) -> tuple[str, str | None]:
        """What to say of a key that the model does not know, and the hint."""
        return f"unknown key `{key}`", did_you_mean(key, cls.known_keys())

    @classmethod
    def _check_unknown(cls, key: object) -> None:
        if cls.model_config.get("extra") == "allow" or is_extension(key):
            return
        what, hint = cls.unknown_key(str(key))
        refuse(what, str(key), hint=hint)

    def given(self, field: str) -> bool:
        """Whether the YAML names this field, be it with null."""
        return field in self.model_fields_set

    def parts(self) -> tuple[Any, ...]:
        """The values written, for the templates inside them."""
        return tuple(self._written().values())

    def rendered(self, render: Callable[[str, Any], Any]) -> Self:
        """A copy with `render` applied to every value written; it is not validated again."""
        aliases = {name: field.alias or name for name, field in type(self).model_fields.items()}
        update = {
            name: render(aliases.get(name, name), value) for name, value in self._written().items()
        }
        for name in self.texts & update.keys():
            _check_text(update[name], aliases[name])
        return self.model_copy(update=update)

    def _written(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.model_fields_set}


def _check_text(rendered: Any, key: str) -> None:
    for index, item in enumerate(rendered if isinstance(rendered, list) else [rendered]):
        if not isinstance(item, str):
            error = UnrenderableError(f"`{key}` needs text, and the template gives {item!r}")
            raise (error.below(index) if isinstance(rendered, list) else error).below(key)
