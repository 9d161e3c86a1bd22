"""What a database holds: tables, columns, keys, types, sequences and roles, in one message."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.database.literals import identifier
from harness.database.session import Reply


@dataclass(frozen=True, slots=True)
class SequenceState:
    """A sequence and where it stands: what `setval(oid, value, called)` would restore.

    `name` is quoted, and qualified where the search path does not lead to it.
    """

    oid: int
    value: int
    called: bool
    name: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `type` without a modifier, as `format_type` names it.

    Attributes:
        base: the type beneath a domain, else the same as `type`.
        length: of character types that have one.
        precision: digits in all and behind the point, of numeric types that have them.
        category: PostgreSQL's category of the type, `E` for enums.
        labels: of an enum, in its order.
        required: NOT NULL, be it by the column's domain.
        default: it has a default, is an identity or is generated.
        always: GENERATED ALWAYS AS IDENTITY.
        sequence: quoted name of the sequence behind it.
    """

    name: str
    type: str
    base: str
    length: int | None
    precision: tuple[int, int] | None
    category: str
    labels: tuple[str, ...]
    required: bool
    default: bool
    always: bool
    sequence: str | None


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key; `target` is the (schema, table) that it references.

    `deferred`: it is INITIALLY DEFERRED, not only deferrable.
    """

    name: str
    columns: tuple[str, ...]
    target: tuple[str, str]
    target_columns: tuple[str, ...]
    deferrable: bool
    deferred: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view that rows can be read from.

    Attributes:
        oid: its number in PostgreSQL's catalog.
        kind: PostgreSQL's letter: `r` table, `p` partitioned table, `v` view, `m` materialized
            view, `f` foreign table.
        width: columns that it ever had, dropped ones included: another number is another table.
        temporary: it ends with the session.
        partition: its rows are those of the table that it is a part of.
        primary: columns of the primary key, in its order; none if it has no such key.
    """

    schema: str
    name: str
    columns: Mapping[str, Column]
    foreign_keys: tuple[ForeignKey, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    oid: int = 0
    kind: str = "r"
    width: int = 0
    temporary: bool = False
    partition: bool = False
    primary: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What identifies it in the catalog."""
        return self.schema, self.name

    @property
    def quoted(self) -> str:
        """Its name, as SQL."""
        return identifier(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class Role:
    """A role, as far as it matters to row-level security.

    Attributes:
        superuser: no policy binds it.
        bypasses: it has BYPASSRLS: no policy binds it.
        owned: tables with policies that do not bind it, as it has the rights of the table's owner
            and they are not forced on that one; quoted, qualified where that is needed.
    """

    superuser: bool
    bypasses: bool
    owned: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Catalog:
    """All tables of a database, and what else the harness needs to know of it.

    Attributes:
        search_path: schemas that an unqualified name is looked up in, in order.
        types: oid → name of the types that are not PostgreSQL's own.
        extensions: names of those created.
        version: of the server, e.g. "18.0".
        settings: of the session as it began: who it is, how names are found and values printed.
        deferrable: there are constraints that can be deferred.
        roles: by name.
        deferred_triggers: quoted names of the triggers that wait for a commit by themselves.
    """

    tables: Mapping[tuple[str, str], Table]
    search_path: tuple[str, ...]
    types: Mapping[int, str]
    sequences: tuple[SequenceState, ...]
    extensions: frozenset[str]
    version: str
    settings: Mapping[str, str]
    deferrable: bool
    roles: Mapping[str, Role]
    deferred_triggers: tuple[str, ...]

    def find(self, name: str) -> Table | None:
        """The table that `table` or `schema.table` names."""
        schema, dot, table = name.partition(".")
        if dot and (schema, table) in self.tables:
            return self.tables[schema, table]
        found = ((schema, name) for schema in self.search_path)
        return next((self.tables[key] for key in found if key in self.tables), None)

    @property
    def names(self) -> tuple[str, ...]:
        """Every table as a spec would name it."""
        return tuple(map(self.name_of, self.tables))

    def name_of(self, key: tuple[str, str]) -> str:
        """A table as a spec would name it: with its schema where it is not found without."""
        visible = self.find(key[1])
        return key[1] if visible and visible.key == key else ".".join(key)


_SCRIPT = Path(__file__).with_name("catalog.sql").read_text(encoding="utf-8")
_ROLES = """
WITH unforced AS MATERIALIZED (
  SELECT oid, relowner FROM pg_class WHERE relrowsecurity AND NOT relforcerowsecurity)
SELECT r.rolname, r.rolsuper, r.rolbypassrls, (
  -- whom PostgreSQL takes for the owner: https://www.postgresql.org/docs/current/ddl-rowsecurity.html
  SELECT coalesce(json_agg(u.oid::regclass::text ORDER BY u.oid), '[]')
  FROM unforced u WHERE pg_has_role(r.oid, u.relowner, 'USAGE'))
FROM pg_roles r"""


def read_catalog(run: Callable[[str], list[Reply]]) -> Catalog:
    """The catalog as it is now.

    Args:
        run: sends statements in one message; a transaction that it does so in has not failed.
    """
    *replies, triggers, roles = run(f"{_SCRIPT};{_ROLES}")
    tables, path, types, sequences, extensions, version, settings, deferrable = replies
    found = [_table(json.loads(row[0] or "")) for row in tables.rows]
    return Catalog(
        tables={table.key: table for table in found},
        search_path=tuple(str(row[0]) for row in path.rows),
        types={int(oid or 0): str(name) for oid, name in types.rows},
        sequences=tuple(
            SequenceState(int(oid or 0), int(value or 0), called == "t", str(name))
            for oid, value, called, name in sequences.rows
        ),
        extensions=frozenset(str(row[0]) for row in extensions.rows),
        version=str(version.rows[0][0]),
        settings={str(name): str(value) for name, value in settings.rows},
        deferrable=deferrable.rows[0][0] == "t",
        roles=_roles(roles),
        deferred_triggers=tuple(str(row[0]) for row in triggers.rows),
    )


def read_roles(run: Callable[[str], list[Reply]]) -> Mapping[str, Role]:
    """The roles alone, as they are now; what is asked needs no rights."""
    return _roles(run(_ROLES)[0])


def _roles(reply: Reply) -> Mapping[str, Role]:
    return {
        str(name): Role(superuser == "t", bypasses == "t", tuple(json.loads(owned or "")))
        for name, superuser, bypasses, owned in reply.rows
    }


def _table(data: dict[str, Any]) -> Table:
    return Table(
        schema=data["schema"],
        name=data["table"],
        columns={item["name"]: _column(item) for item in data["columns"]},
        foreign_keys=tuple(
            ForeignKey(
                name=item["name"],
                columns=tuple(item["columns"]),
                target=tuple(item["target"]),
                target_columns=tuple(item["target_columns"]),
                deferrable=item["deferrable"],
                deferred=item["deferred"],
            )
            for item in data["foreign_keys"]
        ),
        unique=tuple(tuple(columns) for columns in data["unique"] if columns),
        oid=data["oid"],
        kind=data["kind"],
        width=data["width"],
        temporary=data["temporary"],
        partition=data["partition"],
        primary=tuple(data["primary"] or ()),
    )


def _column(data: dict[str, Any]) -> Column:
    modifier = data["modifier"]
    base = data["base"]
    is_text = base in ("character varying", "character")
    is_numeric = base == "numeric" and modifier > 0
    return Column(
        name=data["name"],
        type=data["type"],
        base=base,
        length=modifier - 4 if is_text and modifier > 0 else None,
        precision=((modifier - 4) >> 16, (modifier - 4) & 0x7FF) if is_numeric else None,
        category=data["category"],
        labels=tuple(data["labels"] or ()),
        required=data["required"],
        default=data["default"],
        always=data["always"],
        sequence=data["sequence"],
    )
