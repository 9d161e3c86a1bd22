"""What YAML's parser complains of, as errors that say where, and what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.errors import SpecError

if TYPE_CHECKING:
    import yaml

    from harness.nodes import Document

_TEMPLATE = re.compile(r"(?:\{\{.*?\}\}[^,:\[\]{}#\r\n]*)+")
_BEFORE_TEMPLATE = re.compile(r"""(?:[^"']*?[-:,?\[{])?[ ]*(?=\{\{)""")
_SYNTAX_HINTS = (
    ("'\\t' that cannot start", "indent with spaces, not with tabs"),
    ("tab character", "indent with spaces, not with tabs"),
    ("cannot start any token", "put quotes around a text that begins with this character"),
    ("values are not allowed", "check the indentation; a text with ': ' in it needs quotes"),
    ("unknown escape", "in double quotes a backslash is written twice; in single quotes once"),
    ("unexpected end of stream", "a quote that was opened is never closed"),
    ("expected ',' or", "a bracket or brace is not closed, or a comma is missing"),
    ("find expected key", "check the indentation, and for text behind a closing quote"),
    ("find expected '-'", "check the indentation; the items of a list all begin with '- '"),
    ("<document start>", "check the indentation, and for text behind the end of the data"),
    ("node content", "a value is missing, or a text needs quotes"),
    ("find expected ':'", "a key is followed by a colon and a space"),
)


def syntax_error(document: Document, text: str, error: yaml.MarkedYAMLError) -> SpecError:
    """What the parser refused in the text of a document."""
    offset = error.problem_mark.index if error.problem_mark else 0
    problem = str(error.problem)
    if problem == "found character that cannot start any token":
        problem = f"found character {text[offset]!r} that cannot start any token"
    what = f"not valid YAML: {problem}"
    if error.context_mark and error.context_mark.index != offset:
        begin = document.location(error.context_mark.index)
        what += f", {error.context} that begins at {begin.line}:{begin.column}"
    hint = next((hint for words, hint in _SYNTAX_HINTS if words in problem), None)
    if "???" in text[max(offset - 4, 0) : offset + 4]:
        hint = 'inside brackets a placeholder needs quotes: "???"'
    template = template_hint(text, _template_before(text, offset))
    return SpecError(what, where=document.location(offset), hint=template or hint)


def template_hint(text: str, offset: int) -> str | None:
    """How to quote the template at `offset`, if one is there."""
    if not text.startswith("{{", offset):
        return None
    match = _TEMPLATE.match(text, offset)
    template = match.group().rstrip() if match else "{{ ... }}"
    if '"' in template or "\\" in template:
        quoted = "'" + template.replace("'", "''") + "'"
    else:
        quoted = f'"{template}"'
    return f"put quotes around a template: {quoted}"


def _template_before(text: str, offset: int) -> int:
    """Where an unquoted `{{` stands in the line before `offset`; `offset` if there is none."""
    begin = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    match = _BEFORE_TEMPLATE.match(text[begin : offset + 2])
    return begin + match.end() if match else offset
