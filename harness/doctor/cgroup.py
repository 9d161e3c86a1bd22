"""The memory that Linux's control groups allow this process: what a container gets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_UNLIMITED = 2**60
"""Version 1 says "no limit" with the largest multiple of a page."""
_PROCESS = Path("/proc/self/cgroup")
_MOUNT = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Limit:
    """The nearest limit of a group and those above it.

    Attributes:
        total: bytes that all processes of the group may hold.
        free: what of them is left; files that the kernel has cached do not count.
        source: the file that says so.
    """

    total: int
    free: int
    source: Path


def memory_limit(process: Path = _PROCESS, mount: Path = _MOUNT) -> Limit | None:
    """The limit that leaves least; None where there is none, as on macOS."""
    limits = [limit for group in _groups(process, mount) if (limit := _limit(group))]
    return min(limits, key=lambda limit: limit.free, default=None)


def _groups(process: Path, mount: Path) -> Iterator[Path]:
    """The folders of this process's groups for memory, up to the root that can be seen."""
    for line in _text(process).splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0" and not controllers:
            base = mount
        elif "memory" in controllers.split(","):
            base = mount / "memory"
        else:
            continue
        group = base / path.lstrip("/")
        # In a container the path may be one that only its host sees: the mount is the group then.
        yield from (each for each in (group, *group.parents) if each.is_relative_to(base))


def _limit(group: Path) -> Limit | None:
    for limit, usage, cached in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        total, used = _number(group / limit), _number(group / usage)
        if total is not None and used is not None and total < _UNLIMITED:
            free = total - used + _statistic(group / "memory.stat", cached)
            return Limit(total, max(0, min(total, free)), group / limit)
    return None


def _statistic(path: Path, name: str) -> int:
    rows = (line.split() for line in _text(path).splitlines())
    return next((int(value) for key, value in rows if key == name), 0)


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None  # version 2 writes "max"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""
