"""Judging a column at a time: always the answer of judging value by value, and much less work."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.matching import SqlResult, judge_sql
from harness.matching.assignment import assign
from harness.matching.casts import MOST_QUESTIONS
from harness.matching.comparison import Comparison
from harness.matching.pairing import members
from harness.matching.sieve import Sieve
from harness.matching.values import Scalar, Value, value_of
from harness.spec.expectations import SqlOutcome

from .recorded import Recorded, comparison, expectation, result_set, sql
from .test_matchers import FAILS, HOLDS, SENSELESS
from .test_plain_values import DIFFERENT, EQUAL

EXAMPLES: list[tuple[Any, str | None, str]] = [
    *(
        ({name: argument}, text, type)
        for table in (HOLDS, FAILS)
        for name, examples in table.items()
        for argument, text, type in examples
        if "$same" not in str((name, argument))
    ),
    *(each for each in SENSELESS if "$same" not in str(each[0])),
    *EQUAL,
    *DIFFERENT,
]
TYPES = sorted({type for _, _, type in EXAMPLES})


def _column(type: str) -> list[Value]:
    """Every text of the examples of a type, some of them twice, and a NULL."""
    texts = dict.fromkeys([None, *(text for _, text, other in EXAMPLES if other == type)])
    return [value_of(text, type) for text in [*texts, *list(texts)[:3]]]


def _expectations(type: str) -> list[Any]:
    """What the examples expect of a type, and some of what they expect of others."""
    own = [written for written, _, other in EXAMPLES if other == type]
    others = [written for written, _, other in EXAMPLES if other != type]
    return [expectation(written) for written in [*own, *others[:: len(others) // 25]]]


def _prepared(values: list[Value]) -> Comparison:
    """A comparison for which PostgreSQL has printed these values: so it can read them."""
    judged = comparison()
    for value in values:
        if isinstance(value, Scalar) and value.text is not None:
            judged.casts.printed(value.text, value.type)
    return judged


def one_by_one(expected: Any, values: list[Value]) -> tuple[list[int], list[int]]:
    judged = _prepared(values)
    verdicts = [judged.match(expected, value) for value in values]
    holds = [place for place, failure in enumerate(verdicts) if failure is None]
    return holds, [place for place, failure in enumerate(verdicts) if failure and failure.senseless]


def sifted(expected: Any, values: list[Value]) -> tuple[list[int], list[int]]:
    found = Sieve(values, _prepared(values), marked=False).sift(expected, partial=False)
    return list(members(found.holds)), list(members(found.senseless))


@pytest.mark.parametrize("type", TYPES)
def test_the_answers_are_those_of_judging_value_by_value(type: str) -> None:
    values = _column(type)

    for expected in _expectations(type):
        holds, senseless = one_by_one(expected, values)
        assert sifted(expected, values) == (holds, senseless), expected
        denied = expectation({"$not": expected})
        assert sifted(denied, values) == one_by_one(denied, values), denied
        sieve = Sieve(values, _prepared(values), marked=False)
        assert list(members(sieve.candidates(expected, asking=True))) == holds, expected
        assert set(members(sieve.candidates(expected, asking=False))) <= set(holds)


def test_an_exact_and_a_partial_mapping_are_two_things() -> None:
    values = [value_of('{"a": 1, "b": 2}', "jsonb"), value_of('{"a": 1}', "jsonb")]

    for written in (
        {"$all": [{"a": 1}, {"$partial": {"a": 1}}]},
        {"$all": [{"$partial": {"a": 1}}, {"a": 1}]},
    ):
        expected = expectation(written)
        assert sifted(expected, values) == one_by_one(expected, values) == ([1], [])


LEAVES: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(0, 1, 2, "a", "b", "", True, None, {}, []),
        *({"$gt": 0}, {"$lt": "b"}, {"$gt": "a"}, {"$between": [0, 1]}, {"$gt": 0, "$lt": 2}),
        *({"$any": True}, {"$type": "int"}, {"$null": False}, {"$absent": True}, {"$ne": 1}),
        *({"$len": 1}, {"$len": {"$gte": 1}}, {"$regex": "a"}, {"$contains": "a"}, {"$each": 1}),
        *({"$in": [1, "a"]}, {"$approx": 1}, {"$eq": 1, "$type": "text"}),
    ]
)
NESTED = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
        | st.builds(lambda item: {"$not": item}, inner)
        | st.builds(lambda items: {"$all": items}, st.lists(inner, min_size=1, max_size=2))
        | st.builds(lambda items: {"$one_of": items}, st.lists(inner, min_size=1, max_size=2))
        | st.builds(lambda items: {"$unordered": items}, st.lists(inner, max_size=2))
        | st.builds(
            lambda item: {"$partial": item},
            st.dictionaries(st.sampled_from("ab"), inner, min_size=1, max_size=2)
            | st.lists(inner, min_size=1, max_size=2),
        )
    ),
    max_leaves=5,
)
JSON = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 1.5, 2, "a", "b", "ab", ""]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(NESTED, st.lists(JSON, min_size=1, max_size=8))
def test_the_answers_are_the_same_for_whatever_is_nested(written: Any, data: list[Any]) -> None:
    values = [value_of(json.dumps(each), "jsonb") for each in data]
    expected = expectation(written)

    assert sifted(expected, values) == one_by_one(expected, values)


@given(
    st.lists(st.lists(LEAVES, min_size=2, max_size=2), min_size=1, max_size=4),
    st.lists(st.tuples(st.sampled_from(["0", "1", None]), st.sampled_from("ab")), max_size=4),
)
def test_rows_match_exactly_if_any_order_of_them_does(
    written: list[list[Any]], cells: list[tuple[str | None, str]]
) -> None:
    expected = [expectation({"n": n, "t": t}) for n, t in written]
    result = result_set({"n": "integer", "t": "text"}, *cells)
    fits = [
        [sql({"row": row}, result_set({"n": "integer", "t": "text"}, cell)) == () for cell in cells]
        for row in expected
    ]

    possible = any(
        all(fits[left][right] for left, right in enumerate(order))
        for order in itertools.permutations(range(len(cells)), len(expected))
    )
    assert (sql({"contains": expected}, result) == ()) is possible


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often single values were judged."""
    calls: Counter[str] = Counter()
    for name in ("match", "judge", "field"):
        original = getattr(Comparison, name)

        def counted(*args: Any, _original: Any = original, _name: str = name) -> Any:
            calls[_name] += 1
            return _original(*args)

        monkeypatch.setattr(Comparison, name, counted)
    return calls


