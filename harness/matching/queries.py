"""Judging how many statements an operation sent, and how many of them were the same again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from harness.matching.alone import judge_alone
from harness.matching.comparison import Comparison
from harness.matching.differences import told
from harness.matching.display import abridged, show
from harness.matching.values import count_of
from harness.results import Mismatch, Path, SentQuery
from harness.spec.expectations import Queries
from harness.spec.matchers import Matcher
from harness.sqltext import tokens

_LONGEST = 200
"""Characters of a statement that are shown."""

_MOST = 30
"""Statements, and places of each, that are listed."""

_LITERALS = frozenset({"escape", "open", "string", "quoted", "dollar"})
_GAPS = frozenset({"space", "comment", "block"})

_PARAMETER = re.compile(r"\$\d+|(?<!%)%(?:\(\w+\))?[sbt]\b")
_LOOSE = re.compile(r" (?!\w)|(?<!\w) ")
_ITEM = r"\x01(?:::[\w .\x00]+(?:\(\d+(?:,\d+)*\))?(?:\[\])*)*"
_ROW = r"\((?:[^()]++|\((?:[^()]++|\([^()]*+\))*+\))*+\)"
_LISTS = re.compile(rf"\b(in\()({_ITEM}|{_ROW})(?:,\2)+(?=\))", re.IGNORECASE)
_ROWS = re.compile(rf"\b(values)({_ROW})(?:,\2)+", re.IGNORECASE)
_COUNTER = re.compile(r",\d+\)(?=,\(|\)as imp_sen\()", re.IGNORECASE)
"""What SQLAlchemy numbers the rows of an INSERT by, to bring what is returned into their order."""


def judge_queries(
    expected: Queries | Matcher | int, sent: Sequence[SentQuery], path: Path, comparison: Comparison
) -> list[Mismatch]:
    """Judge the statements of an operation.

    Args:
        expected: how many there are; or how many there may be at most, and how often one comes
            again that differs only in its parameters.
        sent: the statements, in order.
        path: to `queries`.
        comparison: judges the numbers.
    """
    if not isinstance(expected, Queries):
        found = [_number(expected, sent, path, comparison)]
    else:
        found = []
        if expected.given("max"):
            found.append(_most(expected.max, sent, (*path, "max"), comparison))
        if expected.given("repeated"):
            found.append(_repeated(expected.repeated, sent, (*path, "repeated"), comparison))
    return [mismatch for mismatch in found if mismatch]


def shape(text: str) -> tuple[str, tuple[str, ...]]:
    """What statements have in common that differ only in their parameters: a text, and literals.

    White space and comments do not count, nor does how many parameters an IN list has, or how many
    rows a VALUES list.
    """
    literals: dict[str, int] = {}
    pieces = []
    for token in tokens(text):
        if token.kind in _LITERALS:
            pieces.append(f"\x00{literals.setdefault(token.text, len(literals))}\x00")
        else:
            pieces.append(" " if token.kind in _GAPS else token.text)
    bare = _PARAMETER.sub("\x01", " ".join("".join(pieces).split()))
    bare = _LOOSE.sub("", bare).rstrip(";")
    if "imp_sen(" in bare:
        bare = _COUNTER.sub(",#)", bare)
    return _ROWS.sub(r"\1\2", _LISTS.sub(r"\1\2", bare)), tuple(literals)


def _number(
    expected: Any, sent: Sequence[SentQuery], path: Path, comparison: Comparison
) -> Mismatch | None:
    with comparison.marks.at(path):
        number = count_of(len(sent))
        mismatch = judge_alone(expected, number, path, "number of statements", comparison)
    return mismatch and replace(mismatch, actual=_listed(sent))


def _most(
    limit: Any, sent: Sequence[SentQuery], path: Path, comparison: Comparison
) -> Mismatch | None:
    if isinstance(limit, Matcher):
        return _number(limit, sent, path, comparison)
    failure = comparison.judge("$lte", limit, count_of(len(sent)))
    if failure is None:
        return None
    reason = f"at most {show(limit)} {_statements(limit)} expected, {len(sent)} sent"
    if failure.senseless:
        reason = f"number of statements: {told(failure)}"
    return Mismatch(path, reason, show(limit), _listed(sent), hint=failure.hint)


def _repeated(
    expected: Any, sent: Sequence[SentQuery], path: Path, comparison: Comparison
) -> Mismatch | None:
    groups = _grouped(sent)
    number = count_of(len(sent) - len(groups))
    with comparison.marks.at(path):
        mismatch = judge_alone(expected, number, path, "repeated statements", comparison)
    if mismatch is None:
        return None
    again = [query for group in groups if len(group) > 1 for query in group]
    hint = "load what belongs together in one statement (N+1)" if again else None
    return replace(mismatch, actual=_listed(again or sent), hint=mismatch.hint or hint)


def _grouped(sent: Sequence[SentQuery]) -> list[list[SentQuery]]:
    """The statements that differ only in their parameters together."""
    shapes = {text: shape(text) for text in {query.text for query in sent}}
    groups: dict[object, list[SentQuery]] = {}
    for query in sent:
        groups.setdefault(shapes[query.text], []).append(query)
    return list(groups.values())


def _statements(number: Any) -> str:
    return "statement" if number == 1 else "statements"


def _listed(sent: Sequence[SentQuery]) -> str:
    """The statements in lines, those that were sent most often first, and where from."""
    ordered = sorted(_grouped(sent), key=len, reverse=True)
    lines = [f"{len(sent) or 'no'} {_statements(len(sent))}"]
    for group in ordered[:_MOST]:
        lines.append(
            f"{len(group)} times: {abridged(' '.join(group[0].text.split()), 0, _LONGEST)}"
        )
        lines += _places(group)
    if len(ordered) > _MOST:
        lines.append(f"and {len(ordered) - _MOST} others")
    return "\n".join(lines)


def _places(group: Sequence[SentQuery]) -> Iterator[str]:
    places = Counter(query.place for query in group if query.place)
    for place, times in places.most_common(_MOST):
        yield f"    {place}" + (f" ({times} times)" if times > 1 else "")
    if len(places) > _MOST:
        yield f"    and {len(places) - _MOST} other places"
