"""Requests in process: what is sent, what comes back, and what of the loop outlives a request."""

from __future__ import annotations

import asyncio
import contextvars
import gzip
import io
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from decimal import Decimal
from typing import Any

import flask
import pytest
from fastapi import BackgroundTasks, FastAPI, HTTPException
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request as StarletteRequest
from starlette.responses import PlainTextResponse, RedirectResponse, StreamingResponse
from starlette.responses import Response as StarletteResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from harness.application.loop import Loop
from harness.application.request import Request
from harness.application.web import Web
from harness.errors import ConfigError, HarnessError, SpecError
from harness.matching.responses import Response

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE"]
Serve = Callable[[object], Web]


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def serve(loop: Loop) -> Iterator[Serve]:
    served: list[Web] = []

    def serve(app: object) -> Web:
        served.append(Web(app, loop))
        return served[-1]

    yield serve
    for web in served:
        web.close()


async def _echo_asgi(request: StarletteRequest) -> StarletteResponse:
    body = await request.body()
    return StarletteResponse(
        json.dumps(
            {
                "method": request.method,
                "path": request.url.path,
                "query": request.url.query,
                "headers": dict(request.headers),
                "body": body.decode(),
            }
        ),
        status_code=201,
        headers={"content-type": "application/json", "x-name": "Zoë"},
    )


def _starlette() -> Starlette:
    return Starlette(routes=[Route("/{rest:path}", _echo_asgi, methods=METHODS)])


def _flask() -> flask.Flask:
    app = flask.Flask("echo")

    @app.route("/<path:rest>", methods=METHODS)
    def echo(rest: str) -> flask.Response:
        request = flask.request
        return flask.Response(
            json.dumps(
                {
                    "method": request.method,
                    "path": request.path,
                    "query": request.query_string.decode(),
                    "headers": {key.lower(): value for key, value in request.headers.items()},
                    "body": request.get_data().decode(),
                }
            ),
            status=201,
            headers={"content-type": "application/json", "x-name": "Zoë"},
        )

    return app


@pytest.fixture(params=[_starlette, _flask], ids=["asgi", "wsgi"])
def web(request: pytest.FixtureRequest, serve: Serve) -> Web:
    return serve(request.param())


def seen(web: Web, request: Request) -> Any:
    return json.loads(web.send(request).body)


