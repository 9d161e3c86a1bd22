"""The tables of the README's format reference, made from the models, as schema.json is.

`python -m harness.reference` writes both anew: `schema.json`, and in `README.md` what stands
between `<!-- reference: NAME -->` and `<!-- /reference -->`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel

from harness import schema
from harness.config import Config
from harness.errors import HarnessError, did_you_mean
from harness.lint.rules import RULES
from harness.spec.actors import Actor
from harness.spec.expectations import (
    CallOutcome,
    Changes,
    ErrorExpectation,
    HttpOutcome,
    Outcome,
    Plan,
    Queries,
    SqlOutcome,
    TableChanges,
)
from harness.spec.matchers import Approximation, Matcher
from harness.spec.operations import VERBS, BaseOperation
from harness.spec.state import StateExpectation, TableState
from harness.spec.suite import Part, Requirements, Spec, Suite

README = Path("README.md")
SCHEMA = Path("schema.json")

Row = tuple[str, ...]

_BLOCK = re.compile(r"<!-- reference: (.*?) -->\n(.*?)<!-- /reference -->", re.DOTALL)
_MARKER = re.compile(r"<!-- /?reference")

_MODELS: dict[str, type[BaseModel]] = {
    "part": Part,
    "suite": Suite,
    "spec": Spec,
    "requires": Requirements,
    "actor": Actor,
    "error": ErrorExpectation,
    "table changes": TableChanges,
    "queries": Queries,
    "plan": Plan,
    "state": StateExpectation,
    "table": TableState,
    "matchers": Matcher,
    "approx": Approximation,
}
"""Table → the model whose keys it lists."""


def tables() -> dict[str, str]:
    """Every table as Markdown, by the name that the README calls it by."""
    return {
        **{name: _table(("key", "meaning"), _keys(model)) for name, model in _MODELS.items()},
        "changes": _table(("key", "meaning"), _changes()),
        "verbs": _table(("verb", "what it does", "its value"), _verbs()),
        "operation": _table(("key", "of", "meaning"), _operation()),
        "outcome": _table(("key", "of", "meaning"), _outcome()),
        "settings": _table(("key", "default", "meaning"), _settings()),
        "lint": _table(("rule", "finds", "instead"), _lint()),
    }


def rewritten(text: str) -> str:
    """The text with the content between every pair of markers made anew.

    Raises:
        HarnessError: a marker that has no partner, or names no table.
    """
    known = tables()

    def block(match: re.Match[str]) -> str:
        name = match[1]
        if name not in known:
            raise HarnessError(
                f"there is no reference {name!r}",
                hint=did_you_mean(name, known),
            )
        return f"<!-- reference: {name} -->\n{known[name]}<!-- /reference -->"

    blocks = list(_BLOCK.finditer(text))
    if len(_MARKER.findall(text)) != 2 * len(blocks):
        raise HarnessError(
            "a marker of the reference has no partner",
            hint="write <!-- reference: NAME --> and <!-- /reference --> on lines of their own",
        )
    return _BLOCK.sub(block, text)


def _table(head: Row, rows: Iterable[Row]) -> str:
    return "".join(map(_line, (head, ("---",) * len(head), *rows)))


def _line(cells: Row) -> str:
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |\n"


def _keys(model: type[BaseModel], without: Iterable[str] = ()) -> list[Row]:
    """The keys of a model and what they mean, in its order."""
    named = ((field.alias or name, field.description) for name, field in model.model_fields.items())
    return [(f"`{key}`", meaning or "") for key, meaning in named if key not in without]


def _changes() -> list[Row]:
    each = Changes.model_fields["tables"].description or ""
    return [("a table's name", each), *_keys(Changes, without=("tables",))]


def _lint() -> list[Row]:
    """The rules of `harness lint`, each as it documents itself."""
    return [
        (f"`{rule.name}`", rule.what, f"{rule.instead[0].upper()}{rule.instead[1:]}.")
        for rule in RULES
    ]


def _verbs() -> list[Row]:
    return [
        (f"`{verb}`", (model.__doc__ or "").strip(), model.model_fields[verb].description or "")
        for verb, model in VERBS.items()
    ]


def _operation() -> list[Row]:
    common = BaseOperation.known_keys()
    own = (
        (key, f"`{verb}`", meaning)
        for verb, model in VERBS.items()
        for key, meaning in _keys(model, without={*common, verb})
    )
    return [*own, *((key, "all", meaning) for key, meaning in _keys(BaseOperation))]


def _outcome() -> list[Row]:
    """Expectations by verb; `resume` has those of whatever operation waited."""
    common = Outcome.known_keys()
    own = (
        (key, f"`{verb}`", meaning)
        for verb, model in (("sql", SqlOutcome), ("call", CallOutcome), ("http", HttpOutcome))
        for key, meaning in _keys(model, without=common)
    )
    return [*own, *((key, "all", meaning) for key, meaning in _keys(Outcome))]


def _settings() -> list[Row]:
    return [
        (f"`{name}`", _default(field.default), field.description or "")
        for name, field in Config.model_fields.items()
        if not field.exclude
    ]


def _default(value: object) -> str:
    return "—" if value is None else f"`{json.dumps(value)}`"


def main() -> int:
    """Write `schema.json` and the README's tables in the current folder; 2 if that fails."""
    try:
        readme = rewritten(README.read_text(encoding="utf-8"))
    except (HarnessError, OSError) as error:
        print(f"{README}: {error}", file=sys.stderr)
        return 2
    README.write_text(readme, encoding="utf-8", newline="\n")
    SCHEMA.write_text(schema.text(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
