"""Functions on books, with every kind of session, parameter and transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Optional

from sqlalchemy import Connection, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import Session, selectinload

from .models import Author, Book

if TYPE_CHECKING:
    from harness import Actor

_INSERT = text("insert into books (author_id, title) values (1, :title)")


def add(session: Session, title: str, pages: int | None = None, *, author_id: int = 1) -> Book:
    """A new book, left to be committed by whoever called."""
    book = Book(title=title, pages=pages, author_id=author_id)
    session.add(book)
    session.flush()
    return book


def add_unflushed(session: Session, title: str) -> None:
    session.add(Book(title=title, author_id=1))


async def add_async(session: AsyncSession, title: str) -> Book:
    book = Book(title=title, author_id=1)
    session.add(book)
    await session.commit()
    return book


def add_by_connection(connection: Connection, title: str) -> int:
    return connection.execute(_INSERT, {"title": title}).rowcount


async def add_by_async_connection(connection: AsyncConnection, title: str) -> int:
    return (await connection.execute(_INSERT, {"title": title})).rowcount


def add_in_own_session(session: Session, title: str) -> None:
    """As code does that has the engine alone."""
    with Session(session.get_bind()) as own, own.begin():
        own.add(Book(title=title, author_id=1))


def titles(session: Session) -> list[str]:
    return list(session.scalars(select(Book.title).order_by(Book.id)))


def each_title(session: Session) -> Iterator[str]:
    yield from session.scalars(select(Book.title).order_by(Book.id))


async def each_title_async(session: AsyncSession) -> AsyncIterator[str]:
    for title in await session.scalars(select(Book.title).order_by(Book.id)):
        yield title


def authors_of_books(session: Session) -> list[str]:
    """The author of each book: N+1."""
    return [book.author.name for book in session.scalars(select(Book).order_by(Book.id))]


def authors_of_books_at_once(session: Session) -> list[str]:
    every = select(Book).options(selectinload(Book.author)).order_by(Book.id)
    return [book.author.name for book in session.scalars(every)]


def find(session: Session, title: str) -> Book:
    """A book whose author is not loaded."""
    return session.scalars(select(Book).where(Book.title == title)).one()


def find_with_author(session: Session, title: str) -> Book:
    loading = select(Book).where(Book.title == title).options(selectinload(Book.author))
    return session.scalars(loading).one()


def add_in_two_steps(session: Session, first: str, second: str) -> None:
    """What is committed stays, whatever comes."""
    add(session, first)
    session.commit()
    add(session, second)
    raise RuntimeError("something went wrong")


def add_and_think_better(session: Session, title: str) -> list[str]:
    add(session, title)
    session.rollback()
    return titles(session)


def add_what_works(session: Session, *candidates: str) -> list[str]:
    """A savepoint for each: one that fails takes none of the others with it."""
    refused = []
    for title in candidates:
        try:
            with session.begin_nested():
                add(session, title)
        except Exception:  # noqa: BLE001 - whatever the database says
            refused.append(title)
    session.commit()
    return refused


def seat_twice(session: Session, number: int) -> None:
    """A deferred constraint, which the commit checks."""
    session.execute(text("insert into seats values (1, :n), (2, :n)"), {"n": number})
    session.commit()


def rename_all(session: Session, names: dict[int, str]) -> None:
    for id_, name in names.items():
        author = session.get_one(Author, id_)
        author.name = name
    session.commit()


def add_many(session: Session, titles: list[str]) -> None:
    session.execute(insert(Book), [{"title": title, "author_id": 1} for title in titles])


def warn(connection: Connection, message: str) -> None:
    connection.execute(
        text("do $$ begin raise notice '%', current_setting('app.message'); end $$")
        if not message
        else text(f"do $$ begin raise notice '{message}'; end $$")
    )


# -- who asks


def actor_given(actor: Actor) -> dict[str, Any]:
    return dict(actor)


def actor_optional(actor: Optional[Actor] = None) -> bool:  # noqa: UP045 - written so in old code
    return actor is not None


def actor_annotated(actor: Annotated[Actor | None, "who asks"]) -> bool:
    return actor is not None


def seen_by_database(session: Session) -> dict[str, Any]:
    """Role, claims and a setting as PostgreSQL has them."""
    row = session.execute(
        text(
            "select current_user::text as role, current_setting('app.tenant', true) as tenant, "
            "nullif(current_setting('request.jwt.claims', true), '')::json as claims"
        )
    ).one()
    return row._asdict()


def orders(session: Session) -> list[str]:
    return list(session.scalars(text("select item from orders order by id")))


def place_order(session: Session, shop: str, item: str) -> None:
    session.execute(text("insert into orders (shop, item) values (:s, :i)"), {"s": shop, "i": item})
    session.commit()


def become(session: Session, role: str) -> None:
    session.execute(text(f"set local role {role}"))


NOT_CALLABLE = "a text"
