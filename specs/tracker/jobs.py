"""What runs at night: no actor, and a connection or an engine instead of a session."""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session


def close_forgotten(connection: Connection, days: int) -> int:
    """Reject the new issues that nobody has touched for so many days; how many there were."""
    result = connection.execute(
        text(
            "update issues set status = 'rejected'"
            " where status = 'new' and updated_at < now() - make_interval(days => :days)"
        ),
        {"days": days},
    )
    connection.commit()
    return result.rowcount


def label_organizations(session: Session, *, fail: bool = False) -> list[str]:
    """Give every organization without labels the usual one, each in a transaction of its own.

    With `fail` it ends after the first, as a job does that is stopped half-way.
    """
    with session.get_bind().engine.connect() as connection:
        with connection.begin():
            bare = "select id from organizations o where not exists (%s) order by id"
            labels = "select from labels where organization_id = o.id"
            found = connection.scalars(text(bare % labels)).all()
        for organization in found:
            with connection.begin():
                connection.execute(
                    text("insert into labels (organization_id, name) values (:id, 'bug')"),
                    {"id": organization},
                )
            if fail:
                raise RuntimeError(f"ended after {organization}")
    return list(found)
