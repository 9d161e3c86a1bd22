"""Laws that hold for all values: of equality, of keys, and of unordered comparison."""

from __future__ import annotations

import itertools
import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness.matching import decode, show
from harness.matching.casts import RememberedCasts
from harness.matching.comparison import Comparison
from harness.matching.keys import key_of, key_of_expected
from harness.matching.pairing import pair
from harness.matching.values import value_of
from harness.spec.matchers import Matcher

from .recorded import Recorded, expectation, result_set, sql

WORDS = st.text(max_size=4) | st.sampled_from(["1", "true", "null", "NULL", "{}", "", "a", "-"])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([Decimal("1.0"), Decimal("0.5")])
    | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)


def _json(data: Any) -> str:
    return json.dumps(data, default=float)


def _same(one: Any, other: Any) -> bool:
    """Equality of json, spelled out: booleans are no numbers, and 1 is 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)  # text never equals a number in Python either


def _match(expected: Any, text: str | None, type: str) -> bool:
    comparison = Comparison(RememberedCasts(Recorded()))
    return comparison.match(expected, value_of(text, type)) is None


def _array(elements: list[str | None]) -> str:
    def quoted(element: str | None) -> str:
        if element is None:
            return "NULL"
        escaped = element.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'

    return f"{{{','.join(map(quoted, elements))}}}"


@given(JSON, JSON)
def test_json_matches_exactly_itself(one: Any, other: Any) -> None:
    assert _match(one, _json(one), "jsonb")
    assert _match(one, _json(other), "jsonb") is _same(one, other)


@given(JSON, JSON)
def test_keys_are_equal_exactly_when_values_match(one: Any, other: Any) -> None:
    casts = RememberedCasts(Recorded())
    same_key = key_of_expected(one, "jsonb", casts) == key_of(value_of(_json(other), "jsonb"))

    assert same_key is _match(one, _json(other), "jsonb")


@given(st.lists(st.none() | WORDS, max_size=5))
def test_text_arrays_are_read_back(elements: list[str | None]) -> None:
    assert decode(_array(elements), "text[]") == elements
    assert _match(elements, _array(elements), "text[]")


@given(st.decimals(allow_nan=False, allow_infinity=False), st.decimals(allow_nan=False))
def test_numbers_compare_as_decimals(found: Decimal, expected: Decimal) -> None:
    text = f"{found:f}" if abs(found.adjusted()) < 100 else str(found)

    assert _match(expected, text, "numeric") is (found == expected)
    assert _match(expectation({"$gt": expected}), text, "numeric") is (found > expected)
    assert _match(expectation({"$lte": expected}), text, "numeric") is (found <= expected)


@given(JSON, JSON)
def test_not_never_holds_together_with_what_it_denies(one: Any, other: Any) -> None:
    denied = Matcher.model_construct(_fields_set={"not_"}, not_=one)

    assert not (_match(one, _json(other), "jsonb") and _match(denied, _json(other), "jsonb"))
    assert not _match(denied, None, "jsonb")


@given(st.lists(st.sets(st.integers(0, 4)), max_size=5))
def test_no_pairing_has_more_pairs(wanted: list[set[int]]) -> None:
    partners = pair(len(wanted), lambda left: sum(1 << right for right in wanted[left]))

    found = [(left, right) for left, right in enumerate(partners) if right is not None]
    assert all(right in wanted[left] for left, right in found)
    assert len({right for _, right in found}) == len(found)
    best = max(
        sum(right in wanted[left] for left, right in enumerate(order))
        for order in itertools.permutations(range(5), len(wanted))
    )
    assert len(found) == best


ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from("ab") | st.none(), JSON), min_size=1, max_size=5
)


@given(ROWS, st.randoms(use_true_random=False), st.data())
def test_rows_match_in_any_order_whatever_they_name(
    rows: list[tuple[int, str | None, Any]], random: Any, data: st.DataObject
) -> None:
    result = result_set(
        {"n": "integer", "t": "text", "j": "jsonb"},
        *((str(n), t, _json(j)) for n, t, j in rows),
    )
    named = [dict(zip("ntj", row, strict=True)) for row in rows]
    parts = [_part(row, data) for row in random.sample(named, len(named))]

    judged = {"rows": [expectation(part) for part in parts], "order": "any"}
    assert sql(judged, result) == ()
    assert sql({"contains": judged["rows"]}, result) == ()
    assert sql({"rows": [*judged["rows"], {"n": {"$any": True}}], "order": "any"}, result) != ()


def _part(row: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    names = data.draw(st.sets(st.sampled_from("ntj"), min_size=1))
    loose = data.draw(st.booleans())
    return {
        name: {"$one_of": [_escaped(row[name]), "other"]} if loose else _escaped(row[name])
        for name in sorted(names)
    }


def _escaped(data: Any) -> Any:
    """Data as YAML would have to write it: keys that begin with `$` doubled."""
    if isinstance(data, dict):
        return {
            f"${key}" if key.startswith("$") else key: _escaped(item) for key, item in data.items()
        }
    return [_escaped(item) for item in data] if isinstance(data, list) else data


@given(ROWS, ROWS)
def test_any_order_is_equality_of_multisets(
    expected: list[tuple[int, str | None, Any]], actual: list[tuple[int, str | None, Any]]
) -> None:
    result = result_set({"n": "integer", "t": "text"}, *((str(n), t) for n, t, _ in actual))
    judged = {"rows": [{"n": n, "t": t} for n, t, _ in expected], "order": "any"}

    def ordered(rows: list[tuple[int, str | None, Any]]) -> list[tuple[int, str]]:
        return sorted((n, t or "") for n, t, _ in rows)

    assert (sql(judged, result) == ()) is (ordered(expected) == ordered(actual))


@given(JSON)
def test_expected_and_actual_are_shown_alike(data: Any) -> None:
    shown = show(data)

    assert shown.isprintable()
    assert show(value_of(_json(data), "jsonb")) == shown
