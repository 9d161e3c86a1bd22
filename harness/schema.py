"""The format as JSON Schema, made from the models: what editors complete, explain and check.

pydantic derives the larger part. What a validator's code accepts it cannot know: those types are
written out here, under the names that the models give them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import core_schema

from harness.spec.actors import Actor
from harness.spec.expectations import (
    CONDITIONS,
    ErrorExpectation,
    HttpOutcome,
    Outcome,
    TableChanges,
)
from harness.spec.matchers import Matcher
from harness.spec.model import Model
from harness.spec.state import TableState
from harness.spec.suite import Part, Spec, Suite

Json = dict[str, Any]

_OPERATOR = r"^\$(?!\$)"
_EXTENSIONS: Json = {"^x-": True}


def _ref(name: str) -> Json:
    return {"$ref": f"#/$defs/{name}"}


# A mapping is either a matcher or has no key of a matcher's form.
_PLAIN: Json = {
    "patternProperties": {_OPERATOR: False},
    "additionalProperties": _ref("Expected"),
    "items": _ref("Expected"),
}
# The same places take the placeholder of an expectation that --harness-update writes.
_TEMPLATE: Json = {
    "type": "string",
    "pattern": r"^(\{\{[\s\S]*\}\}|\?\?\?)$",
}
_TYPES: dict[str, Json] = {
    "Template": _TEMPLATE,
    "Expected": {"anyOf": [_PLAIN, _ref("Matcher")]},
    "Comparable": {
        **_ref("Expected"),
        "type": ["string", "number", "boolean", "object", "array"],
    },
    "Count": {"anyOf": [{"type": "integer", "minimum": 0}, _ref("Matcher")]},
    "Row": {
        "anyOf": [
            {"type": ["object", "array"], "minProperties": 1, "minItems": 1, **_PLAIN},
            _ref("Matcher"),
        ]
    },
    "ConditionName": {
        "enum": sorted(CONDITIONS),
        "errorMessage": "This is not a condition name of PostgreSQL.",
    },
    "Error": {
        "anyOf": [
            _ref("ConditionName"),
            {"type": "string", "pattern": "^[0-9A-Z]{5}$"},
            {"type": "string", "pattern": "^[A-Z]|[.:]"},
            _ref("ErrorExpectation"),
        ]
    },
    "Condition": {"anyOf": [_ref("ConditionName"), _ref("Matcher")]},
    "SqlState": {"anyOf": [{"type": "string"}, _ref("Matcher")]},
    "Seed": {
        "type": "object",
        "patternProperties": _EXTENSIONS,
        "additionalProperties": _ref("TableSeed"),
    },
    "TableSeed": {
        "description": "Rows of one table: a list, labels → rows, or rows from a file or a query.",
        "anyOf": [
            {"type": "array", "items": _ref("SeedRow")},
            {
                "type": "object",
                "properties": {"file": {"type": "string", "description": "A .csv or .json file."}},
                "required": ["file"],
                "additionalProperties": False,
            },
            {
                "type": "object",
                "properties": {"sql": {"type": "string", "description": "A query; its rows."}},
                "required": ["sql"],
                "additionalProperties": False,
            },
            {
                "type": "object",
                "patternProperties": _EXTENSIONS,
                "additionalProperties": _ref("SeedRow"),
            },
        ],
    },
    "SeedRow": {
        "description": "Column, or foreign key by label → value.",
        "type": "object",
        "patternProperties": _EXTENSIONS,
        "additionalProperties": _ref("SeedValue"),
    },
    "SeedValue": {
        "anyOf": [
            {
                "type": "object",
                "properties": {
                    "$sql": {"type": "string", "description": "An expression, e.g. `now()`."}
                },
                "required": ["$sql"],
                "additionalProperties": False,
            },
            {
                "patternProperties": {_OPERATOR: False},
                "additionalProperties": _ref("SeedValue"),
                "items": _ref("SeedValue"),
            },
        ]
    },
}

_ROWS: Json = {"type": "array", "items": _ref("Row")}
_SHORT_FORMS: dict[str, Json] = {
    "Approximation": {"type": "number"},
    "ResumeOutcome": _ROWS,
    "SqlOutcome": _ROWS,
    "TableState": _ROWS,
}
"""Model → what may stand for its mapping."""

_WITHOUT_TEMPLATES = frozenset({"Suite", "Part"})
"""Definitions in which cases cannot be named."""


def _excluding(pairs: Iterable[tuple[str, Iterable[str]]]) -> Json:
    """A rule: beside each key of `pairs`, none of its others may stand."""
    excluded: dict[str, set[str]] = {}
    for key, others in pairs:
        excluded.setdefault(key, set()).update(others)
    return {
        "dependentSchemas": {
            key: {"properties": dict.fromkeys(sorted(others), False)}
            for key, others in excluded.items()
        }
    }


def _one_of(*keys: str) -> Json:
    """A rule: at least one of the keys must be there."""
    return {"anyOf": [{"required": [key]} for key in keys]}


_NOT_EMPTY: Json = {"minProperties": 1}
_ORDERED: Json = {"dependentRequired": {"order": ["rows"]}}
_RULES: dict[str, Json] = {
    "ErrorExpectation": _NOT_EMPTY,
    "HttpOperation": _excluding([("json", ["form", "content"]), ("form", ["content"])]),
    "Matcher": _NOT_EMPTY,
    # Were nothing required, editors would offer no other keys in an empty file.
    "Part": _one_of("use", "vars", "actors", "seed"),
    "Queries": _NOT_EMPTY,
    "Requirements": _NOT_EMPTY,
    "ResumeOutcome": _ORDERED,
    "Spec": _excluding([("cases", ["matrix"])]),
    "SqlOutcome": _ORDERED,
    "StateExpectation": _NOT_EMPTY,
    "TableState": _one_of("rows", "contains", "count"),
}
"""Model → what its validators ask of the mapping as a whole."""


_UNDER_ANY_KEY = frozenset({Actor, TableChanges, TableState})
"""Models whose key is a name of the user's, so that only they themselves can describe it."""


