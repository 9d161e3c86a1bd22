"""Whether an index can serve a statement: what the planner says when it has no other choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction

from harness.database.isolation import Isolation
from harness.database.literals import array_text, identifier, literal
from harness.errors import did_you_mean
from harness.matching.plans import Index, Name, QueryPlan
from harness.results import Mismatch, Path
from harness.running.sql import Prepared
from harness.spec.expectations import Plan

_PREFERRED = "SET LOCAL enable_seqscan = off"
_FORCED = ";".join(
    (
        "SET LOCAL max_parallel_workers_per_gather = 0",
        *(
            f"SET LOCAL enable_{way} = off"
            for way in ("seqscan", "sort", "hashagg", "hashjoin", "mergejoin")
        ),
    )
)
"""Of several plans leaves the one that gets most from an index, however few the rows are."""

_UNUSED_PARAMETER = 0
_FIRST_USER_OID = 16384

# A temporary table's schema as EXPLAIN names it.
_SCHEMA = "CASE n.oid WHEN pg_my_temp_schema() THEN 'pg_temp' ELSE n.nspname END"
_NAMED = """
SELECT i.indexrelid, {schema}, c.relname, t.relname, i.indpred IS NOT NULL,
  CASE (SELECT amname FROM pg_am WHERE oid = c.relam) WHEN 'btree'
    THEN pg_get_indexdef(i.indexrelid, 1, false) ELSE '' END
FROM pg_class named JOIN pg_namespace space ON space.oid = named.relnamespace,
  LATERAL (SELECT named.oid UNION SELECT relid FROM pg_partition_tree(named.oid)) part(index)
JOIN pg_index i ON i.indexrelid = part.index
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE named.relkind IN ('i', 'I')
  AND (named.relname = {name} AND pg_table_is_visible(named.oid)
    OR space.nspname || '.' || named.relname = {name})
