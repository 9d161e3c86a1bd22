"""More workers of pytest-xdist in pytest's settings than the regime allows."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from itertools import pairwise

from harness.errors import ConfigError
from harness.lint.project import Project
from harness.lint.rule import Rule

_WORKERS = "--numprocesses"
_AT_MOST = "--maxprocesses"
_LIMIT = "--harness-max-workers"


def excess(project: Project) -> tuple[str, str] | None:
    """How many workers `addopts` asks for, if that is too many, and what is wrong about it.

    Raises:
        ConfigError: `addopts` cannot be taken apart.
    """
    given = project.pytest.get("addopts", [])
    try:
        words = given if isinstance(given, list) else shlex.split(str(given))
    except ValueError as error:
        raise ConfigError(f"{project.file}: addopts: {error}") from None
    options = _options([str(word) for word in words])
    asked = options.get(_WORKERS, "0")
    limit = _number(options.get(_LIMIT)) or project.max_workers
    # xdist starts the smaller of the two; what is no number (auto, logical) is many.
    counts = [_number(value) for name, value in options.items() if name in (_WORKERS, _AT_MOST)]
    if asked == "0" or any(count is not None and count <= limit for count in counts):
        return None
    return asked, f"every run asks for {asked} workers, and max_workers is {limit}"


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _options(words: Sequence[str]) -> dict[str, str]:
    """The options about workers with their values, however they are joined; the last one counts."""
    found = {}
    for word, following in pairwise([*words, ""]):
        name, joined, value = word.partition("=")
        if name == "-n" or name in (_WORKERS, _AT_MOST, _LIMIT):
            found[_WORKERS if name == "-n" else name] = value if joined else following
        elif match := re.fullmatch(r"-n(\w+)", word):
            found[_WORKERS] = match[1]
    return found


RULE = Rule(
    name="too-many-workers",
    what="`addopts` asks pytest-xdist for more workers than `max_workers` of [tool.harness], "
    "which is 2 unless it says otherwise.",
    why="Each worker is a Python process with a database of its own, of about 100 MB: eight take "
    "four times what two take. Harness lowers the number in every run.",
    instead="write `-n 2`, or raise max_workers where the memory is there",
    bad="""\
[tool.pytest.ini_options]
addopts = "-n auto --dist loadfile"
""",
    good="""\
[tool.pytest.ini_options]
addopts = "-n 2 --dist loadfile"
""",
)
