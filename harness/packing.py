"""YAML's data as bytes, and back: so that thousands of specs need not be in memory at once."""

from __future__ import annotations

import pickle
from decimal import Decimal
from io import BytesIO
from typing import Any

from harness.nodes import Document, YamlMapping, YamlSequence


def packed(*data: Any) -> bytes:
    """Nodes of one document, dicts of them and scalars, as bytes; the document is no part of it."""
    return pickle.dumps([_flat(each) for each in data], 5)


def unpacked(content: bytes, document: Document) -> list[Any]:
    """Copies of what was packed: a value that aliases share is there as often as it is written.

    Raises:
        pickle.UnpicklingError: it is something else; nothing is made of it.
    """
    flat = _Unpickler(BytesIO(content)).load()
    return [_built(each, document) if type(each) is tuple else each for each in flat]


def _flat(data: Any) -> Any:
    """What pickle writes in C; a scalar is itself, everything else a tuple."""
    kind = type(data)
    if kind is YamlMapping:
        items = {key: _flat(value) for key, value in data.items()}
        return "mapping", items, data._offset, data._places
    if kind is YamlSequence:
        return "sequence", [_flat(value) for value in data], data._offset, data._places
    if kind is dict:
        return "plain", {key: _flat(value) for key, value in data.items()}, None, None
    return data


def _built(flat: tuple[str, Any, Any, Any], document: Document) -> Any:
    kind, items, offset, places = flat
    if kind == "sequence":
        sequence = YamlSequence(document, offset)
        sequence += [_built(each, document) if type(each) is tuple else each for each in items]
        sequence._places = places
        return sequence
    mapping: Any = YamlMapping(document, offset) if kind == "mapping" else {}
    for key, value in items.items():
        mapping[key] = _built(value, document) if type(value) is tuple else value
    if kind == "mapping":
        mapping._places = places
    return mapping


class _Unpickler(pickle.Unpickler):
    """Makes plain data and nothing else: a cache that somebody else has written does no harm."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) != ("decimal", "Decimal"):
            raise pickle.UnpicklingError(f"{module}.{name} is no YAML")
        return Decimal
