"""What functions may raise."""

from __future__ import annotations

from typing import Any, NoReturn

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session


class ShopError(Exception):
    code = "shop"


class OutOfStock(ShopError):
    code = "out_of_stock"

    def __init__(self, title: str, left: int = 0) -> None:
        super().__init__(f"{title} is out of stock")
        self.title = title
        self.left = left
        self.details = {"title": title, "shops": ["acme", "globex"]}


class Wrapped(Exception):
    pass


def sell(title: str) -> NoReturn:
    raise OutOfStock(title)


def raise_base() -> NoReturn:
    raise ShopError("closed")


async def sell_later(title: str) -> NoReturn:
    raise OutOfStock(title)


def sell_wrapped(title: str) -> None:
    try:
        sell(title)
    except OutOfStock as error:
        raise Wrapped("not sold") from error


def sell_while_handling(title: str) -> None:
    try:
        sell(title)
    except OutOfStock:
        raise Wrapped("not sold") from None


def insert_twice(session: Session, name: str) -> None:
    """An error of PostgreSQL's, wrapped by psycopg, SQLAlchemy and the application."""
    try:
        for _ in range(2):
            session.execute(text("insert into members (name, email) values (:n, :n)"), {"n": name})
    except Exception as error:
        raise Wrapped("not inserted") from error


def fail_in_sql(connection: Connection, how: str) -> None:
    connection.execute(text("select complain(:how)"), {"how": how})


def leave(code: Any) -> NoReturn:
    raise SystemExit(code)


def group() -> NoReturn:
    raise ExceptionGroup("several", [OutOfStock("First"), ValueError("x")])
