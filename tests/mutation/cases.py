"""What cases give to expectations, written out, so that it can be altered as any literal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.mutation.mutants import Data, Mutation, mutations

_WHOLE = re.compile(r"""\{\{ *case(?:\.(\w+)|\['(\w+)'\]) *\}\}""")


def mutations_of_cases(spec: Data) -> Iterator[tuple[Data, Mutation]]:
    """The mutations of a spec; of each of its cases those of what it alone gives, too.

    Yields:
        The spec, of one case or of all, and the mutation of it.
    """
    own = list(mutations(spec))
    yield from ((spec, mutation) for mutation in own)
    known = set(map(str, own))
    for case in spec.get("cases", ()):
        written = _written_out(spec, case)
        for mutation in mutations(written):
            if str(mutation) not in known:
                yield written, mutation


def _written_out(spec: Data, case: Data) -> Data:
    """A spec of one case alone, whose values stand in the expectations themselves."""
    operations = [
        {**each, "expect": _filled(each["expect"], case)} if "expect" in each else each
        for each in spec["operations"]
    ]
    state = {"expect": _filled(spec["expect"], case)} if "expect" in spec else {}
    return {**spec, "cases": [case], "operations": operations, **state}


def _filled(value: Any, case: Data) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, case) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, case) for item in value]
    match = _WHOLE.fullmatch(value) if isinstance(value, str) else None
    return case.get(match[1] or match[2], value) if match else value
