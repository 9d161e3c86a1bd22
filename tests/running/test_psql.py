"""Statements as psql takes them from a script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.running.psql import comment, statement


@pytest.mark.parametrize(
    ("sql", "sent"),
    [
        ("select 1", "select 1;"),
        ("select 1 ; \n", "select 1 ;"),
        ("select 1 -- one;", "select 1 -- one;\n;"),
        ("select '--'", "select '--';"),
        ("select 1 /* -- */", "select 1 /* -- */;"),
        ("select 1 -- /*", "select 1 -- /*\n;"),
        ("select 1 --\r+ 1", "select 1 --\n+ 1;"),
        ("select\r\n1\f\v+ 1", "select\n\n1  + 1;"),
        (
            "select a::int, a[1:n], a[:'2'], a[1:\"n\"]",
            "select a::int, a[1: n], a[: '2'], a[1: \"n\"];",
        ),
        (
            "select ':n', \":n\", $$:n \\d$$, E'\\\\', '\\'",
            "select ':n', \":n\", $$:n \\d$$, E'\\\\', '\\';",
        ),
        ("call f(a := 1)", "call f(a := 1);"),
        ("select '\x1b\\''\t\n'", "select  E'\\u001b\\\\''\t\n';"),
        ("select'\u202e', E'\\\u2066\\n\\\\\x7f'", "select E'\\u202e', E'\\u2066\\n\\\\\\u007f';"),
        ("select $a$it's \\\x85$a$", "select  E'it''s \\\\\\u0085';"),
        ('select 1 as"\U000e0001\\\u061c"', 'select 1 as U&"\\+0e0001\\\\\\061c";'),
        ("select 1 /* \x1b */ -- \u2028", "select 1 /* \\u001b */ -- \\u2028\n;"),
    ],
)
def test_statement(sql: str, sent: str) -> None:
    assert statement(sql) == sent


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("\\! ls", "psql takes a backslash outside of quotes for a command of its own"),
        ("select 1 \\gexec", "psql takes a backslash outside of quotes for a command of its own"),
        ("select (1", "psql would wait for the end of a quote, comment or parenthesis"),
        ("select\x1b", r"a character in \u001b does not show, or acts on a terminal"),
        ("select\xa01", r"a character in \u00a0 does not show, or acts on a terminal"),
        ("select U&'\x1b'", r"a character in U&'\u001b' does not show, or acts on a terminal"),
    ],
)
def test_what_psql_cannot_send(sql: str, reason: str) -> None:
    assert statement(sql) == comment(f"cannot be sent: {reason}\n{sql}")


def test_comment() -> None:
    assert (
        comment("a\tb\n\nc\r\x1b\u2028\U000e0001\n")
        == "-- a\tb\n--\n-- c\\u000d\\u001b\\u2028\\U000e0001"
    )


@given(st.text(alphabet="'\"\\$-/*[](): aE\n\r;\x1b\u202e", max_size=30))
def test_every_line_can_be_shown(sql: str) -> None:
    assert statement(sql).replace("\n", "").isprintable()
