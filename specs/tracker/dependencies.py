"""What the routes depend on: who asks, and a session in which the database knows it, too."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import Annotated

from fastapi import Depends, Header
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session, SessionTransaction

from specs.tracker import tokens
from specs.tracker.identity import Actor

_ENTER = text("select set_config('role', 'tracker_app', true), set_config(:name, :claims, true)")
_CLAIMS = "request.jwt.claims"


@cache
def engine() -> Engine:
    return create_engine(os.environ["TRACKER_DATABASE"])


@cache
def async_engine() -> AsyncEngine:
    return create_async_engine(os.environ["TRACKER_DATABASE"])


def current_actor(authorization: Annotated[str, Header()] = "") -> Actor:
    """The claims of the token, or none without one."""
    scheme, _, token = authorization.partition(" ")
    return tokens.read(token) if scheme == "Bearer" else {}


CurrentActor = Annotated[Actor, Depends(current_actor)]


def get_session(actor: CurrentActor) -> Iterator[Session]:
    """A session for one request, which is committed if nothing was raised."""
    with Session(engine()) as session:
        _introduce(session, actor)
        yield session
        session.commit()


async def get_async_session(actor: CurrentActor) -> AsyncIterator[AsyncSession]:
    """The same for asynchronous routes."""
    async with AsyncSession(async_engine(), expire_on_commit=False) as session:
        _introduce(session.sync_session, actor)
        yield session
        await session.commit()


def _introduce(session: Session, actor: Actor) -> None:
    """Tell the database who asks, in each transaction anew: a commit makes it forget."""

    @event.listens_for(session, "after_begin")
    def enter(_session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
        connection.execute(_ENTER, {"name": _CLAIMS, "claims": json.dumps(dict(actor))})


CurrentSession = Annotated[Session, Depends(get_session)]
CurrentAsyncSession = Annotated[AsyncSession, Depends(get_async_session)]