class TestWhatIsSent:
    def test_a_plain_request_has_what_every_client_sends(self, web: Web) -> None:
        got = seen(web, Request("GET", "/issues"))
        headers = got.pop("headers")
        assert got == {"method": "GET", "path": "/issues", "query": "", "body": ""}
        assert {key: headers[key] for key in ("host", "accept", "user-agent")} == {
            "host": "testserver",
            "accept": "*/*",
            "user-agent": "harness",
        }
        assert "cookie" not in headers
        assert "content-type" not in headers

    def test_json_keeps_its_digits(self, web: Web) -> None:
        got = seen(web, Request("POST", "/x", json={"price": Decimal("1.10"), "who": "Zoë"}))
        assert got["body"] == '{"price":1.10,"who":"Zo\\u00eb"}'
        assert got["headers"]["content-type"] == "application/json"

    def test_json_null_is_a_body(self, web: Web) -> None:
        assert seen(web, Request("POST", "/x", json=None))["body"] == "null"

    def test_a_form_repeats_what_is_a_list(self, web: Web) -> None:
        form = {"title": "a & ü", "tag": ["x", "y"], "done": True, "n": Decimal("1.50"), "none": []}
        got = seen(web, Request("POST", "/x", form=form))
        assert got["body"] == "title=a+%26+%C3%BC&tag=x&tag=y&done=true&n=1.50"
        assert got["headers"]["content-type"] == "application/x-www-form-urlencoded"

    def test_content_is_sent_as_it_is(self, web: Web) -> None:
        got = seen(web, Request("POST", "/x", content="Zoë"))
        assert got["body"] == "Zoë"
        assert got["headers"]["content-length"] == "4"
        assert "content-type" not in got["headers"]

    def test_own_headers_win_over_those_of_the_body(self, web: Web) -> None:
        headers = {"Content-Type": "application/vnd.api+json", "X-Number": 7, "x-name": "Zoë"}
        got = seen(web, Request("POST", "/x", json={}, headers=headers))["headers"]
        assert got["content-type"] == "application/vnd.api+json"
        assert got["x-number"] == "7"
        assert got["x-name"] == "Zoë"

    def test_query_is_added_to_that_of_the_path(self, web: Web) -> None:
        request = Request("GET", "/x?status=a%26b#top", query={"page": 2, "tag": ["x y", "ü"]})
        assert seen(web, request)["query"] == "status=a%26b&page=2&tag=x+y&tag=%C3%BC"

    @pytest.mark.parametrize("path", ["/caf\u00e9 bar/\u65e5", "/caf%C3%A9%20bar/%E6%97%A5"])
    def test_paths_are_quoted_once(self, web: Web, path: str) -> None:
        assert seen(web, Request("GET", path))["path"] in (
            "/caf\u00e9 bar/\u65e5",  # as the application sees it
            "/caf%C3%A9%20bar/%E6%97%A5",  # as Starlette's URL quotes it again
        )

    def test_nothing_comes_from_the_environment(
        self, web: Web, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        assert web.send(Request("GET", "/x")).status == 201

    @pytest.mark.parametrize(
        ("request_", "message"),
        [
            (
                Request("GET", "/x", headers={"a b": "1"}),
                "'a b' cannot be the name of a header",
            ),
            (
                Request("GET", "/x", headers={"X-A": "1\r\nX-B: 2"}),
                "the value of the header 'X-A' cannot be sent: '1\\r\\nX-B: 2'",
            ),
            (
                Request("GET", "/x", headers={"X-A": "\u65e5"}),
                "the value of the header 'X-A' cannot be sent: '\u65e5'",
            ),
            (
                Request("GET", "/x", headers={"X-A": ["1"]}),
                "header 'X-A': a list cannot be sent as text",
            ),
            (
                Request("GET", "/x", query={"page": None}),
                "`query`, 'page': null cannot be sent",
            ),
            (
                Request("POST", "/x", form={"who": {"id": 1}}),
                "`form`, 'who': a mapping cannot be sent as text",
            ),
            (
                Request("POST", "/x", json=[float("nan")]),
                "the request cannot be sent: Out of range float values are not JSON compliant",
            ),
            (
                Request("GET", "/x\n"),
                "the request cannot be sent: Invalid non-printable ASCII character in URL",
            ),
        ],
    )
    def test_what_cannot_be_sent_is_refused(
        self, web: Web, request_: Request, message: str
    ) -> None:
        with pytest.raises(SpecError) as caught:
            web.send(request_)
        assert message in str(caught.value)


class TestWhatComesBack:
    def test_status_headers_body_and_text(self, web: Web) -> None:
        response = web.send(Request("POST", "/x", content="Zoë"))
        assert isinstance(response, Response)
        assert response.status == 201
        headers = {name.lower(): value for name, value in response.headers}
        assert headers["content-type"] == "application/json"
        assert headers["x-name"] == "Zoë"
        assert response.body == response.text.encode()

    def test_head_has_headers_and_no_body(self, web: Web) -> None:
        response = web.send(Request("HEAD", "/x"))
        assert (response.status, response.body) == (201, b"")

    def test_no_content(self, serve: Serve) -> None:
        async def nothing(request: StarletteRequest) -> StarletteResponse:
            return StarletteResponse(status_code=204)

        response = serve(Starlette(routes=[Route("/", nothing)])).send(Request("GET", "/"))
        assert (response.status, response.body, response.text) == (204, b"", "")

    def test_redirects_are_seen_and_cookies_forgotten(self, serve: Serve) -> None:
        async def go(request: StarletteRequest) -> StarletteResponse:
            response = RedirectResponse("/elsewhere", status_code=303)
            response.set_cookie("a", request.cookies.get("a", "none"))
            response.set_cookie("b", "2")
            return response

        web = serve(Starlette(routes=[Route("/", go)]))
        for _ in range(2):
            response = web.send(Request("GET", "/"))
            assert response.status == 303
            cookies = [value for name, value in response.headers if name == "set-cookie"]
            assert [cookie.split(";")[0] for cookie in cookies] == ["a=none", "b=2"]

    def test_the_text_is_read_in_the_bodys_charset(self, serve: Serve) -> None:
        async def old(request: StarletteRequest) -> StarletteResponse:
            body = "Zoë".encode("latin-1")
            return StarletteResponse(body, headers={"content-type": "text/plain; charset=latin-1"})

        response = serve(Starlette(routes=[Route("/", old)])).send(Request("GET", "/"))
        assert (response.text, response.body) == ("Zoë", b"Zo\xeb")

    def test_a_compressed_body_is_unpacked(self, serve: Serve) -> None:
        def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            start_response("200 OK", [("content-encoding", "gzip")])
            return [gzip.compress(b"small")]

        assert serve(app).send(Request("GET", "/")).text == "small"

    def test_streams_are_read_to_their_end_and_background_tasks_awaited(self, serve: Serve) -> None:
        done: list[str] = []

        async def chunks() -> AsyncIterator[bytes]:
            for chunk in (b"one ", b"two"):
                yield chunk
                await asyncio.sleep(0)
            done.append("stream")

        app = FastAPI()

        @app.get("/stream")
        async def stream(tasks: BackgroundTasks) -> StreamingResponse:
            tasks.add_task(done.append, "thread")
            return StreamingResponse(chunks(), background=tasks)

        assert serve(app).send(Request("GET", "/stream")).text == "one two"
        assert done == ["stream", "thread"]

    def test_http_errors_are_responses(self, serve: Serve) -> None:
        app = FastAPI()

        @app.get("/")
        def refuse() -> None:
            raise HTTPException(409, "taken")

        response = serve(app).send(Request("GET", "/"))
        assert (response.status, response.text) == (409, '{"detail":"taken"}')


class BrokenError(Exception):
    pass


def _failing_flask() -> flask.Flask:
    app = flask.Flask("failing")
    app.testing = True

    @app.route("/")
    def fail() -> str:
        raise BrokenError("as it is")

    return app


def _failing_starlette() -> Starlette:
    async def fail(request: StarletteRequest) -> StarletteResponse:
        raise BrokenError("as it is")

    return Starlette(routes=[Route("/", fail)])


def _failing_fastapi() -> FastAPI:
    app = FastAPI()

    @app.get("/")
    def fail() -> None:
        raise BrokenError("as it is")

    return app


async def _pass_on(request: StarletteRequest, call_next: Any) -> StarletteResponse:
    response: StarletteResponse = await call_next(request)
    return response


def _failing_below_middleware() -> Starlette:
    app = _failing_starlette()
    app.add_middleware(BaseHTTPMiddleware, dispatch=_pass_on)
    return app


async def _failing_task_group(scope: Scope, receive: Receive, send: Send) -> None:
    async def fail() -> None:
        raise BrokenError("as it is")

    if scope["type"] == "http":
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())


