"""Hooks by which reports of specs come whole from the workers of pytest-xdist."""

from __future__ import annotations

import pickle
from collections.abc import Generator
from typing import Any

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable(
    report: pytest.TestReport,
) -> Generator[None, dict[str, Any] | None, dict[str, Any] | None]:
    """Send the report of a spec as it is: pytest-xdist would make plain text of it."""
    data = yield
    pack = getattr(report.longrepr, "packed", None)
    if data is not None and pack is not None:
        data["harness_report"] = pack()
    return data


@pytest.hookimpl(wrapper=True)
def pytest_report_from_serializable(data: dict[str, Any]) -> Generator[None, Any, Any]:
    """Take it over, so that it has this terminal's width and colours."""
    report = yield
    if report is not None and "harness_report" in data:
        report.longrepr = pickle.loads(data["harness_report"])
    return report
