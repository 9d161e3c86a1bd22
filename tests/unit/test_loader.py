"""Files become specs, or every problem at its place."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from harness.errors import SpecError
from harness.loader import LoadedSpec, load
from harness.spec.expectations import CallOutcome, HttpOutcome, Queries

OPERATIONS = "operations: [{sql: select 1}]"


class Files:
    """A folder of YAML files."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip())
        return path

    def load(self, text: str, name: str = "a.yaml") -> tuple[LoadedSpec, ...]:
        return load(self.write(name, text), self.root)

    def problems(self, text: str) -> list[str]:
        """What is wrong, as `line:column: what`."""
        with pytest.raises(SpecError) as caught:
            self.load(text)
        problems = caught.value.problems
        return [
            f"{p.where.line}:{p.where.column}: {p.what}" if p.where else p.what for p in problems
        ]

    def hint(self, text: str) -> str | None:
        with pytest.raises(SpecError) as caught:
            self.load(text)
        return caught.value.problems[0].hint


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_a_single_spec_is_called_as_its_file(files: Files) -> None:
    assert files.load(OPERATIONS)[0].id == "a"
    assert files.load(OPERATIONS, "b.spec.yaml")[0].id == "b"
    assert files.load(f"name: own\n{OPERATIONS}")[0].id == "own"


def test_the_place_of_a_spec_is_its_name(files: Files) -> None:
    specs = files.load(f"specs:\n  - {OPERATIONS}\n    name: a\n")
    assert specs[0].where.line == 3


def test_places(files: Files) -> None:
    spec = files.load("""
    operations:
      - sql: select 1
        expect:
          - {a: 1}
          - a: 2
            b: 3
    """)[0]
    places = [
        spec.locate(("operations", 0, "expect", "rows", 1, "b")),
        spec.locate(("operations", 0, "expect", "rows", 0)),
        spec.locate(("operations", 0, "sql")),
    ]
    assert [(place.line, place.column) for place in places] == [(6, 12), (4, 9), (2, 10)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1:1: this file holds no spec"),
        ("- 1", "1:1: a spec file is a mapping"),
        ("vars: {a: 1}", "1:1: this file holds no spec: it has neither `specs` nor `operations`"),
        ("specs: []", "1:8: this is empty, and could never fail or do anything"),
        ("operations: []", "1:13: this is empty, and could never fail or do anything"),
        ("specs: [3]", "1:9: a spec is a mapping"),
        (f"specs: [{{{OPERATIONS}}}]", "1:9: `name` is missing"),
        (f"nmae: x\n{OPERATIONS}", "1:1: unknown key `nmae`"),
        (f"name: 3\n{OPERATIONS}", "1:7: text is expected here, not 3"),
        (f"name: a::b\n{OPERATIONS}", "1:7: a name holds neither '::' nor control characters"),
        (f'name: "a\\e[31m"\n{OPERATIONS}', "1:7: a name holds neither '::' nor control"),
        (f"tags: [skip]\n{OPERATIONS}", "1:8: 'skip' is a mark of pytest's own"),
        (f"tags: [a b]\n{OPERATIONS}", "1:8: 'a b' cannot be selected with -m"),
        (f"skip: no\n{OPERATIONS}", "1:7: the text 'no' is no reason"),
        (f"timeout: -1\n{OPERATIONS}", "1:10: seconds cannot be negative"),
        (f"requires: {{}}\n{OPERATIONS}", "1:11: an empty `requires` requires nothing"),
        (f"requires: {{postgres: 17+}}\n{OPERATIONS}", "1:22: '17+' is no version specifier"),
        (f"vars: {{seed: 1}}\n{OPERATIONS}", "1:8: 'seed' already has a meaning in templates"),
        (f"vars: {{a-b: 1}}\n{OPERATIONS}", "1:8: 'a-b' cannot be used in a template"),
        ("operations: [{sq: select 1}]", "1:15: an operation has exactly one verb"),
        ("operations: [{sql: a, call: b}]", "1:14: an operation has exactly one verb"),
        ("operations: [{sql: ' '}]", "1:15: the statement is empty"),
        ("operations: [{sql: copy a from stdin}]", "1:15: COPY from or to the client"),
        ("operations: [{sql: select 1, with: {}}]", "1:30: `with` belongs to `call`, not to `sql`"),
        (
            "operations: [{sql: 'select 1', params: {a: 1}}]",
            "1:41: the statement has no parameter :a",
        ),
        ("operations: [{sql: 'select :a', params: {}}]", "1:33: `params` has no value for :a"),
        (
            "operations: [{sql: select 1, save: {x: 'a['}}]",
            "1:40: 'a[' is not a JMESPath expression",
        ),
        ("operations: [{sql: select 1, save: {now: a}}]", "1:37: 'now' already has a meaning"),
        (
            "operations: [{sql: 'select :a', params: {a: {$gt: 1}}}]",
            "1:46: '$gt' has no meaning in data",
        ),
        ("operations: [{sql: select 1, expect: }]", "1:30: `expect` has no value"),
    ],
)
def test_what_is_wrong_and_where(files: Files, text: str, problem: str) -> None:
    assert files.problems(text)[0].startswith(problem)


