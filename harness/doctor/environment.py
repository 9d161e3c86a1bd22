"""Checks of environment variables that reach into a run."""

from __future__ import annotations

import os
from collections.abc import Mapping

from harness.config import Config
from harness.doctor.finding import Check, Finding, note, ok, problem
from harness.doctor.project import Project

_NO_PLUGINS = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"
_ADDED = "PYTEST_ADDOPTS"
_CACHE = "HARNESS_CACHE_DIR"


def environment(found: Project) -> Finding:
    """What changes a run without standing in any file. Values are not told: they may be secrets."""
    names = sorted(os.environ)
    known = {f"HARNESS_{key.upper()}" for key in Config.model_fields if key != "root"}
    ours = [name for name in names if name.startswith("HARNESS_") and name != _CACHE]
    settings = [name for name in ours if name in known]
    strange = [name for name in ours if name not in known]
    ignored = [name for name in names if name == "NODE_OPTIONS" or _is_of_libpq(name)]
    facts = {"settings": settings, "unknown": strange, "ignored": ignored}
    if os.environ.get(_NO_PLUGINS) and not found.named_plugins & {"harness", "harness.plugin"}:
        return problem(
            f"{_NO_PLUGINS} is set: pytest loads no plugin by itself, and Harness is one",
            "unset it, or name the plugin: `pytest -p harness`",
            **facts,
        )
    told = {
        f"{', '.join(settings)}: instead of what pyproject.toml says": settings,
        f"{', '.join(strange)}: no setting, and not read": strange,
        f"{_ADDED}: added to each command line of pytest": os.environ.get(_ADDED),
    }
    remarks = [text for text, holds in told.items() if holds]
    harmless = f"{', '.join(ignored)}: kept from PGlite" if ignored else ""
    if remarks:
        text = "; ".join([*remarks, harmless] if harmless else remarks)
        return note(text, "unset what is not meant for this project", **facts)
    return ok(harmless or "nothing that changes a run", **facts)


CHECKS: Mapping[str, Check] = {"environment": environment}


def _is_of_libpq(name: str) -> bool:
    return name.startswith("PG") and name.isalpha()
