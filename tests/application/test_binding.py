"""Arguments of calls: bound, injected, converted, or refused before anything runs."""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
import functools
import importlib
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import Annotated, Any, Literal, NewType, Optional, Union
from uuid import UUID

import psycopg
import pydantic
import pytest
from sqlalchemy import Connection, orm
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, Session, mapped_column
from typing_extensions import TypeAliasType

from harness.actor import Actor
from harness.application.annotations import is_coroutine_function
from harness.application.binding import BindingError, Injection, bind, bind_factory

ACTOR = Actor({"id": "u-1"})


class Offer:
    """Makes what is injected, as texts, and notes what was made."""

    def __init__(self, actor: Actor | None = ACTOR) -> None:
        self.made: list[str] = []
        self.injection = Injection(
            session=self._maker("session"),
            async_session=self._maker("async_session"),
            connection=self._maker("connection"),
            async_connection=self._maker("async_connection"),
            actor=actor,
        )

    def _maker(self, kind: str) -> Callable[..., Any]:
        def make(subclass: type | None = None) -> str:
            text = kind if subclass is None else f"{kind} of {subclass.__name__}"
            self.made.append(text)
            return text

        return make


def called(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return bind(function, args, kwargs, Offer().injection).call()


def without_actor(function: Callable[..., Any], **kwargs: Any) -> Any:
    return bind(function, [], kwargs, Offer(actor=None).injection).call()


def refused(function: Callable[..., Any], *args: Any, **kwargs: Any) -> BindingError:
    with pytest.raises(BindingError) as caught:
        bind(function, args, kwargs, Offer().injection)
    return caught.value


def told(function: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[str, tuple[Any, ...]]:
    error = refused(function, *args, **kwargs)
    return error.problems[0].what, error.path


def hint(function: Callable[..., Any], *args: Any, **kwargs: Any) -> str | None:
    return refused(function, *args, **kwargs).problems[0].hint


def annotated_with(annotation: Any) -> Callable[..., Any]:
    def function(it: Any) -> Any:
        return it

    function.__annotations__ = {"it": annotation}
    return function


# What is injected


class OwnSession(Session):
    pass


class OwnAsyncSession(AsyncSession):
    pass


class OwnConnection(Connection):
    pass


SessionDep = Annotated[Session, "Depends(get_session)"]
Alias = TypeAliasType("Alias", Session)
Db = NewType("Db", Session)


@pytest.mark.parametrize(
    ("annotation", "made"),
    [
        (Session, "session"),
        (AsyncSession, "async_session"),
        (Connection, "connection"),
        (AsyncConnection, "async_connection"),
        (OwnSession, "session of OwnSession"),
        (OwnAsyncSession, "async_session of OwnAsyncSession"),
        (Optional[Session], "session"),  # noqa: UP045 - as applications write it
        (Union[None, AsyncSession], "async_session"),  # noqa: UP007 - as applications write it
        (Session | None, "session"),
        (SessionDep, "session"),
        (Annotated[Session | None, "x"], "session"),
        (Annotated[SessionDep, "y"] | None, "session"),
        (Alias, "session"),
        (Db, "session"),
        ("Session", "session"),
        ("Session | None", "session"),
        ("orm.Session", "session"),
        ("Optional[SessionDep]", "session"),
        (Optional["AsyncSession"], "async_session"),
        ("Session | AsyncSession", "session"),
    ],
    ids=str,
)
def test_injected_by_annotation(annotation: Any, made: str) -> None:
    assert called(annotated_with(annotation)) == made


@pytest.mark.parametrize(
    "annotation", [Actor, Actor | None, "Actor", "Optional[Actor]", Annotated[Actor, "x"]], ids=str
)
def test_the_actor_is_injected(annotation: Any) -> None:
    assert called(annotated_with(annotation)) is ACTOR


@pytest.mark.parametrize(
    "annotation",
    [
        "Hidden.Session", "Missing | Session", "None | AsyncSession", "hidden.orm.Connection | None",
        "typing.Optional[hidden.AsyncConnection]", "Annotated[hidden.Session, Depends(x)]",
    ],
)  # fmt: skip
def test_what_cannot_be_resolved_goes_by_its_text(annotation: str) -> None:
    function = annotated_with(annotation)
    if annotation == "Missing | Session":
        assert told(function)[0] == "function(it: Missing | Session) is missing 'it'"
    else:
        assert "session" in called(function) or "connection" in called(function)


@pytest.mark.parametrize(
    "annotation",
    ["list[hidden.Session]", "hidden.SessionMaker", "hidden.MySession", "hidden.Session.kind",
     "Callable[[hidden.Session], None]"],
)  # fmt: skip
def test_texts_that_only_look_so(annotation: str) -> None:
    assert told(annotated_with(annotation))[1] == ("call",)


@pytest.mark.parametrize(
    "annotation",
    [psycopg.Connection, OwnConnection, orm.scoped_session, orm.sessionmaker, type[Session], list[Session], object, Any,
     Mapping[str, Any], Callable[[], Session]],
    ids=str,
)  # fmt: skip
def test_other_types_are_not_injected(annotation: Any) -> None:
    assert "is missing 'it'" in told(annotated_with(annotation))[0]


@pytest.mark.parametrize("annotation", [psycopg.Connection, orm.scoped_session, orm.sessionmaker])
def test_who_wants_something_like_a_session_is_told_what_there_is(annotation: Any) -> None:
    assert hint(annotated_with(annotation)) == (
        "give it in `with`; by annotation are injected: "
        "Session, AsyncSession, Connection, AsyncConnection, Actor"
    )


def test_only_what_is_asked_for_is_made_and_only_when_it_is_called() -> None:
    def function(session: Session, *, connection: Connection) -> tuple[object, object]:
        return session, connection

    offer = Offer()
    bound = bind(function, [], {}, offer.injection)
    assert offer.made == []
    assert bound.call() == ("session", "connection")
    assert sorted(offer.made) == ["connection", "session"]


def test_what_is_given_is_not_injected() -> None:
    def function(session: Session | None = None, actor: Actor | None = None) -> list[object]:
        return [session, actor]

    assert called(function) == ["session", ACTOR]
    assert called(function, session=None) == [None, ACTOR]
    assert called(function, actor={"id": 7}) == ["session", {"id": 7}]


GUEST = Actor({"id": "guest"})


def test_an_actor_where_there_is_none() -> None:
    def strict(title: str, actor: Actor) -> object: ...
    def open_to_all(actor: Actor | None) -> object:
        return actor

    def with_default(actor: Actor | None = GUEST) -> object:
        return actor

    assert without_actor(open_to_all) is None
    assert without_actor(annotated_with("hidden.Actor | None")) is None
    assert without_actor(with_default) is GUEST
    with pytest.raises(BindingError) as caught:
        without_actor(strict, title="x")
    (problem,) = caught.value.problems
    assert problem.what == "strict(title: str, actor: Actor) wants 'actor', and there is no actor"
    assert (problem.hint, caught.value.path) == ("write `as`", ("as",))


# Annotations of other modules


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Imports a module of this text."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def module(text: str, name: str = "app_of_test") -> Any:
        path = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield module
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_names_that_only_type_checkers_import(module: Callable[..., Any]) -> None:
    app = module(
        """
        from __future__ import annotations
        import typing as t
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            import sqlalchemy as sa
            import sqlalchemy.orm
            from harness.actor import Actor
            from psycopg import Connection
            from sqlalchemy import orm as mapper
            from sqlalchemy.orm import Session as S
            from .nowhere import Nothing
        if t.TYPE_CHECKING:
            from uuid import UUID

        def all_of_them(a: S, b: sa.Connection | None, c: sqlalchemy.orm.Session, d: mapper.Session,
                        e: "Actor", f: UUID, g: Nothing = 3):
            return [a, b, c, d, e, f, g]
        def of_the_driver(connection: Connection): ...
        """
    )
    uuid = "7f6f0f5e-0000-4000-8000-000000000001"
    assert called(app.all_of_them, f=uuid) == [
        "session", "connection", "session", "session", ACTOR, UUID(uuid), 3,
    ]  # fmt: skip
    # It is called Connection, too, and no name alone may decide where it can be looked up.
    assert told(app.of_the_driver)[0].endswith("is missing 'connection'")


def test_relative_imports_for_type_checkers(module: Callable[..., Any]) -> None:
    module("from sqlalchemy.orm import Session as Database", "shop.db")
    app = module(
        """
        from __future__ import annotations
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            from .db import Database

        class Orders:
            def __init__(self, db: Database, kind: str = "web"):
                self.made = db, kind
            def __call__(self, db: Database):
                return db
        """,
        "shop.orders",
    )
    assert called(app.Orders).made == ("session", "web")
    assert called(app.Orders(None)) == "session"


def test_nothing_here_imports_sqlalchemy() -> None:
    code = "import harness.application.binding, harness.application.targets, sys; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# What can be called


class Service:
    def __init__(self, session: Session, prefix: str = "") -> None:
        self.given = (session, prefix)

    def create(self, session: Session, title: str) -> list[object]:
        return [session, title]

    @classmethod
    def make(cls, title: str, session: Session) -> list[object]:
        return [cls, title, session]

    @staticmethod
    def parse(title: str, actor: Actor) -> list[object]:
        return [title, actor]

    async def __call__(self, session: AsyncSession) -> object:
        return session


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return "logged", function(*args, **kwargs)

    return wrapper


@logged
def decorated(session: Session, *, title: str) -> list[object]:
    return [session, title]


def opaque(*args: Any, **kwargs: Any) -> list[object]:
    return [args, kwargs]


def test_everything_that_can_be_called() -> None:
    service = Service(session=None)  # type: ignore[arg-type]  # it is only kept
    assert called(service.create, title="x") == ["session", "x"]
    assert called(Service.make, title="x") == [Service, "x", "session"]
    assert called(Service.parse, "x") == ["x", ACTOR]
    assert called(Service, prefix="x").given == ("session", "x")
    assert asyncio.run(called(service)) == "async_session"
    assert called(functools.partial(service.create, title="x")) == ["session", "x"]
    assert called(functools.partial(service.create, title="y"), title="x") == ["session", "x"]
    assert called(decorated, title="x") == ("logged", ["session", "x"])
    assert called(opaque, 1, a=2) == [(1,), {"a": 2}]
    assert called(lambda title: title, title=1) == 1


def test_what_does_not_tell_its_signature_is_called_as_it_is() -> None:
    assert called(max, 1, 3) == 3
    assert called(dict, a=1) == {"a": 1}


def test_what_cannot_be_called() -> None:
    assert told(7) == ("an object of type int cannot be called", ("call",))  # type: ignore[arg-type]  # on purpose


def test_coroutine_functions_are_known() -> None:
    async def create() -> None: ...
    def later() -> Awaitable[None]:
        return create()

    service = Service(session=None)  # type: ignore[arg-type]  # it is only kept
    assert is_coroutine_function(create)
    assert is_coroutine_function(functools.partial(functools.partial(create)))
    assert is_coroutine_function(service)
    assert is_coroutine_function(functools.partial(service))
    assert not is_coroutine_function(Service)
    assert not is_coroutine_function(later)
    assert not is_coroutine_function(functools.partial(later))


def test_generators_run() -> None:
    def rows(session: Session) -> Iterator[object]:
        yield session
        yield 2

    async def later(count: int) -> AsyncIterator[int]:
        for each in range(count):
            yield each

    assert called(rows) == ["session", 2]
    assert asyncio.run(called(later, 3)) == [0, 1, 2]


def test_kinds_of_parameters() -> None:
    def positional(
        first: int, session: Session, second: int = 2, third: int = 3, /
    ) -> list[object]:
        return [first, session, second, third]

    def default_before(a: int = 1, session: Session | None = None, /, b: int = 2) -> list[object]:
        return [a, session, b]

    def keyword(*, session: Session, title: str, size: int = 1) -> list[object]:
        return [session, title, size]

    def rest(
        session: Session, first: int, *others: int, actor: Actor, **named: int
    ) -> list[object]:
        return [session, first, others, actor, named]

    def name_in_both(a: int, /, **named: int) -> list[object]:
        return [a, named]

    assert called(positional, 1) == [1, "session", 2, 3]
    assert called(positional, 1, 5) == [1, "session", 5, 3]
    assert called(default_before, b=5) == [1, "session", 5]
    assert called(keyword, title="x") == ["session", "x", 1]
    assert called(rest, 1, 2, 3, named=4, x=5) == [
        "session",
        1,
        (2, 3),
        ACTOR,
        {"named": 4, "x": 5},
    ]
    assert called(rest, first=1) == ["session", 1, (), ACTOR, {}]
    assert called(name_in_both, 1, a=2) == [1, {"a": 2}]


def test_others_behind_an_actor_that_is_left_out() -> None:
    def function(actor: Actor | None = None, *numbers: int) -> list[object]:
        return [actor, numbers]

    bound = bind(function, [1, 2], {}, Offer(actor=None).injection)
    assert bound.call() == [None, (1, 2)]


def test_decorators_see_arguments_as_they_were_given() -> None:
    def shown(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return args, kwargs

        return wrapper

    @shown
    def create(session: Session, title: str, size: int = 1, actor: Actor | None = None) -> None: ...

    by_name = {"session": "session", "title": "x", "actor": ACTOR}
    assert called(create, title="x") == ((), by_name)  # and the default is the function's own
    assert called(create, "x") == (("session", "x"), {"actor": ACTOR})
    assert without_actor(create, title="x") == ((), {"session": "session", "title": "x"})

    @shown
    def caller(session: Session, actor: Actor, clock: int = 1) -> None: ...

    assert made(caller) == (("session", ACTOR), {})


# What is refused


def create(session: Session, *, title: str, size: int | None = None) -> None:
    raise AssertionError("nothing runs")


CREATE = "create(session: Session, *, title: str, size: int | None = None)"


def test_missing() -> None:
    assert told(create) == (f"{CREATE} is missing 'title'", ("call",))
    assert hint(create) == "give it in `with`"
    assert hint(lambda a, /: None) == (
        "give it in `args`; by annotation are injected: "
        "Session, AsyncSession, Connection, AsyncConnection, Actor"
    )

    def many(a: int, b: int) -> None: ...

    assert told(many) == ("many(a: int, b: int) is missing 'a' and 'b'", ("call",))


def test_unknown() -> None:
    assert told(create, titel="x") == (f"{CREATE} has no parameter 'titel'", ("with", "titel"))
    assert hint(create, titel="x") == "did you mean 'title'?"
    assert hint(create, zzz=1) == "known: session, size, title"


def test_too_many() -> None:
    def one(session: Session, title: str) -> None: ...
    def two(first: int, second: int) -> None: ...

    what = "one(session: Session, title: str) takes at most 1 positional argument"
    assert told(one, "x", "y") == (what, ("args", 1))
    assert hint(one, "x", "y") == "injected: session"
    assert told(create, "x") == (f"{CREATE} takes no positional arguments", ("args", 0))
    assert told(two, 1, 2, 3)[0].endswith("takes at most 2 positional arguments")


def test_twice() -> None:
    def one(title: str) -> None: ...

    assert told(one, "x", title="y") == (
        "one(title: str) is given 'title' twice",
        ("with", "title"),
    )


def test_only_by_position() -> None:
    def one(title: str, /, *others: int) -> None: ...

    assert told(one, title="x") == (
        "one(title: str, /, *others: int) takes 'title' only by position",
        ("with", "title"),
    )
    assert "'others' only by position" in told(one, "x", others=[1])[0]


def test_signatures_are_short_and_always_the_same() -> None:
    def function(
        session: Annotated[Session, functools.partial(print)],
        hook: Any = GUEST,
        at: dt.datetime | None = None,
        kind: str = "a",
    ) -> None: ...

    expected = (
        "function(session: Annotated[Session, functools.partial(print)], hook: Any = ..., "
        "at: dt.datetime | None = None, kind: str = 'a')"
    )
    assert told(function, x=1)[0] == f"{expected} has no parameter 'x'"
    function.__annotations__ = {
        "session": Annotated[OwnSession | None, object()],
        "hook": Callable[[dt.datetime], OwnSession],
        "at": Optional[OwnSession],  # noqa: UP045 - as applications write it
        "kind": list[Annotated[UUID, print]] | Literal["a.b"],
    }
    expected = (
        "function(session: OwnSession | None, hook: Callable[[datetime], OwnSession] = ..., "
        "at: Optional[OwnSession] = None, "
        "kind: Union[list[Annotated[UUID, <built-in function print>]], Literal['a.b']] = 'a')"
    )
    assert told(function, x=1)[0] == f"{expected} has no parameter 'x'"


# What is converted


class Status(enum.Enum):
    NEW = "new"


class Level(enum.IntEnum):
    LOW = 1


class Line(pydantic.BaseModel):
    product: str
    count: int = 1


class Order(pydantic.BaseModel):
    id: UUID
    lines: list[Line] = []


@dataclass
class Point:
    x: int
    at: dt.date


class Stubborn(pydantic.BaseModel):
    x: int

    @pydantic.field_validator("x")
    @classmethod
    def _refuse(cls, value: int) -> int:
        raise RuntimeError("never")


ID = "7f6f0f5e-0000-4000-8000-000000000001"
UserId = NewType("UserId", UUID)


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (UUID, ID, UUID(ID)),
        (UUID | None, ID, UUID(ID)),
        (Annotated[UUID, pydantic.Field(description="x")], ID, UUID(ID)),
        (UserId, ID, UUID(ID)),
        ("UUID", ID, UUID(ID)),
        (dt.date, "2026-01-02", dt.date(2026, 1, 2)),
        (dt.datetime, "2026-01-02T03:04:05Z", dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)),
        (dt.time, "03:04", dt.time(3, 4)),
        (dt.timedelta, "PT1H", dt.timedelta(hours=1)),
        (Decimal, "1.50", Decimal("1.50")),
        (Decimal, 3, Decimal(3)),
        (float, Decimal("1.5"), 1.5),
        (float | None, Decimal("1.5"), 1.5),
        (list[float], [Decimal("1.5"), 2], [1.5, 2]),
        (Status, "new", Status.NEW),
        (Level, 1, Level.LOW),
        (Order, {"id": ID}, Order(id=UUID(ID))),
        (Order | None, {"id": ID, "lines": [{"product": "a"}]}, Order(id=UUID(ID), lines=[Line(product="a")])),
        (Line | Order, {"id": ID}, Order(id=UUID(ID))),
        (Point, {"x": 1, "at": "2026-01-02"}, Point(1, dt.date(2026, 1, 2))),
        (list[UUID], [ID], [UUID(ID)]),
        (Sequence[Line | None], [{"product": "a"}, None], [Line(product="a"), None]),
        (dict[str, list[Status]], {"a": ["new"]}, {"a": [Status.NEW]}),
        (int | UUID, ID, UUID(ID)),
    ],
    ids=str,
)  # fmt: skip
def test_converted(annotation: Any, value: Any, expected: Any) -> None:
    got = called(annotated_with(annotation), it=value)
    assert (got, type(got)) == (expected, type(expected))


