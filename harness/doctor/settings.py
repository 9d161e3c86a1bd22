"""Checks of the project: where it is, its settings, and what they name."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path

from harness.database.node import Runtime, is_installed, packages_folder
from harness.database.setup import setup_steps, watched_content
from harness.doctor.finding import Check, Finding, note, ok, problem
from harness.doctor.phrases import counted, shown
from harness.doctor.project import Project, tools
from harness.errors import nearest

_SWITCH_ON = 'add `[tool.harness]` with `setup = ["schema.sql"]`: it is what switches Harness on'


def project(found: Project) -> Finding:
    """Where pytest's root is, and whether Harness is switched on there."""
    if found.mistake is not None:
        return problem(found.mistake, "pytest cannot read it, either: mend the file")
    if found.root is None or found.source is None:
        return note(
            f"none: no pyproject.toml in {shown(found.start)} or above it",
            "run `harness doctor` in the folder of a project, for the checks that belong to one",
        )
    pyproject = found.root / "pyproject.toml"
    facts = {"root": str(found.root), "source": str(found.source)}
    if found.table is None:
        unseen = _elsewhere(found)
        if unseen is not None:
            return problem(
                f"[tool.harness] of {shown(unseen)} is not seen: {shown(found.source)} makes "
                f"{shown(found.root)} pytest's root",
                _remedy(unseen, found.root),
                **facts,
            )
        near = nearest("harness", tools(pyproject))
        advice = f"rename [tool.{near}] to it, if it was meant so" if near else _SWITCH_ON
        return problem(f"{shown(pyproject)} has no [tool.harness]", advice, **facts)
    others = "" if found.source == pyproject else f", root by {found.source.name}"
    return ok(f"{shown(pyproject)}{others}", **facts)


def settings(found: Project) -> Finding:
    """Whether `[tool.harness]` and the environment are right."""
    config = found.config  # what is wrong is raised, and told as usual
    if found.table is None:
        return note("none: the defaults hold")
    given = sorted(config.model_fields_set - {"root"})
    return ok(
        f"backend {config.backend}, at most {counted(config.max_workers, 'worker')}, "
        f"timeout {config.timeout:g} s; given: {', '.join(given) or 'nothing'}",
        backend=config.backend,
        max_workers=config.max_workers,
        timeout=config.timeout,
        given=given,
    )


def setup(found: Project) -> Finding:
    """Whether what builds the database is there, and imports."""
    config = found.settled
    if config is None:
        return note("not looked at: there are no settings that hold")
    if is_installed():
        Runtime(Path(), packages_folder() / "node_modules").extension_modules(config.extensions)
    steps = setup_steps(config.root, config.setup)
    watched = list(watched_content(config.root, config.watch))
    extensions = f", extensions {', '.join(config.extensions)}" if config.extensions else ""
    facts = {"steps": len(steps), "watched": len(watched), "extensions": list(config.extensions)}
    if not steps:
        return note(
            f"empty: the database has no tables{extensions}",
            'name what builds it, in [tool.harness]: `setup = ["schema.sql"]`',
            **facts,
        )
    watch = f", {counted(len(watched), 'file')} watched" if watched else ""
    return ok(f"{counted(len(steps), 'step')}, all there{watch}{extensions}", **facts)


def plugins(found: Project) -> Finding:
    """What pytest loads: Harness's own plugin, and not py-pglite's."""
    named = {each.name for each in entry_points(group="pytest11")}
    kept_out = {each.removeprefix("no:") for each in found.named_plugins if each[:3] == "no:"}
    facts = {"installed": sorted(named), "kept_out": sorted(kept_out)}
    if "harness" in kept_out:
        return problem(
            "`-p no:harness` in the options of pytest keeps Harness out", "remove it", **facts
        )
    if found.table is not None and "py_pglite" in named and "py_pglite" not in kept_out:
        return note(
            "py-pglite's plugin loads itself into every run: 2 seconds and 62 MB for nothing",
            'among the options of pytest: `addopts = ["-p", "no:py_pglite"]`',
            **facts,
        )
    return ok(f"{counted(len(named - kept_out), 'plugin')} of pytest", **facts)


CHECKS: Mapping[str, Check] = {
    "project": project,
    "settings": settings,
    "setup": setup,
    "plugins": plugins,
}


def _elsewhere(found: Project) -> Path | None:
    """The nearest pyproject.toml with `[tool.harness]`, where the root's has none."""
    for folder in (found.start, *found.start.parents):
        with suppress(OSError, ValueError):  # a file that pytest does not read, either
            if folder != found.root and "harness" in tools(folder / "pyproject.toml"):
                return folder / "pyproject.toml"
    return None


def _remedy(unseen: Path, root: Path) -> str:
    if unseen.is_relative_to(root):
        return f"add `[tool.pytest.ini_options]` to {shown(unseen)}: that makes its folder the root"
    return f"run pytest in {shown(unseen.parent)}, or move pytest's settings there"
