"""The findings as a table for people, and as JSON for programs."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Mapping

from harness import __version__
from harness.doctor.finding import Finding, Mark
from harness.doctor.phrases import counted

_COLOURS = {Mark.OK: "32", Mark.NOTE: "33", Mark.PROBLEM: "1;31"}
_MARKS = max(map(len, Mark))
_NARROWEST = 30


def worst(findings: Mapping[str, Finding]) -> Mark:
    """The mark of the whole report."""
    marks = {finding.mark for finding in findings.values()}
    return next(
        mark for mark in (Mark.PROBLEM, Mark.NOTE, Mark.OK) if mark in marks or mark is Mark.OK
    )


def as_json(findings: Mapping[str, Finding]) -> str:
    """One object; its keys stay as they are."""
    rows = [
        {
            "name": name,
            "mark": finding.mark,
            "text": finding.text,
            "advice": finding.advice,
            "facts": finding.facts,
        }
        for name, finding in findings.items()
    ]
    whole = {"harness": __version__, "mark": worst(findings), "findings": rows}
    return json.dumps(whole, indent=2, ensure_ascii=False)


def as_text(findings: Mapping[str, Finding], width: int, *, colour: bool) -> str:
    """A line for each, with its advice below, and how many there are to care about."""
    names = max(map(len, findings))
    lines = []
    for name, finding in findings.items():
        mark = f"{finding.mark:{_MARKS}}"
        shown = f"\033[{_COLOURS[finding.mark]}m{mark}\033[0m" if colour else mark
        indent = " " * (_MARKS + names + 4)
        first, *more = _wrapped(finding.text, width - len(indent))
        lines.append(f"{shown}  {name:{names}}  {first}")
        lines += [f"{indent}{line}" for line in more]
        advice = _wrapped(finding.advice, width - len(indent) - 2) if finding.advice else []
        arrows = ["> ", *["  "] * len(advice)]
        lines += [f"{indent}{arrow}{line}" for arrow, line in zip(arrows, advice, strict=False)]
    return "\n".join([*lines, "", _summary(findings)])


def _wrapped(text: str, width: int) -> list[str]:
    """The text's own lines, each broken at blanks: paths and commands stay whole."""
    return [
        line
        for paragraph in text.splitlines()
        for line in textwrap.wrap(
            paragraph,
            max(width, _NARROWEST),
            break_long_words=False,
            break_on_hyphens=False,
            subsequent_indent=paragraph[: len(paragraph) - len(paragraph.lstrip())],
        )
    ] or [""]


def _summary(findings: Mapping[str, Finding]) -> str:
    counts = Counter(finding.mark for finding in findings.values())
    told = [counted(counts[mark], mark) for mark in (Mark.PROBLEM, Mark.NOTE) if counts[mark]]
    return ", ".join(told) if told else "nothing is missing"
