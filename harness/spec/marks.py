"""The names by which `$same` marks values of a spec."""

from __future__ import annotations

from collections import Counter
from typing import Any

from harness.spec.matchers import Matcher
from harness.spec.model import Model


def same_names(expected: Any) -> Counter[str]:
    """How often each `$same` name stands in an expectation, which may be a whole model.

    Inside `$each` a name counts twice, as the elements are compared with each other. A name that
    a whole spec has once can never fail.
    """
    names: Counter[str] = Counter()
    waiting: list[tuple[Any, int]] = [(expected, 1)]
    while waiting:
        part, times = waiting.pop()
        if isinstance(part, Matcher):
            operators = part.operators
            names.update({str(operators.pop("$same")): times} if "$same" in operators else {})
            doubled = {"$each": 2}
            waiting += [(item, doubled.get(name, times)) for name, item in operators.items()]
        elif isinstance(part, dict):
            waiting += [(item, times) for item in part.values()]
        elif isinstance(part, (list, tuple)):
            waiting += [(item, times) for item in part]
        elif isinstance(part, Model):
            waiting += [(item, times) for item in part.parts()]
    return names
