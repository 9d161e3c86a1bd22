"""Values as YAML text, in the style that a file is written in."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

from harness.editing.tree import Lines, Node
from harness.errors import SpecError
from harness.source import parse
from harness.spec.matchers import PLACEHOLDER

WIDTH = 100
"""Columns that a collection in brackets may reach."""

_ANYWHERE = Path("value")  # errors of reading back are never shown
_SHORT_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


@dataclass(frozen=True, slots=True)
class Style:
    """How a file is written.

    Attributes:
        mapping_step: columns by which a mapping stands further right than the key it belongs to.
        list_step: the same for a list; 0 where its dashes stand below the key.
        padded: whether there are spaces inside braces: `{ a: 1 }`.
        quote: the quote that most of its texts have.
    """

    mapping_step: int = 2
    list_step: int = 2
    padded: bool = False
    quote: str = "'"


def style_of(root: Node, lines: Lines) -> Style:
    """The style in which most of a file is written."""
    steps: dict[str, Counter[int]] = {"list": Counter(), "mapping": Counter()}
    quotes: Counter[str] = Counter()
    padded: Counter[bool] = Counter()
    for node in root.walk():
        if quote_of(node):
            quotes[node.style] += 1
        elif node.kind == "mapping" and node.flow and node.entries:
            padded[lines.text[node.start + 1] == " "] += 1
        elif node.kind == "mapping":
            for entry in node.entries:
                if entry.block and entry.entries:
                    step = lines.column(entry.start) - lines.column(node.start)
                    steps[entry.kind][step] += 1
    most = {kind: counter.most_common(1)[0][0] for kind, counter in steps.items() if counter}
    return Style(
        mapping_step=most.get("mapping", most.get("list") or 2),
        list_step=most.get("list", most.get("mapping", 2)),
        padded=padded[True] > padded[False],
        quote='"' if quotes['"'] > quotes["'"] else "'",
    )


def quote_of(node: Node) -> str:
    """The quotes of a text; those of a placeholder, which needs them in brackets, are no style."""
    return node.style if node.style in ("'", '"') and node.value != PLACEHOLDER else ""


class Writer:
    """Writes values; in its texts a line break is always a line feed.

    Args:
        style: that of the file.
        literals: whether a text of several lines may become a literal, which takes in whatever
            comments follow at its indentation.
    """

    def __init__(self, style: Style, *, literals: bool = True) -> None:
        self._style = style
        self.literals = literals

    def step(self, value: Any) -> int:
        """How much further right than its key a value in block style stands."""
        is_list = isinstance(value, list)
        return self._style.list_step if is_list else self._style.mapping_step

    def scalar(self, value: Any, quote: str = "", *, flow: bool) -> str:
        """A scalar on one line.

        Args:
            value: what it stands for.
            quote: the quotes that it should have if it is a text; without, none if possible.
            flow: whether it stands inside brackets.
        """
        if isinstance(value, str):
            return _text(value, quote, self._style.quote, flow=flow)
        if value is None or isinstance(value, bool):
            return {None: "null", True: "true", False: "false"}[value]
        if isinstance(value, float):
            return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
        text = str(value)
        # `5.` is how a decimal without decimal places is told from an integer.
        return f"{text}." if isinstance(value, Decimal) and text.lstrip("-").isdigit() else text

    def key(self, name: str, quote: str = "") -> str:
        """A key, its colon included."""
        if not quote and name.isprintable() and _reads(f"{{{name}: 0}}", {name: 0}):
            return f"{name}:"
        return _quoted(name, quote or _best_quote(name, self._style.quote)) + ":"

    def flow(self, value: Any) -> str:
        """A value on one line, collections in brackets."""
        if not is_collection(value):
            return self.scalar(value, flow=True)
        text = ", ".join(self.items(value))
        if isinstance(value, list):
            return f"[{text}]"
        space = " " if self._style.padded and text else ""
        return f"{{{space}{text}{space}}}"

    def items(self, value: Any) -> list[str]:
        """What stands between the brackets and commas of a collection."""
        if isinstance(value, list):
            return list(map(self.flow, value))
        return [f"{self.key(name)} {self.flow(item)}" for name, item in value.items()]

    def block(self, value: Any, column: int) -> str:
        """A collection in block style, all its lines but the first indented by `column`."""
        if isinstance(value, list):
            entries = [f"- {self.after_dash(item, column)}" for item in value]
        else:
            keys = {name: self.key(name) for name in value}
            entries = [
                keys[name] + self.after_key(item, column, column + len(keys[name]))
                for name, item in value.items()
            ]
        return f"\n{' ' * column}".join(entries)

    def after_dash(self, value: Any, column: int, gap: int = 1) -> str:
        """An item of a list whose dashes stand at `column`: on one line if that is short enough."""
        inner = column + 1 + gap
        if not is_collection(value):
            return self.line(value, inner)
        text = self.flow(value)
        return text if not value or inner + len(text) <= WIDTH else self.block(value, inner)

    def after_key(self, value: Any, column: int, used: int) -> str:
        """The value of a key that stands at `column`: behind it, or in lines below.

        Rows always stand below, one line each.
        """
        if not is_collection(value):
            return " " + self.line(value, column + self._style.mapping_step)
        text = self.flow(value)
        if not value or (used + 1 + len(text) <= WIDTH and not _holds_rows(value)):
            return " " + text
        inner = column + self.step(value)
        return f"\n{' ' * inner}{self.block(value, inner)}"

    def line(self, value: Any, column: int, quote: str = "") -> str:
        """A scalar in block style; a text of several lines becomes a literal at `column`."""
        if self.literals and isinstance(value, str) and "\n" in value and not quote:
            literal = block_scalar("|", value, column)
            if literal is not None:
                return literal
        return self.scalar(value, quote, flow=False)


def block_scalar(indicator: str, text: str, column: int) -> str | None:
    """A text as a literal `|` or folded `>` scalar with its lines at `column`.

    Args:
        indicator: `|` or `>`, with its digit if the file has one.
        text: what it stands for.
        column: where its lines begin.

    Returns:
        The header, and a line for each of the text's; None if the text cannot be written so.
    """
    body, ends = text.removesuffix("\n"), text.endswith("\n")
    shown = body.replace("\n", "").replace("\t", " ")
    if not body or not shown.isprintable():
        return None
    lines = body.split("\n")
    if indicator[0] == ">":
        pieces = (("", *_wrapped(line, WIDTH - column)) if line else ("",) for line in lines)
        lines = list(chain.from_iterable(pieces))[1:]
    margin = " " * column
    written = "".join(f"\n{margin}{line}" if line else "\n" for line in lines)
    result = f"{indicator}{'' if ends else '-'}{written}"
    # What an indentation indicator says depends on the parent: here the same text without it.
    alone = f"- {indicator[0]}{'' if ends else '-'}{written}\n"
    return result if _reads(alone, [text]) else None


def _wrapped(line: str, width: int) -> list[str]:
    """A line in pieces that folding joins again, none longer than `width` where that can be."""
    pieces = [""]
    for word in re.split(r"(?<=\S) (?=\S)", line):
        if pieces[-1] and len(pieces[-1]) + 1 + len(word) <= width:
            pieces[-1] += f" {word}"
        elif pieces[-1]:
            pieces.append(word)
        else:
            pieces[-1] = word
    return pieces


_INDICATORS = ("-", "?", ":")
"""Text that libyaml reads as such, and other parsers do not."""


def _text(text: str, quote: str, preferred: str, *, flow: bool) -> str:
    if not quote:
        alone, whole = (f"[{text}, 0]", [text, 0]) if flow else (f"- {text}", [text])
        if text not in _INDICATORS and text.isprintable() and _reads(alone, whole):
            return text
    return _quoted(text, quote or _best_quote(text, preferred))


def _best_quote(text: str, preferred: str) -> str:
    """The preferred quote, unless only the other one spares escapes."""
    needs_escapes = {"'": "'" in text, '"': '"' in text or "\\" in text}
    other = "'" if preferred == '"' else '"'
    return other if needs_escapes[preferred] and not needs_escapes[other] else preferred


def _quoted(text: str, quote: str) -> str:
    if quote == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _reads(text: str, expected: Any) -> bool:
    try:
        return bool(parse(text, _ANYWHERE) == expected)
    except SpecError:
        return False


def is_collection(value: Any) -> bool:
    """Whether a value is a list or a mapping."""
    return isinstance(value, (list, dict))


def _holds_rows(value: Any) -> bool:
    """Whether a collection holds a list of collections, at any depth."""
    items = value if isinstance(value, list) else list(value.values())
    if isinstance(value, list) and any(map(is_collection, items)):
        return True
    return any(_holds_rows(item) for item in items if is_collection(item))
