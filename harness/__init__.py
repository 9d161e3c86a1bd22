"""Declarative database tests: YAML specs as pytest items in rolled-back transactions."""

from __future__ import annotations

import importlib
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from harness.actor import Actor

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from harness.errors import HarnessError
    from harness.results import SpecResult
    from harness.sharing import WorkerDatabase
    from harness.single import RunSpec

__all__ = [
    "Actor",
    "HarnessError",
    "RunSpec",
    "SpecResult",
    "WorkerDatabase",
    "__version__",
    "isolated",
]

# Written here too: asking the installed package would cost every run of every project.
__version__ = "0.1.0"

# Imported when they are asked for, as all runs of pytest import this module.
_LATER = {
    "HarnessError": "harness.errors",
    "RunSpec": "harness.single",
    "SpecResult": "harness.results",
    "WorkerDatabase": "harness.sharing",
}


def isolated(worker_db: WorkerDatabase) -> AbstractContextManager[Connection]:
    """A SQLAlchemy `Connection` in a transaction that is rolled back at the end of the block.

    Args:
        worker_db: what the fixture of this name gives.

    Raises:
        HarnessError: a transaction is open already, or was ended inside the block.
    """
    return worker_db.isolated()


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LATER[name]), name)
