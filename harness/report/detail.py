"""How much of what is long a report shows: compact, more with `-v`, everything with `-vv`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Detail:
    """Limits; None is none.

    Attributes:
        rows: lines of a table, in which rows that are alike are passed over.
        statement: lines of a statement, and of each of its parameters.
        value: lines of an expected or actual value, and of each variable if they are listed.
        text: characters of two values that differ, around the place where they begin to.
        differences: parts of lists and mappings.
        variables: lines of all variables, of which each is cut; None lists them in full.
        unnamed: columns beside those that the expectation names.
        cuts: texts are cut to fit, and columns left out where they do not.
    """

    rows: int | None = 30
    statement: int | None = 20
    value: int | None = 12
    text: int | None = 200
    differences: int | None = 12
    variables: int | None = 3
    unnamed: int | None = 4
    cuts: bool = True


_MORE = Detail(
    rows=None, statement=None, value=40, text=2000, differences=None, variables=None, unnamed=None
)
_ALL = Detail(None, None, None, None, None, None, None, cuts=False)


def detail_of(verbosity: int) -> Detail:
    """What pytest's verbosity asks for; 1 is `-v`."""
    if verbosity <= 0:
        return Detail()
    return _MORE if verbosity == 1 else _ALL
