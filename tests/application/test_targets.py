"""Targets of calls: what they name, and what is said of those that name nothing."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace
from typing import Any

import pytest

from harness.application.targets import load, member
from harness.errors import SpecError

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes modules of a project, which is on no path; what it imports is forgotten."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip())
        importlib.invalidate_caches()
        return path

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


def refused(target: str, root: Path) -> SpecError:
    with pytest.raises(SpecError) as caught:
        load(target, root)
    return caught.value


def test_modules_of_the_project_are_found_without_a_setting(write: Write, tmp_path: Path) -> None:
    write("shop/__init__.py", "")
    write("shop/orders.py", "class Orders:\n    @staticmethod\n    def create(): return 'made'\n")
    assert load("shop.orders:Orders.create", tmp_path)() == "made"
    assert sys.path[-1] == str(tmp_path)
    load("shop.orders:Orders", tmp_path)
    assert sys.path.count(str(tmp_path)) == 1


def test_what_is_installed_is_not_shadowed_by_the_project(write: Write, tmp_path: Path) -> None:
    write("json.py", "loads = None")
    write("pydantic_core.py", "to_json = None")
    assert load("pydantic_core:to_json", tmp_path) is not None


def test_without_a_root_the_current_folder_is_the_project(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("shop_here.py", "answer = 42")
    monkeypatch.chdir(tmp_path)
    assert load("shop_here:answer") == 42


@pytest.mark.parametrize(
    "target", ["shop", "shop:", ":create", "a:b:c", "shop.py:create()", "a b:c"]
)
def test_what_is_no_target(target: str, tmp_path: Path) -> None:
    (problem,) = refused(target, tmp_path).problems
    assert problem.what == f"{target!r} names nothing"
    assert problem.hint == "targets are written package.module:attribute"


def test_a_module_that_is_not_there(write: Write, tmp_path: Path) -> None:
    write("shop/__init__.py", "")
    write("shop/orders.py", "")
    (problem,) = refused("shop.odrers:create", tmp_path).problems
    assert problem.what.endswith("ModuleNotFoundError: No module named 'shop.odrers'")
    assert problem.where is None
    assert (problem.hint or "").startswith("did you mean 'shop.orders'? is it installed")
    (problem,) = refused("shpo:create", tmp_path).problems
    assert (problem.hint or "").startswith("did you mean 'shop'?")
    (problem,) = refused("qqqqqqqq:create", tmp_path).problems
    assert (problem.hint or "").startswith("is it installed, or its folder on the path?")


def test_a_module_where_a_package_would_have_to_be(write: Write, tmp_path: Path) -> None:
    write("shop.py", "")
    (problem,) = refused("shop.orders:create", tmp_path).problems
    assert "'shop' is not a package" in problem.what


def test_a_module_that_fails_is_told_with_its_own_line(write: Write, tmp_path: Path) -> None:
    write("broken.py", "from deeper import settings\n")
    path = write("deeper.py", "import json\n\nsettings = json.loads('{')\n")
    error = refused("broken:create", tmp_path)
    (problem,) = error.problems
    assert problem.what.startswith("broken:create cannot be imported: JSONDecodeError: Expecting")
    assert str(problem.where) == f"{path}:3:1"  # and not the line of the library
    assert problem.hint is None
    assert "Traceback" not in str(error)


def test_an_import_that_fails_inside_of_a_module(write: Write, tmp_path: Path) -> None:
    path = write("needs.py", "x = 1\nimport pydantic_croe\n")
    (problem,) = refused("needs:create", tmp_path).problems
    assert str(problem.where) == f"{path}:2:1"
    assert "No module named 'pydantic_croe'" in problem.what
    assert (problem.hint or "").startswith("did you mean 'pydantic_core'?")


def test_code_in_an_environment_below_the_project_is_not_the_project_s(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path / ".venv/site-packages"))
    write(".venv/site-packages/library.py", "def check(): raise ValueError('not so')\n")
    path = write("uses.py", "import library\nlibrary.check()\n")
    (problem,) = refused("uses:create", tmp_path).problems
    assert str(problem.where) == f"{path}:2:1"


def test_a_library_that_fails_by_itself_is_told_with_its_line(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path / ".venv/site-packages"))
    path = write(".venv/site-packages/sick.py", "1 / 0\n")
    (problem,) = refused("sick:create", tmp_path).problems
    assert str(problem.where) == f"{path}:1:1"


def test_syntax_errors_have_line_and_column(write: Write, tmp_path: Path) -> None:
    path = write("typo.py", "x = 1\ndef create(:\n")
    (problem,) = refused("typo:create", tmp_path).problems
    assert problem.what == "typo:create cannot be imported: SyntaxError: invalid syntax"
    assert str(problem.where) == f"{path}:2:12"


def test_a_module_that_ends_the_process_ends_nothing(write: Write, tmp_path: Path) -> None:
    write("script.py", "import sys\nsys.exit('usage: script')\n")
    assert "SystemExit: usage: script" in str(refused("script:main", tmp_path))


def test_attributes_that_are_not_there(write: Write, tmp_path: Path) -> None:
    write("shop.py", "class Orders:\n    def create(self): ...\n    def _crate(self): ...\n")
    (problem,) = refused("shop:Ordesr", tmp_path).problems
    assert problem.what == "shop:Ordesr names nothing: module 'shop' has no attribute 'Ordesr'"
    assert problem.hint == "did you mean 'Orders'?"
    (problem,) = refused("shop:Orders.crate", tmp_path).problems
    assert problem.hint == "did you mean 'create'?"


def test_an_attribute_that_fails(write: Write, tmp_path: Path) -> None:
    path = write("lazy.py", "def __getattr__(name):\n    raise KeyError(name)\n")
    (problem,) = refused("lazy:create", tmp_path).problems
    assert problem.what == "lazy:create cannot be imported: KeyError: 'create'"
    assert str(problem.where) == f"{path}:2:1"


class Router:
    limit = 3

    def __init__(self) -> None:
        self.count = 0

    def create(self) -> str:
        return "created"

    @staticmethod
    def parse() -> str:
        return "parsed"

    @property
    def strict(self) -> Any:
        raise PermissionError("members may not")

    @property
    def sloppy(self) -> Any:
        return self.nothing  # type: ignore[attr-defined]  # the mistake that is tested

    def _private(self) -> None: ...


@pytest.fixture
def caller() -> SimpleNamespace:
    return SimpleNamespace(issues=Router(), by_name={"issues": Router(), "items": 7}, hook=str)


@pytest.mark.parametrize("path", ["issues.create", "by_name.issues.create"])
def test_members_by_attribute_and_by_key(caller: object, path: str) -> None:
    assert member(caller, path)() == "created"


def test_a_mapping_may_be_the_caller(caller: Any) -> None:
    assert member(caller.by_name, "issues.create")() == "created"


@pytest.mark.parametrize(
    ("path", "what", "hint"),
    [
        ("isues.create", "the caller is of type SimpleNamespace, which has no 'isues'", "did you mean 'issues'?"),
        ("issues.craete", "'issues' is of type Router, which has no 'craete'", "did you mean 'create'?"),
        ("by_name.isues.create", "'by_name' is of type dict, which has no 'isues'", "did you mean 'issues'?"),
        ("by_name.issues.craete", "'by_name.issues' is of type Router, which has no 'craete'", "did you mean 'create'?"),
        ("by_name.update", "'by_name' is of type dict, which has no 'update'", "known: issues, items"),
        ("issues", "'issues' is of type Router, which cannot be called", "known: issues.create, issues.parse"),
        ("issues.count", "'issues.count' is of type int, which cannot be called", None),
        ("by_name.items", "'by_name.items' is of type int, which cannot be called", None),
    ],
)  # fmt: skip
def test_members_that_are_no_functions(
    caller: object, path: str, what: str, hint: str | None
) -> None:
    with pytest.raises(SpecError) as caught:
        member(caller, path)
    (problem,) = caught.value.problems
    assert problem.what == what
    assert hint is None or problem.hint == hint


@pytest.mark.parametrize(
    "path", ["_issues.create", "issues._private", "issues.__init__", "issues..create", "", "a b"]
)
def test_private_and_impossible_names(caller: object, path: str) -> None:
    with pytest.raises(SpecError, match="is no public name"):
        member(caller, path)


def test_a_factory_that_gave_nothing() -> None:
    with pytest.raises(SpecError, match="the caller is None, which has no 'issues'"):
        member(None, "issues.create")


def test_what_a_property_raises_is_the_application_s(caller: object) -> None:
    with pytest.raises(PermissionError, match="members may not"):
        member(caller, "issues.strict.create")
    with pytest.raises(AttributeError, match="nothing"):
        member(caller, "issues.sloppy")


class Proxy:
    """Finds what it has when it is asked, as lazy callers do."""

    def __init__(self, inner: object) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_a_caller_that_finds_its_members_itself(caller: object) -> None:
    assert member(Proxy(caller), "issues.create")() == "created"
    with pytest.raises(SpecError, match="Proxy, which has no 'isues'"):
        member(Proxy(caller), "isues.create")
