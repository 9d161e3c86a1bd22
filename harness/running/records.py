"""Seed rows from CSV and JSON files."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from harness.errors import Location, SpecError
from harness.spec.seeds import RowSource

Record = tuple[dict[str, Any], Location]


def read_records(source: RowSource) -> list[Record]:
    """The rows of a CSV or JSON file, relative to the YAML file that names it, with their places.

    An empty CSV field is NULL; a number of JSON keeps its digits.

    Raises:
        SpecError: the file cannot be read, or holds no rows.
    """
    path = source.where.path.parent / source.text
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SpecError(
            f"{source.text!r} cannot be read: {reason}",
            where=source.where,
            hint="the path is relative to this YAML file",
        ) from error
    if path.suffix == ".csv":
        return _from_csv(text, path)
    if path.suffix == ".json":
        return [(row, source.where) for row in _from_json(text, path)]
    raise SpecError(
        f"{source.text!r} is neither .csv nor .json", where=source.where, hint="rename it"
    )


def _from_csv(text: str, path: Path) -> list[Record]:
    reader = csv.DictReader(text.splitlines(keepends=True), strict=True)
    refuse_repeated(reader.fieldnames or (), Location(path))
    rows = []
    try:
        for record in reader:
            if None in record or None in record.values():
                columns = len(reader.fieldnames or ())
                raise SpecError(
                    f"this line has not one field for each of the {columns} columns",
                    where=Location(path, reader.line_num),
                )
            row = {name: value or None for name, value in record.items()}
            rows.append((row, Location(path, reader.line_num)))
    except csv.Error as error:
        raise SpecError(f"not CSV: {error}", where=Location(path, reader.line_num)) from error
    return rows


def _from_json(text: str, path: Path) -> list[dict[str, Any]]:
    try:
        rows = json.loads(text, parse_float=Decimal, object_pairs_hook=_unique)
    except _RepeatedKeyError as error:
        raise SpecError(
            f"the key {error} comes twice in one object", where=Location(path)
        ) from error
    except json.JSONDecodeError as error:
        where = Location(path, error.lineno, error.colno)
        raise SpecError(f"not JSON: {error.msg}", where=where) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SpecError("the file holds no list of objects", where=Location(path))
    return rows


class _RepeatedKeyError(Exception):
    """An object has a key twice; JSON allows it, and readers differ on what it means."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _RepeatedKeyError(repr(key))
        found[key] = value
    return found


def refuse_repeated(names: Sequence[str], where: Location) -> None:
    """Raise a SpecError if a column is named twice: which of the values was meant?"""
    for name in names:
        if names.count(name) > 1:
            raise SpecError(f"the rows have two columns named {name!r}", where=where)
