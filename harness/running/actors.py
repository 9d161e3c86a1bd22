"""Actors: the role, settings and claims that one operation runs under, and what forbids them.

Whoever row-level security does not bind proves nothing about it. So an operation is refused whose
role is a superuser, has BYPASSRLS or passes the policies of a table as its owner, unless its actor
says `bypass`. That holds for every role that an actor or the configuration names, with or without
claims.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg

from harness.database.catalog import Role, read_roles
from harness.database.isolation import EscapedTransactionError, Isolation
from harness.database.literals import json_text, literal, text_of
from harness.database.session import Reply
from harness.errors import SpecError, did_you_mean
from harness.running.catalogs import Catalogs
from harness.spec.actors import Actor

_CLAIMS = "request.jwt.claims"
_NO_SETTINGS = {
    "role": "name the role as `db_role`",
    "session_authorization": "name the role as `db_role`",
    "client_encoding": "leave it: PostgreSQL converts from and to UTF8",
    # It ends with the savepoint that the harness sets it in.
    "transaction_read_only": "the operation may say SET TRANSACTION READ ONLY itself",
}
"""Settings that are not an actor's to give, and what to do instead."""

_COUNTS = "+".join(
    f"pg_stat_get_xact_tuples_{done}('{catalog}'::regclass)"
    for catalog in ("pg_authid", "pg_auth_members", "pg_class")
    for done in ("inserted", "updated", "deleted")
)
_CHANGES = f"CASE WHEN current_setting('track_counts') = 'on' THEN {_COUNTS} END"
"""How often roles and tables were changed in this transaction; NULL if PostgreSQL does not count.

Command tags do not tell: an application and a DO block may change them, too. What was undone, and
what earlier transactions did a moment ago, may be counted in: only 0 says something.
"""

_ROLE = "current_setting('role')"
_IF_MEANT = "or say `bypass: true` in the actor if this is meant"


@dataclass(frozen=True, slots=True)
class _Identity:
    """What one operation runs under.

    Attributes:
        role: the role, if there is one.
        origin: who says so, for messages.
        settings: name → value; None is what PostgreSQL takes for the setting's default.
        bypass: that policies do not bind the role is meant.
    """

    role: str | None
    origin: str
    settings: dict[str, str | None]
    bypass: bool


class Actors:
    """Puts on, for one operation, the identity that it runs under.

    Args:
        isolation: the spec's transaction.
        catalogs: what the database holds.
        db_role: the role of operations whose actor names none.
        note: is told the statements that put an actor on, and off again.
    """

    def __init__(
        self,
        isolation: Isolation,
        catalogs: Catalogs,
        db_role: str | None,
        note: Callable[[str], object] = str,
    ) -> None:
        self._isolation = isolation
        self._db_role = db_role
        self._note = note
        self._roles = catalogs.beginning.roles

    @contextmanager
    def acting(self, actor: Actor | None) -> Iterator[None]:
        """Run the block as an actor; afterwards role and settings are what they were before.

        Nobody, without a configured role, is left as it is, and nothing is sent. Otherwise it is
        one message before the block and one after it, and one more where the spec has changed roles
        or tables, so that what was known of the role may be out of date. A custom setting that was
        not there before is empty afterwards: PostgreSQL cannot take it away again.

        Args:
            actor: its templates are rendered; None for nobody.

        Raises:
            SpecError: the actor cannot run, or what it does would prove nothing.
            EscapedTransactionError: the spec has ended its transaction.
        """
        identity = self._identity(actor or Actor())
        if identity is None:
            yield
            return
        before = self._enter(identity)
        self._note(_applying(identity))
        savepoints = self._isolation.savepoints
        try:
            yield
        except EscapedTransactionError:
            raise  # what it was in is gone, and with it all that was set
        except BaseException:
            self._abandon(before)
            raise
        finally:
            self._note(before)
        if self._isolation.savepoints > savepoints:
            self._abandon(before)
            raise SpecError(
                "an operation with an actor leaves a savepoint: going back to it would bring the "
                "actor back, too",
                hint="set it in an operation of its own, with `as: null`",
            )
        if self._isolation.usable:
            ended_as = self._leave(before)
            if ended_as != identity.role and not identity.bypass:
                raise SpecError(
                    f"the operation began as role {identity.role!r} and ended as {ended_as!r}",
                    hint=f"leave the role alone, {_IF_MEANT}",
                )

    def _identity(self, actor: Actor) -> _Identity | None:
        """What an actor runs under; None if that is what is in force already."""
        role, origin = actor.db_role, "the actor's db_role"
        if role is None:
            role, origin = self._db_role, "the configured db_role"
        role = _text("db_role", role)
        settings = _settings(actor)
        if role is None and not settings:
            return None
        if role is None and not actor.bypass:
            given = "settings" if actor.claims is None else "claims"
            raise SpecError(
                f"the actor has {given}, but there is no role to run under: the connection's own "
                "passes every policy",
                hint=f"give the actor a `db_role`, or configure one, {_IF_MEANT}",
            )
        return _Identity(role, origin, settings, actor.bypass)

    def _enter(self, identity: _Identity) -> str:
        """Apply an identity; gives the statement that puts back what was before."""
        try:
            (remembered, *_) = self._send(f"{_remembering(identity)};{_applying(identity)}")
        except psycopg.Error as error:
            if self._isolation.lost:
                raise
            if identity.role is not None:
                self._role(identity.role, identity.origin, None)
            raise _refused("PostgreSQL refuses this actor", error) from error
        changes, *before = remembered.rows[0]
        restoring = _restoring(before, identity)
        if identity.role is not None:
            try:
                role = self._role(identity.role, identity.origin, changes)
                if not identity.bypass:
                    _guard(role, f"{identity.origin} {identity.role!r}")
            except SpecError:
                self._abandon(restoring)
                raise
        return restoring

    def _role(self, name: str, origin: str, changes: str | None) -> Role:
        """What is known of a role: as the database was built, or as it is now after changes."""
        roles = self._roles
        if changes != "0" or name not in roles:
            roles = read_roles(self._send)
        if name not in roles:
            known = [role for role in roles if not role.startswith("pg_")]
            raise SpecError(f"{origin} {name!r} does not exist", hint=did_you_mean(name, known))
        return roles[name]

    def _leave(self, restoring: str) -> str:
        """Put back what was before; gives the role at the end."""
        try:
            return str(self._send(f"SELECT current_user;{restoring}")[0].rows[0][0])
        except psycopg.Error as error:
            if self._isolation.lost:
                raise
            what = "PostgreSQL cannot put back what was before this actor"
            raise _refused(what, error) from error

    def _abandon(self, restoring: str) -> None:
        """Put back what was before, as far as that can be done: an error is on its way."""
        if self._isolation.usable:
            with suppress(SpecError, EscapedTransactionError, psycopg.OperationalError):
                self._leave(restoring)

    def _send(self, statements: str) -> list[Reply]:
        """Run statements without syntax errors in one message, all or none.

        Raises:
            psycopg.Error: one of them failed.
        """
        savepoint = "SAVEPOINT harness_actor"
        try:
            replies = self._isolation.run(f"{savepoint};{statements};RELEASE {savepoint}")
        except psycopg.Error:
            if not self._isolation.lost:
                self._isolation.run(f"ROLLBACK TO {savepoint};RELEASE {savepoint}")
            raise
        return replies[1:-1]