SIZE = 400
NUMBERS = [str(number) for number in reversed(range(SIZE))]
HOSTILE: dict[str, tuple[list[Any], str, list[str]]] = {
    "at least": ([{"$gte": n} for n in range(SIZE)], "integer", NUMBERS),
    "at least, not satisfiable": ([{"$gte": n + 1} for n in range(SIZE)], "integer", NUMBERS),
    "between": ([{"$between": [n, n + 1]} for n in range(SIZE)], "numeric", NUMBERS),
    "anything": ([{"$any": True}] * SIZE, "integer", NUMBERS),
    "nearly equal": ([{"$gte": n, "$lt": n} for n in range(SIZE)], "integer", NUMBERS),
    "anything but": ([{"$not": n} for n in range(SIZE)], "integer", ["7"] * SIZE),
    "one of many": (
        [{"$one_of": [n, n + 1, {"$gt": 2 * n}]} for n in range(SIZE)],
        "integer",
        NUMBERS,
    ),
    "in many": ([{"$in": [n, n + 1, n + 2]} for n in range(SIZE)], "text", NUMBERS),
    "a pattern": ([{"$regex": f"^x{n}$"} for n in range(SIZE)], "text", NUMBERS),
    "a pattern of numbers": ([{"$regex": f"^x{n}$"} for n in range(SIZE)], "integer", NUMBERS),
    "near": ([{"$approx": n + 0.5} for n in range(SIZE)], "real", NUMBERS),
    "a part": ([{"$contains": f"x{n}"} for n in range(SIZE)], "text", NUMBERS),
    "a length": ([{"$len": n} for n in range(SIZE)], "text", ["a" * n for n in range(SIZE)]),
    "order of text and numbers": ([{"$gt": n} for n in range(SIZE)], "text", NUMBERS),
    "a key": (
        [{"$partial": {"id": n + 1}} for n in range(SIZE)],
        "jsonb",
        [f'{{"id": {n}, "x": 1}}' for n in NUMBERS],
    ),
    "inside a list": (
        [[n, {"$gt": n}] for n in range(SIZE)],
        "jsonb",
        [f"[{n}, 5]" for n in NUMBERS],
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_family_of_rows_is_compared_each_with_each(name: str, judged: Counter[str]) -> None:
    """160,000 pairs; what is judged singly is the rows that are shown as the nearest."""
    written, type, texts = HOSTILE[name]

    sql(
        {"rows": [{"v": each} for each in written], "order": "any"},
        result_set({"v": type}, *zip(texts)),
    )

    assert judged["match"] + judged["judge"] < 10 * SIZE


@pytest.mark.parametrize("name", HOSTILE)
def test_nor_are_the_elements_of_a_list(name: str, judged: Counter[str]) -> None:
    written, type, texts = HOSTILE[name]
    values = tuple(value_of(text, type) for text in texts)
    expected = [expectation(each) for each in written]

    assign(expected, values, comparison(), lambda _left, _right: False)

    assert judged["match"] + judged["judge"] < SIZE


def test_rows_that_one_cell_tells_apart_are_judged_once_each(judged: Counter[str]) -> None:
    rows = [{"id": n, "t": {"$regex": f"^{n}$"}} for n in range(SIZE)]
    result = result_set({"id": "integer", "t": "text"}, *((n, n) for n in NUMBERS))

    assert sql({"rows": rows, "order": "any"}, result) == ()
    assert judged["field"] == SIZE


class Insensitive(Recorded):
    """PostgreSQL's citext."""

    def compare(self, left: str, operator: Any, right: str, type: str) -> bool:
        assert (operator, type) == ("=", "citext")
        self.asked.append(right)
        return left.lower() == right.lower()

    def cast(self, text: str, type: str) -> str:
        return text


def _names(size: int, *, upper: bool) -> list[str]:
    return [f"N{n}" if upper else f"n{n}" for n in range(size)]


def _judge_names(expected: list[Any], found: list[str], casts: Recorded) -> Any:
    outcome = SqlOutcome.model_validate({"rows": [{"n": n} for n in expected], "order": "any"})
    result = result_set({"n": "citext"}, *((name,) for name in found))
    return judge_sql(outcome, SqlResult(result), (), comparison(casts))


def test_values_that_postgresql_must_compare_are_asked_about_only_where_texts_differ() -> None:
    casts = Insensitive()
    found = _names(300, upper=False)

    assert _judge_names([*found[1:], "N0"], found, casts) == ()
    assert len(casts.asked) <= 300


def test_too_many_questions_are_a_failure_that_says_so_and_never_a_pass() -> None:
    casts = Insensitive()
    found, other = _names(300, upper=False), _names(300, upper=True)

    (mismatch,) = _judge_names([*other[:-1], "else"], found, casts)

    assert len(casts.asked) == MOST_QUESTIONS
    assert "no more are made" in mismatch.reason + str(mismatch.hint)
    denied = [{"$not": name} for name in [*other[:-1], "else"]]
    assert _judge_names(denied, ["n1"] * 300, Insensitive()) != ()


def test_fewer_questions_are_answered_rightly() -> None:
    assert _judge_names(_names(60, upper=True), _names(60, upper=False), Insensitive()) == ()
    assert _judge_names(["else", "N1"], ["n1", "n2"], Insensitive()) != ()
