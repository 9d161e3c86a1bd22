from __future__ import annotations

import pytest

from tests.lint.conftest import Lint

ALLOW = "# harness: allow[{}]"
SOURCE = """\
from sqlalchemy import create_engine

def test_a():
    {above}
    engine = create_engine({first}
        "postgresql://h/d",
        echo=True,
    ){last}
    engine.dispose()
"""


def _source(**places: str) -> str:
    return SOURCE.format_map({"above": "", "first": "", "last": "", **places})


@pytest.mark.parametrize("place", ["above", "first", "last"])
@pytest.mark.parametrize(
    "remark",
    [
        ALLOW.format("database-per-test"),
        "#harness:allow[ database-per-test ]",
        "# noqa: E501 # harness: allow[database-per-test] because it is measured here",
    ],
)
def test_a_remark_silences_one_finding(place: str, remark: str, found: Lint) -> None:
    assert [each.rule for each in found({"test_a.py": _source()})] == ["database-per-test"]
    assert found({"test_a.py": _source(**{place: remark})}) == ()


@pytest.mark.parametrize(
    "source",
    [
        f"x = 1  {ALLOW.format('database-per-test')}\n{_source()}",
        f"{_source()}{ALLOW.format('database-per-test')}\n",
        _source().replace("echo=True,", f"echo=True,  {ALLOW.format('database-per-test')}"),
        _source().replace("def test_a():", f"def test_a():  {ALLOW.format('database-per-test')}"),
    ],
)
def test_elsewhere_it_silences_nothing_and_is_told_of(source: str, found: Lint) -> None:
    assert {each.rule for each in found({"test_a.py": source})} == {
        "database-per-test",
        "unused-allow",
    }


def test_a_remark_in_a_string_is_none(found: Lint) -> None:
    source = _source(first=' f"{1}"').replace('f"{1}"\n', '"# harness: allow[database-per-test]"\n')
    assert [each.rule for each in found({"test_a.py": source})] == ["database-per-test"]


def test_a_remark_silences_its_rule_alone(found: Lint) -> None:
    source = _source(first=f"  {ALLOW.format('undisposed-engine')}")
    assert sorted(each.rule for each in found({"test_a.py": source})) == [
        "database-per-test",
        "unused-allow",
    ]


def test_a_remark_may_name_several_rules(found: Lint) -> None:
    both = (
        "from sqlalchemy import create_engine\ndef test_a():\n    e = create_engine('postgresql:')"
    )
    assert [each.rule for each in found({"test_a.py": both})] == [
        "database-per-test",
        "undisposed-engine",
    ]
    allowed = f"{both}  {ALLOW.format('database-per-test, undisposed-engine')}\n"
    assert found({"test_a.py": allowed}) == ()


@pytest.mark.parametrize(
    ("remark", "told"),
    [
        (
            ALLOW.format("database-per-tset"),
            "unknown-allow: there is no rule 'database-per-tset'; did you mean 'database-per-test'?",
        ),
        (ALLOW.format(""), "unknown-allow: the remark names no rule; write allow[rule]"),
        ("# harness: allow", "unknown-allow: the remark names no rule; write allow[rule]"),
        (
            ALLOW.format("schema-per-test"),
            "unused-allow: schema-per-test finds nothing here; remove the remark",
        ),
    ],
)
def test_a_remark_that_does_nothing_is_told_of(remark: str, told: str, found: Lint) -> None:
    assert [str(each) for each in found({"any.py": f"x = 1  {remark}\n"})] == [
        f"any.py:1:8: {told}"
    ]


@pytest.mark.parametrize(
    "settings",
    [
        f'[tool.pytest.ini_options]\naddopts = "-n 8" {ALLOW.format("too-many-workers")}\n',
        f'[tool.pytest.ini_options]\n{ALLOW.format("too-many-workers")}\naddopts = "-n 8"\n',
    ],
)
def test_settings_have_remarks_too(settings: str, found: Lint) -> None:
    assert found({"pyproject.toml": settings, "test_a.py": ""}) == ()
    unused = settings.replace("-n 8", "-n 2")
    assert [each.rule for each in found({"pyproject.toml": unused})] == ["unused-allow"]
