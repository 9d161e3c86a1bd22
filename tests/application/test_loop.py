"""The worker's one event loop: it ends, whatever was left on it."""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress

import pytest

from harness.application.loop import Loop


async def stubborn() -> None:
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)


async def obedient(ended: list[str]) -> None:
    try:
        await asyncio.sleep(3600)
    finally:
        ended.append("obedient")


async def leave(kept: list[asyncio.Task[None]], ended: list[str]) -> None:
    kept += [asyncio.create_task(stubborn()), asyncio.create_task(obedient(ended))]
    await asyncio.sleep(0)


def test_tasks_that_are_left_are_cancelled(recwarn: pytest.WarningsRecorder) -> None:
    loop = Loop()
    ended: list[str] = []
    loop.start(leave([], ended))
    loop.close()
    loop.close()  # a second time is nothing
    gc.collect()
    assert ended == ["obedient"]
    assert list(recwarn) == []


def test_one_that_never_ran_is_closed() -> None:
    Loop().close()
