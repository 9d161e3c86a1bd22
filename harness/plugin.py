"""pytest's hooks and options. Inert, and quick to import, where there is no [tool.harness]."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from harness.imports import quick_imports
from harness.options import ACTIVATION, SETTINGS, SWITCHES, add_options

if TYPE_CHECKING:
    from pathlib import Path

    from harness.activation import Activation


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options and the ini value; pytest shows them in every project."""
    add_options(parser)


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
    _activate(config)


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
    activation.open(parent.config, launch=not parent.config.option.collectonly)
    with quick_imports():
        from harness.collection import SpecFile

    return SpecFile.from_parent(parent, path=file_path)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, Any, Any]:
    """End a run whose setup is refused; raised inside, it would be the error of one folder."""
    result = yield
    activation = session.config.stash.get(ACTIVATION, None)
    if activation is not None:
        activation.raise_refusal()
    return result


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Build what the workers share before there are any: here progress can be seen."""
    activation = config.stash.get(ACTIVATION, None)
    if activation is not None:
        activation.prepare(activation.open(config, launch=False))


def _activate(config: pytest.Config) -> Activation | None:
    if ACTIVATION in config.stash:
        return config.stash[ACTIVATION]
    table = _table(config.rootpath / "pyproject.toml")
    if table is None:
        return None
    # Only here do the heavy imports happen: other projects' runs do not pay for them.
    with quick_imports():
        from harness import fixtures, transport
        from harness.activation import activate
        from harness.regime import Regime

    options = {key: config.getoption(f"harness_{key}") for key in (*SETTINGS, *SWITCHES)}
    activation = config.stash[ACTIVATION] = activate(config, table, os.environ, options)
    for plugin in (transport, fixtures, Regime(config, activation)):
        config.pluginmanager.register(plugin)
    if config.getoption("harness_update"):
        from harness.updating import register

        register(config)
    return activation


def _table(pyproject: Path) -> Any:
    """`[tool.harness]`, or None; a file that is not TOML is reported by pytest itself."""
    try:
        return tomllib.loads(pyproject.read_text(encoding="utf-8"))["tool"]["harness"]
    except (OSError, KeyError, TypeError, ValueError):
        return None
