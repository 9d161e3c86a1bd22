"""pytest's hooks and options. Inert, and quick to import, where there is no [tool.harness]."""

from __future__ import annotations

import gc
import os
import tomllib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from harness.activation import Activation

OPTIONS = {
    "timeout": ("SECONDS", "seconds for one spec; 0 is no limit"),
    "max_workers": ("N", "no run uses more pytest-xdist workers than this"),
    "backend": ("NAME", "the database: pglite"),
}
"""Settings that an option overrides → metavar and help."""

ACTIVATION = pytest.StashKey["Activation"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options and the ini value; pytest shows them in every project."""
    group = parser.getgroup("harness", "declarative database tests")
    for key, (metavar, text) in OPTIONS.items():
        group.addoption(f"--harness-{key.replace('_', '-')}", metavar=metavar, help=text)
    group.addoption("--harness-rebuild", action="store_true", help="build the template anew")
    parser.addini(
        "harness_files",
        "globs of the files that hold specs",
        type="args",
        default=["**/specs/**/*.yaml", "**/specs/**/*.yml", "*.spec.yaml"],
    )


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, Any, Any]:
    """Lower the number of workers before pytest-xdist starts them."""
    activation = _activate(config)
    if activation is not None:
        activation.limit_workers(config)
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Activate in workers too, which have no command line of their own."""
    activation = _activate(config)
    if activation is not None:
        config.add_cleanup(activation.database.replace)


def pytest_report_header(config: pytest.Config) -> str | None:
    """One line: the database, and how many workers there may be."""
    activation = config.stash.get(ACTIVATION, None)
    return activation.header if activation else None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A file of specs, if its name says so or the command line names it."""
    activation = parent.config.stash.get(ACTIVATION, None)
    if activation is None or file_path.suffix not in (".yaml", ".yml"):
        return None
    if not activation.holds_specs(file_path, parent.session):
        return None
    if not parent.config.option.collectonly:
        # Node takes as long to start as the rest of our modules to import: do both at once.
        activation.database.launch()
    with _collector_paused():
        from harness.collection import SpecFile

    return SpecFile.of(activation, file_path, parent)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Build what the workers share before there are any: here progress can be seen."""
    activation = config.stash.get(ACTIVATION, None)
    if activation is not None:
        activation.prepare()


def _activate(config: pytest.Config) -> Activation | None:
    if ACTIVATION in config.stash:
        return config.stash[ACTIVATION]
    table = _table(config.rootpath / "pyproject.toml")
    if table is None:
        return None
    # Only here do the heavy imports happen: other projects' runs do not pay for them.
    with _collector_paused():
        from harness.activation import activate
        from harness.errors import ConfigError

    options = {key: config.getoption(f"harness_{key}") for key in OPTIONS}
    try:
        activation = activate(config, table, os.environ, options)
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[ACTIVATION] = activation
    return activation


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Import without garbage collection, and spare later collections what was imported.

    An import makes many objects and no garbage. Walking them again and again takes a third of the
    start of a run that has one spec, and some of every collection after it.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()


def _table(pyproject: Path) -> Any:
    """`[tool.harness]`, or None; a file that is not TOML is reported by pytest itself."""
    try:
        return tomllib.loads(pyproject.read_text(encoding="utf-8"))["tool"]["harness"]
    except (OSError, KeyError, TypeError, ValueError):
        return None
