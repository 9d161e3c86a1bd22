"""Results as text: tables in Markdown, which are the ones of the README, too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.benchmarks.bounds import MEGABYTE, Bound, collecting, judge
from tests.benchmarks.results import Results, Value
from tests.benchmarks.sides import BY_KEY

_MARKS = {True: "yes", False: "**no**", None: "not measured"}


def summary(results: Results) -> str:
    """Everything that was measured, and at its end what must hold."""
    parts = results.sides
    sections = [
        _section("Wall time of the whole run", isolation(results) + _EXTRAPOLATED)
        if parts("isolation")
        else "",
        _section("One spec, warm", _start(results)) if parts("warm-start") else "",
        _section("Collection", _collection(results)) if parts("collection") else "",
        *(_growing(results, part, what) for part, what in _GROWING.items()),
        *(_versus(results, part) for part in ("calls", "throughput") if parts(part)),
        _section("A long run", _memory(results)) if parts("memory") else "",
        _section("What did not run", _failures(results)) if results.failures else "",
        _section("What must hold", bounds(b for b in judge(results) if parts(b.part))),
    ]
    return "\n".join([_machine(results), *filter(None, sections)])


_EXTRAPOLATED = (
    "\n\n≈ is extrapolated from the largest suite that was measured, by the time from one result to "
    "the next. The last column is a multiple of Harness's time."
)
_GROWING = {"rows": "seed rows per test", "tables": "tables in the schema"}


def isolation(results: Results) -> str:
    """The table of the README: every side by the number of tests."""
    sizes = results.sizes("isolation", "harness") or results.sizes("isolation")
    largest = sizes[-1]
    lines = []
    for side in results.sides("isolation"):
        own = results.sizes("isolation", side)
        walls = [results.wall("isolation", side, size) for size in sizes]
        first = results.median("isolation", side, own[0], "first")
        peak = results.median("isolation", side, own[-1], "peak")
        times = _times(results, side, largest)
        label = BY_KEY[side].label
        cells = [*map(_wall, walls), _seconds(first), _megabytes(peak, own[-1]), times]
        lines.append([label, *cells])
    head = ["", *(f"{size:,} tests" for size in sizes), "first result", "memory (at)"]
    return _table([*head, f"time at {largest:,}"], lines)


def _times(results: Results, side: str, size: int) -> str:
    """The wall time as a multiple of Harness's."""
    ours, theirs = results.wall("isolation", "harness", size), results.wall("isolation", side, size)
    if ours is None or theirs is None:
        return ""
    return f"{_about(theirs)}{theirs.value / ours.value:,.3g}"


def _start(results: Results) -> str:
    names = {
        "harness": "`pytest` with one spec",
        "database": "PGlite alone, to the first answer",
        "py-pglite": "`SQLAlchemyPGliteManager().start()`",
    }

    def cell(side: str, figure: str) -> str:
        return _seconds(results.median("warm-start", side, 1, figure))

    lines = [
        [names[side], cell(side, "wall"), cell(side, "first"), cell(side, "seconds")]
        for side in results.sides("warm-start")
    ]
    return _table(["", "whole process", "first result", "by its own clock"], lines)


def _collection(results: Results) -> str:
    size = max(results.sizes("collection"))
    lines = []
    for side in results.sides("collection"):
        wall = results.median("collection", side, size, "wall")
        inside = results.median("collection", side, size, "seconds") or results.median(
            "collection", side, size, "collection"
        )
        beyond = None if side == "yaml.load" else collecting(results, side, size)
        lines.append([side, _seconds(wall), _seconds(beyond), _seconds(inside)])
    head = [f"{size:,} specs", "whole process", "less an empty one", "by its own clock"]
    return _table(head, lines)


def _growing(results: Results, part: str, what: str) -> str:
    if not results.sides(part):
        return ""
    lines = []
    for size in results.sizes(part):
        each = {side: results.median(part, side, size, "each") for side in results.sides(part)}
        cells = [_milliseconds(seconds) for seconds in each.values()]
        ratio = _ratio(each.get("harness"), each.get("by-hand"))
        lines.append([f"{size:,}", *cells, ratio])
    labels = [BY_KEY[side].label for side in results.sides(part)]
    title = f"Time from one result to the next, by {what}"
    return _section(title, _table([what, *labels, "Harness over by hand"], lines))


