"""The names of PostgreSQL's types: their spellings, and which of them are of one kind."""

from __future__ import annotations

from functools import lru_cache

_ALIASES = {
    "int2": "smallint",
    "int": "integer",
    "int4": "integer",
    "int8": "bigint",
    "decimal": "numeric",
    "dec": "numeric",
    "float4": "real",
    "float": "double precision",
    "float8": "double precision",
    "bool": "boolean",
    "varchar": "character varying",
    # A cast to `character` or `bit` would mean a length of one, and cut off what is longer.
    "char": "bpchar",
    "character": "bpchar",
    "bit": '"bit"',
    "varbit": "bit varying",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "time": "time without time zone",
    "timetz": "time with time zone",
}

INTEGERS = frozenset({"smallint", "integer", "bigint"})
FLOATS = frozenset({"real", "double precision"})
NUMBERS = INTEGERS | FLOATS | {"numeric"}
TEXTS = frozenset({"text", "character varying", "bpchar", "name", '"char"'})
JSONS = frozenset({"json", "jsonb"})
PYTHON = "Python"
SET = "Python set"
"""What Python values are called that are of no type of PostgreSQL's; no type has such a name."""

DYNAMIC = JSONS | {PYTHON, SET}
"""Where each value shows its own kind: one of another than the expected kind plainly differs."""

BITS = frozenset({'"bit"', "bit varying"})
GEOMETRIC = frozenset({"box", "circle", "line", "lseg", "path", "point", "polygon"})

_OTHERS = frozenset(
    (
        "bytea",
        "cidr",
        "date",
        "daterange",
        "inet",
        "int4range",
        "int8range",
        "interval",
        "macaddr",
        "macaddr8",
        "money",
        "numrange",
        "oid",
        "pg_lsn",
        "regclass",
        "tsquery",
        "tsrange",
        "tstzrange",
        "tsvector",
        "uuid",
        "xml",
    )
)

KNOWN = NUMBERS | TEXTS | JSONS | BITS | GEOMETRIC | _OTHERS | frozenset(_ALIASES.values())
"""Types that every PostgreSQL has, by their canonical names."""


@lru_cache(maxsize=1024)
def canonical(name: str) -> str:
    """The one spelling of a type's name, as `format_type` prints it without a modifier."""
    words = " ".join(name.split())
    if '"' not in words:
        words = words.lower()
    base = words.removeprefix("pg_catalog.")
    if base.endswith("[]"):
        return f"{canonical(element_of(base))}[]"
    return _ALIASES.get(base, base)


def is_citext(name: str) -> bool:
    """Whether a canonical name is that of the case-insensitive text, in whatever schema."""
    return name.rpartition(".")[2] == "citext"


def is_array(name: str) -> bool:
    """Whether a canonical name is that of an array type."""
    return name.endswith("[]")


def element_of(name: str) -> str:
    """The type of an array's elements; arrays of any dimension have one type."""
    while name.endswith("[]"):
        name = name[:-2].rstrip()
    return name


def delimiter_of(element: str) -> str:
    """What stands between the elements of an array in its text."""
    return ";" if element == "box" else ","
