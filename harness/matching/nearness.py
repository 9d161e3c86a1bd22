"""What `$approx` means: how far a number may be from another."""

from __future__ import annotations

from collections.abc import Hashable
from decimal import Context, Decimal, DecimalException

from harness.matching.casts import IncomparableError
from harness.matching.display import show
from harness.matching.numbers import plain_number
from harness.matching.plain import plain
from harness.spec.matchers import Approximation

_DEFAULT_REL, _DEFAULT_ABS = Decimal("1e-6"), Decimal("1e-12")
_CONTEXT = Context(prec=60)  # more than enough for a distance, whatever the digits of the numbers


def vicinity(argument: Approximation) -> tuple[Decimal, Decimal]:
    """The number, and the largest distance from it.

    Raises:
        IncomparableError: the argument has no meaning.
    """
    try:
        wanted = _decimal(argument.value, "value")
        return wanted, _tolerance(argument, wanted)
    except DecimalException as error:
        raise IncomparableError(str(error)) from error


def is_near(found: Hashable, wanted: Decimal, tolerance: Decimal) -> bool:
    """Whether the key of a number is so near."""
    if not isinstance(found, Decimal):
        return False
    if not found.is_finite() or not wanted.is_finite():
        return found == wanted
    try:
        return _CONTEXT.subtract(found, wanted).copy_abs() <= tolerance
    except DecimalException:  # too far apart to be subtracted
        return False


def _tolerance(near: Approximation, wanted: Decimal) -> Decimal:
    """The larger of the absolute and the relative one; without either as `pytest.approx` has it."""
    absolute = _DEFAULT_ABS if near.abs is None else _decimal(near.abs, "abs")
    if near.rel is None and near.abs is not None:
        return absolute
    relative = _DEFAULT_REL if near.rel is None else _decimal(near.rel, "rel")
    return max(absolute, relative * abs(wanted)) if wanted.is_finite() else absolute


def _decimal(number: object, name: str) -> Decimal:
    key = plain_number(plain(number))
    if not isinstance(key, Decimal) or (name != "value" and (key < 0 or not key.is_finite())):
        raise IncomparableError(f"{name} is {show(number)}")
    return key