@pytest.mark.parametrize(
    ("expect", "problem"),
    [
        ("{}", "an empty `expect` could never fail"),
        ("{rows: [{}]}", "an empty mapping holds for every row"),
        ("[{}]", "an empty mapping holds for every row"),
        ("{row: {}}", "an empty mapping holds for every row"),
        ("{contains: []}", "this is empty, and could never fail"),
        ("{error: true}", "true does not say which error"),
        ("{error: {}}", "an empty mapping says nothing about the error"),
        ("{error: Exception}", "every error satisfies this"),
        ("{error: {message: {$any: true}}}", "every error satisfies this"),
        ("{error: {sqlstate: 23505}}", "an SQLSTATE is text"),
        ("{error: unique_violaton}", "'unique_violaton' is not a condition name"),
        ("{error: {condition: unique_violation, constrain: x}}", "unknown key `constrain`"),
        ("{count: -1}", "a number of things cannot be negative"),
        ("{count: true}", "a whole number or a matcher is expected, not true"),
        ("{count: {$any: true}}", "every number of things satisfies this"),
        ("{count: {$gte: 0}}", "every number of things satisfies this"),
        ("{affected: {$gte: 0, $ne: -1}}", "every number of things satisfies this"),
        ("{rows: [], error: unique_violation}", "`error` and `rows` contradict each other"),
        ("{rows: [], row: {a: 1}}", "`row` and `rows` contradict each other"),
        ("{value: 1, rows: []}", "`value` and `rows` contradict each other"),
        ("{rows: [{a: 1}], count: 2}", "`count: 2` contradicts the number of rows, 1"),
        ("{contains: [{a: 1}, {a: 2}], count: 1}", "`count: 1` is less than the 2 rows"),
        ("{row: {a: 1}, count: 2}", "`count: 2` contradicts the number of rows, 1"),
        ("{order: any}", "`order` says how `rows` are compared, and there are none"),
        ("{rows: [], order: some}", "the text 'some' is not 'any'"),
        ("{rows: [[1]]}", "a row that is written as a list needs `columns`"),
        ("{columns: [a, b], rows: [[1]]}", "1 values for 2 columns"),
        ("{rows: [3]}", "a row is a mapping of columns, not 3"),
        ("{rows: [abc]}", "a row is a mapping of columns, not 'abc'"),
        ("{result: 3}", "`result` is not an expectation of this verb"),
        ("{rwos: []}", "unknown key `rwos`"),
        ("{value: {$gtt: 1}}", "unknown key `$gtt`"),
        ("{value: {$gt: 1, a: 2}}", "'$gt' and 'a' cannot stand in one mapping"),
        ("{value: {$eq: null}}", "a comparison never holds for null"),
        ("{value: {$in: [1, null]}}", "a comparison never holds for null"),
        ("{value: {$regex: '('}}", "the pattern is not a regular expression"),
        ("{value: {$partial: {}}}", "an empty $partial holds for everything"),
        ("{value: {$contains: ''}}", "an empty $contains holds for everything"),
        ("{value: {$between: [1]}}", "this list is too short"),
        ("{value: {$absent: true, $gt: 1}}", "$absent stands alone"),
        ("{value: '{{ nope }}'}", "'{{ nope }}' names 'nope', which is undefined"),
        ("{value: '{{ 1 + }}'}", "the template '{{ 1 + }}' is not well-formed"),
    ],
)
def test_expectations_that_are_refused(files: Files, expect: str, problem: str) -> None:
    found = files.problems(f"operations:\n  - sql: select 1\n    expect: {expect}\n")
    assert problem in found[0]
    assert found[0].startswith("3:")


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        ("{}", "an empty `expect` could never fail"),
        ("{tables: {}}", "this is empty"),
        ("{tables: {t: {}}}", "nothing is expected of this table"),
        ("{tables: {t: {where: a = 1}}}", "nothing is expected of this table"),
        ("{tables: {t: {count: 1, where: {}}}}", "an empty `where`"),
        ("{tables: {t: {count: 1, where: 'true) or (true'}}}", "the parentheses of `where`"),
        ("{tables: {t: {count: 1, where: {a: {$gt: 1}}}}}", "`where` takes plain values"),
        ("{tables: {t: {columns: [a], rows: [{b: 1}]}}}", "'b' is not among `columns`"),
        ("{constraints: immediate}", "is not 'deferred'"),
    ],
)
def test_states_that_are_refused(files: Files, state: str, problem: str) -> None:
    found = files.problems(f"{OPERATIONS}\nexpect: {state}\n")
    assert problem in found[0]
    assert found[0].startswith("2:")


