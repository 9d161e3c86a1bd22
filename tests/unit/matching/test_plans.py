"""What a plan says of an index, without a database."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.matching.plans import Index, Node, QueryPlan


def plan(*roots: Node) -> QueryPlan:
    return QueryPlan(json.dumps([{"Plan": root} for root in roots]))


def index(key: str = "a", *, partial: bool = False) -> Index:
    return Index((1,), {("public", "t_a"): key}, frozenset({("public", "t")}), partial)


def scan(condition: str | None = None, **more: Any) -> Node:
    node = {
        "Node Type": "Index Scan",
        "Index Name": "t_a",
        "Relation Name": "t",
        "Schema": "public",
        "Alias": "t",
        **more,
    }
    return node if condition is None else {**node, "Index Cond": condition}


@pytest.mark.parametrize(
    ("key", "condition"),
    [
        ("a", "(t.a = 5)"),
        ("a", "((t.b = 5) AND (t.a > 1))"),
        ("a", "(t.a = ANY ('{1,2}'::integer[]))"),
        ("a", "((t.a)::text = 'x'::text)"),
        ("a", "(ROW(t.a, t.b) > ROW(1, 2))"),
        ("a", "(t.a IS NULL)"),
        ("lower(name)", "(lower(t.name) = 'x'::text)"),
        ("((x + y))", "(((t.x + t.y)) = 3)"),
        ('"odd.one"', '(t."odd.one" = 3)'),
        ("", "(t.b @> '{a}'::text[])"),
    ],
)
def test_a_condition_on_the_first_key(key: str, condition: str) -> None:
    assert plan(scan(condition)).serves(index(key))


@pytest.mark.parametrize(
    "condition",
    [
        None,
        "(t.b = 5)",
        "(t.b = 'a'::text)",
        "(t.b = ' t.a = ''t.a'''::text)",
        "(t.b = other.a)",
        "(t.b = t_1.a)",
        '(t.b = "odd t".a)',
        "(t.aa = 5)",
        "(t.b_a = 5)",
        '(t."a b" = 5)',
    ],
)
def test_no_condition_on_the_first_key(condition: str | None) -> None:
    assert not plan(scan(condition)).serves(index())


def test_without_a_condition_an_index_for_any_column_serves_nothing() -> None:
    assert not plan(scan()).serves(index(""))
    assert plan(scan()).reads(index(""))


def test_distance_and_predicate() -> None:
    assert plan(scan(**{"Order By": "(t.spot <-> '(1,2)'::point)"})).serves(index())
    assert plan(scan()).serves(index(partial=True))


def test_the_schema_and_alias_of_a_bitmap_are_those_of_its_heap_scan() -> None:
    bitmap = {"Node Type": "Bitmap Index Scan", "Index Name": "t_a", "Index Cond": "(x.a = 1)"}
    both = {"Node Type": "BitmapOr", "Plans": [bitmap, bitmap]}
    heap = {
        "Node Type": "Bitmap Heap Scan",
        "Relation Name": "t",
        "Schema": "public",
        "Alias": "x",
        "Plans": [both],
    }
    assert plan(heap).serves(index())
    assert not plan({**heap, "Schema": "other"}).serves(index())
    assert not plan({**heap, "Alias": "y"}).serves(index())


def test_tables_and_arbiters() -> None:
    insert = {
        "Node Type": "ModifyTable",
        "Schema": "public",
        "Relation Name": "u",
        "Conflict Arbiter Indexes": ["u_pkey"],
        "Plans": [scan()],
    }
    assert plan(insert).tables == {("public", "t"), ("public", "u")}
    assert plan(insert).arbiters == ["u_pkey"]


@pytest.mark.parametrize(
    ("node", "detours"),
    [
        ({"Node Type": "Sort"}, 1),
        ({"Node Type": "Incremental Sort"}, 0),
        ({"Node Type": "Aggregate", "Strategy": "Plain"}, 1),
        ({"Node Type": "Aggregate", "Strategy": "Hashed"}, 1),
        ({"Node Type": "Aggregate", "Strategy": "Sorted"}, 0),
        ({"Node Type": "Unique"}, 0),
    ],
)
def test_detours(node: Node, detours: int) -> None:
    assert plan({**node, "Plans": [scan()]}).detours == detours


def test_several_plans_and_none() -> None:
    both = plan(scan("(t.a = 1)"), {"Node Type": "Result"})
    assert both.serves(index())
    assert str(both) == "Index Scan using t_a on t\n    Index Cond: (t.a = 1)\nResult"
    nothing = QueryPlan('["Notify"]')
    assert not nothing.reads(index())
    assert str(nothing) == ""
