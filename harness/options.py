"""The options of pytest that are Harness's own. Quick to import: every run of pytest does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.activation import Activation

ACTIVATION: pytest.StashKey[Activation] = pytest.StashKey()
"""What is active in a session, if its project has `[tool.harness]`."""

SETTINGS = {
    "timeout": ("SECONDS", "seconds for one spec; 0 is no limit"),
    "max_workers": ("N", "no run uses more pytest-xdist workers than this"),
    "memory_limit": ("SIZE", "for one worker with its database, e.g. 400MB; 0 is no limit"),
    "backend": ("NAME", "the database: pglite"),
}
"""Settings that an option overrides → metavar and help."""

SWITCHES = {"memory": "print what each worker and its database hold"}
"""Settings that an option turns on → help."""

FLAGS = {
    "rebuild": "build the template anew",
    "sql": "show the statements of failing specs, as a script that psql can replay",
    "update": "write what was seen into expectations that fail, or are ???",
}
"""Options that are no settings → help."""


def add_options(parser: pytest.Parser) -> None:
    """Tell pytest of the options, and of the ini value."""
    group = parser.getgroup("harness", "declarative database tests")
    for key, (metavar, text) in SETTINGS.items():
        group.addoption(f"--harness-{key.replace('_', '-')}", metavar=metavar, help=text)
    for key, text in SWITCHES.items():
        group.addoption(f"--harness-{key}", action="store_true", default=None, help=text)
    for name, text in FLAGS.items():
        group.addoption(f"--harness-{name}", action="store_true", help=text)
    parser.addini(
        "harness_files",
        "globs of the files that hold specs",
        type="args",
        default=["**/specs/**/*.yaml", "**/specs/**/*.yml", "*.spec.yaml"],
    )
