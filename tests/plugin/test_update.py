"""`--harness-update` on real files: what it writes, what it leaves, and what it says."""

from __future__ import annotations

import os
from pathlib import Path
from textwrap import dedent, indent

import pytest
import sqlalchemy.orm  # noqa: F401 - as in conftest.py, for the application

import harness.database.joined  # noqa: F401 - likewise, for its dialects of SQLAlchemy
from harness.matching.display import show
from tests.plugin.conftest import Project

AUTHORS = "seed: {authors: {ann: {name: Ann}, bob: {name: Bob}}}\n"
BY_ID = "select id, name from authors order by id"
INSERT = "insert into authors (name) values ('Cy')"
BROKEN = "insert into books (author_id, title) values (99, 'x')"
NESTED = """select name, '{"a": [1, {"b": 2}]}'::jsonb as data from authors where id = 1"""


def updated(project: Project, before: str, after: str, *arguments: str) -> pytest.RunResult:
    """Update a file: it must then say `after`, pass, and stay as it is when it is updated again."""
    file = project.pytester.path / project.spec(before)
    result = project.run("--harness-update", *arguments)
    assert file.read_text() == dedent(after).lstrip(), result.stdout.str()
    assert result.ret == 0, result.stdout.str()
    settled(project, file)
    return result


def settled(project: Project, *files: Path) -> None:
    """The files pass, and another update does not touch them."""
    plain = project.run()
    assert plain.ret == 0, plain.stdout.str()
    for file in files:
        os.utime(file, (1, 1))
    contents = [file.read_bytes() for file in files]
    again = project.run("--harness-update")
    assert again.ret == 0
    assert summary(again) == ""
    assert [file.read_bytes() for file in files] == contents
    assert {file.stat().st_mtime for file in files} == {1}


def left(project: Project, text: str, *arguments: str) -> str:
    """Update a file in which nothing can be written; gives what the summary says of it."""
    file = project.pytester.path / project.spec(text)
    content = file.read_bytes()
    result = project.run("--harness-update", *arguments)
    assert result.ret == pytest.ExitCode.TESTS_FAILED, result.stdout.str()
    assert file.read_bytes() == content
    return summary(result)


def summary(result: pytest.RunResult) -> str:
    """What is printed below the heading of --harness-update."""
    lines = result.stdout.lines
    begin = next((i for i, line in enumerate(lines) if "= --harness-update =" in line), None)
    if begin is None:
        return ""
    end = next(i for i, line in enumerate(lines) if i > begin and line.startswith(("=", "!")))
    return "\n".join(lines[begin + 1 : end])


# -- placeholders

LINE = "\n"
ROWS = "\n  - {id: 1, name: Ann}\n  - {id: 2, name: Bob}"
OPERATIONS: list[tuple[str, str, str]] = [
    (BY_ID, " ???", ROWS),
    ("select id from authors where id > 2", " ???", " []"),
    ("update authors set name = 'x'", " ???", " {affected: 2}"),
    (
        "insert into authors (name) values (null)",
        " ???",
        " {error: {condition: not_null_violation, table: authors, column: name}}",
    ),
    (BY_ID, ' {rows: "???"}', " {rows: [{id: 1, name: Ann}, {id: 2, name: Bob}]}"),
    (
        BY_ID,
        "\n  rows: ???\n  count: ???\n  columns: ???",
        f"\n  rows:{ROWS.replace(LINE, LINE + '  ')}\n  count: 2\n  columns: [id, name]",
    ),
    (
        "select id from authors",
        ' {order: any, rows: "???"}',
        " {order: any, rows: [{id: 1}, {id: 2}]}",
    ),
    ("select id from authors", " {contains: '???'}", " {contains: [{id: 1}, {id: 2}]}"),
    ("select name from authors where id = 1", "\n  row: ???", "\n  row: {name: Ann}"),
    ("select id from authors", "\n  row: ???", "\n  rows:\n    - {id: 1}\n    - {id: 2}"),
    ("select count(*) from authors", "\n  value: ???", "\n  value: 2"),
    ("select 1 + 1", " ???", "\n  - {'?column?': 2}"),
    ("delete from authors", " {affected: '???'}", " {affected: 2}"),
    (
        BROKEN,
        "\n  error: ???",
        "\n  error: {condition: foreign_key_violation, constraint: books_author_id_fkey}",
    ),
    (
        BROKEN,
        "\n  error: {condition: '???', table: books, detail: {$contains: '(99)'}, sqlstate: '???'}",
        "\n  error: {condition: foreign_key_violation, table: books, detail: {$contains: '(99)'}, sqlstate: '23503'}",
    ),
    (
        "drop table if exists nope",
        "\n  notices: ???",
        "\n  notices: ['table \"nope\" does not exist, skipping']",
    ),
    (
        "drop table if exists nope",
        "\n  notices: ['???']",
        "\n  notices: ['table \"nope\" does not exist, skipping']",
    ),
    (INSERT, "\n  changes: ???", "\n  changes: {authors: {inserted: 1}}"),
    ("select 1 as n", "\n  changes: ???", "\n  changes: {}"),
    (INSERT, "\n  changes:\n    authors: ???", "\n  changes:\n    authors: {inserted: 1}"),
    (INSERT, "\n  changes: {books: '???'}", "\n  changes: {books: {}, authors: {inserted: 1}}"),
    (
        INSERT,
        "\n  changes: {authors: {inserted: '???', updated: 1}, books: {deleted: '???'}}",
        "\n  changes: {authors: {inserted: 1, updated: 0}, books: {deleted: 0}}",
    ),
    (
        "update authors set name = 'x' where id = 1",
        "\n  changes: {authors: {updated: [{id: 1, name: '???'}]}}",
        "\n  changes: {authors: {updated: [{id: 1, name: x}]}}",
    ),
    (
        NESTED,
        "\n  - name: ???\n    data: ???",
        "\n  - name: Ann\n    data:\n      a:\n        - 1\n        - {b: 2}",
    ),
    (
        NESTED,
        " [{name: '???', data: {a: [1, '???']}}]",
        " [{name: Ann, data: {a: [1, {b: 2}]}}]",
    ),
    (
        NESTED,
        " [{name: {$regex: '^A'}, data: {$partial: {a: {$unordered: [{b: 2}, '???']}}}}]",
        " [{name: {$regex: '^A'}, data: {$partial: {a: {$unordered: [{b: 2}, 1]}}}}]",
    ),
    (
        BY_ID,
        "\n  columns: [id, name]\n  rows:\n    - [1, '???']\n    - ['???', Bob]",
        "\n  columns: [id, name]\n  rows:\n    - [1, Ann]\n    - [2, Bob]",
    ),
]


