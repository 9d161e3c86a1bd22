"""Where a colon is a parameter and where it is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.sqltext import bind, client_copy, is_complete

NAMES = frozenset({"n", "m"})


@pytest.mark.parametrize(
    ("sql", "bound"),
    [
        ("select :n", "select $1"),
        ("select :n, :m, :n", "select $1, $2, $1"),
        ("select :other, :nn", "select :other, :nn"),
        ("select ':n', E'\\':n', U&':n', B':n'", "select ':n', E'\\':n', U&':n', B':n'"),
        ("select 'it''s :n', :n", "select 'it''s :n', $1"),
        ('select ":n" from t where x = :n', 'select ":n" from t where x = $1'),
        ("select $$ :n $$, $a$ :n $$ :n $a$, :n", "select $$ :n $$, $a$ :n $$ :n $a$, $1"),
        ("select 1 -- :n\n, :n", "select 1 -- :n\n, $1"),
        ("select /* :n /* :n */ :n */ :n", "select /* :n /* :n */ :n */ $1"),
        ("select x::n, :n::text", "select x::n, $1::text"),
        ("select a[1:n], a[m:n], (a)[:n]", "select a[1:n], a[m:n], (a)[:n]"),
        ("select a[(:n)], a[f(:n)]", "select a[($1)], a[f($1)]"),
        ("select array[:n, :m]", "select array[$1, $2]"),
        ("select array[[:n], [:m]]", "select array[[$1], [$2]]"),
        ("call f(a := :n)", "call f(a := $1)"),
        ("select $1, :n", "select $1, $1"),
        ("select '10:n', 10:n", "select '10:n', 10 $1"),
        ("case when true then:n else:m end", "case when true then $1 else $2 end"),
        ("select é:n, a$:n, :n:m, -:n, (:n)", "select é $1, a$ $1, $1 $2, -$1, ($1)"),
        ("select 1 -- :n\r, :n", "select 1 -- :n\r, $1"),
    ],
)
def test_bind(sql: str, bound: str) -> None:
    assert bind(sql, NAMES).text == bound


def test_names_are_in_the_order_of_their_numbers() -> None:
    assert bind("select :m, :n, :m", NAMES).names == ("m", "n")


def test_offsets_lead_back_to_what_was_written() -> None:
    bound = bind("select :n, :m, nope", NAMES)
    assert bound.written_offset(bound.text.index("nope")) == 15
    assert bound.written_offset(bound.text.index("$2")) == 11
    assert bound.written_offset(0) == 0


def test_offsets_behind_a_space_that_nobody_wrote() -> None:
    bound = bind("select then:n, nope", NAMES)
    assert bound.written_offset(bound.text.index("$1")) == 11
    assert bound.written_offset(bound.text.index("nope")) == 15


@given(st.text(alphabet="':\"$-/*[]n a\n;", max_size=60))
def test_nothing_but_parameters_changes(sql: str) -> None:
    assert bind(sql, frozenset()).text == sql


@pytest.mark.parametrize(
    ("sql", "offset"),
    [
        ("copy t from stdin", 0),
        ("select 1;\n COPY t (a, b) FROM STDIN WITH (FORMAT csv)", 11),
        ("copy (select 1) to stdout", 0),
        ("/* x */ copy t from stdin", 8),
        ("copy t from '/tmp/stdin'", None),
        ("select 'copy t from stdin'", None),
        ("-- copy t from stdin\nselect 1", None),
        ("select copy from stdin", None),
        ("do $$ copy t from stdin $$", None),
    ],
)
def test_client_copy(sql: str, offset: int | None) -> None:
    assert client_copy(sql) == offset


@pytest.mark.parametrize(
    ("sql", "complete"),
    [
        ("select 'it''s', \"(\", $a$ ( $a$, E'\\'', (1) -- (", True),
        ("select 1 /* /* */ ' ( */", True),
        ("select a$$, $1", True),
        ("select ) (1)", True),
        ("select (1", False),
        ("select ) (", False),
        ("select 'x", False),
        ("select E'\\'", False),
        ("select E'a''\\'", False),
        ("select E'\\", False),
        ('select "x', False),
        ("select $$ x", False),
        ("select $a$ x $$", False),
        ("select 1 /* /* */", False),
    ],
)
def test_is_complete(sql: str, complete: bool) -> None:
    assert is_complete(sql) is complete
