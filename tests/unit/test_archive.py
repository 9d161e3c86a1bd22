"""What comes out of the archive is what the loader gives, and nothing that is out of date."""

from __future__ import annotations

import os
import pickle
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from harness.archive import Archive, archive, reading, software
from harness.archive.shelf import Shelf
from harness.errors import HarnessError, SpecError
from harness.loader import LoadedSpec, load
from harness.nodes import YamlMapping, YamlSequence
from harness.packing import packed, unpacked
from harness.source import parse

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for folder in ("specs", "tests/suites/pass", "tests/suites/fail")
    for path in (ROOT / folder).rglob("*.y*ml")
    if not path.name.startswith("_")
)

ODD = """
x-first: &first
  operations: [{sql: select 1, expect: [{a: 1.50, b: .inf, c: 0x1F, d: null, e: "ü\\n"}]}]
vars: {list: &list [1, [2, {three: 3}]], again: *list}
specs:
  - &one {name: one, tags: [quick], <<: *first}
  - {<<: *one, name: two, skip: "not today: \\u2028"}
  - name: three
    xfail: true
    cases: [{n: 1}, {n: 2.50, id: second}, {n: {deep: [1]}, id: third}]
    vars: {own: "{{ case.n }}"}
    operations:
      - {sql: 'select :a', params: {a: "{{ own }}"}, expect: {count: 1}}
      - {sql: select 3, expect: "???"}
"""
LISTED = """
x-specs: &specs
  - {name: one, operations: [{sql: select 1}]}
  - {name: two, operations: [{sql: select 2}]}
specs: *specs
tags: [late]
"""
ANCHORED = """
specs: &specs
  - {name: one, operations: [{sql: select 1}]}
vars: {all: *specs}
"""
SINGLE = "matrix: {a: [1, 2], b: [x, y]}\noperations: [{sql: select 1}]\nvars: {v: '{{ case.a }}'}"


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    folder = tmp_path / "shelf"
    folder.mkdir()
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A suite that uses a part, which uses another."""
    folder = tmp_path / "project"
    folder.mkdir()
    written(
        folder / "suite.yaml", "use: [_a.yaml]\nspecs: [{name: s, operations: [{sql: select 1}]}]"
    )
    written(folder / "_a.yaml", "use: [_b.yaml]\nvars: {a: 1}")
    written(folder / "_b.yaml", "vars: {b: 1}")
    return folder


@pytest.fixture(params=[0, 1 << 30], ids=["one by one", "all at once"])
def _size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which files are large."""
    monkeypatch.setattr(reading, "_LARGE", request.param)


def written(path: Path, text: str) -> Path:
    path.write_text(dedent(text))
    return path


def specs(root: Path, folder: Path | None, path: Path) -> tuple[list[LoadedSpec], bool]:
    """All specs of a file out of an archive, and whether it was read anew."""
    anew: list[Path] = []

    class Counted(reading.Reading):
        def read(self, path: Path, content: bytes) -> Any:
            anew.append(path)
            return super().read(path, content)

    with pytest.MonkeyPatch.context() as patch, closing(Archive(root, folder)) as kept:
        patch.setattr(archive, "Reading", Counted)
        file = kept.file(path)
        kept.shelve()
        found = [kept.load(file, outline) for outline in file.outlines]
        wholes = [each.written for each in found]  # while the archive is open
    for outline, loaded in zip(file.outlines, found, strict=True):
        spec, manner = loaded.spec, outline.manner
        assert (outline.id, outline.line) == (loaded.id, loaded.where.line)
        assert (list(manner.tags), manner.skip, manner.xfail) == (spec.tags, spec.skip, spec.xfail)
    for loaded, whole in zip(found, wholes, strict=True):
        if loaded.unexpanded:
            object.__setattr__(loaded, "unexpanded", lambda whole=whole: whole)
    return found, bool(anew)


def places(loaded: LoadedSpec) -> list[Any]:
    return [loaded.locate(path) for path in paths(loaded.source)]