def test_the_nearest_key_is_named(files: Files) -> None:
    assert files.hint("operations: [{sq: select 1}]") == "did you mean 'sql'?"
    assert files.hint(f"specs: [{{name: a, {OPERATIONS}, exepct: 1}}]") == "did you mean 'expect'?"
    assert files.hint("operation: []") == "did you mean 'operations'?"


def test_every_problem_of_a_file_is_told(files: Files) -> None:
    text = "specs:\n" + "".join(f"  - {{name: a{n}, operations: []}}\n" for n in range(30))
    found = files.problems(text)
    assert len(found) == 21
    assert found[-1].endswith("… and 10 more in this file")


def test_names_are_unique(files: Files) -> None:
    text = f"specs:\n  - name: a\n    {OPERATIONS}\n  - name: a\n    {OPERATIONS}\n"
    assert files.problems(text) == ["4:5: two specs are called 'a'; the first is in line 2"]


def test_extensions_are_ignored_where_mappings_are_structural(files: Files) -> None:
    spec = files.load("""
    x-rows: &rows [{a: 1}]
    seed: {x-t: 5, t: [{x-y: 1}]}
    actors: {x-a: 1}
    operations:
      - {sql: select 1 as a, x-why: 1, expect: {rows: *rows, x-b: 1}}
    expect: {tables: {x-t: 1, t: [{a: 1}]}, x-c: 1}
    """)[0].spec
    assert [table.table for table in spec.seed] == ["t"]
    rows: Any = spec.seed[0].rows
    assert rows[0].values == {"x-y": 1}  # a row is data
    assert spec.expect is not None
    assert list(spec.expect.tables or ()) == ["t"]