class TestErrors:
    @pytest.mark.parametrize(
        "make",
        [
            _failing_flask,
            _failing_starlette,
            _failing_fastapi,
            _failing_below_middleware,
            lambda: _failing_task_group,
        ],
        ids=["flask", "starlette", "fastapi", "middleware", "task group"],
    )
    def test_what_the_application_lets_through_propagates(
        self, serve: Serve, make: Callable[[], object]
    ) -> None:
        web = serve(make())
        for _ in range(2):
            with pytest.raises(BrokenError, match=r"^as it is$"):
                web.send(Request("GET", "/"))

    def test_a_group_is_not_the_context_of_the_error_in_it(self, serve: Serve) -> None:
        with pytest.raises(BrokenError) as caught:
            serve(_failing_task_group).send(Request("GET", "/"))
        assert caught.value.__context__ is None

    def test_a_group_of_several_errors_stays_one(self, serve: Serve) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            raise ExceptionGroup("both", [BrokenError("one"), BrokenError("two")])

        with pytest.raises(ExceptionGroup, match="both"):
            serve(app).send(Request("GET", "/"))

    def test_no_answer_is_an_error(self, serve: Serve) -> None:
        async def silent(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"half", "more_body": True})

        def mute(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            return []

        with pytest.raises(HarnessError, match="returned without a complete response"):
            serve(silent).send(Request("GET", "/"))
        with pytest.raises(HarnessError, match="returned without a response"):
            serve(mute).send(Request("GET", "/"))


class TestWsgi:
    def test_generators_writes_and_late_headers(self, serve: Serve) -> None:
        closed: list[bool] = []

        class Chunks:
            def __init__(self, start_response: Any) -> None:
                self._start = start_response

            def __iter__(self) -> Iterator[bytes]:
                self._start("200 OK", [("x-try", "1")])
                write = self._start("202 Accepted", [("x-try", "2")], (None, None, None))
                write(b"written, ")
                yield b""
                yield b"yielded"

            def close(self) -> None:
                closed.append(True)

        def app(environ: dict[str, Any], start_response: Any) -> Chunks:
            return Chunks(start_response)

        response = serve(app).send(Request("GET", "/"))
        assert (response.status, response.text) == (202, "written, yielded")
        assert response.headers == (("x-try", "2"),)
        assert closed == [True]

    def test_an_error_while_the_body_is_made_closes_it(self, serve: Serve) -> None:
        closed: list[bool] = []

        def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
            start_response("200 OK", [])
            try:
                yield b"half"
                raise BrokenError("as it is")
            finally:
                closed.append(True)

        with pytest.raises(BrokenError):
            serve(app).send(Request("GET", "/"))
        assert closed == [True]


class ClassApp:
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("asgi")(scope, receive, send)


class PlainCallApp:
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return PlainTextResponse("asgi")(scope, receive, send)


class Endpoint:
    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._answer = PlainTextResponse("asgi")(scope, receive, send)

    def __await__(self) -> Any:
        return self._answer.__await__()


async def _asgi_wrapper(*args: Any) -> None:
    await ClassApp()(*args)


class Wsgi:
    def __call__(self, environ: dict[str, Any], start_response: Any) -> io.BytesIO:
        start_response("200 OK", [])
        return io.BytesIO(b"wsgi")


class Asgi2:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope


def create_app() -> FastAPI:
    return FastAPI()


async def half(scope: Scope, receive: Receive) -> None: ...


def anything(*args: Any) -> None: ...


class TestProtocol:
    @pytest.mark.parametrize(
        ("app", "text"),
        [
            (ClassApp(), "asgi"),
            (PlainCallApp(), "asgi"),
            (Endpoint, "asgi"),
            (_asgi_wrapper, "asgi"),
            (Wsgi(), "wsgi"),
        ],
    )
    def test_is_told_by_the_call(self, serve: Serve, app: object, text: str) -> None:
        assert serve(app).send(Request("GET", "/")).text == text

    @pytest.mark.parametrize(
        ("app", "message", "hint"),
        [
            (None, "`app` is an object of builtins.NoneType, which cannot be called", "name an"),
            (create_app, "the function create_app, called as ()", "name what it returned"),
            (Asgi2, "`app` is the class Asgi2, called as (scope", "ASGI 2"),
            (half, "the function half, called asynchronously as (scope", "ASGI is `async def"),
            (anything, "the function anything, called as (*args", "ASGI is `async def"),
            (FastAPI, "the class FastAPI", "name what it returned"),
        ],
    )
    def test_neither_is_refused(self, serve: Serve, app: object, message: str, hint: str) -> None:
        with pytest.raises(ConfigError) as caught:
            serve(app)
        assert message in str(caught.value)
        assert hint in str(caught.value)


number: contextvars.ContextVar[int] = contextvars.ContextVar("number", default=0)


class TestLoop:
    def test_is_one_for_all_requests(self, serve: Serve) -> None:
        loops: set[int] = set()

        async def note(request: StarletteRequest) -> StarletteResponse:
            loops.add(id(asyncio.get_running_loop()))
            return PlainTextResponse("")

        apps = [serve(Starlette(routes=[Route("/", note)])) for _ in range(2)]
        for web in apps * 2:
            web.send(Request("GET", "/"))
        assert len(loops) == 1

    def test_context_goes_in_and_stays_there(self, loop: Loop) -> None:
        async def count() -> int:
            number.set(number.get() + 1)
            return number.get()

        number.set(10)
        assert [loop.run(count()) for _ in range(2)] == [11, 11]
        assert number.get() == 10

    def test_tasks_that_are_left_behind_are_cancelled(self, loop: Loop) -> None:
        ended: list[str] = []
        tasks: list[asyncio.Task[None]] = []

        async def forever(name: str) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(name)

        async def leave(name: str) -> None:
            tasks.append(asyncio.create_task(forever(name)))
            await asyncio.sleep(0)

        loop.start(leave("of the start"))
        loop.run(leave("of the request"))
        assert ended == ["of the request"]
        loop.close()
        assert ended == ["of the request", "of the start"]

    def test_works_inside_of_a_running_loop(self, serve: Serve) -> None:
        seen: list[tuple[int, int]] = []

        async def note(request: StarletteRequest) -> StarletteResponse:
            seen.append((id(asyncio.get_running_loop()), number.get()))
            return PlainTextResponse(threading.current_thread().name)

        web = serve(Starlette(routes=[Route("/", note)]))
        assert web.send(Request("GET", "/")).text == threading.current_thread().name

        async def as_in_an_asynchronous_test() -> Response:
            number.set(5)
            return web.send(Request("GET", "/"))

        before = number.get()
        assert asyncio.run(as_in_an_asynchronous_test()).text.startswith("harness")
        (first, _), (second, inner) = seen
        assert first == second
        assert (inner, number.get()) == (5, before)

    def test_does_not_become_the_threads_loop(self, loop: Loop) -> None:
        async def nothing() -> None: ...

        loop.run(nothing())
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()


def test_middlewares_of_starlette_work(serve: Serve) -> None:
    async def hello(request: StarletteRequest) -> StarletteResponse:
        return PlainTextResponse("hello")

    middleware = [Middleware(BaseHTTPMiddleware, dispatch=_pass_on) for _ in range(2)]
    web = serve(Starlette(routes=[Route("/", hello)], middleware=middleware))
    assert web.send(Request("GET", "/")).text == "hello"
