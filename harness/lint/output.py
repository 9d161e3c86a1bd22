"""Findings as text: for people, for programs, and as annotations of GitHub's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from harness.lint.finding import Finding


def _text(findings: Iterable[Finding]) -> str:
    return "".join(f"{finding}\n" for finding in findings)


def _json(findings: Iterable[Finding]) -> str:
    listed = [
        {
            "path": str(each.where.path),
            "line": each.where.line,
            "column": each.where.column,
            "rule": each.rule,
            "message": each.what,
            "instead": each.instead,
        }
        for each in findings
    ]
    return json.dumps(listed, indent=2) + "\n"


def _github(findings: Iterable[Finding]) -> str:
    """https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions."""
    return "".join(
        f"::error file={_property(str(each.where.path))},line={each.where.line},"
        f"col={each.where.column},title={_property(each.rule)}"
        f"::{_escaped(f'{each.what}; {each.instead}')}\n"
        for each in findings
    )


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


FORMATS: dict[str, Callable[[Iterable[Finding]], str]] = {
    "text": _text,
    "json": _json,
    "github": _github,
}
"""How findings can be written."""