def paths(node: Any, here: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield here
    if isinstance(node, (dict, list)):
        for step, item in node.items() if isinstance(node, dict) else enumerate(node):
            yield from paths(item, (*here, step))


def is_same(first: LoadedSpec, second: LoadedSpec) -> bool:
    def plain(loaded: LoadedSpec) -> Any:
        layers = [(each.model, each.source, each.source.location) for each in loaded.layers]
        return (
            *(loaded.id, loaded.spec, loaded.origin, loaded.chosen, loaded.source, layers),
            *(loaded.placeholders, loaded.written, loaded.written.location, places(loaded)),
        )

    return repr(plain(first)) == repr(plain(second))  # 1 is no 1.0, and NaN is NaN


def assert_as_loaded(path: Path, root: Path, shelf: Path) -> None:
    expected = load(path, root)
    for anew in (True, False):
        found, was_read = specs(root, shelf, path)
        assert was_read is anew
        assert len(found) == len(expected)
        for first, second in zip(found, expected, strict=True):
            assert is_same(first, second), first.id


@pytest.mark.usefixtures("_size")
@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_specs_are_as_loaded(path: Path, shelf: Path) -> None:
    assert_as_loaded(path, ROOT, shelf)


@pytest.mark.usefixtures("_size")
@pytest.mark.parametrize(
    "text", [ODD, LISTED, ANCHORED, SINGLE], ids=["odd", "listed", "anchored", "single"]
)
def test_odd_specs_are_as_loaded(text: str, tmp_path: Path, shelf: Path) -> None:
    assert_as_loaded(written(tmp_path / "odd.yaml", text), tmp_path, shelf)


@pytest.mark.usefixtures("_size")
def test_problems_are_as_loaded_and_not_shelved(tmp_path: Path, shelf: Path) -> None:
    text = ODD.replace("name: two", "nam: two").replace("count: 1", "count: -1") + "  - 5\n"
    path = written(tmp_path / "odd.yaml", text)
    with pytest.raises(SpecError) as expected:
        load(path, tmp_path)
    assert len(expected.value.problems) == 3
    for _ in range(2):
        with pytest.raises(SpecError) as found:
            specs(tmp_path, shelf, path)
        assert found.value.problems == expected.value.problems
    assert list(shelf.iterdir()) == []


def test_without_a_shelf(project: Path) -> None:
    for _ in range(2):
        (found,), anew = specs(project, None, project / "suite.yaml")
        assert anew
        assert found.spec.vars == {"a": 1, "b": 1}


# -- what makes an entry out of date


def test_another_content_of_the_same_size_and_time(project: Path, shelf: Path) -> None:
    path = project / "suite.yaml"
    specs(project, shelf, path)
    status = path.stat()
    written(path, path.read_text().replace("select 1", "select 2"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size
    (found,), anew = specs(project, shelf, path)
    assert anew
    assert found.spec.operations[0].model_dump()["sql"] == "select 2"


@pytest.mark.parametrize("part", ["_a.yaml", "_b.yaml"])
def test_another_content_of_a_part(part: str, project: Path, shelf: Path) -> None:
    path = project / part
    specs(project, shelf, project / "suite.yaml")
    status = path.stat()
    written(path, path.read_text().replace(": 1", ": 2"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    (found,), anew = specs(project, shelf, project / "suite.yaml")
    assert anew
    assert 2 in found.spec.vars.values()


def test_a_part_that_is_gone(project: Path, shelf: Path) -> None:
    specs(project, shelf, project / "suite.yaml")
    (project / "_b.yaml").unlink()
    with pytest.raises(SpecError, match=r"no file '_b.yaml'"):
        specs(project, shelf, project / "suite.yaml")


def test_a_part_that_was_missing(project: Path, shelf: Path) -> None:
    (project / "_b.yaml").rename(project / "_c.yaml")
    with pytest.raises(SpecError):
        specs(project, shelf, project / "suite.yaml")
    (project / "_c.yaml").rename(project / "_b.yaml")
    assert specs(project, shelf, project / "suite.yaml")[1]


def test_a_link_to_another_part(project: Path, shelf: Path) -> None:
    """Every file is as it was: only where a name leads has changed."""
    (project / "_b.yaml").rename(project / "_first.yaml")
    written(project / "_second.yaml", "vars: {b: 2}")
    (project / "_b.yaml").symlink_to("_first.yaml")
    specs(project, shelf, project / "suite.yaml")
    (project / "_b.yaml").unlink()
    (project / "_b.yaml").symlink_to("_second.yaml")
    (found,), anew = specs(project, shelf, project / "suite.yaml")
    assert anew
    assert found.spec.vars["b"] == 2


@pytest.mark.parametrize("linked", ["file", "folder"])
def test_a_link_to_a_spec_elsewhere(linked: str, project: Path, shelf: Path) -> None:
    """Its parts lie beside the file that the link leads to."""
    other = project / "other"
    shutil.copytree(project, other)
    written(other / "_b.yaml", "vars: {b: 2}")
    link = project / "link"
    found = []
    for target in (project, other):
        link.unlink(missing_ok=True)
        link.symlink_to(target / "suite.yaml" if linked == "file" else target)
        path = link if linked == "file" else link / "suite.yaml"
        found += specs(project, shelf, path)[0]
    assert [each.spec.vars["b"] for each in found] == [1, 2]


def test_another_root(project: Path, shelf: Path) -> None:
    """A part that is inside one may be outside another."""
    written(project / "_b.yaml", "vars: {b: 1}").rename(project.parent / "_b.yaml")
    written(project / "_a.yaml", "use: [../_b.yaml]")
    specs(project.parent, shelf, project / "suite.yaml")
    with pytest.raises(SpecError, match="outside the project"):
        specs(project, shelf, project / "suite.yaml")


def test_other_software(project: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    specs(project, shelf, project / "suite.yaml")
    monkeypatch.setattr(archive, "software", lambda: "another")
    assert specs(project, shelf, project / "suite.yaml")[1]
    assert not specs(project, shelf, project / "suite.yaml")[1]


def test_what_makes_software_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package, installed = tmp_path / "package", tmp_path / "installed"
    (package / "sub").mkdir(parents=True)
    (installed / "pydantic-1.dist-info").mkdir(parents=True)
    written(package / "sub" / "module.py", "a = 1")
    monkeypatch.setattr(software, "_PACKAGE", package)
    monkeypatch.syspath_prepend(str(installed))
    texts = [software.software()]

    def is_another() -> bool:
        texts.append(software.software())
        return texts.count(texts[-1]) == 1

    assert not is_another()
    written(package / "sub" / "module.py", "a = 11")
    assert is_another()
    written(package / "sub" / "more.py", "")
    assert is_another()
    (installed / "pydantic-1.dist-info").rename(installed / "pydantic-2.dist-info")
    assert is_another()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "version", "4.0")
        assert is_another()
    with monkeypatch.context() as patch:
        patch.setattr("harness.__version__", "99")
        assert is_another()


# -- the shelf


def entries(shelf: Path) -> list[Path]:
    return sorted(shelf.glob("*.specs"))


@pytest.mark.parametrize("at", [0.0, 0.02, 0.3, 0.5, 0.7, 0.98, 1.0])
def test_a_damaged_byte(at: float, project: Path, shelf: Path) -> None:
    specs(project, shelf, project / "suite.yaml")
    (file,) = entries(shelf)
    content = bytearray(file.read_bytes())
    content[round(at * (len(content) - 1))] ^= 4
    file.write_bytes(content)
    (found,), anew = specs(project, shelf, project / "suite.yaml")
    assert anew
    assert found.spec.vars == {"a": 1, "b": 1}
    assert not specs(project, shelf, project / "suite.yaml")[1]


@pytest.mark.parametrize("content", [b"", b"x", b"harness\1" * 50, b"\0" * 5000])
def test_a_file_that_is_something_else(content: bytes, project: Path, shelf: Path) -> None:
    specs(project, shelf, project / "suite.yaml")
    (file,) = entries(shelf)
    file.write_bytes(content)
    assert specs(project, shelf, project / "suite.yaml")[1]
    assert not specs(project, shelf, project / "suite.yaml")[1]


def test_a_file_that_is_cut_off(project: Path, shelf: Path) -> None:
    specs(project, shelf, project / "suite.yaml")
    (file,) = entries(shelf)
    content = file.read_bytes()
    for length in range(0, len(content), 97):
        file.write_bytes(content[:length])
        assert specs(project, shelf, project / "suite.yaml")[1]


def test_a_shelf_that_cannot_be_written(project: Path, shelf: Path) -> None:
    """As root no permission keeps from writing: here a folder is in the way, and then nothing."""
    specs(project, shelf, project / "suite.yaml")
    (file,) = entries(shelf)
    file.unlink()
    file.mkdir()
    assert specs(project, shelf, project / "suite.yaml")[1]
    assert [each.name for each in shelf.iterdir()] == [file.name]
    shutil.rmtree(shelf)
    assert specs(project, shelf, project / "suite.yaml")[1]


def test_many_files_and_one_that_is_gone(tmp_path: Path, shelf: Path) -> None:
    text = "operations: [{sql: select 1}]"
    files = [written(tmp_path / f"{number}.yaml", text) for number in range(60)]
    for path in files:
        specs(tmp_path, shelf, path)
    assert not any(specs(tmp_path, shelf, path)[1] for path in files)
    before = sum(file.stat().st_size for file in entries(shelf))
    for path in files[:50]:
        path.unlink()
    for path in files[50:]:
        written(path, text.replace("1", "2"))
        assert specs(tmp_path, shelf, path)[1]
    assert not any(specs(tmp_path, shelf, path)[1] for path in files[50:])
    assert sum(file.stat().st_size for file in entries(shelf)) < before * 0.3


def test_what_a_killed_process_began(project: Path, shelf: Path) -> None:
    old, new = (
        written(shelf / "0.77", "old"),
        written(shelf / "0.78", "of a process that is writing"),
    )
    os.utime(old, (1, 1))
    specs(project, shelf, project / "suite.yaml")
    assert not old.exists()
    assert new.exists()


def test_a_session_that_replaces_the_shelf(project: Path, shelf: Path) -> None:
    """What was collected is what is run, whatever becomes of the files."""
    path = project / "suite.yaml"
    specs(project, shelf, path)
    with closing(Archive(project, shelf)) as kept:
        file = kept.file(path)
        written(path, path.read_text().replace("select 1", "select 2"))
        (found,), _ = specs(project, shelf, path)
        (collected,) = (kept.load(file, outline) for outline in file.outlines)
    assert collected.spec.operations[0].model_dump()["sql"] == "select 1"
    assert found.spec.operations[0].model_dump()["sql"] == "select 2"


def test_a_shelf_that_is_replaced_between_looking_and_reading(
    tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal lengths, another spec: its seal is right, and it is somebody else's."""
    text = "operations: [{sql: select 1}]"
    first, second = tmp_path / "aa.yaml", tmp_path / "ab.yaml"
    with monkeypatch.context() as patch:
        patch.setattr(Shelf, "_file", lambda _, __: shelf / "0.specs")
        with closing(Archive(tmp_path, shelf)) as kept:
            for path in (first, second):
                kept.file(written(path, text))
            kept.shelve()
        with closing(Archive(tmp_path, shelf)) as kept:
            kept.file(first)
            content = (shelf / "0.specs").read_bytes()
            half = len(content) // 2
            (shelf / "0.specs").write_bytes(content[half:] + content[:half])
            file = kept.file(second)
            assert kept.load(file, file.outlines[0]).path == second
    assert file.outlines[0].id == "ab"


def test_no_room_for_what_was_collected(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(project / "nowhere"))
    with pytest.raises(HarnessError, match=r"cannot be kept in .*nowhere") as error:
        Archive(project, None).file(project / "suite.yaml")
    assert "TMPDIR" in str(error.value)


# -- packing


def test_packed_data_keeps_types_and_places() -> None:
    data = parse(dedent(ODD), Path("odd.yaml"))
    (copy,) = unpacked(packed(data), data.document)
    assert copy == data
    assert [type(node) for node in nodes(copy)] == [type(node) for node in nodes(data)]
    assert [where(node) for node in nodes(copy)] == [where(node) for node in nodes(data)]


def nodes(node: Any) -> Iterator[Any]:
    yield node
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(item)


def where(node: Any) -> Any:
    if isinstance(node, YamlMapping):
        return node.location, [(node.key_location(key), node.value_location(key)) for key in node]
    if isinstance(node, YamlSequence):
        return node.location, [node.item_location(index) for index in range(len(node))]
    return None


def test_nothing_but_data_is_unpacked() -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return os.system, ("false",)

    document = parse("{}", Path("x.yaml")).document
    with pytest.raises(pickle.UnpicklingError, match="is no YAML"):
        unpacked(pickle.dumps([Evil()]), document)