def test_placeholders_of_an_operation(project: Project) -> None:
    def suite(after: bool) -> str:
        specs = [
            f"  - name: spec {number}\n    operations:\n      - sql: |-\n          {sql}\n"
            f"        expect:{(seen if after else written).replace(LINE, LINE + ' ' * 8)}\n"
            for number, (sql, written, seen) in enumerate(OPERATIONS)
        ]
        return f"{AUTHORS}specs:\n{''.join(specs)}"

    updated(project, suite(after=False), suite(after=True))


STATES: list[tuple[str, str]] = [
    (" ???", " {changes: {authors: {inserted: 1}}}"),
    ("\n  changes: ???", "\n  changes: {authors: {inserted: 1}}"),
    ("\n  changes:\n    authors: ???", "\n  changes:\n    authors: {inserted: 1}"),
    (" {changes: {authors: {inserted: '???'}}}", " {changes: {authors: {inserted: 1}}}"),
    (
        "\n  changes: {authors: {inserted: [{id: 3, name: '???'}]}}",
        "\n  changes: {authors: {inserted: [{id: 3, name: Cy}]}}",
    ),
    (
        "\n  tables:\n    authors: ???\n    books: ???",
        "\n  tables:\n    authors:\n      - {id: 1, name: Ann}\n      - {id: 2, name: Bob}\n"
        "      - {id: 3, name: Cy}\n    books: []",
    ),
    (
        "\n  tables:\n    authors: {where: {name: Cy}, columns: [name], rows: '???', count: '???'}",
        "\n  tables:\n    authors: {where: {name: Cy}, columns: [name], rows: [{name: Cy}], count: 1}",
    ),
    (
        "\n  tables:\n    authors: {where: id > 2, contains: '???'}\n    books: {count: '???'}",
        "\n  tables:\n    authors: {where: id > 2, contains: [{id: 3, name: Cy}]}\n    books: {count: 0}",
    ),
    (
        "\n  tables: {authors: [{id: 1}, {id: '???', name: Cy}, {name: Bob, id: '???'}], books: []}",
        "\n  tables: {authors: [{id: 1}, {id: 3, name: Cy}, {name: Bob, id: 2}], books: []}",
    ),
    (
        "\n  tables: {authors: {where: id > 2, rows: [{name: '???'}]}}\n  changes: {authors: '???'}",
        "\n  tables: {authors: {where: id > 2, rows: [{name: Cy}]}}\n  changes: {authors: {inserted: 1}}",
    ),
]


def test_placeholders_of_a_spec(project: Project) -> None:
    def suite(after: bool) -> str:
        specs = [
            f"  - name: spec {number}\n    operations: [{{sql: {INSERT}}}]\n"
            f"    expect:{(seen if after else written).replace(LINE, LINE + ' ' * 4)}\n"
            for number, (written, seen) in enumerate(STATES)
        ]
        return f"{AUTHORS}specs:\n{''.join(specs)}"

    updated(
        project,
        suite(after=False).replace(INSERT, f'"{INSERT}"'),
        suite(after=True).replace(INSERT, f'"{INSERT}"'),
    )


def test_a_placeholder_fails_where_nothing_is_updated(project: Project) -> None:
    output = project.failure("""
    operations:
      - sql: select 1 as n
        expect: ???
    """)
    assert "specs/books.yaml:3:13" in output
    assert "operation 1 (sql)" in output
    assert "nothing is expected here yet" in output
    assert "pytest --harness-update writes what it sees" in output


# -- what stays

STYLES = """
# yaml-language-server: $schema=../schema.json
name: 'styles'   # quoted
x-parts:
  ann: &ann {id: 1, name: Ann}      # an anchor

seed:
  authors: [{name: Ann}, {name: "Bob"}]

specs:

  - name: block     # of the list

    operations:
      # before the statement
      - sql: >-
          select id, name
          from authors
          order by id
        expect:     # behind the key
          - *ann
          # between the rows
          - id: {$gt: 1}     # a matcher
            name: 'BOB'      # single quotes
      - {sql: "select 1 as a,   2 as b", expect: [ { b: {$lt: 3} , a: 9 } ]}   # flow


  - name: "holds"
    operations:
      - sql: select name from authors order by id
        expect: [ {name: "Ann"}, {name: {$len: 3}}, ]
"""
STYLES_AFTER = STYLES.replace("'BOB'", "'Bob'").replace("a: 9", "a: 1")


