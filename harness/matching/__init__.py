"""Judging: an expectation and an outcome in, mismatches out; nothing raises, nothing prints."""

from harness.matching.casts import Casts, Relation
from harness.matching.display import show
from harness.matching.exceptions import judge_error
from harness.matching.marks import Marks
from harness.matching.outcome import SqlResult, judge_sql, judge_table
from harness.matching.values import decode

__all__ = [
    "Casts",
    "Marks",
    "Relation",
    "SqlResult",
    "decode",
    "judge_error",
    "judge_sql",
    "judge_table",
    "show",
]
