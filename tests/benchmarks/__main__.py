"""Figures of this project beside what a user would pick instead: `python -m tests.benchmarks`.

Every comparison runs its sides in turn in one go and quotes medians and ratios, because machines
are shared and noisy. Results are written whenever there are more: Ctrl-C leaves what was measured.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from tests.benchmarks.bounds import judge
from tests.benchmarks.measure import adopt_orphans
from tests.benchmarks.parts import FULL, LEFT_OUT, PARTS, QUICK, Scale
from tests.benchmarks.plot import draw
from tests.benchmarks.report import summary
from tests.benchmarks.results import Machine, Results
from tests.benchmarks.runner import Progress, Runner
from tests.benchmarks.sides import native_version, node_version

FIGURES = Path(__file__).parent / "figures"
_DATA = "benchmark.json"
_PLOT = "benchmark.svg"


def main() -> None:
    """Run the parts that are named, or all of them; or show again what was measured."""
    options = _options()
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell's background ignores one
        signal.signal(number, signal.default_int_handler)
    if options.show:
        output = options.output or FIGURES
        _show(Results.load(output / _DATA), output)
    else:
        _run(options)


def _run(options: argparse.Namespace) -> None:
    """Measure; after a whole run the exit status is 1 if something does not hold that must."""
    is_whole = not options.names and not options.quick
    output = options.output or (FIGURES if is_whole else Path(tempfile.mkdtemp(prefix="benchmark")))
    output.mkdir(parents=True, exist_ok=True)
    names = options.names or [name for name in PARTS if name not in LEFT_OUT]
    scale = _scale(options)
    adopt_orphans()
    results = Results(Machine.this(node=node_version(), native=native_version()), scale.rounds)
    with tempfile.TemporaryDirectory(prefix="harness-benchmark-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL may have to run as another user
        results = _measure(names, scale, folder, output, results)
    _show(results, output)
    broken = [bound for bound in judge(results) if bound.holds is False]
    if is_whole and broken:
        sys.exit(f"{len(broken)} of the bounds do not hold")


def _measure(
    names: Sequence[str], scale: Scale, folder: Path, output: Path, results: Results
) -> Results:
    plan = [PARTS[name](scale, folder / "py-pglite") for name in names]
    trials = [trial for part in plan for trial in part]
    seconds = sum(trial.seconds * trial.rounds(scale.rounds) for trial in trials)
    print(f"about {seconds / 60:.0f} minutes; {output / _DATA} grows meanwhile", flush=True)
    progress = Progress(seconds)
    runner = Runner(folder, results, lambda grown: _save(grown, output))
    try:
        for part in plan:
            runner.run(part, scale.rounds, progress)
    except KeyboardInterrupt:
        print("\ninterrupted: this is what was measured", flush=True)
    return runner.results


def _save(results: Results, output: Path) -> None:
    bounds = [asdict(bound) for bound in judge(results)]
    results.save(output / _DATA, bounds=bounds, medians=results.medians())


def _show(results: Results, output: Path) -> None:
    """Print the tables, and draw what there is to draw."""
    print(f"\n{summary(results)}\n\n{output / _DATA}")
    if results.sides("isolation"):
        (output / _PLOT).write_text(draw(results))
        print(output / _PLOT)


def _scale(options: argparse.Namespace) -> Scale:
    scale = QUICK if options.quick else FULL
    if options.rounds:
        scale = replace(scale, rounds=options.rounds)
    if options.specs:
        sizes = tuple(size for size in scale.specs if size < options.specs)
        scale = replace(
            scale,
            specs=(*sizes, options.specs),
            collected=options.specs,
            grown=options.specs,
            plain=options.specs,
        )
    return scale


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="part",
        help=f"any of {', '.join(PARTS)}; by default all but {', '.join(LEFT_OUT)}",
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, one round: minutes")
    parser.add_argument("--rounds", type=int, help="how often each run is repeated")
    parser.add_argument("--specs", type=int, help="the largest number of specs in all parts")
    parser.add_argument(
        "--output",
        type=Path,
        help="folder for JSON and plot; by default that of the README for a whole run, else a "
        "temporary one",
    )
    parser.add_argument(
        "--show", action="store_true", help="print and draw what was measured before, in --output"
    )
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]!r}, but {', '.join(PARTS)}")
    return options


if __name__ == "__main__":
    main()
