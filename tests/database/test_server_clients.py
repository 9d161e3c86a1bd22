"""Drivers at the server: psycopg, asyncpg, and SQLAlchemy with each of them."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import asyncpg  # type: ignore[import-untyped] # no py.typed
import psycopg
import pytest
import sqlalchemy as sa
from psycopg import errors
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from harness.database.pglite import PGliteProcess

Talk = Callable[[asyncpg.Connection], Awaitable[None]]


def url(driver: str, process: PGliteProcess) -> str:
    return f"postgresql+{driver}://postgres@/postgres?host={process.work_dir}"


def with_asyncpg(process: PGliteProcess, talk: Talk) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(host=str(process.work_dir), user="postgres")
        try:
            await connection.execute("create temp table t (a int primary key, b text)")
            await talk(connection)
        finally:
            await connection.close()

    asyncio.run(run())


def test_pipelines_of_psycopg(connection: psycopg.Connection[Any]) -> None:
    with connection.pipeline():
        one = connection.execute("select 1")
        connection.execute("insert into t values (1, 'x')")
        two = connection.execute("select count(*) from t")
        assert (one.fetchone(), two.fetchone()) == ((1,), (1,))


def test_an_error_aborts_the_rest_of_a_pipeline_of_psycopg(
    connection: psycopg.Connection[Any],
) -> None:
    with connection.pipeline() as pipeline:
        before = connection.execute("insert into t values (1, 'x') returning a")
        connection.execute("select 1 / 0")
        connection.execute("insert into t values (2, 'x')")
        with pytest.raises(errors.DivisionByZero):
            pipeline.sync()
    assert before.fetchone() == (1,)
    assert connection.execute("select count(*) from t").fetchone() == (0,)


def test_psycopg_reads_a_result_while_it_sends_a_long_pipeline(
    connection: psycopg.Connection[Any],
) -> None:
    with connection.pipeline():
        cursors = [connection.execute("select repeat('x', 50000)") for _ in range(100)]
    assert {len(row[0]) for cursor in cursors for row in cursor} == {50000}


def test_rows_may_be_taken_one_by_one(connection: psycopg.Connection[Any]) -> None:
    rows = connection.cursor().stream("select n, repeat('x', 1000) from generate_series(1, 3000) n")
    assert sum(row[0] for row in rows) == 4501500


def test_asyncpg_queries(process: PGliteProcess) -> None:
    async def talk(connection: asyncpg.Connection) -> None:
        row = await connection.fetchrow("select $1::int[] as a, $2::jsonb as b", [1, 2], '{"c": 3}')
        assert dict(row) == {"a": [1, 2], "b": '{"c": 3}'}
        rows = await connection.fetch("select repeat('x', 1000) from generate_series(1, 3000)")
        assert len(rows) == 3000
        with pytest.raises(asyncpg.DivisionByZeroError):
            await connection.fetch("select 1 / 0")
        async with connection.transaction():
            cursor = connection.cursor("select generate_series(1, 100)", prefetch=7)
            assert [row[0] async for row in cursor] == list(range(1, 101))

    with_asyncpg(process, talk)


def test_asyncpg_undoes_a_batch_of_which_one_fails(process: PGliteProcess) -> None:
    async def talk(connection: asyncpg.Connection) -> None:
        insert = "insert into t values ($1, $2)"
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.executemany(insert, [(1, "x"), (2, "x"), (1, "x"), (3, "x")])
        assert await connection.fetchval("select count(*) from t") == 0
        await connection.executemany(insert, [(number, "x" * 100) for number in range(3000)])
        assert await connection.fetchval("select count(*) from t") == 3000

    with_asyncpg(process, talk)


def test_asyncpg_copies(process: PGliteProcess) -> None:
    async def slowly() -> AsyncIterator[tuple[int, str]]:
        for number in range(3000, 3003):
            await asyncio.sleep(0)  # back to the loop: the server has to wait
            yield number, "slow"

    def failing() -> Iterator[tuple[int, str]]:
        yield 4000, "x"
        raise LookupError

    async def talk(connection: asyncpg.Connection) -> None:
        records = [(number, f"row {number}") for number in range(3000)]
        assert await connection.copy_records_to_table("t", records=records) == "COPY 3000"
        assert await connection.copy_records_to_table("t", records=slowly()) == "COPY 3"
        assert await connection.copy_to_table("t", source=io.BytesIO(b"5000\tx\n")) == "COPY 1"
        with pytest.raises(LookupError):
            await connection.copy_records_to_table("t", records=failing())
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.copy_records_to_table("t", records=[(1, "again")])
        out = io.BytesIO()
        query = "select * from t where a between $1 and 4000 order by a"
        assert await connection.copy_from_query(query, 2999, output=out) == "COPY 4"
        assert out.getvalue() == b"2999\trow 2999\n3000\tslow\n3001\tslow\n3002\tslow\n"
        assert await connection.fetchval("select count(*) from t") == 3004

    with_asyncpg(process, talk)


def test_asyncpg_is_told_that_there_is_one_place(
    connection: psycopg.Connection[Any], process: PGliteProcess
) -> None:
    async def connect() -> None:
        await asyncpg.connect(host=str(process.work_dir), user="postgres")

    with pytest.raises(asyncpg.TooManyConnectionsError, match="PGlite has one place"):
        asyncio.run(connect())
    assert connection.execute("select 1").fetchone() == (1,)


def test_sqlalchemy(process: PGliteProcess) -> None:
    # harness: allow[database-per-test]: how an engine gets on with the server is the test
    engine = sa.create_engine(url("psycopg", process), poolclass=NullPool)
    things = sa.Table("things", sa.MetaData(), sa.Column("a", sa.Integer, primary_key=True))
    with engine.connect() as connection:
        things.create(connection)
        connection.execute(things.insert(), [{"a": number} for number in range(3000)])
        streamed = connection.execution_options(yield_per=100).scalars(sa.select(things))
        assert sum(streamed) == 4498500
        assert sa.inspect(connection).get_pk_constraint("things")["constrained_columns"] == ["a"]
        with pytest.raises(sa.exc.OperationalError, match="PGlite has one place"):
            engine.connect()


def test_sqlalchemy_with_asyncpg(process: PGliteProcess) -> None:
    async def talk() -> None:
        # harness: allow[database-per-test]: how an engine gets on with the server is the test
        engine = create_async_engine(url("asyncpg", process), poolclass=NullPool)
        async with engine.connect() as connection:
            assert await connection.scalar(sa.text("select :a + 1"), {"a": 1}) == 2
            with pytest.raises(sa.exc.DBAPIError, match="division by zero"):
                await connection.execute(sa.text("select 1 / 0"))
            await connection.rollback()
            with pytest.raises(sa.exc.DBAPIError, match="PGlite has one place"):
                await engine.connect()
            assert await connection.scalar(sa.text("select 1")) == 1

    asyncio.run(talk())
