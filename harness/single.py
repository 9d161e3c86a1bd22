"""One spec, run from a test in Python."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from harness.errors import SpecError, did_you_mean
from harness.loader import LoadedSpec, load
from harness.report.text import SpecReport
from harness.results import Mismatch, SpecResult, Status

# What JSON may hold as it is and YAML reads as something else, or not at all.
_UNREADABLE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_TEXTS = (date, time, Decimal, UUID, Path)


class RunSpec:
    """What the fixture `run_spec` gives: runs specs that are named, or given as data.

    Args:
        run: runs one on the worker's database.
        root: the project's folder, which paths begin at.
        folder: where a spec that is given as data is written.
        nodeid: of the test, which a failure names.
    """

    def __init__(
        self, run: Callable[[LoadedSpec], SpecResult], root: Path, folder: Path, nodeid: str
    ) -> None:
        self._run = run
        self._root = root
        self._folder = folder
        self._nodeid = nodeid

    def __call__(self, spec: str | Path | Mapping[str, Any], *, check: bool = True) -> SpecResult:
        """Run one spec, in a transaction of its own that is rolled back.

        Args:
            spec: `path::name` (with cases `path::name[case]`), the path of a file that holds one,
                or a mapping as it would stand in a file. Paths begin at the project's folder.
            check: raise what is not as it should be. Without, the result of a spec that failed, or
                was skipped, is as good as any other.

        Raises:
            AssertionError: it failed.
            SpecError: there is no such spec, or it says something that has no meaning.
            BusyError: the test has a transaction of its own.
        """
        __tracebackhide__ = True
        try:
            loaded = self._given(spec) if isinstance(spec, Mapping) else self._named(str(spec))
        except SpecError as error:
            raise SpecError(*(each.relative_to(self._root) for each in error.problems)) from None
        result = self._result(loaded)
        if check:
            self._judge(loaded, result)
        return result

    def _result(self, loaded: LoadedSpec) -> SpecResult:
        __tracebackhide__ = True
        skip = loaded.spec.skip
        if skip:
            return SpecResult(loaded.id, Status.SKIPPED, skipped=_reason(skip))
        result = self._run(loaded)
        if result.status is Status.PASSED and loaded.placeholders:
            # --harness-update sees what it would write, and nothing writes it from here.
            return replace(result, status=Status.FAILED, mismatches=_unwritten(loaded))
        return result

    def _judge(self, loaded: LoadedSpec, result: SpecResult) -> None:
        """Do with the test what pytest does with a spec."""
        __tracebackhide__ = True
        if result.status is Status.SKIPPED:
            pytest.skip(result.skipped or "the spec is skipped")
        xfail = loaded.spec.xfail
        if xfail and result.status is Status.PASSED:
            raise AssertionError(f"{loaded.id} passed, and was to fail: {_reason(xfail)}")
        if xfail and not result.broken:
            pytest.xfail(_reason(xfail))
        if result.status is Status.FAILED:
            raise AssertionError(f"{SpecReport(result, self._root, self._nodeid)}")

    def _given(self, data: Mapping[str, Any]) -> LoadedSpec:
        path = self._folder / "spec.yaml"
        parts = data.get("use")
        if isinstance(parts, list):
            data = {**data, "use": [str(self._root / str(part)) for part in parts]}
        path.write_text(_written(data), encoding="utf-8")
        return self._one(load(path, self._root), "the mapping")

    def _named(self, spec: str) -> LoadedSpec:
        file, _, name = spec.partition("::")
        found = load(self._root / file, self._root)
        if not name:
            return self._one(found, file)
        cases = [each for each in found if name in (each.id, each.spec.name)]
        if not cases:
            known = (each.id for each in found)
            raise SpecError(f"there is no spec {name!r} in {file}", hint=did_you_mean(name, known))
        return self._one(cases, repr(name))

    def _one(self, found: tuple[LoadedSpec, ...] | list[LoadedSpec], what: str) -> LoadedSpec:
        if len(found) == 1:
            return found[0]
        names = ", ".join(each.id for each in found)
        raise SpecError(f"{what} is {len(found)} specs", hint=f"one is run at a time: {names}")


def _unwritten(loaded: LoadedSpec) -> tuple[Mismatch, ...]:
    what = "nothing is expected here yet"
    hint = "--harness-update writes what it sees where the spec runs by itself"
    return tuple(
        Mismatch(path, what, hint=hint, where=loaded.locate(path)) for path in loaded.placeholders
    )


def _reason(value: bool | str) -> str:
    return value if isinstance(value, str) else ""


def _written(data: Mapping[str, Any]) -> str:
    """Data as JSON that is YAML, too."""
    try:
        text = json.dumps(data, default=_text, indent=1, ensure_ascii=False)
    except ValueError as error:  # it contains itself
        raise SpecError(f"this mapping cannot be written: {error}") from None
    return _UNREADABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _text(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, _TEXTS):
        return str(value)
    raise SpecError(
        f"a {type(value).__name__} cannot stand in a spec: {value!r}",
        hint="mappings, lists, texts, numbers, dates and times, Decimal and UUID can",
    )