def _versus(results: Results, part: str) -> str:
    lines = []
    for size in results.sizes(part):
        ours, theirs = (results.median(part, s, size, "wall") for s in ("harness", "by-hand"))
        lines.append([f"{size:,}", _seconds(ours), _seconds(theirs), _ratio(ours, theirs)])
    return _section(part.capitalize(), _table(["tests", "Harness", "by hand", "ratio"], lines))


def _memory(results: Results) -> str:
    size = max(results.sizes("memory"))
    names = (
        "peak",
        "pglite after 1000",
        "pglite at the end",
        "pglite at most",
        "data after 1000",
        "data at the end",
        "data at most",
    )
    lines = [
        [side, *(_megabytes(results.median("memory", side, size, name)) for name in names)]
        for side in results.sides("memory")
    ]
    return _table([f"{size:,} specs", "whole tree", *names[1:]], lines)


def _failures(results: Results) -> str:
    lines = []
    for failure in results.failures:
        label = BY_KEY[failure.side].label if failure.side in BY_KEY else failure.side
        where = f"{failure.part}, {label} (from {failure.size:,} on, round {failure.turn})"
        lines.append(f"- {where}: {_gist(failure.reason)}")
    return "\n".join(lines)


def _gist(reason: str) -> str:
    """The line of the output that is most likely to say what is wrong."""
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() or line.startswith("FAILED")]
    return (telling or lines or ["no output"])[-1]


def bounds(judged: Iterable[Bound]) -> str:
    """The bounds, each with what was measured."""
    lines = [
        [bound.what, f"{bound.at:,}", bound.limit, _measured(bound), _MARKS[bound.holds]]
        for bound in judged
    ]
    return _table(["", "specs", "bound", "measured", "holds"], lines)


def _measured(bound: Bound) -> str:
    if bound.measured is None:
        return "—"
    text = f"{bound.measured:,.3g} {bound.unit}".strip()
    return f"{text}, extrapolated" if bound.extrapolated else text


def _machine(results: Results) -> str:
    machine = results.machine
    native = f", native PostgreSQL {machine.native}" if machine.native else ""
    return (
        f"{machine.started}, {machine.system}, {machine.cores} cores, "
        f"{machine.memory / 2**30:.0f} GB, Python {machine.python}, Node {machine.node}{native}. "
        f"Sides in turn; medians of {results.rounds} rounds, one where a run takes over a minute; "
        f"memory is the {machine.memory_is} of the whole process tree at its peak."
    )


def _section(title: str, body: str) -> str:
    return f"\n## {title}\n\n{body}"


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [list(head), *map(list, lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    rows.insert(1, ["-" * width for width in widths])

    def text(row: Sequence[str]) -> str:
        first, *rest = row
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        return f"| {' | '.join(cells)} |"

    rule = [f"{'-' * (width - 1)}:" for width in widths[1:]]
    rows[1] = [rows[1][0], *rule]
    return "\n".join(map(text, rows))


def _about(value: Value) -> str:
    return "≈ " if value.extrapolated else ""


def _wall(value: Value | None) -> str:
    return "—" if value is None else f"{_about(value)}{duration(value.value)}"


def duration(seconds: float) -> str:
    """In the unit that a person would use."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _seconds(seconds: float | None) -> str:
    return "—" if seconds is None else f"{seconds:.2f} s"


def _milliseconds(seconds: float | None) -> str:
    return "—" if seconds is None else f"{1000 * seconds:.2f} ms"


def _megabytes(size: float | None, at: int | None = None) -> str:
    place = f" ({at:,})" if at is not None else ""
    return "—" if size is None else f"{size / MEGABYTE:.0f} MB{place}"


def _ratio(ours: float | None, theirs: float | None) -> str:
    return f"{ours / theirs:.2f}" if ours is not None and theirs else "—"
