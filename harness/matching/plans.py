"""Query plans, read from EXPLAIN's JSON: what their scans get from an index, and their text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Node = dict[str, Any]
Name = tuple[str, str]
"""A schema and a name in it."""

_LITERAL = re.compile(r"'(?:[^']|'')*'")
_CONDITIONS = (
    "Index Cond",
    "Order By",
    "Hash Cond",
    "Merge Cond",
    "Join Filter",
    "Filter",
    "Sort Key",
    "Presorted Key",
    "Group Key",
)


@dataclass(frozen=True, slots=True)
class Index:
    """An index; of a partitioned one, those of the partitions belong to it.

    Attributes:
        oids: of the index and of those that belong to it.
        first_keys: of each of them the column or expression that has to have a condition, so that
            not all of the index is read; "" where any will do.
        tables: those that they are on.
        partial: it has a predicate.
    """

    oids: tuple[int, ...]
    first_keys: Mapping[Name, str]
    tables: frozenset[Name]
    partial: bool


class QueryPlan:
    """A plan of one statement.

    Args:
        explained: what `EXPLAIN (VERBOSE, FORMAT JSON)` printed: without VERBOSE it names no
            schemas, and many schemas may have an index of one name.
    """

    def __init__(self, explained: str) -> None:
        entries = json.loads(explained)
        # A rule may turn a statement into several, and into some that have no plan.
        self._roots = [entry["Plan"] for entry in entries if "Plan" in entry]

    def reads(self, index: Index) -> bool:
        """Whether a node reads the index, be it all of it."""
        return any(index_name in index.first_keys for _, index_name, _ in self._nodes)

    def serves(self, index: Index) -> bool:
        """Whether the index finds rows: by a condition, a distance, or its own predicate.

        That it is read does not say so: where the table must not be read, the whole of an index is
        read in its place.
        """
        return any(
            index.partial
            or "Order By" in node
            or _has_condition(node, alias, index.first_keys[index_name])
            for node, index_name, alias in self._nodes
            if index_name in index.first_keys
        )

    @property
    def detours(self) -> int:
        """How often rows are sorted, hashed or all looked through for want of an order.

        An aggregate is one of these unless its rows come in groups: `max` of what comes in order is
        no aggregate any more.
        """
        return sum(
            node["Node Type"] == "Sort" or node.get("Strategy", "Sorted") != "Sorted"
            for node, *_ in self._nodes
        )

    @property
    def tables(self) -> frozenset[Name]:
        """The tables that it reads or writes."""
        named = ((node.get("Schema"), node.get("Relation Name")) for node, *_ in self._nodes)
        return frozenset((str(schema), str(name)) for schema, name in named if schema and name)

    @property
    def arbiters(self) -> list[str]:
        """Names of the indexes without which its ON CONFLICT has no meaning."""
        found = (node.get("Conflict Arbiter Indexes", []) for node, *_ in self._nodes)
        return sorted({name for names in found for name in names})

    def __str__(self) -> str:
        return "\n".join(line for root in self._roots for line in _lines(root, ""))

    @property
    def _nodes(self) -> Iterator[tuple[Node, Name, str]]:
        """Every node with the index that it names, if it does, and the alias of the table.

        A bitmap's schema and table are told only of the node that uses it.
        """
        pending = [(root, "", "") for root in self._roots]
        while pending:
            node, schema, alias = pending.pop()
            schema, alias = node.get("Schema", schema), node.get("Alias", alias)
            yield node, (schema, node.get("Index Name", "")), alias
            pending += [(child, schema, alias) for child in node.get("Plans", [])]


def _has_condition(node: Node, alias: str, key: str) -> bool:
    """Whether a scan's condition is, among others, on a key of its index.

    A condition on a later column alone lets the whole index be read, or leaps through it where the
    first column has few values: that depends on the rows, and rows are few in tests.
    """
    if "Index Cond" not in node:
        return False
    condition = _LITERAL.sub("''", node["Index Cond"])
    quoted = '"' + alias.replace('"', '""') + '"'
    unqualified = re.sub(rf'(?<![\w."])({re.escape(alias)}|{re.escape(quoted)})\.', "", condition)
    return bool(re.search(rf'(?<![\w."]){re.escape(key)}(?![\w"])', unqualified))


def _lines(node: Node, indent: str) -> Iterator[str]:
    using = f" using {node['Index Name']}" if "Index Name" in node else ""
    relation = f" on {node['Relation Name']}" if "Relation Name" in node else ""
    yield f"{indent}{node['Node Type']}{using}{relation}"
    for key in _CONDITIONS:
        if key in node:
            value = node[key]
            yield f"{indent}    {key}: {', '.join(value) if isinstance(value, list) else value}"
    for child in node.get("Plans", []):
        yield from _lines(child, f"{indent}  ")
