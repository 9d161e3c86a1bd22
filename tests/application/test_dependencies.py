"""The spec's session and actor in place of the application's own."""

import contextvars
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Optional

import flask
import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from harness.actor import Actor
from harness.application.dependencies import Overrides
from harness.application.loop import Loop
from harness.application.request import Request
from harness.application.web import Web
from harness.errors import ConfigError
from harness.matching.responses import Response

if TYPE_CHECKING:
    from sqlalchemy.orm import Session as Orm

GET = Request("GET", "/")
ADMIN = Actor({"role": "admin"})


class OwnSession(Session):
    """As SQLModel has one."""


class OfSpec:
    """Sessions of a database that has one table; the asynchronous ones are only handed on."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._made: dict[type, Any] = {}
        self.asynchronous: Any = _Asynchronous()

    def session(self, kind: type[Session] = Session) -> Session:
        made: Session = self._made.setdefault(kind, kind(self._engine))
        return made

    def async_session(self, kind: type[AsyncSession] = AsyncSession) -> AsyncSession:
        made: AsyncSession = self.asynchronous
        return made

    def connection(self) -> Connection:
        made: Connection = self._made.setdefault(Connection, self._engine.connect())
        return made

    def async_connection(self) -> AsyncConnection:
        made: AsyncConnection = self.asynchronous
        return made

    def close(self) -> None:
        for each in self._made.values():
            each.close()


class _Asynchronous:
    def __init__(self) -> None:
        self.rollbacks = 0

    async def rollback(self) -> None:
        self.rollbacks += 1


@pytest.fixture
def sessions() -> Iterator[OfSpec]:
    engine = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    with engine.begin() as connection:
        connection.execute(text("create table issues (title text)"))
    sessions = OfSpec(engine)
    yield sessions
    sessions.close()
    engine.dispose()


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


Ask = Callable[..., Response]


@pytest.fixture
def ask(loop: Loop, sessions: OfSpec) -> Ask:
    def ask(
        app: object,
        session_targets: list[Any],
        actor_targets: list[Any] = [],  # noqa: B006 - never changed
        actor: Actor | None = None,
        request: Request = GET,
    ) -> Response:
        overrides = Overrides(app, session_targets, actor_targets)
        with overrides.bound(sessions, actor):
            return Web(app, loop).send(request)

    return ask


def get_session() -> Iterator[Session]:
    yield pytest.fail("the application's own session")


def current_user() -> dict[str, str]:
    raise HTTPException(401)


Own = Annotated[Session, Depends(get_session)]
User = Annotated[dict[str, str], Depends(current_user)]


def _app() -> FastAPI:
    app = FastAPI()

    @app.post("/sync")
    def sync(session: Own) -> None:
        session.execute(text("insert into issues values ('sync')"))

    @app.post("/async")
    async def asynchronous(session: Own) -> None:
        session.execute(text("insert into issues values ('async')"))

    @app.post("/refused")
    def refused(session: Own) -> None:
        session.execute(text("insert into issues values ('refused')"))
        raise HTTPException(409)

    @app.get("/me")
    def me(user: User) -> dict[str, str]:
        return dict(user)

    return app


def titles(sessions: OfSpec) -> list[str]:
    return list(sessions.session().scalars(text("select title from issues")))


class TestFastAPI:
    @pytest.mark.parametrize("path", ["sync", "async"])
    def test_endpoints_work_in_the_specs_session(
        self, ask: Ask, sessions: OfSpec, path: str
    ) -> None:
        response = ask(_app(), [get_session], request=Request("POST", f"/{path}"))
        assert response.status == 200
        assert sessions.session().in_transaction()
        assert titles(sessions) == [path]

    def test_what_an_http_error_interrupts_is_undone(self, ask: Ask, sessions: OfSpec) -> None:
        session = sessions.session()
        session.execute(text("insert into issues values ('before')"))
        session.commit()
        assert ask(_app(), [get_session], request=Request("POST", "/refused")).status == 409
        assert titles(sessions) == ["before"]

    def test_the_actor_is_who_asks(self, ask: Ask) -> None:
        request = Request("GET", "/me")
        response = ask(_app(), [get_session], [current_user], ADMIN, request)
        assert response.text == '{"role":"admin"}'

    def test_without_an_actor_the_application_decides(self, ask: Ask) -> None:
        request = Request("GET", "/me")
        assert ask(_app(), [get_session], [current_user], None, request).status == 401

    @pytest.mark.parametrize("error", [None, RuntimeError])
    def test_own_overrides_are_put_back(
        self, sessions: OfSpec, error: type[RuntimeError] | None
    ) -> None:
        app = _app()

        def own() -> None: ...

        table = app.dependency_overrides
        table.update({get_session: own, titles: own})
        overrides = Overrides(app, [get_session], [current_user])
        try:
            with overrides.bound(sessions, ADMIN):
                assert table[get_session] is not own
                assert table.keys() == {get_session, titles, current_user}
                if error:
                    raise error
        except RuntimeError:
            assert error
        assert app.dependency_overrides is table
        assert table == {get_session: own, titles: own}

    def test_applications_below_and_inside_are_found(self, ask: Ask, sessions: OfSpec) -> None:
        deep = _app()
        router = APIRouter()
        router.mount("/deep", deep)
        middle = FastAPI()
        middle.include_router(router)
        starlette = Starlette(routes=[Mount("/middle", middle)])

        class Middleware:
            def __init__(self, app: Any) -> None:
                self.app = app

            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                await self.app(scope, receive, send)

        outside = Middleware(starlette)
        request = Request("POST", "/middle/deep/sync")
        assert ask(outside, [get_session], request=request).status == 200
        assert titles(sessions) == ["sync"]
        assert deep.dependency_overrides == middle.dependency_overrides == {}


def plain():  # type: ignore[no-untyped-def]  # noqa: ANN201 - that is the case
    yield


async def coroutine():  # type: ignore[no-untyped-def]  # noqa: ANN201 - that is the case
    ...


async def generator():  # type: ignore[no-untyped-def]  # noqa: ANN201 - that is the case
    yield


def bare() -> Generator:  # type: ignore[type-arg]  # that is the case
    yield


async def bare_async() -> AsyncGenerator:  # type: ignore[type-arg]  # that is the case
    yield


def only_for_typing() -> "Iterator[Orm]":
    raise NotImplementedError


def own_kind() -> OwnSession:
    raise NotImplementedError


def generated() -> Generator[Session, None, None]:
    raise NotImplementedError


def generated_quoted() -> Iterator["Session"]:
    raise NotImplementedError


def annotated() -> Annotated[Optional[Connection], "the"]:  # noqa: UP045 - that is the case
    raise NotImplementedError


async def from_coroutine() -> AsyncSession:
    raise NotImplementedError


def async_iterator() -> AsyncIterator[AsyncSession]:
    raise NotImplementedError


async def async_connection() -> AsyncIterator[AsyncConnection]:
    yield pytest.fail("it was called")


async def sync_from_coroutine() -> Session:
    raise NotImplementedError


class Provider:
    def __call__(self) -> Iterator[Connection]:
        raise NotImplementedError


class AsyncProvider:
    async def __call__(self):  # type: ignore[no-untyped-def]  # noqa: ANN204 - that is the case
        ...


def with_argument(name: str) -> AsyncSession:
    raise NotImplementedError


async def wrong() -> AsyncIterator[dict[str, int]]:
    yield pytest.fail("it was called")


def unknown() -> "Nowhere":  # type: ignore[name-defined]  # noqa: F821 - that is the case
    raise NotImplementedError


class TestWhatADependencyGives:
    @pytest.mark.parametrize(
        ("target", "kind"),
        [
            (plain, Session),
            (coroutine, AsyncSession),
            (generator, AsyncSession),
            (bare, Session),
            (bare_async, AsyncSession),
            (only_for_typing, Session),
            (own_kind, OwnSession),
            (OwnSession, OwnSession),
            (generated, Session),
            (generated_quoted, Session),
            (annotated, Connection),
            (from_coroutine, AsyncSession),
            (async_iterator, AsyncSession),
            (async_connection, AsyncConnection),
            (sync_from_coroutine, Session),
            (Provider(), Connection),
            (AsyncProvider(), AsyncSession),
            (functools.partial(with_argument, "x"), AsyncSession),
        ],
    )
    def test_is_what_its_annotation_says(
        self, ask: Ask, sessions: OfSpec, target: Any, kind: type
    ) -> None:
        got: list[Any] = []
        app = FastAPI()

        @app.get("/")
        async def keep(given: Annotated[Any, Depends(target)]) -> None:
            got.append(given)

        assert ask(app, [target]).status == 200
        own = {
            Session: sessions.session(),
            OwnSession: sessions.session(OwnSession),
            Connection: sessions.connection(),
            AsyncSession: sessions.asynchronous,
            AsyncConnection: sessions.asynchronous,
        }
        assert got == [own[kind]]

    def test_an_asynchronous_session_is_rolled_back_too(self, ask: Ask, sessions: OfSpec) -> None:
        app = FastAPI()

        @app.get("/")
        async def refuse(session: Annotated[Any, Depends(generator)]) -> None:
            raise HTTPException(409)

        assert ask(app, [generator]).status == 409
        assert sessions.asynchronous.rollbacks == 1

    @pytest.mark.parametrize(
        ("target", "message"),
        [
            (wrong, "app_session: wrong() gives dict[str, int]"),
            (unknown, "app_session: unknown() gives Nowhere"),
            (dict, "app_session: dict() gives dict"),
            ("get_session", "'get_session' cannot be called: it is no dependency"),
        ],
    )
    def test_anything_else_is_refused(self, target: Any, message: str) -> None:
        with pytest.raises(ConfigError) as caught:
            Overrides(FastAPI(), [target], [])
        assert message in str(caught.value)


current: contextvars.ContextVar[Any] = contextvars.ContextVar("current", default=None)
who: contextvars.ContextVar[Any] = contextvars.ContextVar("who", default=None)


@contextmanager
def use_session(session: Session) -> Iterator[None]:
    token = current.set(session)
    yield
    current.reset(token)


def use_generator(session: Connection) -> Iterator[None]:
    token = current.set(session)
    yield
    current.reset(token)


def keep_session(session: Session) -> Session:
    current.set(session)
    return session


def keep_async_session(session: AsyncSession) -> None:
    current.set(session)


def use_actor(actor: Actor | None) -> None:
    who.set(actor)


async def use_asynchronously(session: AsyncSession) -> None: ...


def use_nothing() -> None: ...


def use_text(text: str) -> None: ...


def _starlette() -> Starlette:
    async def read(request: StarletteRequest) -> PlainTextResponse:
        return PlainTextResponse(f"{type(current.get()).__name__} {who.get()}")

    return Starlette(routes=[Route("/", read)])


def _flask() -> flask.Flask:
    app = flask.Flask("app")

    @app.route("/")
    def read() -> str:
        return f"{type(current.get()).__name__} {who.get()}"

    return app


class TestHooks:
    @pytest.mark.parametrize("make", [_starlette, _flask])
    @pytest.mark.parametrize(
        ("hook", "name"),
        [
            (use_session, "Session"),
            (use_generator, "Connection"),
            (keep_session, "Session"),
            (current.set, "Session"),
            (keep_async_session, "_Asynchronous"),
        ],
    )
    def test_are_told_the_session(
        self, ask: Ask, make: Callable[[], object], hook: Any, name: str
    ) -> None:
        context = contextvars.copy_context()
        assert context.run(ask, make(), [hook]).text == f"{name} None"
        is_left = hook in (use_session, use_generator)
        assert (context.get(current) is None) == is_left

    @pytest.mark.parametrize("actor", [ADMIN, None])
    def test_are_told_the_actor_or_that_there_is_none(self, ask: Ask, actor: Actor | None) -> None:
        context = contextvars.copy_context()
        context.run(who.set, "the one before")
        assert context.run(ask, _flask(), [], [use_actor], actor).text == f"NoneType {actor!r}"

    def test_a_session_that_is_handed_back_is_not_closed(self, ask: Ask, sessions: OfSpec) -> None:
        session = sessions.session()
        session.execute(text("insert into issues values ('kept')"))
        contextvars.copy_context().run(ask, _flask(), [keep_session])
        assert session.in_transaction()

    def test_are_left_after_an_error(self, sessions: OfSpec) -> None:
        seen: list[str] = []

        @contextmanager
        def hook(session: Session) -> Iterator[None]:
            try:
                yield
            finally:
                seen.append("left")

        with (
            pytest.raises(ZeroDivisionError),
            Overrides(_flask(), [hook], []).bound(sessions, None),
        ):
            raise ZeroDivisionError
        assert seen == ["left"]

    @pytest.mark.parametrize(
        ("hook", "message"),
        [
            (use_asynchronously, "use_asynchronously() is asynchronous"),
            (use_nothing, "app_session: use_nothing() takes no session"),
            (use_text, "app_session: use_text() takes str"),
        ],
    )
    def test_that_cannot_be_used_are_refused(self, hook: Any, message: str) -> None:
        with pytest.raises(ConfigError) as caught:
            Overrides(_flask(), [hook], [])
        assert message in str(caught.value)
