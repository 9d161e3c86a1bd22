"""Declarative database tests: YAML specs as pytest items in rolled-back transactions."""

from __future__ import annotations

__all__ = ["__version__"]

# Written here too: asking the installed package would cost every run of every project.
__version__ = "0.1.0"