def test_defaults_and_precedence(files: Files) -> None:
    files.write("_one.yaml", "{vars: {a: one, b: one, c: one, d: one}, seed: {t: [{id: 1}]}}")
    files.write(
        "_two.yaml", "{use: [_one.yaml], vars: {b: two, c: two, d: two}, seed: {t: [{id: 2}]}}"
    )
    spec = files.load("""
    use: [_two.yaml]
    vars: {c: suite, d: suite}
    tags: [x]
    timeout: 3
    skip: later
    seed: {t: [{id: 3}]}
    specs:
      - name: a
        vars: {d: spec}
        tags: [y]
        skip: null
        seed: {t: [{id: 4}]}
        operations: [{sql: select 1}]
    """)[0].spec
    assert spec.vars == {"a": "one", "b": "two", "c": "suite", "d": "spec"}
    ids = [row.values["id"] for table in spec.seed for row in table.rows]  # type: ignore[union-attr]  # no RowSource here
    assert ids == [1, 2, 3, 4]
    assert (spec.tags, spec.timeout, spec.skip) == (["x", "y"], 3.0, None)


def test_a_part_that_a_spec_uses_itself_wins_over_the_suites(files: Files) -> None:
    files.write("_a.yaml", "vars: {v: a}")
    files.write("_b.yaml", "vars: {v: b}")
    spec = files.load(
        f"use: [_a.yaml, _b.yaml]\nspecs: [{{name: x, use: [_a.yaml], {OPERATIONS}}}]"
    )
    assert spec[0].spec.vars == {"v": "a"}


def test_use(files: Files) -> None:
    files.write("_loop.yaml", "use: [_loop2.yaml]")
    files.write("_loop2.yaml", "use: [_loop.yaml]")
    files.write("_bad.yaml", "vars: {a: 1}\nseeds: {}")
    for use, problem in [
        ("_loop.yaml", "1:7: shared parts use each other: _loop.yaml → _loop2.yaml → _loop.yaml"),
        ("../x.yaml", "lies outside the project"),
        ("_lop.yaml", "1:7: there is no file '_lop.yaml'"),
        ("_bad.yaml", "2:1: unknown key `seeds`"),
    ]:
        assert problem in files.problems(f"use: [{use}]\n{OPERATIONS}")[0]
    assert files.hint(f"use: [_lop.yaml]\n{OPERATIONS}") == "did you mean '_loop.yaml'?"


def test_a_shared_part_is_never_collected(files: Files) -> None:
    with pytest.raises(SpecError, match="shared part"):
        files.load(OPERATIONS, "_a.yaml")


def test_cases(files: Files) -> None:
    specs = files.load(
        """
    name: a
    cases:
      - {n: 1, rows: [{n: 1}], id: one}
      - {n: 2.50, rows: [{n: {$gt: 2}}]}
    as: null
    operations:
      - sql: "select ':n {{ case.n }}', :n"
        params: {n: "{{ case.n }}", m: "n is {{ case.n }}"}
        expect: "{{ case.rows }}"
    """.replace(', m: "n is {{ case.n }}"', "")
    )
    assert [spec.id for spec in specs] == ["a[one]", 'a[2.50-[{"n":{"$gt":2}}]]']
    operation: Any = specs[0].spec.operations[0]
    assert operation.sql == "select ':n {{ case.n }}', :n"
    assert operation.params == {"n": 1}
    assert operation.expect.rows == [{"n": 1}]


def test_a_problem_in_a_case_stands_in_the_case(files: Files) -> None:
    found = files.problems("""
    cases:
      - e: [{a: 1}]
      - e: [{}]
    operations:
      - sql: select 1
        expect: "{{ case.e }}"
    """)
    assert found == ["3:9: an empty mapping holds for every row"]


