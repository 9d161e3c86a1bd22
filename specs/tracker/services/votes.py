"""Votes: everybody may give away some of theirs, by which an organization finds its priorities.

A gift is a credit and a debit. There are several ways to commit them here, some of them wrong.
"""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from specs.tracker.errors import Invalid, NotFound, OutOfVotes
from specs.tracker.identity import Actor, organization_of, user_of
from specs.tracker.models import Allowance, User
from specs.tracker.results import Transfer


def balance(session: Session, actor: Actor) -> int:
    """How many votes the actor has left."""
    allowance = session.get(Allowance, (organization_of(actor), user_of(actor)))
    return allowance.votes if allowance else 0


def give(session: Session, actor: Actor, receiver_id: int, votes: int) -> Transfer:
    """Give votes to a colleague: all of it, or nothing.

    Raises:
        Invalid: the number is not positive.
        NotFound: there is no such colleague.
        OutOfVotes: the actor has fewer.
    """
    if votes <= 0:
        raise Invalid("give one vote at least", field="votes")
    missing = votes - balance(session, actor)
    if missing > 0:
        raise OutOfVotes(missing)
    _add(session, actor, receiver_id, votes)
    _add(session, actor, user_of(actor), -votes)
    session.commit()
    return _transfer(session, actor, receiver_id, votes)


def give_in_two_steps(session: Session, actor: Actor, receiver_id: int, votes: int) -> Transfer:
    """Give votes, committing the credit before the debit: wrong where the debit fails."""
    _add(session, actor, receiver_id, votes)
    session.commit()
    _add(session, actor, user_of(actor), -votes)
    session.commit()
    return _transfer(session, actor, receiver_id, votes)


def give_or_roll_back(session: Session, actor: Actor, receiver_id: int, votes: int) -> Transfer:
    """Give votes, and find out from the database whether there were enough.

    Raises:
        OutOfVotes: there were not, and nothing has changed.
    """
    left = balance(session, actor)
    try:
        _add(session, actor, receiver_id, votes)
        _add(session, actor, user_of(actor), -votes)
    except IntegrityError as error:
        session.rollback()
        raise OutOfVotes(votes - left) from error
    session.commit()
    return _transfer(session, actor, receiver_id, votes)


def give_around(session: Session, actor: Actor, receiver_ids: list[int], votes: int) -> list[int]:
    """Give votes to each colleague while there are some; those who got them."""
    served = []
    for receiver_id in receiver_ids:
        try:
            with session.begin_nested():
                _add(session, actor, receiver_id, votes)
                _add(session, actor, user_of(actor), -votes)
        except (IntegrityError, NotFound):
            continue
        served.append(receiver_id)
    return served


def grant(session: Session, actor: Actor, user_id: int, votes: int) -> Allowance:
    """Give somebody their first votes; whoever called this commits."""
    allowance = Allowance(organization_id=organization_of(actor), user_id=user_id, votes=votes)
    session.add(allowance)
    session.flush()
    return allowance


def grant_if_none(session: Session, actor: Actor, user_id: int, votes: int) -> bool:
    """Give somebody their first votes; whether they had none.

    Careless: the session is not rolled back after the error, so that nobody can commit it.
    """
    try:
        grant(session, actor, user_id, votes)
    except IntegrityError:
        return False
    return True


def _add(session: Session, actor: Actor, user_id: int, votes: int) -> None:
    theirs = (Allowance.organization_id == organization_of(actor), Allowance.user_id == user_id)
    changed = session.scalars(
        update(Allowance)
        .where(*theirs)
        .values(votes=Allowance.votes + votes)
        .returning(Allowance.user_id)
    )
    if not changed.all():
        raise NotFound("there is no such colleague", user=user_id)


def _transfer(session: Session, actor: Actor, receiver_id: int, votes: int) -> Transfer:
    receiver = session.get_one(User, receiver_id)
    return Transfer(receiver.name, votes, left=balance(session, actor))