"""
_KNOWN = """
SELECT CASE WHEN pg_table_is_visible(c.oid) THEN '' ELSE n.nspname || '.' END || c.relname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('i', 'I') AND n.nspname !~ '^pg_'
"""


class _UnhiddenError(Exception):
    """Indexes cannot be hidden from the planner; the message says why."""


def judge_plan(
    plan: Plan, prepared: Prepared, isolation: Isolation, path: Path
) -> tuple[Mismatch, ...]:
    """Judge whether the index that is named can serve a statement, for the role in force.

    The statement is planned, never executed, and what that needs of settings is undone. The index
    can serve it if, sequential scans disabled, the planner uses it for a condition, for a distance
    to order by or for its own predicate; if it does so when all other indexes are hidden; or if a
    plan without it has to sort, hash or look through all the rows that it gives in order.

    Args:
        plan: the expectation.
        prepared: the statement, which has been executed.
        isolation: the spec's transaction.
        path: to the expectation.

    Raises:
        psycopg.OperationalError: the connection is lost.
    """
    index = _find(plan.index, isolation)
    place = (*path, "index")
    if index is None:
        known = (str(row[0]) for row in isolation.batch(_KNOWN)[0].rows)
        hint = did_you_mean(plan.index, known)
        return (Mismatch(place, f"there is no index {plan.index!r}", hint=hint),)
    try:
        preferred = _explain(_PREFERRED, prepared, isolation)
    except psycopg.Error as error:
        if isolation.lost:
            raise
        return (_unplanned(error, path),)
    if preferred.serves(index):
        return ()
    if not preferred.tables & index.tables:
        tables = " and ".join(sorted(name for _, name in index.tables))
        reason = f"the statement does not read {tables}, which the index {plan.index} is on"
        return (Mismatch(place, reason, actual=str(preferred)),)
    hint = (
        "sequential scans were disabled and other indexes hidden; of a B-tree, a condition counts"
        " that is on its first column"
    )
    try:
        if _serves_alone(index, preferred, prepared, isolation):
            return ()
    except _UnhiddenError as error:
        hint = f"whether it could if there were no other index cannot be found out: {error}"
    reason = f"the index {plan.index} serves neither a condition nor an order of the statement"
    return (Mismatch(place, reason, actual=str(preferred), hint=hint),)


def _unplanned(error: psycopg.Error, path: Path) -> Mismatch:
    reason = f"the statement cannot be explained: {error.diag.message_primary or error}"
    if not isinstance(error, psycopg.errors.SyntaxError):
        return Mismatch(path, reason, hint=error.diag.message_hint)
    # It was executed, so that only EXPLAIN before it can be what the grammar does not have.
    kinds = "SELECT, VALUES, INSERT, UPDATE, DELETE or MERGE"
    hint = f"what has a plan is a single {kinds}; give it an operation of its own"
    return Mismatch(path, reason, hint=hint)


def _find(name: str, isolation: Isolation) -> Index | None:
    query = _NAMED.format(schema=_SCHEMA, name=literal(name))
    rows: Any = isolation.batch(query)[0].rows
    if not rows:
        return None
    return Index(
        oids=tuple(int(oid) for oid, *_ in rows),
        first_keys={(schema, index): key for _, schema, index, *_, key in rows},
        tables=frozenset((schema, table) for _, schema, _, table, *_ in rows),
        partial=all(partial == "t" for *_, partial, _ in rows),
    )


def _serves_alone(
    index: Index, preferred: QueryPlan, prepared: Prepared, isolation: Isolation
) -> bool:
    """Whether the index serves a statement when there is no other index of the same tables."""
    role = str(isolation.batch("SHOW role")[0].rows[0][0])
    try:
        alone = _explain(f"{_FORCED};{_hiding(preferred, index.oids, role)}", prepared, isolation)
        if alone.serves(index):
            return True
        if not alone.reads(index):
            return False
        without = _explain(f"{_FORCED};{_hiding(preferred, (), role)}", prepared, isolation)
    except (InsufficientPrivilege, ReadOnlySqlTransaction) as error:
        raise _UnhiddenError(error.diag.message_primary) from error
    return alone.detours < without.detours


def _hiding(plan: QueryPlan, spared: Sequence[int], role: str) -> str:
    """Hides the indexes of a plan's tables from the planner, but for those that are spared.

    The tables count as never analysed: one that was empty then is believed to be so for ever, and
    all ways through an empty table cost the same. PostgreSQL's own tables stay as they are.
    """
    tables = f"ARRAY[{', '.join(map(_oid, sorted(plan.tables)))}]::oid[]"
    arbiters = f"SELECT oid FROM pg_class WHERE relname = ANY ({_array(plan.arbiters, 'name')})"
    return (
        "SET LOCAL ROLE NONE;"
        "UPDATE pg_class SET relpages = 0, reltuples = -1"
        f" WHERE oid = ANY ({tables}) AND oid >= {_FIRST_USER_OID};"
        "UPDATE pg_index SET indisvalid = false"
        f" WHERE indrelid = ANY ({tables}) AND indexrelid >= {_FIRST_USER_OID}"
        f" AND indexrelid <> ALL ({_array(spared, 'oid')}) AND indexrelid NOT IN ({arbiters});"
        f"SELECT set_config('role', {literal(role)}, true)"
    )


def _oid(table: Name) -> str:
    return f"to_regclass({literal(identifier(*table))})"


def _array(values: Sequence[object], type_name: str) -> str:
    return f"{literal(array_text(list(values)))}::{type_name}[]"


def _explain(preparation: str, prepared: Prepared, isolation: Isolation) -> QueryPlan:
    # Only with a parameter does psycopg send a message that can hold no second statement: that one
    # would be executed.
    values = prepared.values or (_UNUSED_PARAMETER,)
    statement = f"EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) {prepared.text}"
    return QueryPlan(str(isolation.tried(preparation, statement, values).rows[0][0]))