TODAY = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (int, "7"),
        (str, 7),
        (bool, 1),
        (int, Decimal("1.5")),
        (float, 1),
        (float, "1.5"),
        (float | Decimal, Decimal("1.5")),
        (Any, Decimal("1.5")),
        (str | UUID, ID),
        (dict[str, Any] | Order, {"id": ID}),
        (Literal["new"] | Status, "new"),
        (UUID, None),
        (UUID, UUID(ID)),
        (dt.date, TODAY),
        (Order, Order(id=UUID(ID))),
        (list[str], [1, 2]),
        (list[UUID], "no list"),
        (tuple[UUID, ...], [ID]),
        (dict[str, Any], {"a": Decimal("1.5")}),
        (object, {"a": 1}),
        ("Hidden", {"a": 1}),
        (5, {"a": 1}),
        (Callable[[], UUID], ID),
    ],
    ids=str,
)
def test_passed_as_it_is(annotation: Any, value: Any) -> None:
    assert called(annotated_with(annotation), it=value) is value or value == called(
        annotated_with(annotation), it=value
    )


def test_without_annotation_nothing_is_converted() -> None:
    value = Decimal("1.5")
    assert called(lambda it: it, it=value) is value


def test_rest_arguments_are_converted() -> None:
    def function(*days: dt.date, **levels: Level) -> list[object]:
        return [days, levels]

    day = dt.date(2026, 1, 2)
    assert called(function, "2026-01-02", low=1) == [(day,), {"low": Level.LOW}]


