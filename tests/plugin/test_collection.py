"""Specs are items like any others: selected, listed, marked and reported as Python tests are."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tests.plugin.conftest import Project

TWO = """
specs:
  - name: one is one
    tags: [quick]
    operations:
      - sql: select 1 as n
        expect: [{n: 1}]
  - name: one is two
    operations:
      - sql: select 1 as n
        expect: [{n: 2}]
"""
CASES = """
name: sums
cases:
  - {a: 1, b: 2, id: small}
  - {a: 10, b: x}
  - {a: 1.50, b: null}
operations:
  - sql: select 1 as n
    expect: [{n: 1}]
"""


def test_ids(project: Project) -> None:
    project.spec(TWO)
    project.spec(CASES, "sums.yaml")
    listed = project.run("--collect-only", "-q").stdout
    listed.fnmatch_lines(
        [
            "specs/books.yaml::one is one",
            "specs/books.yaml::one is two",
            "specs/sums.yaml::sums[[]small[]]",
            "specs/sums.yaml::sums[[]10-x[]]",
            "specs/sums.yaml::sums[[]1.50-null[]]",
        ],
        consecutive=True,
    )


def test_pass_and_fail(project: Project) -> None:
    assert project.outcomes(TWO) == {"passed": 1, "failed": 1}


def test_selection(project: Project) -> None:
    path = project.spec(TWO)
    assert project.run("-k", "two").parseoutcomes() == {"failed": 1, "deselected": 1}
    assert project.run("-m", "quick").parseoutcomes() == {"passed": 1, "deselected": 1}
    assert project.run(f"{path}::one is two").parseoutcomes() == {"failed": 1}
    assert project.run(f"{path}::no such spec").ret == 4


def test_a_case_is_selected_alone_or_with_its_spec(project: Project) -> None:
    path = project.spec(CASES)
    assert project.run(f"{path}::sums[small]").parseoutcomes() == {"passed": 1}
    assert project.run(f"{path}::sums").parseoutcomes() == {"passed": 3}


def test_last_failed(project: Project) -> None:
    project.spec(TWO)
    project.run()
    assert project.run("--lf").parseoutcomes() == {"failed": 1}


def test_last_failed_knows_cases(project: Project) -> None:
    project.spec(CASES.replace("expect: [{n: 1}]", 'expect: [{n: "{{ case.a }}"}]'))
    project.spec(TWO, "two.yaml")
    assert project.run().parseoutcomes() == {"failed": 3, "passed": 2}
    again = project.run("--lf", "-v")
    assert again.parseoutcomes() == {"failed": 3}
    again.stdout.fnmatch_lines(["specs/books.yaml::sums[[]10-x[]] FAILED*"])


def test_the_line_of_a_spec_is_reported(project: Project) -> None:
    path = project.spec(TWO)
    project.run(path, "--junitxml=junit.xml", "-o", "junit_family=xunit1")
    case = next(ET.parse(project.pytester.path / "junit.xml").getroot().iter("testcase"))
    assert case.get("file") == path
    assert case.get("line") == "1"
    assert case.get("name") == "one is one"


def test_two_workers(project: Project) -> None:
    project.spec(TWO)
    project.spec(CASES, "sums.yaml")
    result = project.run("-n", "2")
    assert result.parseoutcomes() == {"passed": 4, "failed": 1}
    result.stdout.fnmatch_lines(["*one is two*"])


def test_more_workers_than_allowed_are_lowered(project: Project) -> None:
    project.spec(CASES)
    result = project.run("-n", "8")
    result.stdout.fnmatch_lines(["harness: pglite, at most 2 workers, lowered from 8"])
    result.stdout.fnmatch_lines(["*2 workers*"])
    assert result.parseoutcomes() == {"passed": 3}


def test_skip_and_xfail(project: Project) -> None:
    result = project.run(
        project.spec("""
        specs:
          - name: skipped with a reason
            skip: not today
            operations: [{sql: select 1}]
          - name: skipped without
            skip: true
            operations: [{sql: select 1}]
          - name: fails as it should
            xfail: known bug
            operations: [{sql: select 1/0}]
          - name: passes although it should not
            xfail: true
            operations: [{sql: select 1}]
        """),
        "-rs",
    )
    assert result.parseoutcomes() == {"skipped": 2, "xfailed": 1, "failed": 1}
    result.stdout.fnmatch_lines(["*not today*"])
    result.stdout.fnmatch_lines(["*XPASS(strict)*"])


def test_requires(project: Project) -> None:
    result = project.run(
        project.spec("""
        specs:
          - name: runs
            requires: {backend: pglite, postgres: ">=17", extensions: [plpgsql], python: [json]}
            operations: [{sql: select 1}]
          - name: native only
            requires: {backend: postgres}
            operations: [{sql: select 1}]
          - name: old only
            requires: {postgres: "<17"}
            operations: [{sql: select 1}]
          - name: needs vector
            requires: {extensions: [vector]}
            operations: [{sql: select 1}]
          - name: needs a module
            requires: {python: [no_such_module]}
            operations: [{sql: select 1}]
        """),
        "-rs",
    )
    assert result.parseoutcomes() == {"passed": 1, "skipped": 4}
    result.stdout.fnmatch_lines_random(
        [
            "*requires the backend postgres*",
            "*requires PostgreSQL <17, this is 18*",
            "*requires the extension vector*",
            "*requires the Python module no_such_module*",
        ]
    )


def test_which_files_are_collected(project: Project) -> None:
    passing = "operations: [{sql: select 1}]"
    root = project.pytester.path
    project.spec(passing, "a.yaml")
    project.spec(passing, "deep/b.yml")
    project.spec("vars: {a: 1}", "_shared.yaml")
    root.joinpath("elsewhere.yaml").write_text("not: a spec")
    root.joinpath("c.spec.yaml").write_text(passing)
    result = project.run("--collect-only", "-q")
    assert result.stdout.lines[:3] == [
        "c.spec.yaml::c",
        "specs/a.yaml::a",
        "specs/deep/b.yml::b",
    ]


def test_other_globs(project: Project) -> None:
    project.spec("operations: [{sql: select 1}]", "a.yaml")
    root = project.pytester.path
    root.joinpath("contracts").mkdir()
    root.joinpath("contracts", "b.yaml").write_text("operations: [{sql: select 1}]")
    result = project.run("--collect-only", "-q", "-o", "harness_files=contracts/*.yaml")
    assert result.stdout.lines[:2] == ["contracts/b.yaml::b", ""]


def test_a_file_that_is_named_must_hold_specs(project: Project) -> None:
    root = project.pytester.path
    for name, text, message in [
        ("other.yaml", "services: {}", "*other.yaml:1:1: this file holds no spec*"),
        ("empty.yaml", "", "*empty.yaml:1:1: this file holds no spec*"),
        ("specs/_part.yaml", "vars: {a: 1}", "*_part.yaml:1:1: *shared part*"),
        ("none.yaml", "specs: []", "*none.yaml:1:8: this is empty*"),
    ]:
        root.joinpath(name).write_text(text)
        result = project.run(name)
        assert result.ret != 0
        result.stdout.fnmatch_lines([message])


def test_broken_files_are_errors_each_with_its_place(project: Project) -> None:
    project.spec("specs:\n  - name: a\n    operation: []\n", "a.yaml")
    project.spec("specs: [", "b.yaml")
    project.spec("operations: [{sql: select 1}]", "c.yaml")
    result = project.run()
    assert result.parseoutcomes()["errors"] == 2
    result.stdout.fnmatch_lines(
        ["specs/a.yaml:3:5: unknown key `operation`", "*did you mean 'operations'?", "*b.yaml:*"]
    )
    assert "Traceback" not in result.stdout.str()


def test_without_settings_the_plugin_is_inert(project: Project) -> None:
    project.spec("this is: [not a spec")
    project.pytester.path.joinpath("pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    result = project.run("-p", "no:py_pglite")
    assert result.ret == 5
    assert "harness" not in result.stdout.str().replace("pgspec-harness", "")


def test_a_wrong_setting_is_a_usage_error(project: Project) -> None:
    project.configure("timeuot = 3")
    result = project.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*has no setting 'timeuot'*", "*did you mean 'timeout'?*"])


@pytest.mark.parametrize(
    ("setup", "near"),
    [
        ("shema.sql", "did you mean 'schema.sql'"),
        ("spec/*.sql", "did you mean 'specs/[*].sql'"),
        ("models:metdata", "did you mean 'metadata'"),
        ("modls:metadata", "did you mean 'models'"),
    ],
)
@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_a_setup_that_names_nothing_is_a_usage_error(
    project: Project, setup: str, near: str, workers: tuple[str, ...]
) -> None:
    project.pytester.makepyfile(models="metadata = 1")
    project.pytester.syspathinsert()
    project.configure(setup=setup)
    project.spec(TWO)
    result = project.run(*workers)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: pyproject.toml: [[]tool.harness[]] setup: *{setup}*"])
    result.stderr.fnmatch_lines([f"*{near}*"])
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    assert project.run("--collect-only", "-q").ret == 0


def test_a_setup_that_fails_is_told_once_and_ends_the_run(project: Project) -> None:
    project.pytester.path.joinpath("schema.sql").write_text("create tabel x ();")
    result = project.run(project.spec(TWO.replace("tags: [quick]", "xfail: true")))
    assert result.parseoutcomes() == {"failed": 1}
    result.stdout.fnmatch_lines(["schema.sql:1:8: syntax error*"])
    result.stdout.fnmatch_lines(["*the database cannot be used*"])


def test_what_is_to_come_is_refused_at_collection(project: Project) -> None:
    result = project.run(
        project.spec("""
        specs:
          - name: a
            isolation: database
            sessions: [x]
            operations: [{sql: select 1, session: x}, {resume: x}]
          - name: b
            isolation: database
            operations: [{sql: select 1, expect: {blocks: true}}]
        """)
    )
    assert result.parseoutcomes() == {"errors": 1}
    for feature, line in [("isolation", 3), ("sessions", 4), ("resume", 5), ("blocks", 8)]:
        result.stdout.fnmatch_lines([f"*books.yaml:{line}:*{feature}*not implemented yet"])


def test_a_failure_in_a_worker_looks_as_any_other(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    text = """
    name: two lines
    operations:
      - sql: select 'a text that is so long that it must be cut somewhere' as long, 2 as n
        expect: [{long: another text of which nobody knows the end, n: 3}]
    """
    alone = project.run(project.spec(text), "--color=yes").stdout.str()
    worker = project.run(project.spec(text), "--color=yes", "-n1").stdout.str()

    def told(output: str) -> str:
        begin, end = output.index("operation 1 (sql)"), output.index("run it again")
        return output[begin:end]

    assert told(worker) == told(alone)
    assert "\x1b[31m" in told(alone)
    summary = worker[worker.index("short test summary info") :]
    assert "operation 1 (sql): row 1 differs" in summary
