"""Files in, findings out: every rule over every file, and the remarks that allow what is found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError, Location
from harness.lint import allows
from harness.lint.files import python_files
from harness.lint.finding import Finding
from harness.lint.module import Module
from harness.lint.project import Project
from harness.lint.rule import Node, Rule
from harness.lint.rules import RULES
from harness.lint.rules.too_many_workers import RULE as TOO_MANY_WORKERS
from harness.lint.rules.too_many_workers import excess
from harness.lint.text import source

UNREADABLE = "unreadable"
_NAMES = tuple(rule.name for rule in RULES)


@dataclass(frozen=True, slots=True)
class Linted:
    """What was found, in the order of places, in how many files."""

    findings: tuple[Finding, ...]
    files: int


def lint(paths: Iterable[Path], project: Project, shown: Callable[[Path], Path]) -> Linted:
    """Apply every rule to the files below some paths.

    Args:
        paths: files of Python, folders, or the file with pytest's settings.
        project: the one that they belong to.
        shown: a path as findings have it.

    Raises:
        HarnessError: a file that is neither Python nor the settings.
    """
    findings: list[Finding] = []
    files = 0
    given = list(paths)
    settings = project.file
    if settings is not None and any(_holds(path, settings) for path in given):
        files += 1
        findings += _in_settings(settings, shown(settings), project)

    def failed(error: OSError) -> None:
        findings.append(_unreadable(shown(Path(error.filename)), str(error.strerror)))

    modules = [path for path in given if settings is None or not _is_same(path, settings)]
    for path in modules:
        if path.is_file() and path.suffix != ".py":
            raise HarnessError(
                f"{path}: neither Python nor this project's settings of pytest",
                hint=f"those are in {shown(settings)}" if settings else None,
            )
    for path in python_files(modules, failed):
        files += 1
        findings += _in_file(path, shown(path), project)
    return Linted(tuple(sorted(findings)), files)


def _in_file(path: Path, shown: Path, project: Project) -> Iterator[Finding]:
    """What is found in one file of Python."""
    try:
        text = source(path)
        lowered = text.lower()
        rules = [rule for rule in RULES if any(word in lowered for word in rule.words)]
        if not rules and "harness:" not in lowered:
            return  # most files: reading them as Python would be most of the time
        module = Module(path, text, in_test_file=project.holds_tests(path))
        found = list(_found(module, rules, shown, project))
    except OSError as error:
        yield _unreadable(shown, str(error.strerror))
    except UnicodeDecodeError as error:
        yield _unreadable(shown, f"it is not {error.encoding}: {error.reason}")
    except SyntaxError as error:
        yield _unreadable(shown, f"it is not Python: {error.msg}", error.lineno, error.offset)
    except (ValueError, RecursionError, MemoryError) as error:
        yield _unreadable(shown, f"Python cannot read it: {error or 'it nests too deeply'}")
    else:
        yield from allows.left(found, allows.in_python(shown, text), _NAMES)


def _found(
    module: Module, rules: Iterable[Rule], shown: Path, project: Project
) -> Iterator[Finding]:
    lines = module.text.split("\n")
    for rule in rules:
        for node, what in rule.check(module, project) if rule.check else ():
            last = node.end_lineno or node.lineno
            yield Finding(_location(shown, node, lines), rule.name, what, rule.instead, last)


def _in_settings(path: Path, shown: Path, project: Project) -> Iterator[Finding]:
    """What is found in pytest's settings."""
    text = path.read_text(encoding="utf-8")
    remarks = allows.in_settings(shown, text)
    found = excess(project)
    if found is None:
        return allows.left([], remarks, _NAMES)
    workers, what = found
    where = _option(shown, text, workers)
    finding = Finding(where, TOO_MANY_WORKERS.name, what, TOO_MANY_WORKERS.instead, where.line)
    return allows.left([finding], remarks, _NAMES)


def _option(path: Path, text: str, workers: str) -> Location:
    """Where `addopts` asks for a number of workers."""
    key = re.search(r"^[ \t]*addopts\b", text, re.MULTILINE)
    begin = key.start() if key else 0
    pattern = re.compile(rf"(?<![\w-])(-n|--numprocesses)[\s=\"',]*{re.escape(workers)}\b")
    found = pattern.search(text, begin)
    at = found.start() if found else begin
    return Location(path, text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1)


def _location(path: Path, node: Node, lines: list[str]) -> Location:
    # Python counts columns in bytes; people, and editors, in characters.
    before = lines[node.lineno - 1].encode()[: node.col_offset].decode(errors="replace")
    return Location(path, node.lineno, len(before) + 1)


def _unreadable(
    path: Path, reason: str, line: int | None = None, column: int | None = None
) -> Finding:
    where = Location(path, max(line or 1, 1), max(column or 1, 1))
    return Finding(where, UNREADABLE, f"it cannot be read: {reason}", "mend or leave it out", 0)


def _holds(path: Path, settings: Path) -> bool:
    """Whether a path is the file of settings, or a folder that it lies in."""
    return settings.resolve().is_relative_to(path.resolve())


def _is_same(path: Path, settings: Path) -> bool:
    return path.resolve() == settings.resolve()
