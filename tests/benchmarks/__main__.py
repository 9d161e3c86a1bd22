"""Figures of this project beside what a user would pick instead: `python -m tests.benchmarks`.

Every comparison runs its sides in turn in one go and quotes medians and ratios, because machines
are shared and noisy. Needs the template to be cached, which the first round sees to.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import projects


def _seconds(command: list[str], folder: Path) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return time.perf_counter() - started


def _compare(name: str, sides: dict[str, Callable[[], float]], rounds: int) -> None:
    """Run the sides in turn and print their medians, and the ratio of the first to each other."""
    figures: dict[str, list[float]] = {side: [] for side in sides}
    for measure in sides.values():
        measure()  # warm: caches, byte code, the template
    for _ in range(rounds):
        for side, measure in sides.items():
            figures[side].append(measure())
    medians = {side: statistics.median(values) for side, values in figures.items()}
    print(f"{name} ({rounds} rounds, medians)")
    first = next(iter(medians))
    for side, median in medians.items():
        ratio = "" if side == first else f"   {first} takes {medians[first] / median:.2f} of it"
        print(f"  {side:<44} {median:8.3f} s{ratio}", flush=True)


def warm_start(folder: Path, rounds: int) -> None:
    """One spec with everything cached, beside py-pglite's own start."""
    projects.write(folder, specs=1)
    pytest = [sys.executable, "-m", "pytest", "-q", "specs/many.yaml"]
    stock = [sys.executable, str(projects.stock_start(folder))]
    _compare(
        "warm start",
        {
            "pytest with one spec": lambda: _seconds(pytest, folder),
            "SQLAlchemyPGliteManager.start()": lambda: _seconds(stock, folder),
        },
        rounds,
    )


def throughput(folder: Path, rounds: int, specs: int) -> None:
    """Small specs beside the same tests written by hand over psycopg, on the same PGlite."""
    projects.write(folder, specs=specs)
    pytest = [sys.executable, "-m", "pytest", "-q"]
    _compare(
        f"{specs} specs of two seed rows, a query and its rows",
        {
            "the specs": lambda: _seconds([*pytest, "specs/many.yaml"], folder),
            "by hand, BEGIN and ROLLBACK over psycopg": lambda: _seconds(
                [*pytest, "test_by_hand.py"], folder
            ),
        },
        rounds,
    )


def calls(folder: Path, rounds: int, specs: int) -> None:
    """Calls of an application beside the same tests with a Session on a rolled-back connection."""
    projects.write_calls(folder, specs=specs)
    pytest = [sys.executable, "-m", "pytest", "-q"]
    _compare(
        f"{specs} calls that commit",
        {
            "the specs": lambda: _seconds([*pytest, "specs/many.yaml"], folder),
            "by hand, a Session joined to a connection": lambda: _seconds(
                [*pytest, "test_by_hand.py"], folder
            ),
        },
        rounds,
    )


def memory(folder: Path, specs: int) -> None:
    """What the PGlite process holds after many specs."""
    projects.write(folder, specs=specs)
    projects.watch_memory(folder)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "specs/many.yaml"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    print(f"memory of the PGlite process, resident\n  {done.stdout.strip().splitlines()[-1]}")
    for line in (folder / "memory.txt").read_text().splitlines():
        print(f"  {line}")


def main() -> None:
    """Run the benchmarks that are named, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--specs", type=int, default=2000)
    options = parser.parse_args()
    names = options.names or ["warm-start", "throughput", "calls", "memory"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "warm-start" in names:
            warm_start(folder, options.rounds)
        if "throughput" in names:
            throughput(folder, options.rounds, options.specs)
        if "calls" in names:
            calls(folder, options.rounds, options.specs)
        if "memory" in names:
            memory(folder, options.specs)


if __name__ == "__main__":
    main()
