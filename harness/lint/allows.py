"""`# harness: allow[rule]`: remarks that silence a finding on their line."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import Location, did_you_mean
from harness.lint.finding import Finding

UNKNOWN = "unknown-allow"
UNUSED = "unused-allow"

_REMARK = re.compile(r"#\s*harness:\s*allow\b(?:\[([^\]]*)\])?")


@dataclass(frozen=True, slots=True)
class Allow:
    """One rule that a remark names; `line` is the one that it holds for."""

    where: Location
    line: int
    rule: str


def in_python(path: Path, text: str) -> list[Allow]:
    """The remarks of a module: in comments, not in strings."""
    if not _REMARK.search(text):
        return []
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [
        allow
        for token in tokens
        if token.type == tokenize.COMMENT
        for allow in _allows(path, token.string, token.start, token.line)
    ]


def in_settings(path: Path, text: str) -> list[Allow]:
    """The remarks of a file of settings."""
    return [
        allow
        for number, line in enumerate(text.split("\n"), 1)
        if "#" in line
        for allow in _allows(path, line, (number, 0), line)
    ]


def _allows(path: Path, comment: str, start: tuple[int, int], line: str) -> Iterator[Allow]:
    number, column = start
    alone = line.lstrip().startswith("#")
    for match in _REMARK.finditer(comment):
        where = Location(path, number, column + match.start() + 1)
        for rule in (match[1] or "").split(","):
            yield Allow(where, number + alone, rule.strip())


def left(
    findings: Iterable[Finding], allows: list[Allow], rules: Sequence[str]
) -> Iterator[Finding]:
    """The findings that no remark allows, and those about the remarks themselves.

    Args:
        findings: of one file.
        allows: of the same file.
        rules: the names of all rules.
    """
    used: set[Allow] = set()
    for finding in findings:
        lines = (finding.where.line, finding.last_line)
        allowing = {each for each in allows if each.rule == finding.rule and each.line in lines}
        used |= allowing
        if not allowing:
            yield finding
    for allow in allows:
        if allow.rule not in rules:
            what = f"there is no rule {allow.rule!r}" if allow.rule else "the remark names no rule"
            hint = did_you_mean(allow.rule, rules) if allow.rule else "write allow[rule]"
            yield Finding(allow.where, UNKNOWN, what, hint or "", allow.where.line)
        elif allow not in used:
            what = f"{allow.rule} finds nothing here"
            yield Finding(allow.where, UNUSED, what, "remove the remark", allow.where.line)