def test_matrix(files: Files) -> None:
    specs = files.load(f"name: a\nmatrix: {{a: [1, 2], b: [x, null]}}\n{OPERATIONS}")
    assert [spec.id for spec in specs] == ["a[1-x]", "a[1-null]", "a[2-x]", "a[2-null]"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("cases: [{a: 1}]\nmatrix: {b: [1]}", "2:1: `cases` and `matrix` cannot stand in one spec"),
        ("cases: []", "1:1: `cases` is a list of mappings, and not empty"),
        ("matrix: {a: []}", "1:1: `matrix` is a mapping of lists, and not empty"),
        ("cases: [{a: 1}, {a: 1}]", "1:17: two cases are called '1'"),
        ("cases: [{}]", "1:9: a case has no values"),
    ],
)
def test_cases_that_are_refused(files: Files, text: str, problem: str) -> None:
    assert files.problems(f"{text}\n{OPERATIONS}")[0] == problem


def test_names_of_templates_are_checked_in_order(files: Files) -> None:
    ok = """
    vars: {b: "{{ a }}x", a: 1}
    seed: {t: [{n: "{{ a }}"}]}
    operations:
      - {sql: select 1 as n, save: {one: "rows[0].n"}}
      - {sql: "select :n", params: {n: "{{ one + a }}"}, expect: ["{{ seed.t[0] }}"]}
    """
    assert len(files.load(ok)) == 1
    early = ok.replace("{sql: select 1 as n,", "{sql: 'select :n', params: {n: '{{ one }}'},")
    assert "names 'one', which is undefined" in files.problems(early)[0]
    circle = f"vars: {{a: '{{{{ b }}}}', b: '{{{{ a }}}}'}}\n{OPERATIONS}"
    assert files.problems(circle) == ["1:11: the variables a, b need each other"]


def test_a_wrong_variable_of_a_part_is_told_at_the_part(files: Files) -> None:
    files.write("_a.yaml", "vars:\n  v: '{{ nope }}'")
    with pytest.raises(SpecError) as caught:
        files.load(f"use: [_a.yaml]\n{OPERATIONS}")
    where = caught.value.problems[0].where
    assert where is not None
    assert (where.path.name, where.line) == ("_a.yaml", 2)


def test_labels_are_unique_across_parts(files: Files) -> None:
    files.write("_a.yaml", "seed: {t: {x: {id: 1}}}")
    found = files.problems(f"use: [_a.yaml]\nseed: {{t: {{x: {{id: 2}}}}}}\n{OPERATIONS}")
    assert "'t' already has a row labelled 'x'" in found[0]


@pytest.mark.parametrize(
    ("seed", "problem"),
    [
        ("[1]", "1:7: a seed maps tables to rows"),
        ("{t: 3}", "1:8: the rows of 't' are a list of mappings"),
        ("{t: [3]}", "1:12: a row is a mapping of columns to values"),
        ("{t: {a: 3}}", "1:12: a row is a mapping"),
        ("{t: {file: a.csv, x: 1}}", "1:8: `file` gives all the rows of 't'"),
        ("{t: [{a: {k: {$sql: now()}}}]}", "1:16: '$sql' has no meaning in data"),
        ("{t: [{a: {$sql: '1); select (2'}}]}", "1:16: $sql is one expression: its parentheses"),
        ("{t: [{a: {$sql: 3}}]}", "1:17: $sql is the text of an expression"),
        ("{t: [{a: {$type: int}}]}", "1:18: '$type' has no meaning in data"),
        ("{t: [{a: '{{ x }}'}]}", "1:13: '{{ x }}' names 'x', which is undefined"),
    ],
)
def test_seeds_that_are_refused(files: Files, seed: str, problem: str) -> None:
    found = files.problems(f"seed: {seed}\n{OPERATIONS}")[0]
    line = problem.split(":", maxsplit=1)[0]
    assert found.startswith(f"{line}:")
    assert problem.split(": ", 1)[1] in found