def test_failed_conversions_say_where() -> None:
    def place(order: Order, days: list[dt.date] | None = None, key: UUID | int = 0) -> None: ...

    name = "place(order: Order, days: list[dt.date] | None = None, key: UUID | int = 0)"
    what, path = told(place, order={"id": ID, "lines": [{"product": "a", "count": "x"}, {}]})
    assert what == (
        f"{name}: 'order' is no Order: lines.0.count: Input should be a valid integer, "
        "unable to parse string as an integer; lines.1.product: Field required"
    )
    assert path == ("with", "order", "lines", 0, "count")
    what, path = told(place, {"id": ID}, ["2026-01-02", "soon"])
    assert what.startswith(f"{name}: 'days' is no date: Input should be a valid date")
    assert path == ("args", 1, 1)
    what, path = told(place, order="x", key="y")
    assert what.startswith(f"{name}: 'order' is no Order: Input should be a valid dictionary")
    assert path == ("with", "order")
    assert "'key' is no UUID: " in told(place, order={"id": ID}, key="y")[0]
    enums = told(annotated_with(Status | Level), it="old")
    assert enums[0].startswith("function(it: Status | Level): 'it' is no Status or Level: ")
    assert enums[1] == ("with", "it")


def test_validators_that_fail_otherwise() -> None:
    what, path = told(annotated_with(Stubborn), it={"x": 1})
    assert what == "function(it: Stubborn): 'it' cannot become Stubborn: RuntimeError: never"
    assert path == ("with", "it")