class _Generator(GenerateJsonSchema):
    """pydantic's generator for a format in which a key has either a value or is left out."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """No titles: they would repeat the keys."""
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Json:
        """No defaults: an editor would write them into the file."""
        return self.generate_inner(schema["schema"])

    def nullable_schema(self, schema: core_schema.NullableSchema) -> Json:
        """None means that the key is left out; see `Model`."""
        return self.generate_inner(schema["schema"])

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> Json:
        """The choices without the template, which `_with_templates` adds everywhere."""
        choices = [
            self.generate_inner(choice)
            for tag, choice in schema["choices"].items()
            if tag != "<template>"
        ]
        return choices[0] if len(choices) == 1 else {"anyOf": choices}

    def model_schema(self, schema: core_schema.ModelSchema) -> Json:
        """A mapping with its `x-` keys and the keys that exclude each other."""
        model = schema["cls"]
        result = super().model_schema(schema)
        del result["title"]
        if model not in _UNDER_ANY_KEY:
            del result["description"]
        if issubclass(model, Model) and model.open_to_extensions:
            result["patternProperties"] = _EXTENSIONS
        if issubclass(model, Outcome):
            result |= _NOT_EMPTY | _excluding(model.contradictions)
        return result | _RULES.get(model.__name__, {})


def schema() -> Json:
    """The format as a JSON Schema of draft 2020-12."""
    models = (Part, Suite, Spec)
    _, generated = models_json_schema(
        [(model, "validation") for model in models], schema_generator=_Generator
    )
    definitions = generated["$defs"] | _TYPES
    _correct(definitions)
    for name, form in _SHORT_FORMS.items():
        definitions[name] = _choice(definitions[name], form)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "description": "Database tests: a suite of specs, a single spec, or a shared part.",
        "anyOf": [_ref(model.__name__) for model in models],
        "$defs": {
            name: _with_templates(definitions[name], definitions)
            if name not in _WITHOUT_TEMPLATES
            else definitions[name]
            for name in sorted(definitions)
        },
    }


def text() -> str:
    """The content of schema.json."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _correct(definitions: dict[str, Json]) -> None:
    """Mend what pydantic gets wrong, because validators change the shape before it looks."""
    # A suite's specs are validated one by one, so that the model holds no reference to them.
    # Both keys are required in one place: some editors do not look behind a reference.
    definitions["Suite"]["properties"]["specs"]["items"] = {
        **_ref("Spec"),
        "required": ["name", *definitions["Spec"]["required"]],
    }
    changes = definitions["Changes"]
    changes["additionalProperties"] = changes["properties"].pop("tables")["additionalProperties"]
    del changes["required"]
    # `key:` without a value is an error, but where null has a meaning.
    for model in (ErrorExpectation, HttpOutcome, Matcher):
        for key, value in definitions[model.__name__]["properties"].items():
            if key not in model.nullable and value.get("$ref") == "#/$defs/Expected":
                value["$ref"] = "#/$defs/Comparable"


def _choice(*choices: Json) -> Json:
    """Any of the choices, under the description that one of them has.

    Editors show a choice's own description only while the value fits that choice.
    """
    described: Json = {}
    flat: list[Json] = []
    for choice in choices:
        rest = dict(choice)
        if "description" in rest:
            described = {"description": rest.pop("description")}
        flat += rest["anyOf"] if rest.keys() == {"anyOf"} else [rest]
    return {**described, "anyOf": flat}


def _with_templates(schema: Json, definitions: dict[str, Json]) -> Json:
    """The schema with a template allowed in place of every value inside it.

    In a spec with cases any value may be one; a schema cannot tell where there are cases.
    """

    def value(inner: Any) -> Any:
        if isinstance(inner, bool):
            return inner
        changed = _with_templates(inner, definitions)
        return (
            changed if _takes_template(inner, definitions) else _choice(changed, _ref("Template"))
        )

    def keyword(name: str, content: Any) -> Any:
        match name:
            case "properties":
                return {key: value(inner) for key, inner in content.items()}
            case "items" | "additionalProperties":
                return value(content)
            case "anyOf":
                return [_with_templates(inner, definitions) for inner in content]
        return content

    return {name: keyword(name, content) for name, content in schema.items()}


def _takes_template(schema: Json, definitions: dict[str, Json]) -> bool:
    if "$ref" in schema:
        return _takes_template(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "string" not in schema.get("type", "string") or schema.keys() & {"enum", "const"}:
        return False
    if "anyOf" in schema:
        return any(_takes_template(choice, definitions) for choice in schema["anyOf"])
    return bool(re.search(schema.get("pattern", ""), "{{ template }}"))