PLACEHOLDERS = """\
operations:
  - sql: select 1
    expect: ???
  - sql: select 1
    expect:
      rows: ???
      order: any
      notices: ["???"]
  - sql: select 1
    expect: {count: 1, rows: [{a: "???", b: [1, "???"]}], changes: {t: "???"}}
  - sql: select 1
    expect: {error: {condition: "???"}, changes: {t: {inserted: "???", updated: 1}, ignore: [x]}}
  - call: app:list
    expect: {result: [{id: "???"}], queries: {max: "???", repeated: 1}}
  - http: GET /
    expect: {status: "???", json: "???", headers: {a: "???"}, queries: "???"}
expect:
  changes: ???
  tables:
    t: ???
    u: {where: id = 1, rows: "???"}
    v: {rows: "???", count: 1}
    w: [{a: "???"}]
"""


def test_placeholders_are_cut_where_the_format_needs_something_else(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(PLACEHOLDERS)
    (loaded,) = load(path, tmp_path)

    assert loaded.placeholders == (
        ("operations", 0, "expect"),
        ("operations", 1, "expect", "rows"),
        ("operations", 1, "expect", "notices", 0),
        ("operations", 2, "expect", "rows", 0, "a"),
        ("operations", 2, "expect", "rows", 0, "b", 1),
        ("operations", 2, "expect", "changes", "t"),
        ("operations", 3, "expect", "error", "condition"),
        ("operations", 3, "expect", "changes", "t", "inserted"),
        ("operations", 4, "expect", "result", 0, "id"),
        ("operations", 4, "expect", "queries", "max"),
        ("operations", 5, "expect", "status"),
        ("operations", 5, "expect", "json"),
        ("operations", 5, "expect", "headers", "a"),
        ("operations", 5, "expect", "queries"),
        ("expect", "changes"),
        ("expect", "tables", "t"),
        ("expect", "tables", "u", "rows"),
        ("expect", "tables", "v", "rows"),
        ("expect", "tables", "w", 0, "a"),
    )
    first, second, third, fourth, fifth, sixth = (
        operation.expect for operation in loaded.spec.operations
    )
    assert first is None
    assert second is not None
    assert second.model_fields_set == {"notices"}
    assert third is not None
    assert third.model_fields_set == {"count", "rows", "changes"}  # where it stands for no change
    assert fourth is not None
    assert fourth.model_fields_set == {"changes"}
    assert isinstance(fifth, CallOutcome)
    assert fifth.queries == Queries(max=0, repeated=1)
    assert isinstance(sixth, HttpOutcome)
    assert (sixth.status, sixth.queries, sixth.json_) == (0, 0, "???")
    assert loaded.spec.expect is not None
    assert loaded.spec.expect.model_fields_set == {"tables"}
    assert set(loaded.spec.expect.tables or ()) == {"v", "w"}


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ("tables: ???", "4:11: a mapping is expected here"),
        ("tables: {t: {columns: '???', rows: []}}", "4:25: a list is expected here"),
        ("tables: {t: {rows: ['???']}}", "a row is a mapping of columns"),
        ("changes: {ignore: '???'}", "4:21: a list is expected here"),
        ("constraints: ???", "is not 'deferred'"),
        ("rows: ???", "unknown key `rows`"),
    ],
)
def test_a_placeholder_for_what_nothing_shows_is_refused(
    tmp_path: Path, expect: str, message: str
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"operations:\n  - sql: select 1\nexpect:\n  {expect}\n")
    with pytest.raises(SpecError, match=message):
        load(path, tmp_path)


def test_what_selects_rows_holds_no_placeholder(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        "operations: [{sql: select 1}]\n"
        "expect:\n  x-more: ???\n  tables: {t: {where: {a: '???'}, count: 1}}\n"
    )
    (loaded,) = load(path, tmp_path)
    assert loaded.placeholders == ()


def test_a_placeholder_in_brackets_needs_quotes(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("operations:\n  - sql: select 1\n    expect: {rows: ???}\n")
    with pytest.raises(SpecError) as refused:
        load(path, tmp_path)
    assert refused.value.problems[0].hint == 'inside brackets a placeholder needs quotes: "???"'