class Base(MappedAsDataclass, DeclarativeBase):
    pass


class Row(Base):
    __tablename__ = "rows"
    id: Mapped[int] = mapped_column(primary_key=True)


def test_mapped_dataclasses_are_left_to_the_application() -> None:
    assert called(annotated_with(Row), it={"id": 1}) == {"id": 1}


# Factories of callers


def made(factory: Callable[..., Any], actor: Actor | None = ACTOR) -> Any:
    return bind_factory(factory, Offer(actor).injection).call()


class Caller:
    def __init__(self, session: Session, actor: Actor | None) -> None:
        self.given = (session, actor)


def test_factories_get_a_session_and_the_actor_by_position() -> None:
    assert made(lambda a, b: (a, b)) == ("session", ACTOR)
    assert made(lambda a, b: (a, b), None) == ("session", None)
    assert made(lambda a, b, /, c=3: (a, b, c)) == ("session", ACTOR, 3)
    assert made(lambda *both: both) == ("session", ACTOR)
    assert made(lambda a, *more: (a, more)) == ("session", (ACTOR,))
    assert made(Caller).given == ("session", ACTOR)
    assert made(Caller, None).given == ("session", None)
    assert made(functools.partial(lambda a, b, c: (a, b, c), c=3)) == ("session", ACTOR, 3)