def _settings(actor: Actor) -> dict[str, str | None]:
    """The settings of an actor, its claims among them.

    Raises:
        SpecError: one of them is not a setting, or has no text.
    """
    settings: dict[str, str | None] = {}
    for name, value in actor.settings.items():
        lowered = name.lower()
        if lowered in _NO_SETTINGS:
            raise SpecError(f"{name} is no setting of an actor", hint=_NO_SETTINGS[lowered])
        if lowered == _CLAIMS and actor.claims is not None:
            raise SpecError(
                f"the actor has both claims and a setting {name}",
                hint="leave one of them out: they are the same",
            )
        settings[name] = _text(name, value)
    if actor.claims is not None:
        settings[_CLAIMS] = _text("claims", actor.claims)
    return settings


def _text(name: str, value: Any) -> str | None:
    """The text of a value that PostgreSQL is to be told; None for null."""
    if value is None:
        return None
    try:
        text = json_text(value) if isinstance(value, (dict, list)) else text_of(value)
        literal(text).encode()
    except ValueError as error:
        raise SpecError(f"{name} cannot be set: {error}") from error
    return text


def _guard(role: Role, name: str) -> None:
    """Refuse a role that policies do not bind."""
    if role.superuser or role.bypasses:
        why = "is a superuser" if role.superuser else "has BYPASSRLS"
        raise SpecError(
            f"{name} {why}: no policy binds it",
            hint=f"run as the role that the application has, {_IF_MEANT}",
        )
    if role.owned:
        tables = ", ".join(role.owned)
        raise SpecError(
            f"{name} has the rights of the owner of {tables}: the policies there do not bind it",
            hint="run as another role, or make them bind the owner (ALTER TABLE … FORCE ROW LEVEL "
            f"SECURITY), {_IF_MEANT}",
        )


def _remembering(identity: _Identity) -> str:
    """Reads what is in force, of all that an identity will change."""
    olds = [f"current_setting({literal(name)}, true)" for name in identity.settings]
    return f"SELECT {','.join([_CHANGES, 'session_user', _ROLE, *olds])}"


def _applying(identity: _Identity) -> str:
    """Puts an identity in force.

    Its settings are given by the connection's own role, which may set more than the actor's.
    """
    news = [_set(name, value) for name, value in identity.settings.items()]
    if identity.role is not None:
        news = [_set("role", "none"), *news, _set("role", identity.role)]
    return f"SELECT {', '.join(news)}"


def _restoring(before: Sequence[str | None], identity: _Identity) -> str:
    """Puts back what was in force."""
    session_user, role, *olds = before
    calls = [
        _set("session_authorization", session_user),  # takes the actor's role away, too
        *(_set(name, old or "") for name, old in zip(identity.settings, olds, strict=True)),
        _set("role", role),
    ]
    return f"SELECT {','.join(calls)}"


def _set(name: str, value: str | None) -> str:
    text = "NULL" if value is None else literal(value)
    return f"set_config({literal(name)}, {text}, true)"


def _refused(what: str, error: psycopg.Error) -> SpecError:
    """PostgreSQL's own words as a mistake of the spec's."""
    diag = error.diag
    detail = f" ({diag.message_detail})" if diag.message_detail else ""
    return SpecError(f"{what}: {diag.message_primary or error}{detail}", hint=diag.message_hint)