@pytest.mark.parametrize("line_break", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("bom", ["", "\ufeff"], ids=["", "bom"])
def test_every_byte_outside_the_changed_nodes_survives(
    project: Project, line_break: str, bom: str
) -> None:
    def content(text: str) -> bytes:
        return (bom + text.lstrip().replace("\n", line_break)).encode()

    file = project.pytester.path / project.spec("")
    file.write_bytes(content(STYLES))

    result = project.run("--harness-update")

    assert file.read_bytes() == content(STYLES_AFTER)
    assert summary(result) == "specs/books.yaml: 2 expectations written in 1 spec"
    settled(project, file)


def test_rows_come_and_go_and_what_holds_in_them_stays(project: Project) -> None:
    before = """
    seed: {authors: [{name: Ann}, {name: Bob}, {name: Cy}]}
    operations:
      - sql: select id, name, id * 2 as two from authors order by id
        expect:
          - {id: 7, name: Nobody}      # goes
          - {id: {$type: int}, name: Ann}    # holds
          - name: {$regex: ^C}         # holds
            id: 8                      # differs
      - sql: select id from authors order by id
        expect:
          - {id: 1}    # the first
          - {id: 2}    # the second
          - {id: 3}    # the third
          - {id: 4}    # the fourth
    """
    after = """
    seed: {authors: [{name: Ann}, {name: Bob}, {name: Cy}]}
    operations:
      - sql: select id, name, id * 2 as two from authors order by id
        expect:
          - {id: {$type: int}, name: Ann}    # holds
          - {id: 2, name: Bob}
          - name: {$regex: ^C}         # holds
            id: 3                      # differs
      - sql: select id from authors order by id
        expect:
          - {id: 1}    # the first
          - {id: 2}    # the second
          - {id: 3}    # the third
    """
    updated(project, before, after)


def test_aliases_and_merge_keys(project: Project) -> None:
    before = """
    x-rows: &rows [{n: 1}]
    x-base: &base {count: 5}
    specs:
      - name: an alias gives way to what was seen
        operations:
          - {sql: select 1 as n, expect: *rows}
          - {sql: select 2 as n, expect: *rows}
      - name: a key overrides the one that is merged
        operations:
          - sql: select 1 as n
            expect: {<<: *base, columns: [n]}
    """
    after = before.replace("2 as n, expect: *rows", "2 as n, expect: [{n: 2}]").replace(
        "columns: [n]", "columns: [n], count: 1"
    )
    updated(project, before, after)


def test_what_an_alias_elsewhere_stands_for_is_left(project: Project) -> None:
    text = """
    specs:
      - name: shared
        operations:
          - sql: select 2 as n
            expect: &rows
              - {n: 1}
          - {sql: select 1 as n, expect: *rows}
    """
    said = left(project, text)
    assert said == (
        "specs/books.yaml: nothing written, 1 left as it is\n"
        "  shared: the alias *rows in line 7 stands for this value, too"
    )


# -- values that are not stable


def test_values_that_no_run_sees_twice_become_matchers(project: Project) -> None:
    volatile = "now() as t, clock_timestamp() as c, gen_random_uuid() as u, random() as r"
    seen = "{t: {$now: 5}, c: {$now: 5}, u: {$type: uuid}, r: {$type: number}}"
    fixed = "7f6f0f5e-0000-4000-8000-000000000001"
    before = f"""
    operations:
      - sql: select {volatile}
        expect: ???
      - sql: select {volatile}
        expect: [{{t: x, c: {{$type: timestamptz}}, u: y, r: 1}}]
      - sql: select '{fixed}'::uuid as u, timestamptz '2020-01-01' as t
        expect: ???
      - sql: select (now() + interval '1 hour')::text as later, current_date as today
        expect: [{{later: "???", today: "???"}}]
    """
    after = f"""
    operations:
      - sql: select {volatile}
        expect:
          - {seen}
      - sql: select {volatile}
        expect: [{seen.replace("c: {$now: 5}", "c: {$type: timestamptz}")}]
      - sql: select '{fixed}'::uuid as u, timestamptz '2020-01-01' as t
        expect:
          - {{u: {fixed}, t: 2020-01-01 00:00:00+00}}
      - sql: select (now() + interval '1 hour')::text as later, current_date as today
        expect: [{{later: {{$type: text}}, today: {{$type: date}}}}]
    """
    updated(project, before, after)


def test_a_number_of_rows_that_no_run_sees_twice_is_left(project: Project) -> None:
    said = left(
        project,
        """
        operations:
          - sql: select generate_series(1, extract(epoch from clock_timestamp())::bigint % 100000 / 1) as n limit 0
            expect: {count: 0}
          - sql: select (random() * 1e9)::bigint as n
            expect: {affected: 1}
          - sql: select n from generate_series(1, (random() * 9999)::int) as n
            expect: {count: "???"}
        """,
    )
    assert said == (
        "specs/books.yaml: nothing written, 1 left as it is\n"
        "  books: operations[2].expect.count: it differs from run to run"
    )


def test_now_and_same_that_do_not_hold(project: Project) -> None:
    before = """
    specs:
      - name: now
        operations:
          - sql: select timestamptz '2020-01-01' as t
            expect: [{t: {$now: 5}}]
      - name: same
        operations:
          - sql: select 1 as a, 1 as b, 2 as c
            expect: [{a: {$same: x}, b: {$same: x}, c: {$same: x}}]
    """
    after = before.replace("{$now: 5}", "2020-01-01 00:00:00+00").replace("c: {$same: x}", "c: 2")
    updated(project, before, after)


# -- cases

CASES = """
specs:
  - name: of both [kinds]
    cases: [{a: 1}, {a: 2}]
    operations:
      - sql: select :a as a, 5 as b
        params: {a: "{{ case.a }}"}
        expect: [{a: "{{ case.a }}", b: 4}]
"""


def test_cases_that_agree(project: Project) -> None:
    file = project.pytester.path / project.spec(CASES)

    first = project.run("--harness-update")

    assert first.parseoutcomes() == {"failed": 2}  # whether they agree is known when all have run
    assert summary(first) == "specs/books.yaml: 1 expectation written in 1 spec"
    assert file.read_text() == CASES.lstrip().replace("b: 4", "b: 5")
    settled(project, file)


def test_cases_that_differ(project: Project) -> None:
    said = left(project, CASES.replace("5 as b", ":a + 6 as b"))
    assert said == (
        "specs/books.yaml: nothing written, 1 left as it is\n"
        "  of both [kinds]: its cases differ: write what differs as a template over\n"
        "    `case`"
    )


def test_cases_of_which_some_do_not_run(project: Project) -> None:
    said = left(project, CASES, "--deselect", "specs/books.yaml::of both [kinds][1]")
    assert said == (
        "specs/books.yaml: nothing written, 1 left as it is\n"
        "  of both [kinds]: some of its cases did not run: run them all"
    )


# -- what is left, and why

LEFT: list[tuple[str, str, str]] = [
    (
        "a template",
        """
        vars: {n: 5}
        operations: [{sql: select 1 as n, expect: [{n: "{{ n }}"}]}]
        """,
        "1 left as it is spec: operations[0].expect[0].n: it is a template",
    ),
    (
        "a template of the whole",
        """
        cases: [{id: a, want: {count: 5, notices: [x]}}]
        operations: [{sql: select 1 as n, expect: "{{ case.want }}"}]
        """,
        "2 left as they are spec[a]: operations[0].expect: it is a template"
        " spec[a]: operations[0].expect.notices: it is a template",
    ),
    (
        "an operation that fails",
        "operations: [{sql: select nope}]",
        '1 left as it is spec: operations[0].sql: the operation failed: column "nope" does not exist',
    ),
    (
        "an error that does not come",
        "operations: [{sql: select 1, expect: {error: unique_violation}}]",
        "1 left as it is spec: operations[0].expect.error: the operation succeeded, an error was expected",
    ),
    (
        "a part of an error that does not come",
        "operations: [{sql: select 1, expect: {error: {condition: '???'}}}]",
        "1 left as it is spec: operations[0].expect.error.condition: "
        "the operation succeeded, an error was expected",
    ),
    (
        "a plan",
        f"operations: [{{sql: '{BY_ID}', expect: {{plan: {{index: books_pkey}}}}}}]",
        "1 left as it is spec: operations[0].expect.plan.index: the statement does not read "
        "books, which the index books_pkey is on",
    ),
    (
        "a table that is none",
        "operations: [{sql: select 1, expect: {changes: {nope: {inserted: 1}}}}]",
        "1 left as it is spec: operations[0].expect.changes.nope: there is no table 'nope'",
    ),
    (
        "a bad seed",
        "seed: {authors: [{nope: 1}]}\noperations: [{sql: select 1 as n, expect: [{n: 2}]}]",
        "1 left as it is spec: seed: the table 'authors' has no column 'nope'",
    ),
    (
        "a transaction that was ended",
        "operations: [{sql: select 1 as n, expect: [{n: 2}]}, {sql: commit}]",
        "1 left as it is spec: operations[1]: the spec's transaction was ended here",
    ),
]


@pytest.mark.parametrize(("text", "said"), [case[1:] for case in LEFT], ids=[c[0] for c in LEFT])
def test_what_cannot_be_written_is_left_and_still_fails(
    project: Project, text: str, said: str
) -> None:
    spec = indent(dedent(text).strip(), "    ").removeprefix("    ")
    path = f"specs:\n  - name: spec\n    {spec}\n"
    told = " ".join(left(project, path).split())  # whatever the width
    assert told == f"specs/books.yaml: nothing written, {said}"
    assert project.run().parseoutcomes() == {"failed": 1}
    assert project.run("--harness-update").parseoutcomes()["failed"] == 1


def test_what_would_be_no_spec_any_more_is_left_and_all_others_are_written(
    project: Project,
) -> None:
    before = """
    specs:
      - name: same
        operations:
          - sql: select 1 as a, 2 as b
            expect: [{a: {$same: x}, b: {$same: x}}]
      - name: other
        operations: [{sql: select 1 as n, expect: [{n: 2}]}]
    """
    file = project.pytester.path / project.spec(before)

    result = project.run("--harness-update")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert file.read_text() == dedent(before).lstrip().replace("n: 2", "n: 1")
    assert summary(result) == (
        "specs/books.yaml: 1 expectation written in 1 spec, 1 left as it is\n"
        "  same: what was seen cannot be expected so: `$same: x` stands in one place\n"
        "    only: it could never fail"
    )


WRONG = "operations: [{sql: select 1 as n, expect: [{n: 2}]}]\n"
RIGHT = WRONG.replace("n: 2", "n: 1")


def test_an_expected_failure_may_have_a_placeholder(project: Project) -> None:
    text = "xfail: true\noperations: [{sql: select 1 as n, expect: '???'}]\n"
    file = project.pytester.path / project.spec(text)
    assert project.run().parseoutcomes() == {"xfailed": 1}
    assert project.run("--harness-update").parseoutcomes() == {"xfailed": 1}
    assert file.read_text() == text


def test_a_placeholder_that_nothing_can_be_written_for_fails(project: Project) -> None:
    file = project.pytester.path / project.spec(
        """
        operations:
          - sql: select 1 as n, 2 as n
            expect: {rows: "???", count: "???"}
        """
    )
    result = project.run("--harness-update")
    assert result.parseoutcomes() == {"failed": 1}
    assert 'expect: {rows: "???", count: 1}' in file.read_text()
    result.stdout.fnmatch_lines(
        [
            "operation 1 (sql)",
            "specs/books.yaml:3:20",
            "nothing is expected here yet",
            "hint: the summary of --harness-update says why it stays",
        ]
    )
    assert summary(result).endswith("the result has no columns, or several of one\n    name")


def test_a_spec_that_ends_at_a_broken_template_still_fails(project: Project) -> None:
    before = """
    vars: {zero: "{{ 0 }}"}
    operations:
      - {sql: select 1 as n, expect: [{n: 2}]}
      - {sql: select 1 as n, expect: [{n: "{{ 1 / zero }}"}]}
    """
    file = project.pytester.path / project.spec(before)
    result = project.run("--harness-update")
    assert result.parseoutcomes() == {"failed": 1}
    assert file.read_text() == dedent(before).lstrip().replace("n: 2", "n: 1")
    assert "operations[1].expect.rows[0].n: the template" in summary(result)


def test_a_spec_that_cannot_run_here_may_have_a_placeholder(project: Project) -> None:
    text = "requires: {postgres: '<10'}\noperations: [{sql: select 1 as n, expect: '???'}]\n"
    assert project.outcomes(text) == {"skipped": 1}


@pytest.mark.parametrize("mark", ["xfail: true", "skip: true", "requires: {postgres: '<10'}"])
def test_specs_that_are_to_fail_or_not_to_run_are_left(project: Project, mark: str) -> None:
    file = project.pytester.path / project.spec(f"{mark}\n{WRONG}")
    result = project.run("--harness-update")
    assert result.ret == 0
    assert summary(result) == ""
    assert file.read_text() == f"{mark}\n{WRONG}"


def test_specs_that_are_deselected_are_left(project: Project) -> None:
    suite = "specs:\n- {name: first, %s}\n- {name: second, %s}\n"
    file = project.pytester.path / project.spec(suite % (WRONG.strip(), WRONG.strip()))
    result = project.run("--harness-update", "-k", "second")
    assert result.parseoutcomes() == {"passed": 1, "deselected": 1}
    assert file.read_text() == suite % (WRONG.strip(), RIGHT.strip())


def test_collecting_writes_nothing(project: Project) -> None:
    file = project.pytester.path / project.spec(WRONG)
    assert project.run("--harness-update", "--collect-only").ret == 0
    assert file.read_text() == WRONG


def test_a_file_that_does_not_load_stops_the_update(project: Project) -> None:
    file = project.pytester.path / project.spec(WRONG, "wrong.yaml")
    project.spec("operations: [{sql: select 1, expect: {tables: '???'}}]", "broken.yaml")
    result = project.run("--harness-update")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert file.read_text() == WRONG


# -- files


def test_a_file_outside_the_project_is_left(project: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text(WRONG)
    result = project.run("--harness-update", f"--rootdir={project.pytester.path}", str(outside))
    assert result.parseoutcomes() == {"failed": 1}
    assert summary(result) == (
        f"{outside}: nothing written, 1 left as it is\n  the file lies outside the project"
    )
    assert outside.read_text() == WRONG


def test_a_link_that_leads_outside_is_left(project: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text(WRONG)
    project.pytester.path.joinpath("specs/link.yaml").symlink_to(outside)
    result = project.run("--harness-update")
    assert result.parseoutcomes() == {"failed": 1}
    assert summary(result) == (
        "specs/link.yaml: nothing written, 1 left as it is\n  the file lies outside the project"
    )
    assert outside.read_text() == WRONG


def test_a_link_inside_stays_one(project: Project) -> None:
    file = project.pytester.path / "real.yaml"
    file.write_text(WRONG)
    file.chmod(0o640)
    link = project.pytester.path.joinpath("specs/link.yaml")
    link.symlink_to(file)
    assert project.run("--harness-update").ret == 0
    assert link.is_symlink()
    assert file.read_text() == RIGHT
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_read_only_file_is_left(project: Project) -> None:
    file = project.pytester.path / project.spec(WRONG)
    file.chmod(0o444)
    result = project.run("--harness-update")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert summary(result) == (
        "specs/books.yaml: nothing written, 1 left as it is\n"
        "  the file cannot be written, and is as it was: it is read-only"
    )
    assert file.read_text() == WRONG


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("item.path.write_text(item.path.read_text() + '# mine')", "the file has changed since it was read, and is left as it is"),
        ("item.path.unlink()", "the file cannot be read: No such file or directory"),
    ],
    ids=["changed", "removed"],
)  # fmt: skip
def test_a_file_that_changes_meanwhile_is_left(project: Project, change: str, said: str) -> None:
    project.pytester.makeconftest(f"def pytest_runtest_setup(item):\n    {change}\n")
    file = project.pytester.path / project.spec(WRONG)
    result = project.run("--harness-update")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert summary(result) == f"specs/books.yaml: nothing written, 1 left as it is\n  {said}"
    assert not file.exists() or file.read_text() == WRONG + "# mine"


def test_nothing_else_is_left_in_the_folder(project: Project) -> None:
    file = project.pytester.path / project.spec(WRONG)
    project.run("--harness-update")
    assert [each.name for each in file.parent.iterdir()] == [file.name]


# -- the run


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_several_files_and_what_is_said_of_them(project: Project, workers: tuple[str, ...]) -> None:
    suite = "specs:\n- name: first\n  {}- name: second\n  {}- name: third\n  {}"
    template = 'operations: [{sql: select 1 as n, expect: [{n: "{{ 1 + 1 }}"}]}]\n'
    texts = {
        "a.yaml": suite.format(WRONG, RIGHT, WRONG.replace("n: 2", "n: 2, m: 3")),
        "b/b.yaml": suite.format(RIGHT, RIGHT, RIGHT),
        "b/c.yaml": suite.format(RIGHT, RIGHT, WRONG),
        "d.yaml": suite.format(template, RIGHT, WRONG),
        "e.yaml": suite.format(template, RIGHT, RIGHT),
    }
    files = {name: project.pytester.path / project.spec(text, name) for name, text in texts.items()}

    result = project.run("--harness-update", *workers)

    assert result.parseoutcomes() == {"passed": 13, "failed": 2}
    assert summary(result) == (
        "specs/a.yaml: 3 expectations written in 2 specs\n"
        "specs/b/c.yaml: 1 expectation written in 1 spec\n"
        "specs/d.yaml: 1 expectation written in 1 spec, 1 left as it is\n"
        "  first: operations[0].expect[0].n: it is a template\n"
        "specs/e.yaml: nothing written, 1 left as it is\n"
        "  first: operations[0].expect[0].n: it is a template"
    )
    contents = {name: file.read_text() for name, file in files.items()}
    assert contents == {
        "a.yaml": suite.format(RIGHT, RIGHT, RIGHT),
        "b/b.yaml": texts["b/b.yaml"],
        "b/c.yaml": suite.format(RIGHT, RIGHT, RIGHT),
        "d.yaml": suite.format(template, RIGHT, RIGHT),
        "e.yaml": texts["e.yaml"],
    }


STOPPING = "specs:\n- name: first\n  {}- name: second\n  operations: [{{sql: select nope}}]\n- name: third\n  {}"


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_a_run_that_ends_at_a_failure_writes_what_it_saw(
    project: Project, workers: tuple[str, ...]
) -> None:
    file = project.pytester.path / project.spec(STOPPING.format(WRONG, WRONG))
    result = project.run("--harness-update", "-x", *workers)
    assert result.ret != 0
    assert file.read_text() in (STOPPING.format(RIGHT, WRONG), STOPPING.format(RIGHT, RIGHT))
    assert summary(result).startswith("specs/books.yaml: ")


def test_a_run_that_is_interrupted_writes_nothing(project: Project) -> None:
    project.pytester.makeconftest(
        "def pytest_runtest_setup(item):\n    if item.name == 'second':\n        raise KeyboardInterrupt\n"
    )
    file = project.pytester.path / project.spec(STOPPING.format(WRONG, WRONG))
    result = project.pytester.runpytest("--harness-update", no_reraise_ctrlc=True)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert summary(result) == "the run was interrupted: nothing is written"
    assert file.read_text() == STOPPING.format(WRONG, WRONG)


def test_expectations_that_hold_are_not_touched(project: Project) -> None:
    file = project.pytester.path / project.spec(RIGHT.replace("n: 1", "n:   1.0"))
    settled(project, file)


def test_equal_rows_are_each_written(project: Project) -> None:
    before = """
    seed: {authors: [{name: Ann}, {name: Ann}, {name: Ann}]}
    operations:
      - sql: select name from authors
        expect: []
      - sql: select name from authors
        expect: {order: any, rows: [{name: Ann}]}
      - sql: >-
          select '["x", "x", "x"]'::jsonb as data
        expect: [{data: [x]}]
      - sql: do $$ begin raise notice 'n'; raise notice 'n'; end $$
        expect: {notices: []}
      - sql: insert into authors (name) values ('Bob'), ('Bob')
        expect: {changes: {authors: {inserted: [{name: Bob}]}}}
    expect: {tables: {authors: {where: name = 'Ann', columns: [name], rows: [{name: Ann}]}}}
    """
    file = project.pytester.path / project.spec(before)
    project.run("--harness-update")
    settled(project, file)
    assert file.read_text().count("name: Ann}") == 3 + 3 + 3 + 3


def test_a_mistake_in_a_statement_is_not_expected(project: Project) -> None:
    said = left(project, "operations: [{sql: select nope, expect: '???'}]")
    assert "does not exist (`error: ???` would expect that)" in " ".join(said.split())
    project.spec("operations: [{sql: select nope, expect: {error: '???'}}]")
    assert project.run("--harness-update").ret == 0


# -- what an application gives

LIBRARY = """
import json
from dataclasses import dataclass
from datetime import datetime, timezone
from uuid import UUID, uuid4

from pydantic import BaseModel
from sqlalchemy import ForeignKey, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    books: Mapped[list["Book"]] = relationship(back_populates="author")


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    title: Mapped[str]
    author: Mapped[Author] = relationship(back_populates="books")


class Volume(BaseModel):
    title: str
    pages: int | None = None


@dataclass
class Shelf:
    name: str
    volumes: list[Volume]
    extra: dict


@dataclass
class Loan:
    id: UUID
    at: datetime
    by: str


class UnknownAuthor(Exception):
    def __init__(self, id):
        super().__init__(f"there is no author {id}")
        self.id = id


def shelf():
    volumes = [Volume(title="One", pages=5), Volume(title="Two")]
    return Shelf("top", volumes, {"dusty": True, "marks": [1, {"a": "5"}]})


def loan(by="Ann"):
    return Loan(uuid4(), datetime.now(timezone.utc), by)


def add_book(session: Session, author: int, title: str):
    book = Book(author_id=author, title=title)
    session.add(book)
    session.commit()
    return book


def author(session: Session, id: int):
    found = session.get(Author, id)
    if found is None:
        raise UnknownAuthor(id)
    found.books
    return found


def names(session: Session, ids: list[int]):
    statement = text("select name from authors where id = :id")
    return [session.scalar(statement, {"id": id}) for id in ids]


def nothing():
    pass


def broken():
    return nothing().title


def misspelt(session: Session):
    session.execute(text("select nope"))


def stream():
    return iter([1])


JSON = [("Content-Type", "application/json"), ("X-Served-By", "test")]
PLAIN = [("Content-Type", "text/plain")]
ANSWERS = {
    "/authors": ("200 OK", JSON, [{"id": 1, "name": "Ann"}, {"id": 2, "name": "Bob"}]),
    "/hello": ("200 OK", PLAIN, b"hello: world"),
    "/empty": ("204 No Content", [], b""),
    "/missing": ("404 Not Found", JSON, {"detail": "Not Found"}),
    "/down": ("503 Service Unavailable", PLAIN, b"down"),
    "/image": ("200 OK", [("Content-Type", "image/png")], b"\\x89PNG\\x00"),
}


def web(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/raises":
        raise UnknownAuthor(7)
    if path == "/loan":
        loan = {"id": str(uuid4()), "at": datetime.now(timezone.utc).isoformat(), "by": "Ann"}
        ANSWERS[path] = ("201 Created", JSON, loan)
    status, headers, body = ANSWERS[path]
    start_response(status, headers)
    return [body if isinstance(body, bytes) else json.dumps(body).encode()]
"""


@pytest.fixture
def library(project: Project) -> Project:
    """A project with an application."""
    project.configure('app = "library:web"')
    project.pytester.path.joinpath("library.py").write_text(LIBRARY)
    return project


def call(name: str, **arguments: object) -> str:
    """An operation that calls the application, in flow style."""
    given = f", with: {show(arguments)}" if arguments else ""
    return f"call: library:{name}{given}"


def http(path: str) -> str:
    return f"http: GET {path}"


Answers = list[tuple[str, str, str]]
"""Operations, what they expect, and what is written instead."""

UNWRITTEN: Answers = [
    (call("names", ids=[1, 2]), "???", "{result: [Ann, Bob]}"),
    (call("nothing"), "???", "{result: null}"),
    (
        call("shelf"),
        "{result: '???'}",
        "{result: {name: top, volumes: [{title: One, pages: 5}, {title: Two, pages: null}],"
        " extra: {dusty: true, marks: [1, {a: '5'}]}}}",
    ),
    (call("loan"), "???", "{result: {id: {$type: uuid}, at: {$now: 5}, by: Ann}}"),
    (
        call("add_book", author=1, title="Of Ann"),
        "{result: '???', changes: '???', queries: '???'}",
        "{result: {id: 1, author_id: 1, title: Of Ann}, changes: {books: {inserted: 1}}, queries: 1}",
    ),
    (
        call("shelf"),
        "{result: {volumes: [{title: One}, '???'], extra: {dusty: '???', marks: '???'}}}",
        "{result: {volumes: [{title: One}, {title: Two, pages: null}],"
        " extra: {dusty: true, marks: [1, {a: '5'}]}}}",
    ),
    (
        call("names", ids=[1, 2, 1]),
        "{queries: {max: '???', repeated: '???'}}",
        "{queries: {max: 3, repeated: 2}}",
    ),
    (
        call("author", id=7),
        "???",
        "{error: {exception: UnknownAuthor, message: there is no author 7}}",
    ),
    (
        call("author", id=7),
        "{error: '???'}",
        "{error: {exception: UnknownAuthor, message: there is no author 7}}",
    ),
    (
        call("author", id=7),
        "{error: {exception: UnknownAuthor, message: '???', id: '???'}}",
        "{error: {exception: UnknownAuthor, message: there is no author 7, id: 7}}",
    ),
    (
        call("add_book", author=99, title="x"),
        "???",
        "{error: {condition: foreign_key_violation, constraint: books_author_id_fkey}}",
    ),
    (
        call("broken"),
        "{error: '???'}",
        "{error: {exception: AttributeError, message:"
        " \"'NoneType' object has no attribute 'title'\"}}",
    ),
    (
        http("/authors"),
        "???",
        "{status: 200, json: [{id: 1, name: Ann}, {id: 2, name: Bob}]}",
    ),
    (
        http("/loan"),
        "???",
        "{status: 201, json: {id: {$type: uuid}, at: {$now: 5}, by: Ann}}",
    ),
    (http("/hello"), "???", "{status: 200, text: 'hello: world'}"),
    (http("/empty"), "???", "{status: 204}"),
    (http("/image"), "???", "{status: 200}"),
    (http("/missing"), "???", "{status: 404, json: {detail: Not Found}}"),
    (
        http("/missing"),
        "{status: '???', json: {detail: '???'}}",
        "{status: 404, json: {detail: Not Found}}",
    ),
    (http("/down"), "{status: '???', text: '???'}", "{status: 503, text: down}"),
    (
        http("/authors"),
        "{headers: {x-served-by: '???'}, json: [{id: 1, name: '???'}, '???'], queries: '???'}",
        "{headers: {x-served-by: test}, json: [{id: 1, name: Ann}, {id: 2, name: Bob}], queries: 0}",
    ),
    (
        http("/raises"),
        "???",
        "{error: {exception: UnknownAuthor, message: there is no author 7}}",
    ),
    ("sql: select 1", "{queries: '???'}", "{queries: 1}"),
]

WRONG_ANSWERS: Answers = [
    (call("names", ids=[1, 2]), "{result: [Ann, Cy]}", "{result: [Ann, Bob]}"),
    (call("names", ids=[1]), "{result: null}", "{result: [Ann]}"),
    (
        call("shelf"),
        "{result: {name: {$len: 3}, volumes: [{title: {$regex: ^O}, pages: 6}], extra:"
        " {$partial: {dusty: false}}}}",
        "{result: {name: {$len: 3}, volumes: [{title: {$regex: ^O}, pages: 5}, {title: Two,"
        " pages: null}], extra: {$partial: {dusty: true}}}}",
    ),
    (
        call("shelf"),
        "{result: {nmae: top, name: 5, extra: {dusty: true, marks: [1, {a: 5}], more: 1}}}",
        "{result: {name: top, extra: {dusty: true, marks: [1, {a: '5'}]}}}",
    ),
    (
        call("loan"),
        "{result: {id: 7f6f0f5e-0000-4000-8000-000000000001, at: 2020-01-01T00:00:00Z, by: {$type: text}}}",
        "{result: {id: {$type: uuid}, at: {$now: 5}, by: {$type: text}}}",
    ),
    (
        call("author", id=1),
        "{result: {id: 1, books: [{title: x}], name: {$any: true}}, queries: {max: 1, repeated: 0}}",
        "{result: {id: 1, books: [], name: {$any: true}}, queries: {max: 2, repeated: 0}}",
    ),
    (
        call("names", ids=[1, 2, 1]),
        "{queries: {max: {$lt: 9}, repeated: 0}}",
        "{queries: {max: {$lt: 9}, repeated: 2}}",
    ),
    (call("names", ids=[1, 2, 1]), "{queries: {$lt: 3}}", "{queries: 3}"),
    (call("author", id=7), "{error: LookupError}", "{error: UnknownAuthor}"),
    (
        call("author", id=7),
        "{error: {exception: UnknownAuthor, id: 8, message: {$contains: author}}}",
        "{error: {exception: UnknownAuthor, id: 7, message: {$contains: author}}}",
    ),
    (
        http("/authors"),
        "{status: 201, json: [{id: {$type: int}, name: Ann}], headers: {X-Served-By: {$len: 4},"
        " content-type: x}}",
        "{status: 200, json: [{id: {$type: int}, name: Ann}, {id: 2, name: Bob}], headers:"
        " {X-Served-By: {$len: 4}, content-type: application/json}}",
    ),
    (
        http("/loan"),
        "{status: {$lt: 300}, json: {id: x, at: {$now: 9}, by: Bob, more: 1}}",
        "{status: {$lt: 300}, json: {id: {$type: uuid}, at: {$now: 9}, by: Ann}}",
    ),
    (http("/hello"), "{text: hello}", "{text: 'hello: world'}"),
    (
        http("/missing"),
        "{status: 200, json: {detail: x}}",
        "{status: 404, json: {detail: Not Found}}",
    ),
]


@pytest.mark.parametrize("answers", [UNWRITTEN, WRONG_ANSWERS], ids=["unwritten", "wrong"])
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_what_an_application_gives(
    library: Project, answers: Answers, workers: tuple[str, ...]
) -> None:
    def suite(column: int) -> str:
        specs = "".join(
            f"  - name: spec {number}\n    operations: [{{{each[0]}, expect: {flow(each[column])}}}]\n"
            for number, each in enumerate(answers)
        )
        return f"{AUTHORS}specs:\n{specs}"

    updated(library, suite(1), suite(2), *workers)


def flow(expect: str) -> str:
    return "'???'" if expect == "???" else expect


def test_what_an_application_gives_in_block_style(library: Project) -> None:
    before = """
    operations:
      - call: library:shelf
        expect: ???     # all of it
      - call: library:shelf
        expect:
          result:
            name: {$len: 3}    # holds
            volumes: ???
      - http: GET /authors
        expect:
          status: ???
          json:
            # by their names
            - {id: 1, name: Ann}
            - {id: 3, name: Bob}    # differs
    """
    after = """
    operations:
      - call: library:shelf
        expect:     # all of it
          result:
            name: top
            volumes:
              - {title: One, pages: 5}
              - {title: Two, pages: null}
            extra:
              dusty: true
              marks:
                - 1
                - {a: '5'}
      - call: library:shelf
        expect:
          result:
            name: {$len: 3}    # holds
            volumes:
              - {title: One, pages: 5}
              - {title: Two, pages: null}
      - http: GET /authors
        expect:
          status: 200
          json:
            # by their names
            - {id: 1, name: Ann}
            - {id: 2, name: Bob}    # differs
    """
    updated(library, before, after)


def test_what_an_application_gives_in_cases(library: Project) -> None:
    before = """
    seed: {authors: {ann: {name: Ann}, bob: {name: Bob}}}
    specs:
      - name: names
        cases: [{id: 1}, {id: 2}]
        operations:
          - call: library:names
            with: {ids: ["{{ case.id }}"]}
            expect: {result: "{{ ['Ann'] if case.id == 1 else ['Bob'] }}", queries: "???"}
    """
    file = library.pytester.path / library.spec(before)
    library.run("--harness-update")
    assert file.read_text() == dedent(before).lstrip().replace('"???"', "1")
    settled(library, file)


REFUSED: Answers = [
    (call("stream"), "???", "expect: a list_iterator can be read only once"),
    (
        call("author", id=7),
        "{result: {id: 7}}",
        "call: the operation failed: there is no author 7",
    ),
    (
        call("broken"),
        "???",
        "expect: the operation failed: 'NoneType' object has no attribute 'title'"
        " (`error: ???` would expect that)",
    ),
    (
        call("misspelt"),
        "???",
        'expect: the operation failed: column "nope" does not exist'
        " (`error: ???` would expect that)",
    ),
    (
        call("nothing"),
        "{error: '???'}",
        "expect.error: the operation succeeded, an error was expected",
    ),
    (
        http("/missing"),
        "{json: {detail: x}, queries: 5}",
        "http: the request failed: 404 Not Found (`status: ???` would expect that)",
    ),
    (
        http("/down"),
        "{status: 200, text: up}",
        "http: the request failed: 503 Service Unavailable (`status: ???` would expect that)",
    ),
    (
        http("/down"),
        "???",
        "http: the request failed: 503 Service Unavailable (`status: ???` would expect that)",
    ),
    (
        http("/raises"),
        "{status: 200}",
        "http: the operation failed: there is no author 7",
    ),
    (http("/hello"), "{json: '???'}", "expect.json: the body is not JSON"),
    (http("/empty"), "{json: {a: 1}}", "expect.json: the body is empty"),
    (http("/hello"), "{headers: {x-none: a}}", "expect.headers.x-none: there is no such header"),
    (
        http("/hello"),
        "{headers: {x-none: '???'}}",
        "expect.headers.x-none: there is no such header",
    ),
]


@pytest.mark.parametrize(("operation", "expect", "said"), REFUSED)
def test_what_an_application_gives_and_cannot_be_written(
    library: Project, operation: str, expect: str, said: str
) -> None:
    text = f"""
    specs:
      - name: spec
        operations: [{{{operation}, expect: {flow(expect)}}}]
    """
    told = " ".join(left(library, text).split())
    assert told == (
        f"specs/books.yaml: nothing written, 1 left as it is spec: operations[0].{said}"
    )
    assert library.run().parseoutcomes() == {"failed": 1}


def test_a_request_that_fails_and_expects_nothing_is_left(library: Project) -> None:
    said = left(library, "operations: [{http: GET /missing}]")
    assert said == (
        "specs/books.yaml: nothing written, 1 left as it is\n"
        "  books: operations[0].http: the request failed: 404 Not Found (`status: ???`\n"
        "    would expect that)"
    )


@pytest.mark.parametrize(
    "failing",
    [
        "{http: GET /missing, expect: {json: []}}",
        "{call: library:broken, expect: '???'}",
        "{sql: select nope, expect: '???'}",
    ],
)
def test_after_an_operation_that_fails_nothing_is_written(library: Project, failing: str) -> None:
    before = f"""
    operations:
      - {{sql: select 1 as n, expect: [{{n: 2}}]}}
      - {failing}
      - {{sql: select 1 as n, expect: [{{n: 2}}]}}
    expect: {{changes: {{authors: {{inserted: 1}}}}}}
    """
    file = library.pytester.path / library.spec(before)
    result = library.run("--harness-update")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert file.read_text() == dedent(before).lstrip().replace("n: 2", "n: 1", 1)
