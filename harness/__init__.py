"""Declarative database tests: YAML specs as pytest items in rolled-back transactions."""

from __future__ import annotations

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("pgspec-harness")
