"""The lifespan: once per worker, in one task, and its failures told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from fastapi import FastAPI
from fastapi import Request as FastAPIRequest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from harness.application.loop import Loop
from harness.application.request import Request
from harness.application.web import Web
from harness.errors import HarnessError

GET = Request("GET", "/")


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


def _app(lifespan: Any) -> FastAPI:
    app = FastAPI(lifespan=lifespan)

    @app.get("/")
    async def read(request: FastAPIRequest) -> list[str]:
        return [str(value) for value in request.state._state.values()]

    return app


def test_runs_once_around_all_requests(loop: Loop) -> None:
    events: list[str] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        events.append("start")
        yield
        events.append("end")

    web = Web(_app(lifespan), loop)
    assert events == []
    for _ in range(3):
        assert web.send(GET).status == 200
    assert events == ["start"]
    web.close()
    assert events == ["start", "end"]


def test_an_app_that_was_never_asked_is_never_started(loop: Loop) -> None:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield pytest.fail("it was started")

    Web(_app(lifespan), loop).close()


def test_requests_get_copies_of_the_state(loop: Loop) -> None:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        yield {"pool": "a pool"}

    app = _app(lifespan)

    @app.get("/change")
    async def change(request: FastAPIRequest) -> None:
        request.state.pool = "another"

    web = Web(app, loop)
    assert web.send(GET).text == '["a pool"]'
    assert web.send(Request("GET", "/change")).status == 200
    assert web.send(GET).text == '["a pool"]'
    web.close()


def test_its_task_group_works_between_start_and_end(loop: Loop) -> None:
    served: list[str] = []
    done = served.append

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        send, receive = anyio.create_memory_object_stream[str](10)

        async def serve() -> None:
            with receive:
                async for each in receive:
                    done(each)

        async with anyio.create_task_group() as group, send:
            group.start_soon(serve)
            yield {"jobs": send}

    app = FastAPI(lifespan=lifespan)

    @app.get("/")
    async def put(request: FastAPIRequest) -> None:
        await request.state.jobs.send("job")
        await anyio.wait_all_tasks_blocked()

    web = Web(app, loop)
    web.send(GET)
    web.send(GET)
    assert served == ["job", "job"]
    web.close()


async def _hello(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("hello")(scope, receive, send)


async def _refusing(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        raise ValueError("only http")
    await _hello(scope, receive, send)


async def _returning(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await _hello(scope, receive, send)


@pytest.mark.parametrize("app", [_hello, _refusing, _returning])
def test_an_app_without_a_lifespan_is_fine(loop: Loop, app: object) -> None:
    web = Web(app, loop)
    assert [web.send(GET).text for _ in range(2)] == ["hello", "hello"]
    web.close()


async def _looping(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers every event, and never returns by itself."""
    if scope["type"] == "http":
        return await _hello(scope, receive, send)
    while True:
        event = await receive()
        await send({"type": f"{event['type']}.complete"})


def test_an_app_that_asks_for_more_than_the_end_is_ended(loop: Loop) -> None:
    web = Web(_looping, loop)
    assert web.send(GET).text == "hello"
    web.close()


def test_a_failure_at_the_start_is_told_for_every_request(loop: Loop) -> None:
    starts: list[int] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        starts.append(1)
        if starts:
            raise ConnectionError("no broker")
        yield

    web = Web(_app(lifespan), loop)
    for _ in range(2):
        with pytest.raises(HarnessError) as caught:
            web.send(GET)
        assert "the application failed to start:\n  Traceback" in str(caught.value)
        assert "ConnectionError: no broker\n  hint: this is the lifespan" in str(caught.value)
    web.close()
    assert starts == [1]


def test_a_failure_without_a_message_is_told_as_well(loop: Loop) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "lifespan.startup.failed"})

    with pytest.raises(HarnessError, match=r"failed to start:\n  \(it does not say why\)"):
        Web(app, loop).send(GET)


@pytest.mark.parametrize("is_told", [True, False])
def test_a_failure_at_the_end_is_told(loop: Loop, is_told: bool) -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            return await _hello(scope, receive, send)
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if is_told:
            message: Message = {"type": "lifespan.shutdown.failed", "message": "OSError: full"}
            await send(message)
        raise OSError("full")

    web = Web(failing, loop)
    web.send(GET)
    with pytest.raises(HarnessError, match="failed to shut down:\n  OSError: full"):
        web.close()


def test_a_start_that_was_interrupted_is_ended(loop: Loop) -> None:
    ended: list[bool] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        task = asyncio.current_task()
        try:
            for other in asyncio.all_tasks() - {task}:
                other.cancel()  # as Ctrl-C does
            await asyncio.Event().wait()
            yield
        finally:
            ended.append(True)

    web = Web(Starlette(lifespan=lifespan), loop)
    with pytest.raises(asyncio.CancelledError):
        web.send(GET)
    assert ended == []
    web.close()
    assert ended == [True]
