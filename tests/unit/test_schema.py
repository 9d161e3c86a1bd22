from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from harness import schema
from harness.errors import SpecError
from harness.loader import load
from harness.source import parse, read
from harness.spec.expectations import CONDITIONS, Changes
from harness.spec.model import Model

ROOT = Path(__file__).parents[2]
SCHEMA = schema.schema()
DEFINITIONS = SCHEMA["$defs"]
VALIDATOR = Draft202012Validator(SCHEMA)


def _plain(value: Any) -> Any:
    """YAML data as JSON has it."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


def _models(model: type[Model] = Model) -> Iterator[type[Model]]:
    for child in model.__subclasses__():
        yield child
        yield from _models(child)


def _mapping(name: str) -> Any:
    """The definition of a model, without its short form."""
    definition = DEFINITIONS[name]
    choices = [*definition.get("anyOf", ()), definition]
    return next(choice for choice in choices if "properties" in choice)


def test_the_file_is_current() -> None:
    written = (ROOT / "schema.json").read_text(encoding="utf-8")
    assert written == schema.text(), "schema.json is outdated: run `python -m harness.reference`"


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "specs").glob("*.yaml")), ids=lambda path: path.name
)
def test_our_own_specs_are_valid(path: Path) -> None:
    errors = [
        f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(_plain(read(path)))
    ]
    assert errors == []


@pytest.mark.parametrize("model", list(_models()), ids=lambda model: model.__name__)
def test_every_key_of_a_model_is_known_and_described(model: type[Model]) -> None:
    if model.__name__ not in DEFINITIONS:
        # Bases: what they define is part of their children.
        assert model.__subclasses__()
        return
    mapping = _mapping(model.__name__)
    # The tables of `changes` are its keys.
    written = model.known_keys() - ({"tables"} if model is Changes else set())
    assert mapping["properties"].keys() == written
    for key, value in mapping["properties"].items():
        assert value.get("description"), f"{model.__name__}.{key}"


def test_every_error_condition_is_offered() -> None:
    assert DEFINITIONS["ConditionName"]["enum"] == sorted(CONDITIONS)


OPERATIONS = [
    # verbs
    (True, "{sql: select 1}"),
    (True, "{call: a.b, with: {x: 1}, args: [1]}"),
    (True, "{http: POST /issues, json: {a: 1}}"),
    (True, "{http: GET /, expect: {status: 200, json: null, headers: {etag: {$any: true}}}}"),
    (True, "{seed: {t: [{a: 1}]}}"),
    (True, "{resume: a, expect: [{a: 1}]}"),
    (True, "{sql: select 1, x-note: anything}"),
    (False, "{}"),
    (False, "{name: nothing to do}"),
    (False, "{sql: select 1, call: a.b}"),
    (False, "{sql: select 1, with: {}}"),
    (False, "{call: a.b, params: {}}"),
    (False, "{sql: [select 1]}"),
    (False, "{sql: ''}"),
    (False, "{sql: }"),
    (False, "{http: issues}"),
    (False, "{http: GET /, json: 1, form: {a: 1}}"),
    (False, "{sql: select 1, nmae: x}"),
    # who runs it, and what is kept
    (True, "{sql: select 1, as: null}"),
    (True, "{sql: select 1, as: {db_role: app, tenant: acme, x-y: 1}}"),
    (False, "{sql: select 1, as: [app]}"),
    (False, "{sql: select 1, as: {db_role: 1}}"),
    (False, "{sql: select 1, as: {bypass: maybe}}"),
    (True, "{sql: select 1, save: {one: 'rows[0].id?'}}"),
    (False, "{sql: select 1, save: {one: 1}}"),
    (False, "{sql: select 1, save: one}"),
    # rows
    (True, "{sql: select 1, expect: []}"),
    (True, "{sql: select 1, expect: {rows: [], x-note: 1}}"),
    (
        True,
        "{sql: select 1, expect: {rows: [{a: 1, b: null, c: [1, {d: {$gt: 1.5}}]}], order: any}}",
    ),
    (True, "{sql: select 1, expect: {columns: [a], rows: [[1]]}}"),
    (True, "{sql: select 1, expect: {value: null}}"),
    (True, "{sql: select 1, expect: {count: {$gte: 1}, affected: 0}}"),
    (False, "{sql: select 1, expect: {}}"),
    (False, "{sql: select 1, expect: true}"),
    (False, "{sql: select 1, expect: [{}]}"),
    (False, "{sql: select 1, expect: {rows: [{}]}}"),
    (False, "{sql: select 1, expect: {rows: [[]], columns: [a]}}"),
    (False, "{sql: select 1, expect: {rows: [1]}}"),
    (False, "{sql: select 1, expect: {row: {}}}"),
    (False, "{sql: select 1, expect: {row: }}"),
    (False, "{sql: select 1, expect: {contains: []}}"),
    (False, "{sql: select 1, expect: {columns: []}}"),
    (False, "{sql: select 1, expect: {order: any}}"),
    (False, "{sql: select 1, expect: {rows: [], order: some}}"),
    (False, "{sql: select 1, expect: {count: -1}}"),
    (False, "{sql: select 1, expect: {count: 1.5}}"),
    (False, "{sql: select 1, expect: {count: many}}"),
    (False, "{sql: select 1, expect: {count: true}}"),
    (False, "{sql: select 1, expect: {cuont: 1}}"),
    (False, "{sql: select 1, expect: {status: 200}}"),
    (False, "{sql: select 1, expect: {row: {a: 1}, rows: []}}"),
    (False, "{call: a.b, expect: [{a: 1}]}"),
    (False, "{call: a.b, expect: {rows: []}}"),
    # errors
    (True, "{sql: select 1, expect: {error: unique_violation}}"),
    (True, "{sql: select 1, expect: {error: '23505'}}"),
    (True, "{sql: select 1, expect: {error: TR001}}"),
    (True, "{call: a.b, expect: {error: ValueError}}"),
    (True, "{call: a.b, expect: {error: 'app.errors:Refused'}}"),
    (True, "{call: a.b, expect: {error: {exception: Refused, reason: {$contains: x}}}}"),
    (
        True,
        "{sql: select 1, expect: {error: {condition: {$in: [unique_violation]}, sqlstate: '1'}}}",
    ),
    (False, "{sql: select 1, expect: {error: true}}"),
    (False, "{sql: select 1, expect: {error: {}}}"),
    (False, "{sql: select 1, expect: {error: 23505}}"),
    (False, "{sql: select 1, expect: {error: {sqlstate: 23505}}}"),
    (False, "{sql: select 1, expect: {error: unique_violaton}}"),
    (False, "{sql: select 1, expect: {error: {condition: unique_violaton}}}"),
    (False, "{sql: select 1, expect: {error: {message: }}}"),
    (False, "{sql: select 1, expect: {error: unique_violation, count: 1}}"),
    (False, "{call: a.b, expect: {error: ValueError, result: 1}}"),
    # matchers
    (True, "{sql: select 1, expect: {value: {$gte: 1, $lt: 9}}}"),
    (True, "{sql: select 1, expect: {value: {$$gt: 1, plain: 2}}}"),
    (True, "{sql: select 1, expect: {value: {}}}"),
    (True, "{sql: select 1, expect: {value: {$approx: 3.14}}}"),
    (True, "{sql: select 1, expect: {value: {$approx: {value: 3, abs: 0.1}}}}"),
    (True, "{sql: select 1, expect: {value: {$one_of: [null, {$not: 3}], $type: my_enum}}}"),
    (True, "{sql: select 1, expect: {value: {$len: {$gt: 1}, $each: {a: {$null: true}}}}}"),
    (False, "{sql: select 1, expect: {value: {$gtt: 1}}}"),
    (False, "{sql: select 1, expect: {value: [{a: {b: {$gtt: 1}}}]}}"),
    (False, "{sql: select 1, expect: {value: {$gt: 1, plain: 2}}}"),
    (False, "{sql: select 1, expect: {value: {$gt: 1, x-note: 2}}}"),
    (False, "{sql: select 1, expect: {value: {$gt: null}}}"),
    (False, "{sql: select 1, expect: {value: {$any: false}}}"),
    (False, "{sql: select 1, expect: {value: {$null: 'no'}}}"),
    (False, "{sql: select 1, expect: {value: {$between: [1]}}}"),
    (False, "{sql: select 1, expect: {value: {$in: []}}}"),
    (False, "{sql: select 1, expect: {value: {$in: 1}}}"),
    (False, "{sql: select 1, expect: {value: {$approx: {abs: 1}}}}"),
    (False, "{sql: select 1, expect: {value: {$len: -1}}}"),
    (False, "{sql: select 1, expect: {value: {$type: [int]}}}"),
    (False, "{sql: select 1, expect: {value: {$all: []}}}"),
    # the rest of an outcome
    (True, "{sql: select 1, expect: {notices: [], blocks: true, plan: {index: i}}}"),
    (True, "{sql: select 1, expect: {changes: {}}}"),
    (
        True,
        "{sql: select 1, expect: {changes: {t: {inserted: 1, updated: [{a: 1}]}, ignore: [u]}}}",
    ),
    (True, "{sql: select 1, expect: {queries: 3}}"),
    (True, "{sql: select 1, expect: {queries: {$lt: 3}}}"),
    (True, "{sql: select 1, expect: {queries: {max: 3, repeated: 0}}}"),
    (False, "{sql: select 1, expect: {blocks: false}}"),
    (False, "{sql: select 1, expect: {plan: {}}}"),
    (False, "{sql: select 1, expect: {changes: []}}"),
    (False, "{sql: select 1, expect: {changes: {t: 1}}}"),
    (False, "{sql: select 1, expect: {changes: {t: {insert: 1}}}}"),
    (False, "{sql: select 1, expect: {changes: {t: {inserted: -1}}}}"),
    (False, "{sql: select 1, expect: {queries: {maximum: 3}}}"),
    (False, "{sql: select 1, expect: {queries: -1}}"),
]

SEEDS = [
    (True, "{t: []}"),
    (True, "{t: [{}], schema.u: {a: {id: 1}, x-b: 1}, x-c: 1}"),
    (True, "{t: {file: rows.csv}}"),
    (True, "{t: {sql: select 1}}"),
    (True, "{t: [{at: {$sql: now()}, data: {$$ref: 1, list: [null, 1.5]}}]}"),
    (False, "[]"),
    (False, "{t: }"),
    (False, "{t: 1}"),
    (False, "{t: [1]}"),
    (False, "{t: {label: 1}}"),
    (False, "{t: {file: rows.csv, sql: select 1}}"),
    (False, "{t: [{at: {$now: 1}}]}"),
    (False, "{t: [{at: {$sql: 1}}]}"),
    (False, "{t: [{at: {$sql: now(), more: 1}}]}"),
]

SPECS = [
    (True, "name: a\noperations: [{sql: select 1}]"),
    (True, "operations: [{sql: select 1}]\nx-note: {any: thing}"),
    (True, "operations: [{sql: select 1}]\nrequires: {backend: pglite, postgres: '>=17'}"),
    (True, "operations: [{sql: select 1}]\nisolation: database\nsessions: [a]\ntimeout: 0.5"),
    (True, "operations: [{sql: select 1}]\nxfail: not yet\ntags: [a]\ndescription: b\nas: null"),
    (True, "operations: [{sql: select 1}]\nexpect: {tables: {t: [], u: {count: 0, where: a = 1}}}"),
    (True, "operations: [{sql: select 1}]\nexpect: {tables: {t: {contains: [{a: 1}]}}}"),
    (True, "operations: [{sql: select 1}]\nexpect: {changes: {}, constraints: deferred}"),
    (True, "operations: [{sql: select 1}]\nmatrix: {a: [1, 2]}"),
    (True, "specs: [{name: a, operations: [{sql: select 1}]}]\nname: b\nvars: {a: 1}"),
    (False, "name: a"),
    (False, "operations: []"),
    (False, "operations: {sql: select 1}"),
    (False, "operations: [{sql: select 1}]\nopertions: []"),
    (False, "operations: [{sql: select 1}]\nname: 1"),
    (False, "operations: [{sql: select 1}]\nrequires: {backend: mysql}"),
    (False, "operations: [{sql: select 1}]\nrequires: {}"),
    (False, "operations: [{sql: select 1}]\nisolation: schema"),
    (False, "operations: [{sql: select 1}]\ntimeout: -1"),
    (False, "operations: [{sql: select 1}]\ntimeout: long"),
    (True, "operations: [{sql: select 1}]\nxfail: false"),
    (False, "operations: [{sql: select 1}]\nxfail: ''"),
    (False, "operations: [{sql: select 1}]\ntags: a"),
    (False, "operations: [{sql: select 1}]\nexpect: {}"),
    (False, "operations: [{sql: select 1}]\nexpect: {tables: {}}"),
    (False, "operations: [{sql: select 1}]\nexpect: {tables: {t: {}}}"),
    (False, "operations: [{sql: select 1}]\nexpect: {tables: {t: {where: a = 1}}}"),
    (False, "operations: [{sql: select 1}]\nexpect: {tables: {t: {rows: [{}]}}}"),
    (False, "operations: [{sql: select 1}]\nexpect: {constraints: immediate}"),
    (False, "operations: [{sql: select 1}]\nexpect: [{a: 1}]"),
    (False, "operations: [{sql: select 1}]\ncases: []"),
    (False, "operations: [{sql: select 1}]\ncases: [{a: 1}]\nmatrix: {a: [1]}"),
    (False, "operations: [{sql: select 1}]\nmatrix: {a: []}"),
    (False, "operations: [{sql: select 1}]\nspecs: []"),
    (False, "specs: []"),
    (False, "specs: [{operations: [{sql: select 1}]}]"),
    (False, "specs: [{name: a, operations: [{sql: select 1}]}]\nxfail: true"),
    (False, "specs: [{name: a, operations: [{sql: select 1}]}]\ntimeout: '{{ 1 }}'"),
    (False, "- sql: select 1"),
]

CASES = [
    "operations: [{sql: select 1, expect: '{{ case.x }}'}]\ncases: [{x: [{a: 1}]}]",
    "operations: [{sql: select 1, expect: {error: '{{ case.x }}'}}]\ncases: [{x: '23505'}]",
    "operations: [{sql: select 1, expect: {order: '{{ case.x }}', rows: []}}]\ncases: [{x: any}]",
    "operations: [{sql: select 1, expect: {rows: '{{ case.x }}'}}]\ncases: [{x: [{a: 1}]}]",
    "operations: [{sql: select 1, expect: {rows: ['{{ case.x }}']}}]\ncases: [{x: {a: 1}}]",
    "operations: [{sql: select 1, expect: {count: '{{ case.x }}'}}]\ncases: [{x: 1}]",
    "operations: [{sql: select 1, expect: {value: {$null: '{{ case.x }}'}}}]\ncases: [{x: true}]",
    "operations: [{sql: select 1, as: '{{ case.x }}'}]\ncases: [{x: null}]",
    "operations: ['{{ case.x }}']\ncases: [{x: {sql: select 1}}]",
    "operations: [{sql: select 1}]\ntimeout: '{{ case.x }}'\ncases: [{x: 5}]",
    "operations: [{sql: select 1}]\nisolation: '{{ case.x }}'\ncases: [{x: rollback}]",
    "operations: [{sql: select 1}]\nexpect: {tables: {t: '{{ case.x }}'}}\ncases: [{x: []}]",
    "operations: [{sql: select 1}]\nseed: {t: ['{{ case.x }}']}\ncases: [{x: {a: 1}}]",
]

# What is skipped may use what is not implemented yet; it is validated like everything else.
DOCUMENTS = [
    *((valid, f"skip: true\noperations: [{operation}]") for valid, operation in OPERATIONS),
    *((valid, f"skip: true\noperations: [sql: select 1]\nseed: {seed}") for valid, seed in SEEDS),
    *((valid, f"skip: true\n{spec}" if spec[0] != "-" else spec) for valid, spec in SPECS),
    *((True, f"skip: true\n{spec}") for spec in CASES),
]


@pytest.mark.parametrize(("valid", "text"), DOCUMENTS, ids=[text for _, text in DOCUMENTS])
def test_schema_and_loader_agree(valid: bool, text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    problem = None
    try:
        load(path, tmp_path)
    except SpecError as error:
        problem = str(error)
    assert (problem is None) is valid, problem
    assert VALIDATOR.is_valid(_plain(read(path))) is valid


PARTS = [
    (True, "vars: {a: 1}\nactors: {a: {db_role: b}}\nseed: {t: []}\nuse: []"),
    (True, "seed: {t: [{a: 1}]}\nx-note: 1"),
    (False, "seed: {t: 1}"),
    (False, "sede: {}"),
    (False, "use: other.yaml"),
    (False, "tags: [a]"),
    (False, "seed: {}\nskip: true"),
]


@pytest.mark.parametrize(("valid", "text"), PARTS, ids=[text for _, text in PARTS])
def test_schema_and_loader_agree_on_shared_parts(valid: bool, text: str, tmp_path: Path) -> None:
    (tmp_path / "_part.yaml").write_text(text)
    path = tmp_path / "a.yaml"
    path.write_text("use: [_part.yaml]\noperations: [{sql: select 1}]")
    problem = None
    try:
        load(path, tmp_path)
    except SpecError as error:
        problem = str(error)
    assert (problem is None) is valid, problem
    assert VALIDATOR.is_valid(_plain(read(tmp_path / "_part.yaml"))) is valid


def test_a_string_that_only_holds_a_template_is_no_expression() -> None:
    data = parse("operations: [{sql: select 1, expect: {count: 'a {{ case.x }}'}}]", Path("a.yaml"))
    assert not VALIDATOR.is_valid(_plain(data))


def test_the_text_is_json_that_ends_in_a_line_break() -> None:
    assert json.loads(schema.text()) == SCHEMA
    assert schema.text().endswith("}\n")
