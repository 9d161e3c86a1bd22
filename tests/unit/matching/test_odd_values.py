"""Enormous, deep and malformed values: a verdict in good time, in few words, never a traceback."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from harness.matching import assignment, numbers, show, times
from harness.matching.arrays import parse_array
from harness.matching.comparison import Comparison
from harness.matching.display import contrast_texts
from harness.matching.numbers import number_key
from harness.matching.plain import plain
from harness.matching.times import instant
from harness.matching.values import value_of
from harness.results import Mismatch
from harness.spec.matchers import Matcher

from .recorded import TSTZ, comparison, failure, holds, result_set, sql

HUGE = 200_000
LONG = "x" * HUGE
KEYS = {f"k{number}": number for number in range(5_000)}

ENORMOUS: list[tuple[Any, str, str]] = [
    (f"{LONG}a", f"{LONG}b", "text"),
    ("a", LONG, "text"),
    ("a", "\x01\u00e9\n" * HUGE, "text"),
    (LONG, "5", "integer"),
    ("1" * HUGE + "x", "5", "integer"),
    ("1" * HUGE + "x", "5", "numeric"),
    (5, "1" * HUGE, "numeric"),
    (10**5000, "5", "integer"),
    (10**5000, "5", "text"),
    ({"$gt": 10**5000}, "5", "numeric"),
    ({"$approx": 10**5000}, "5", "numeric"),
    ({"$in": [10**5000]}, "5", "numeric"),
    ({"$len": 1}, "\\x" + "ab" * HUGE, "bytea"),
    ({"$len": 10**5000}, LONG, "text"),
    ({"$contains": "y"}, LONG, "text"),
    ({"$regex": "y"}, LONG, "text"),
    (LONG, "7f6f0f5e-0000-4000-8000-000000000001", "uuid"),
    (LONG, "2026-01-01 00:00:00+00", TSTZ),
    ("." * HUGE, "2026-01-01 00:00:00+00", TSTZ),
    ({"$now": 5}, json.dumps(LONG), "jsonb"),
    ({"$type": "timestamp"}, json.dumps(LONG), "jsonb"),
    (LONG, "ok", "mood"),
    (["a"], f'{{"{LONG}"}}', "text[]"),
    (["a"], f"{{{LONG}}}", "text[]"),
    ([1], f"{{{','.join(['1'] * 20_000)}}}", "integer[]"),
    ({"$unordered": [1]}, json.dumps([1] * 20_000), "jsonb"),
    ({"$contains": [2]}, json.dumps([1] * 20_000), "jsonb"),
    ({**KEYS, "k7": 8}, json.dumps(KEYS), "jsonb"),
    ({f"other {name}": 1 for name in KEYS}, json.dumps(KEYS), "jsonb"),
    ({LONG: 1}, json.dumps({LONG: 2}), "jsonb"),
    ({"a": 1}, json.dumps({LONG: 2}), "jsonb"),
    (1, "1e999999999", "jsonb"),
    ({"a": "\ud800"}, '{"a": "\\ud801"}', "json"),
    ({"a": "x"}, '{"a": "\\u0000\\u001b[31m"}', "json"),
    ({"a": 1}, '{"a": NaN}', "json"),
    ({"a": 1}, '{"a": -Infinity}', "json"),
    (5, "[" * HUGE + "]" * HUGE, "jsonb"),
    ([1], "{" * HUGE + "1" + "}" * HUGE, "integer[]"),
]


@pytest.mark.parametrize(("expected", "text", "type"), ENORMOUS, ids=range(len(ENORMOUS)))
def test_enormous_values_are_told_in_few_words(expected: Any, text: str, type: str) -> None:
    result = result_set({"v": type}, (text,))
    judged = [
        *sql({"value": expected}, result),
        *sql({"rows": [{"v": expected}]}, result),
        *sql({"contains": [{"v": expected}]}, result),
    ]

    assert len(judged) == 3
    for mismatch in judged:
        assert _is_readable(mismatch), mismatch.reason[:2000]


def _is_readable(mismatch: Mismatch) -> bool:
    return len(mismatch.reason) < 1000 and mismatch.reason.isprintable()


def test_many_wrong_rows_and_columns_are_told_in_few_words() -> None:
    columns = {f"a_column_with_a_long_name_{number}": "text" for number in range(400)}
    rows = [(LONG[:1000],) * 400] * 20
    expected = [dict.fromkeys(columns, "y")] * 20

    for form in ({"rows": expected}, {"rows": expected, "order": "any"}, {"contains": expected}):
        (mismatch,) = sql(form, result_set(columns, *rows))
        assert _is_readable(mismatch), mismatch.reason[:2000]


def _nested(depth: int, innermost: Any) -> Any:
    for _ in range(depth):
        innermost = [innermost]
    return innermost


@pytest.mark.parametrize("depth", [100, 300, 400, 450, 480, 490, 900])
def test_deep_values_are_judged_or_refused(depth: int) -> None:
    text = "[" * depth + "1" + "]" * depth

    for expected, held in ((_nested(depth, 1), True), (_nested(depth, 2), False)):
        found = comparison().verdict(expected, value_of(text, "jsonb"))
        if not held:
            assert found is not None
        if held and found is not None:
            assert "deeply" in found.reason or "(" in found.reason or found.senseless
        denied = Matcher.model_construct(_fields_set={"not_"}, not_=expected)
        if held:
            assert comparison().verdict(denied, value_of(text, "jsonb")) is not None


@pytest.mark.parametrize("depth", [100, 300, 400, 450, 480, 490, 900])
@pytest.mark.parametrize("innermost", [2, {"$same": "x"}], ids=repr)
def test_deep_cells_in_any_order_never_match_by_mistake(depth: int, innermost: Any) -> None:
    values = [value_of("[" * depth + "1" + "]" * depth, "jsonb")] * 2
    expected = [_nested(depth, innermost), _nested(depth, 3)]
    judged = comparison()

    def matches(left: int, right: int) -> bool:
        return judged.verdict(expected[left], values[right]) is None

    assert assignment.assign(expected, values, judged, matches).partners[1] is None


def test_a_difference_far_inside_two_texts_is_shown() -> None:
    left, right = contrast_texts(f"{LONG}ab{LONG}", f"{LONG}cb{LONG}")

    assert "xab" in left
    assert "xcb" in right


@pytest.mark.parametrize("length", [4095, 4096, 4097, 8192])
def test_a_difference_at_the_edge_of_a_stride_is_shown(length: int) -> None:
    left, right = contrast_texts("x" * length + "a", "x" * length + "b")

    assert left.endswith("xa")
    assert right.endswith("xb")


def test_long_texts_are_not_kept_in_memory() -> None:
    before = [each.cache_info().currsize for each in _caches()]

    number_key("1" * HUGE)
    instant("2" * HUGE)

    assert [each.cache_info().currsize for each in _caches()] == before


def _caches() -> Any:
    return numbers._short_key, times._instant


def test_ints_that_python_does_not_write_are_shown_and_compared() -> None:
    assert show(10**5000) == f"1{'0' * 5000}"
    assert holds(10**5000, f"1{'0' * 5000}", "numeric")
    assert holds(10**5000, f"1{'0' * 5000}", "text")
    assert not holds(10**5000, f"1{'0' * 4999}1", "numeric")
    assert plain(10**100) == 10**100


def test_long_numbers_are_exact() -> None:
    assert holds("1" * HUGE, "1" * HUGE, "numeric")
    assert not holds("1" * HUGE, "1" * (HUGE - 1) + "2", "numeric")
    assert holds({"$gt": "1" * HUGE}, "1" * (HUGE - 1) + "2", "numeric")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_backslashes_in_long_arrays(count: int) -> None:
    assert parse_array('{"' + "\\\\" * count + LONG + '\\"",b}') == ["\\" * count + LONG + '"', "b"]
    assert parse_array("{" + "\\\\" * count + "a\\,b,c}") == ["\\" * count + "a,b", "c"]


def test_names_are_not_guessed_for_thousands(monkeypatch: pytest.MonkeyPatch) -> None:
    guesses: list[int] = []

    def guess(_name: str, known: Any) -> None:
        guesses.append(len(list(known)))

    monkeypatch.setattr("harness.matching.comparison.nearest", guess)

    assert not holds({f"other {name}": 1 for name in KEYS}, json.dumps(KEYS), "jsonb")
    assert 0 < len(guesses) < 100
    assert max(guesses) <= 1000


# -- what would otherwise pass by mistake


def test_types_do_not_depend_on_the_first_row() -> None:
    result = result_set({"n": "integer", "j": "jsonb"}, (None, None), ("5", '"5"'), ("6", "6"))

    expected = [{"n": None, "j": None}, {"n": 5, "j": "5"}, {"n": 6, "j": 6}]
    wrong = [expected[0], {"n": 5, "j": 5}, expected[2]]
    for form in ({"order": "any"}, {}):
        assert sql({"rows": expected, **form}, result) == ()
        assert sql({"rows": wrong, **form}, result) != ()
        assert sql({"rows": [{"n": {"$gt": 0}}] * 3, **form}, result) != ()


MATCHERS: list[Any] = [
    {"$any": True},
    {"$null": True},
    {"$not": 5},
    {"$one_of": [None, {"$any": True}]},
    {"$all": [{"$any": True}]},
    {"$type": "null"},
    {"$same": "x"},
    None,
]


@pytest.mark.parametrize("matcher", MATCHERS, ids=repr)
def test_a_matcher_of_a_column_that_is_not_there_fails(matcher: Any) -> None:
    result = result_set({"n": "integer"}, (None,), ("1",))
    row = {"zzz": matcher}

    for form in ({"rows": [row] * 2}, {"rows": [row] * 2, "order": "any"}, {"contains": [row]}):
        mismatches = sql(form, result)
        assert mismatches
        assert "there is no column zzz" in mismatches[0].reason


@pytest.mark.parametrize("type", ["text", "character varying", "bpchar", "citext", "jsonb"])
def test_null_never_equals_the_empty_text(type: str) -> None:
    empty = '""' if type == "jsonb" else ""

    for expected, text in (("", None), (None, empty)):
        result = result_set({"v": type}, (text,))
        assert failure(expected, text, type) is not None
        for form in ({"rows": [{"v": expected}]}, {"contains": [{"v": expected}]}):
            assert sql(form, result) != ()
    assert (
        sql({"contains": [{"v": ""}, {"v": None}]}, result_set({"v": type}, (None,), (empty,)))
        == ()
    )


def test_a_pattern_that_backtracks_can_be_interrupted() -> None:
    """Python looks for signals inside `re`; nothing here may swallow what a handler raises."""

    class Interrupted(BaseException):
        pass

    def interrupt(*_: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(Interrupted):
            sql(
                {"contains": [{"v": {"$regex": "(a+)+$"}}] * 2},
                result_set({"v": "text"}, ("a" * 60 + "b",)),
            )
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_comparison_begins_with_no_marks() -> None:
    assert Comparison(comparison().casts).marks.named("x") == ()