def test_the_kind_of_session_is_the_annotated_one() -> None:
    def of(annotation: Any) -> Any:
        def factory(first: Any, who: Any) -> Any:
            return first, who

        factory.__annotations__ = {"first": annotation}
        return made(factory)

    assert of(Session) == ("session", ACTOR)
    assert of(AsyncSession) == ("async_session", ACTOR)
    assert of(Connection | None) == ("connection", ACTOR)
    assert of("AsyncConnection") == ("async_connection", ACTOR)
    assert of(OwnSession) == ("session of OwnSession", ACTOR)
    assert of("Hidden") == ("session", ACTOR)


def test_coroutine_factories_get_an_async_session() -> None:
    async def unannotated(session, actor):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - that is tested
        return session, actor

    async def annotated(session: Session, actor: Actor) -> tuple[object, object]:
        return session, actor

    assert asyncio.run(made(unannotated)) == ("async_session", ACTOR)
    assert asyncio.run(made(annotated)) == ("session", ACTOR)


def test_annotations_go_before_places() -> None:
    def swapped(actor: Actor, session: Session) -> tuple[object, object]:
        return actor, session

    def half(actor: Actor, database: Any) -> tuple[object, object]:
        return actor, database

    def more(session: Session, raw: Connection, who: Any, *, asynchronous: AsyncSession) -> object:
        return session, raw, who, asynchronous

    def by_name(*, session: Session, actor: Actor) -> tuple[object, object]:
        return session, actor

    assert made(swapped) == (ACTOR, "session")
    assert made(half) == (ACTOR, "session")
    assert made(more) == ("session", "connection", ACTOR, "async_session")
    assert made(by_name) == ("session", ACTOR)


def refused_factory(factory: Callable[..., Any], actor: Actor | None = ACTOR) -> tuple[Any, Any]:
    with pytest.raises(BindingError) as caught:
        made(factory, actor)
    (problem,) = caught.value.problems
    return problem.what, problem.hint


def test_factories_that_cannot_be_called_so() -> None:
    def one(session: Session) -> None: ...
    def none() -> None: ...
    def three(session: Any, actor: Any, clock: str) -> None: ...
    def strict(session: Any, actor: Actor) -> None: ...

    what = "one(session: Session) cannot be called with a session and the actor"
    assert refused_factory(one) == (what, "write it as one(session, actor)")
    assert refused_factory(none)[0] == "none() cannot be called with a session and the actor"
    assert refused_factory(three)[0].endswith("is missing 'clock'")
    assert refused_factory(strict, None)[0].endswith("wants 'actor', and there is no actor")
