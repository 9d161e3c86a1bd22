"""The shop's API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Body, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from . import books
from .errors import OutOfStock, ShopError
from .models import Book


def get_session() -> Iterator[Session]:
    """Overridden: the shop has no database of its own."""
    yield Session()


async def get_async_session() -> AsyncIterator[AsyncSession]:
    """Overridden, too."""
    yield AsyncSession()


def get_user(request: Request) -> dict[str, Any]:
    """Overridden where there is an actor."""
    if "authorization" not in request.headers:
        raise HTTPException(401, "nobody has signed in", {"WWW-Authenticate": "Bearer"})
    return {"name": "the owner of a token"}


CurrentSession = Annotated[Session, Depends(get_session)]
CurrentAsyncSession = Annotated[AsyncSession, Depends(get_async_session)]
CurrentUser = Annotated[Any, Depends(get_user)]


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    yield {"motto": "books for all"}


app = FastAPI(lifespan=lifespan)


@app.exception_handler(ShopError)
async def refuse(_request: Request, error: ShopError) -> JSONResponse:
    return JSONResponse({"code": error.code, "message": str(error)}, 409)


@app.get("/books")
def list_books(session: CurrentSession) -> dict[str, Any]:
    titles = books.titles(session)
    return {"titles": titles, "total": len(titles)}


@app.get("/books-and-authors")
def list_with_authors(session: CurrentSession) -> list[str]:
    return books.authors_of_books(session)


@app.post("/books", status_code=201)
def add_book(
    session: CurrentSession,
    response: Response,
    title: Annotated[str, Body()],
    pages: Annotated[int | None, Body()] = None,
) -> dict[str, Any]:
    book = books.add(session, title, pages)
    session.commit()
    response.headers["Location"] = f"/books/{book.id}"
    return {"id": book.id, "title": book.title, "pages": book.pages}


@app.get("/books/{id_}")
async def show_book(session: CurrentAsyncSession, id_: int) -> dict[str, Any]:
    book = await session.scalar(select(Book).where(Book.id == id_))
    if book is None:
        raise HTTPException(404, "there is no such book")
    return {"id": book.id, "title": book.title}


@app.post("/books/half")
def add_and_fail(session: CurrentSession, title: Annotated[str, Body(embed=True)]) -> None:
    """One is committed, and one is not."""
    books.add(session, title)
    session.commit()
    books.add(session, f"{title} II")
    raise HTTPException(400, "half of it")


@app.post("/books/sold")
def sell(title: Annotated[str, Body(embed=True)]) -> None:
    raise OutOfStock(title)


@app.get("/broken")
def fail() -> None:
    raise RuntimeError("the shelf has collapsed")


@app.post("/notices")
def notify(session: CurrentSession) -> None:
    session.execute(text("do $$ begin raise notice 'hear, hear'; end $$"))


@app.get("/motto")
def motto(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.state.motto)


@app.get("/me")
def me(user: CurrentUser, session: CurrentSession) -> dict[str, Any]:
    return {"user": dict(user), "database": books.seen_by_database(session)}


@app.get("/orders")
def list_orders(session: CurrentSession) -> list[str]:
    return books.orders(session)


@app.post("/role")
def become(session: CurrentSession, role: Annotated[str, Body(embed=True)]) -> None:
    books.become(session, role)


@app.api_route("/echo", methods=["GET", "POST", "PUT", "DELETE", "OPTIONS"])
async def echo(request: Request) -> JSONResponse:
    """What was sent; what the query `set` says becomes headers, and `status` the status."""
    query = request.query_params
    body = (await request.body()).decode()
    answer = JSONResponse(
        {
            "method": request.method,
            "query": query.multi_items(),
            "body": body,
            "type": request.headers.get("content-type"),
            "x": request.headers.getlist("x-shop"),
        },
        int(query.get("status", 200)),
    )
    for value in query.getlist("set"):
        answer.headers.append("X-Set", value)
    return answer


@app.get("/nothing", status_code=204)
def nothing() -> None: ...


@app.get("/text")
def plain(body: str = "", type: str = "text/plain") -> Response:
    return Response(body, media_type=type)


@app.get("/moved")
def moved() -> Response:
    return Response(status_code=303, headers={"Location": "/books"})
