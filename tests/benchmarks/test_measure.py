"""What is measured from outside, in a process of its own: it ends all processes below it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

ROOT = Path(__file__).parents[2]
BEGINNING = """
import json, os, subprocess, sys, time
from pathlib import Path
from tests.benchmarks.measure import TreeSampler, adopt_orphans, run

folder = Path(sys.argv[1])

def measured(code, timeout=60, **environment):
    command = [sys.executable, "-c", code]
    return run(command, folder, environment=environment, timeout=timeout)
"""


def outcome(code: str, folder: Path) -> Any:
    """What a script prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", BEGINNING + dedent(code), str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)


def test_a_command_tells_how_it_ended_and_what_it_said(tmp_path: Path) -> None:
    script = """
    os.environ["PYTEST_ADDOPTS"] = os.environ["HARNESS_TIMEOUT"] = "5"
    names = "'PYTEST_ADDOPTS', 'HARNESS_TIMEOUT', 'GIVEN'"
    done = measured(f"import os, sys; sys.exit(str([os.environ.get(n) for n in ({names})]))", GIVEN="yes")
    print(json.dumps([done.exit_code, done.tail.strip(), done.wall > 0]))
    """
    assert outcome(script, tmp_path) == [1, "[None, None, 'yes']", True]


def test_a_command_that_does_not_end_is_ended(tmp_path: Path) -> None:
    script = """
    done = measured("import signal; signal.pause()", timeout=0.3)
    print(json.dumps(done.exit_code))
    """
    assert outcome(script, tmp_path) is None


def test_nothing_is_left_of_a_command(tmp_path: Path) -> None:
    script = """
    adopt_orphans()
    code = "import subprocess; print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid)"
    done = measured(code)
    try:
        os.kill(int(done.tail), 0)
    except ProcessLookupError:
        print(json.dumps("gone"))
    """
    assert outcome(script, tmp_path) == "gone"


def test_memory_of_the_whole_tree_is_seen(tmp_path: Path) -> None:
    script = """
    held = "import sys; held = bytearray(b'x') * 64_000_000; sys.stdin.read()"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {held!r}])"
    process = subprocess.Popen([sys.executable, "-c", outer], stdin=subprocess.PIPE)
    with TreeSampler() as sampler:
        while sampler.peak < 64_000_000:
            time.sleep(0.01)
    process.communicate()
    print(json.dumps(sampler.peak < 200_000_000))
    """
    assert outcome(script, tmp_path) is True
