"""A small application, whose functions begin and end transactions in all the ways there are.

Those in `ENDINGS` add accounts; the numbers of those that a database of its own would keep stand
beside them.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal
from typing import Any

import psycopg
from sqlalchemy import Connection, ForeignKey, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    mapped_column,
    relationship,
    sessionmaker,
)

from harness import Actor


class Base(DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str]
    balance: Mapped[Decimal] = mapped_column(default=Decimal(0))
    entries: Mapped[list[Entry]] = relationship()


class Entry(Base):
    __tablename__ = "entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    amount: Mapped[Decimal]


class Later(Base):
    """Its foreign key is checked at the commit."""

    __tablename__ = "later"

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int]


class RefusedError(Exception):
    def __init__(self, missing: int) -> None:
        super().__init__(f"{missing} missing")
        self.missing = missing


ENDINGS: dict[str, list[int]] = {}
KEPT: list[Any] = []
"""Sessions that outlive the operation that made them."""
HELD: list[Any] = []
"""Objects that do."""

Function = Callable[..., Any]


def _keeps(*ids: int) -> Callable[[Function], Function]:
    def note(function: Function) -> Function:
        ENDINGS[function.__name__] = list(ids)
        return function

    return note


def account(number: int) -> Account:
    return Account(id=number, owner=f"owner {number}")


def add(session: Session | Connection, number: int) -> None:
    session.execute(text("insert into accounts (id, owner) values (:id, 'x')"), {"id": number})


# -- one session


@_keeps(1)
def commits(session: Session) -> None:
    session.add(account(1))
    session.commit()


@_keeps(2)
def rolls_back(session: Session) -> None:
    session.add(account(1))
    session.flush()
    session.rollback()
    session.add(account(2))
    session.commit()


@_keeps(1)
def leaves_uncommitted(session: Session) -> None:
    add(session, 1)


@_keeps(1)
def leaves_unflushed(session: Session) -> None:
    session.add(account(1))


@_keeps(1, 3)
def begins(session: Session) -> None:
    with session.begin():
        session.add(account(1))
    with suppress(RefusedError), session.begin():
        session.add(account(2))
        raise RefusedError(2)
    with session.begin():
        session.add(account(3))


@_keeps(1, 3)
def begins_nested(session: Session) -> None:
    session.add(account(1))
    with suppress(RefusedError), session.begin_nested():
        session.add(account(2))
        session.flush()
        raise RefusedError(2)
    with session.begin_nested():
        session.add(account(3))
    session.commit()


@_keeps()
def undoes_what_was_nested(session: Session) -> None:
    with session.begin_nested():
        session.add(account(1))
    session.rollback()


@_keeps(1, 2)
def goes_on_after_a_duplicate(session: Session) -> None:
    session.add(account(1))
    session.commit()
    session.add(account(1))
    try:
        session.commit()
    except IntegrityError:
        session.rollback()
    session.add(account(2))
    session.commit()


@_keeps(1, 2)
def goes_on_after_a_nested_duplicate(session: Session) -> None:
    add(session, 1)
    with suppress(IntegrityError), session.begin_nested():
        add(session, 1)
    add(session, 2)
    session.commit()


@_keeps(1)
def commits_before_an_error(session: Session) -> None:
    session.add(account(1))
    session.commit()
    session.add(account(2))
    session.flush()
    raise RefusedError(2)


@_keeps(1, 3)
def closes(session: Session) -> None:
    session.add(account(1))
    session.commit()
    session.add(account(2))
    session.flush()
    session.close()
    session.add(account(3))


@_keeps()
def commits_a_failed_transaction(session: Session) -> None:
    add(session, 1)
    with suppress(DBAPIError):
        session.execute(text("select 1 / 0"))
    session.commit()


@_keeps(1, 2)
def uses_the_connection(session: Session) -> None:
    add(session.connection(), 1)
    session.commit()
    add(session.connection(), 2)
    session.connection().commit()
    session.close()


@_keeps(1)
def inserts_by_a_query(session: Session) -> None:
    session.execute(text("with a as (insert into accounts values (1, 'x') returning 1) select 1"))
    session.commit()
    session.execute(text("with a as (insert into accounts values (2, 'x') returning 1) select 1"))
    session.rollback()


# -- connections


@_keeps(1, 3, 4)
def begins_on_a_connection(connection: Connection) -> None:
    with connection.begin():
        add(connection, 1)
    with suppress(RefusedError), connection.begin():
        add(connection, 2)
        raise RefusedError(2)
    transaction = connection.begin()
    add(connection, 3)
    with connection.begin_nested() as nested:
        add(connection, 5)
        nested.rollback()
    transaction.commit()
    with connection.engine.begin() as other:
        add(other, 4)


@_keeps(1)
def commits_as_it_goes(connection: Connection) -> None:
    add(connection, 1)
    connection.commit()
    add(connection, 2)
    connection.rollback()


@_keeps(1, 2)
def closes_its_connection(connection: Connection) -> None:
    add(connection, 1)
    connection.commit()
    engine = connection.engine
    connection.close()
    with engine.connect() as another:
        add(another, 2)
        another.commit()
        add(another, 3)


@_keeps(1, 3)
def needs_no_commit(connection: Connection) -> None:
    with connection.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as another:
        add(another, 1)
        with suppress(IntegrityError):
            add(another, 1)
        add(another, 3)
        another.rollback()


@_keeps(1, 4)
def takes_the_driver(connection: Connection) -> None:
    raw = connection.engine.raw_connection()
    cursor = raw.cursor()
    cursor.execute("insert into accounts values (1, 'x')")
    raw.commit()
    cursor.execute("insert into accounts values (2, 'x')")
    raw.rollback()
    cursor.execute("insert into accounts values (3, 'x')")
    raw.close()
    add(connection, 4)
    connection.commit()
    connection.begin()
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    driver.execute("insert into accounts values (5, 'x')")
    connection.rollback()


@_keeps(1, 2)
def copies(session: Session) -> None:
    for number, end in ((1, session.commit), (3, session.rollback)):
        cursor = session.connection().connection.cursor()
        with cursor.copy("copy accounts (id, owner) from stdin") as copy:
            copy.write_row((number, "x"))
            copy.write_row((number + 1, "x"))
        end()


@_keeps(1, 2)
def executes_many(connection: Connection) -> None:
    statement = text("insert into accounts (id, owner) values (:id, 'x')")
    connection.execute(statement, [{"id": 1}, {"id": 2}])
    connection.commit()
    with suppress(IntegrityError):
        connection.execute(statement, [{"id": 3}, {"id": 1}])
    connection.rollback()


# -- several sessions


@_keeps(1, 2)
def has_several_sessions(session: Session) -> None:
    session.add(account(1))
    session.commit()
    make = sessionmaker(bind=session.get_bind())
    with make() as other:
        other.add(account(2))
        other.commit()
        other.add(account(3))
        other.flush()
    with make.begin() as other:
        other.delete(other.get_one(Account, 1))
        other.add(account(1))


@_keeps(2)
def commits_while_another_one_reads(session: Session) -> None:
    session.get(Account, 1)
    with Session(session.get_bind()) as other:
        other.add(account(2))
        other.commit()
    session.rollback()


@_keeps(2)
def commits_while_another_one_only_began(session: Session) -> None:
    with Session(session.get_bind()) as reader:
        reader.get(Account, 1)
        session.add(account(2))
        session.commit()
    raise RefusedError(2)


@_keeps(1, 3)
def writes_while_another_one_reads(session: Session) -> None:
    session.add(account(1))
    session.flush()
    with Session(session.get_bind()) as reader:
        reader.get(Account, 1)
        session.add(account(3))
        session.flush()
        reader.rollback()
    session.commit()


@_keeps(2)
def ends_the_outer_one_first(session: Session) -> None:
    session.add(account(1))
    session.flush()
    other = Session(session.get_bind())
    other.get(Account, 1)
    session.rollback()
    other.add(account(2))
    other.commit()
    other.add(account(3))
    other.close()


@_keeps(1)
def undoes_inside_another_one(session: Session) -> None:
    session.add(account(1))
    session.flush()
    with Session(session.get_bind()) as other:
        other.add(account(2))
        other.flush()
    session.commit()


@_keeps(1)
def leaves_another_one_that_reads(session: Session) -> None:
    reader = Session(session.get_bind())
    reader.get(Account, 1)
    KEPT.append(reader)
    session.add(account(1))
    session.commit()


# -- threads


@_keeps(1, 2)
def works_in_a_thread(session: Session) -> None:
    def work(number: int) -> None:
        with Session(session.get_bind()) as own, own.begin():
            own.add(account(number))

    with ThreadPoolExecutor(1) as pool:
        list(pool.map(work, [1, 2]))


# -- asynchronous code


@_keeps(1, 3)
async def commits_async(session: AsyncSession) -> None:
    session.add(account(1))
    await session.commit()
    await asyncio.sleep(0)
    session.add(account(2))
    await session.flush()
    await session.rollback()
    session.add(account(3))


@_keeps(1, 3, 4)
async def begins_async(session: AsyncSession) -> None:
    async with session.begin():
        session.add(account(1))
        with suppress(RefusedError):
            async with session.begin_nested():
                session.add(account(2))
                await asyncio.sleep(0)
                raise RefusedError(2)
        async with session.begin_nested():
            session.add(account(3))
    async with async_sessionmaker(session.bind).begin() as other:
        other.add(account(4))


@_keeps(1)
async def fails_async(session: AsyncSession) -> None:
    session.add(account(1))
    await session.commit()
    session.add(account(1))
    await session.commit()


@_keeps(1, 3)
async def begins_on_a_connection_async(connection: AsyncConnection) -> None:
    async with connection.begin():
        await connection.run_sync(lambda synchronous: add(synchronous, 1))
    await connection.execute(insert(Account).values(id=2, owner="x", balance=0))
    await connection.rollback()
    async with connection.engine.begin() as other:
        await other.execute(insert(Account).values(id=3, owner="x", balance=0))


@_keeps(1, 2)
async def gathers(session: AsyncSession) -> None:
    async def work(number: int) -> None:
        async with AsyncSession(session.bind) as own:
            await own.get(Account, number)
            await asyncio.sleep(0)
            own.add(account(number))
            await own.commit()

    await asyncio.gather(work(1), work(2))


@_keeps(1)
async def runs_sync(session: AsyncSession) -> None:
    await session.run_sync(commits)


# -- transactions that no savepoints can be


def overlaps(session: Session) -> None:
    session.add(account(1))
    session.flush()
    with Session(session.get_bind()) as other:
        other.add(account(2))
        other.commit()
    session.rollback()


def overlaps_silently(session: Session) -> None:
    with suppress(Exception):
        overlaps(session)


def writes_into_another_one(session: Session) -> None:
    other = Session(session.get_bind())
    session.add(account(1))
    session.flush()
    other.add(account(2))
    other.flush()
    session.add(account(3))
    session.flush()
    other.rollback()


def begins_after_a_failure(session: Session) -> None:
    try:
        session.execute(text("select 1 / 0"))
    except DBAPIError:
        with Session(session.get_bind()) as other, other.begin():
            other.add(account(1))


def commits_what_was_undone(session: Session) -> None:
    session.add(account(1))
    session.flush()
    other = Session(session.get_bind())
    other.add(account(2))
    other.flush()
    session.rollback()
    other.commit()


# -- errors


def refuses(missing: int) -> None:
    raise RefusedError(missing)


def swallows_a_duplicate(session: Session) -> None:
    session.add_all([account(1), account(1)])
    with suppress(IntegrityError):
        session.flush()


def commits_an_orphan(session: Session) -> None:
    session.add(account(1))
    session.commit()
    session.add(account(2))
    session.add(Later(id=1, team_id=42))
    session.commit()


def leaves_an_orphan(session: Session) -> None:
    session.add(Later(id=1, team_id=42))


def catches_an_orphan(session: Session) -> None:
    with suppress(IntegrityError):
        commits_an_orphan(session)
    session.rollback()
    session.add(account(3))
    session.commit()


def exits(session: Session) -> None:
    session.add(account(1))
    session.flush()
    raise SystemExit("no way")


async def exits_async() -> None:
    raise SystemExit(3)


async def cancels() -> None:
    raise asyncio.CancelledError("enough")


def interrupts() -> None:
    raise KeyboardInterrupt


# -- changes of what is loaded


def changes_unflushed(session: Session) -> None:
    session.get_one(Account, 1).owner = "changed"


def changes_nothing(session: Session) -> None:
    found = session.get_one(Account, 1)
    found.owner = str(found.owner)


def copies_uncommitted(session: Session) -> None:
    cursor = session.connection().connection.cursor()
    with cursor.copy("copy accounts (id, owner) from stdin") as copy:
        copy.write_row((1, "x"))


# -- what is left behind


def leaks(session: Session) -> None:
    other = Session(session.get_bind())
    other.add(account(1))
    other.flush()
    KEPT.append(other)


async def leaks_async(session: AsyncSession) -> None:
    other = AsyncSession(session.bind)
    other.add(account(1))
    await other.flush()
    KEPT.append(other)


def uses_what_was_left() -> None:
    KEPT[0].commit()


# -- what ends the spec's transaction


def commits_by_sql(session: Session) -> None:
    session.add(account(1))
    session.flush()
    session.execute(text("commit"))


def commits_by_sql_and_begins(session: Session) -> None:
    session.execute(text("commit; begin"))


def leaks_and_commits(session: Session) -> None:
    other = Session(session.get_bind())
    other.execute(text("commit"))
    KEPT.append(other)


def commits_the_driver(session: Session) -> None:
    session.add(account(1))
    session.flush()
    driver = session.connection().connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    driver.commit()


def goes_back_by_sql(session: Session) -> None:
    session.execute(text("rollback to savepoint of_the_spec"))


def fails_beside_sqlalchemy(session: Session) -> None:
    driver = session.connection().connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    session.close()
    with suppress(psycopg.Error):
        driver.execute("select 1 / 0")


# -- results


async def loads_lazily_async(session: AsyncSession) -> int:
    session.add(account(1))
    await session.flush()
    session.expunge_all()
    found = await session.get_one(Account, 1)
    return len(found.entries)


def open_account(session: Session, id: int, owner: str) -> Account:
    opened = Account(id=id, owner=owner, balance=Decimal("1.50"))
    session.add(opened)
    session.commit()
    return opened


def find(session: Session, id: int) -> Account | None:
    return session.get(Account, id)


def find_with_entries(session: Session, id: int) -> Account:
    found = session.get_one(Account, id)
    assert found.entries  # loads them
    return found


async def find_async(session: AsyncSession, id: int) -> Account | None:
    return await session.get(Account, id)


async def holds_async(session: AsyncSession, id: int) -> Account:
    HELD[:] = [await session.get_one(Account, id)]
    found: Account = HELD[0]
    return found


def total(session: Session) -> Any:
    return session.execute(text("select sum(balance) from accounts")).scalar_one()


def delayed_total(session: AsyncSession) -> Any:
    """A function, not a coroutine function, that gives something to await."""
    return session.scalar(text("select sum(balance) from accounts"))


def same(value: Any) -> Any:
    return value


def deletes_what_it_returns(session: Session, id: int) -> Account:
    found = session.get_one(Account, id)
    session.delete(found)
    session.commit()
    return found


# -- statements


def reads_row_by_row(session: Session) -> list[Decimal]:
    numbers = session.scalars(select(Account.id).order_by(Account.id)).all()
    return [balance(session, number) for number in numbers]


def balance(session: Session, number: int) -> Decimal:
    return session.execute(select(Account.balance).where(Account.id == number)).scalar_one()


async def reads_row_by_row_async(session: AsyncSession) -> list[Decimal]:
    numbers = (await session.scalars(select(Account.id).order_by(Account.id))).all()
    return [
        (await session.execute(select(Account.balance).where(Account.id == number))).scalar_one()
        for number in numbers
    ]


def loads_lazily(session: Session) -> int:
    found = session.scalars(select(Account)).all()
    return sum(len(each.entries) for each in found)


def streams(session: Session) -> list[int]:
    chunks = session.scalars(select(Account.id).order_by(Account.id).execution_options(yield_per=1))
    return list(chunks)


async def streams_async(session: AsyncSession) -> list[int]:
    chunks = await session.stream_scalars(select(Account.id).order_by(Account.id))
    return [number async for number in chunks]


def copies_out(session: Session) -> list[str]:
    cursor = session.connection().connection.cursor()
    with cursor.copy("copy (select owner from accounts order by id) to stdout") as copy:
        return [bytes(line).decode().strip() for line in copy]


def makes_tables(session: Session) -> None:
    made = session.connection()
    made.execute(text("create table made (id integer primary key)"))
    made.execute(text("insert into made values (1)"))
    session.commit()


def adds_a_column(session: Session) -> None:
    session.execute(text("alter table accounts add column colour text"))


def makes_all(connection: Connection) -> None:
    class Another(DeclarativeBase):
        pass

    class Thing(Another):
        __tablename__ = "made"

        id: Mapped[int] = mapped_column(primary_key=True)

    Another.metadata.create_all(connection.engine)
    with Session(connection.engine) as session, session.begin():
        session.add(Thing())


# -- what does not end


def computes_forever() -> None:
    while True:
        pass


async def waits_forever() -> None:
    while True:
        await asyncio.sleep(0)


def sleeps(session: Session) -> None:
    session.execute(text("select pg_sleep(600)"))


def kill() -> None:
    """Kill the database: a test says how."""
    raise NotImplementedError


def kills() -> None:
    kill()


def swallows_what_happens(session: Session) -> None:
    with suppress(Exception):
        commits(session)


def is_interrupted(session: Session) -> None:
    """Ctrl-C is pressed while a statement runs."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        sleeps(session)
    finally:
        signal.signal(signal.SIGALRM, before)


# -- callers


class Caller:
    """What `caller` gives: the actor's accounts."""

    def __init__(self, session: Session, actor: Actor | None) -> None:
        self.actor = actor
        self.accounts = Accounts(session)

    def who(self) -> Any:
        return self.actor and self.actor["name"]

    @property
    def broken(self) -> Any:
        raise RefusedError(7)


class Accounts:
    def __init__(self, session: Session) -> None:
        self._session = session

    def open(self, id: int, owner: str) -> Account:
        return open_account(self._session, id, owner)

    def remember(self, id: int) -> None:
        self._found = self._session.get_one(Account, id)

    def remembered(self) -> str:
        return self._found.owner


async def async_caller(session: AsyncSession, actor: Actor | None) -> Any:
    await asyncio.sleep(0)
    numbers = (await session.scalars(select(Account.id))).all()

    async def opened() -> list[int]:
        session.add(account(max(numbers, default=0) + 1))
        await session.commit()
        return list((await session.scalars(select(Account.id).order_by(Account.id))).all())

    return {"opened": opened}


def broken_caller(session: Session, actor: Actor | None) -> Any:
    add(session, 1)
    session.commit()
    add(session, 2)
    raise RefusedError(1)
