"""Checks of what workers have to share: memory and processors."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import psutil

from harness.doctor.cgroup import Limit, memory_limit
from harness.doctor.finding import Check, Finding, note, ok, problem
from harness.doctor.phrases import MEGABYTE, counted, shown, size
from harness.doctor.project import Project

WORKER = (105 + 150) * MEGABYTE
"""What a worker holds at most: its PGlite, and a Python with an application in it."""


def memory(found: Project) -> Finding:
    """Whether the workers that the settings allow fit into what is free."""
    machine, swap = psutil.virtual_memory(), psutil.swap_memory()
    limit = memory_limit()
    workers = found.max_workers
    free = min(machine.available, limit.free) if limit else machine.available
    facts: dict[str, Any] = {
        "total": machine.total,
        "available": machine.available,
        "limit": limit.total if limit else None,
        "limit_free": limit.free if limit else None,
        "swap": swap.total,
        "swap_used": swap.used,
        "max_workers": workers,
        "needed": workers * WORKER,
    }
    text = (
        f"{size(machine.available)} of {size(machine.total)} free{_limited(limit)}, "
        f"{_swap(swap.total, swap.used)}; {counted(workers, 'worker')} "
        f"{'takes' if workers == 1 else 'take'} at most {size(workers * WORKER)}"
    )
    return verdict(text, workers, free, facts)


def verdict(text: str, workers: int, free: int, facts: dict[str, Any]) -> Finding:
    """What of so many workers with so much free memory."""
    if free >= workers * WORKER:
        return ok(text, **facts)
    fitting = int(free // WORKER)
    if fitting == 0:
        return problem(
            text,
            f"one worker alone may take {size(WORKER)}: end other programs, or allow the container "
            "more; until then `max_workers = 1` in [tool.harness]",
            **facts,
        )
    return problem(
        text,
        "set `max_workers = 1` in [tool.harness]"
        + (f"; {fitting} would fit just now" if fitting > 1 else ""),
        **facts,
    )


def processors(found: Project) -> Finding:
    """Whether each worker has a processor."""
    count = _processors()
    text = counted(count, "processor")
    facts = {"count": count, "max_workers": found.max_workers}
    if found.max_workers > count:
        return note(
            f"{text} for {counted(found.max_workers, 'worker')}",
            f"more workers than processors cost memory and gain nothing: `max_workers = {count}`",
            **facts,
        )
    return ok(text, **facts)


CHECKS: Mapping[str, Check] = {"memory": memory, "processors": processors}


def _limited(limit: Limit | None) -> str:
    if limit is None:
        return ""
    return f", {size(limit.free)} of the {size(limit.total)} that {shown(limit.source)} allows"


def _swap(total: int, used: int) -> str:
    return f"{size(used)} of {size(total)} swap used" if total else "no swap"


def _processors() -> int:
    """Those that this process may use, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
