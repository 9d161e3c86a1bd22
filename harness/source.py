"""Text into plain data that knows where each node stands: the only module that knows YAML.

The scalars are those of the YAML 1.2 core schema, which editors use too. One pass over the
parser's events builds data and positions, because a suite may hold thousands of specs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from harness.errors import Location, SpecError, nearest
from harness.nodes import Document, YamlMapping, YamlSequence, locate, merged
from harness.scalars import plain, shortened
from harness.syntax import syntax_error, template_hint

__all__ = [
    "Document",
    "YamlMapping",
    "YamlSequence",
    "content_of",
    "decoded",
    "locate",
    "merged",
    "parse",
    "read",
]

MAX_DEPTH = 64
"""Levels of nesting, aliases followed: far above any spec, far below Python's recursion limit."""

ALIASED_NODES = 100_000
ALIASED_NODES_PER_NODE = 10
"""Aliases may stand for 100,000 nodes, and 10 more for each node that is written out."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is not part of every PyYAML
_Event = Any  # types-PyYAML gives events no attributes, and marks that may be None
_TAG = "tag:yaml.org,2002:"
_AS_IT_IS: Mapping[str, Any] = {}
_MERGE: Any = object()  # the key `<<`; the quoted one is an ordinary key

# What YAML forbids, and four that it reads as line breaks or skips without a word.
_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)

_NOT_TEXT_BEGINS = frozenset(["", *"0123456789+-.~nNtTfF"])
_SCALAR_TAGS: dict[str, tuple[type, ...]] = {
    _TAG + "null": (type(None),),
    _TAG + "bool": (bool,),
    _TAG + "int": (int,),
    _TAG + "float": (int, Decimal, float),
}

Pack = Callable[[Any], Any]
"""Makes of a node, as soon as it is read, what stands in its place."""


def read(path: Path) -> Any:
    """What the YAML file at `path` says.

    Returns:
        YamlMapping, YamlSequence, or a scalar: str, int, Decimal, bool, None, and float for the
        infinities and NaN. An empty file is None.

    Raises:
        SpecError: the file cannot be read, is not UTF-8, or is not one YAML document of plain data.
    """
    return decoded(content_of(path), path)


def content_of(path: Path) -> bytes:
    """What is in the file.

    Raises:
        SpecError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise SpecError(
            f"the file cannot be read: {error.strerror}",
            where=Location(path),
            hint="check that it exists and that you may read it",
        ) from error


def decoded(content: bytes, path: Path, packs: Mapping[str, Pack] = _AS_IT_IS) -> Any:
    """What the content of a YAML file says, as `read` gives it.

    Args:
        content: of the file.
        path: that locations name.
        packs: for the lists at these keys of the file's mapping, what is done with each item.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode().removeprefix("\ufeff")
        raise SpecError(
            f"byte 0x{content[error.start]:02x} is not UTF-8",
            where=Document.of(path, before).location(len(before)),
            hint="save the file as UTF-8",
        ) from error
    return parse(text, path, packs)


def parse(text: str, path: Path, packs: Mapping[str, Pack] = _AS_IT_IS) -> Any:
    """What `text` says, as `decoded` gives it."""
    text = text.removeprefix("\ufeff")
    document = Document.of(path, text)
    if forbidden := _FORBIDDEN.search(text):
        character = ord(forbidden.group())
        escape = f"\\u{character:04x}" if character > 0xFF else f"\\x{character:02x}"
        raise SpecError(
            f"the character U+{character:04X} may not stand in a YAML file",
            where=document.location(forbidden.start()),
            hint=f'remove it, or write it as "{escape}" in double quotes',
        )
    return _Builder(document, text, packs).build()


@dataclass(frozen=True, slots=True)
class _Anchor:
    """An anchored value: how many nodes it stands for, and the levels of containers in it."""

    value: Any
    nodes: int
    height: int


class _Builder:
    """Builds the data of one document from the parser's events."""

    def __init__(self, document: Document, text: str, packs: Mapping[str, Pack]) -> None:
        self._document = document
        self._text = text
        self._packs = packs
        self._loader = _Loader(text)
        self._next_event = self._loader.get_event
        self._anchors: dict[str, _Anchor | None] = {}  # None while the anchored node is being built
        # Plain keys that are text. Spares resolving them again, and makes equal keys one object.
        self._keys: dict[str, Any] = {"<<": _MERGE}
        self._nodes = 0  # aliased ones included
        self._aliased = 0
        self._deepest = 0

    def build(self) -> Any:
        """The data; the parser's errors become SpecErrors."""
        try:
            return self._root()
        except yaml.MarkedYAMLError as error:
            raise syntax_error(self._document, self._text, error) from error
        except (ValueError, OverflowError) as error:
            index = getattr(self._loader, "index", None)
            if index is None:  # only the parser in Python has one, and only it raises these
                raise
            where = self._document.location(index)  # of "\\U99999999", for example
            raise SpecError("this escape stands for no character", where=where) from error

    def _root(self) -> Any:
        self._next_event()  # the stream's start
        if isinstance(self._next_event(), StreamEndEvent):
            return None
        root = self._node(self._next_event(), 1)
        self._next_event()  # the document's end
        event = self._next_event()
        if not isinstance(event, StreamEndEvent):
            self._fail(
                "a second document begins here, and a file holds one",
                event.start_mark.index,
                "remove the '---', or put the second document into a file of its own",
            )
        return root

    def _node(self, event: _Event, depth: int) -> Any:
        kind = type(event)
        if kind is AliasEvent:
            return self._alias(event, depth)
        if event.anchor is not None:
            return self._anchored(event, depth)
        self._nodes += 1
        if kind is not ScalarEvent:
            return self._collection(event, depth)
        # Most scalars are texts, and most texts are told by how they begin.
        is_text = event.style or event.value[:1] not in _NOT_TEXT_BEGINS
        return event.value if is_text and event.tag is None else self._scalar(event)

    def _anchored(self, event: _Event, depth: int) -> Any:
        name, event.anchor = event.anchor, None
        nodes, deepest = self._nodes, self._deepest
        self._anchors[name] = None
        self._deepest = depth - 1
        value = self._node(event, depth)
        height = self._deepest - depth + 1
        self._anchors[name] = _Anchor(value, self._nodes - nodes, height)
        self._deepest = max(deepest, self._deepest)
        return value

    def _collection(self, event: _Event, depth: int) -> YamlMapping | YamlSequence:
        self._reach(depth, event)
        is_mapping = type(event) is MappingStartEvent
        if event.tag is not None and event.tag != _TAG + ("map" if is_mapping else "seq"):
            self._refuse_tag(event)
        return self._mapping(event, depth) if is_mapping else self._sequence(event, depth)

    def _sequence(self, start: _Event, depth: int, pack: Pack | None = None) -> YamlSequence:
        result = YamlSequence(self._document, start.start_mark.index)
        while type(event := self._next_event()) is not SequenceEndEvent:
            item = self._node(event, depth + 1)
            result.append(pack(item) if pack else item)
            result._places.append(event.start_mark.index)
        return result

    def _mapping(self, start: _Event, depth: int) -> YamlMapping:
        result = YamlMapping(self._document, start.start_mark.index)
        places, known = result._places, self._keys
        while type(event := self._next_event()) is not MappingEndEvent:
            # Nearly every key is plain and was seen before; what is not takes a call.
            is_plain = type(event) is ScalarEvent and not event.style and event.tag is None
            is_known = is_plain and event.anchor is None and event.value in known
            key = known[event.value] if is_known else self._key(event)
            offset = event.start_mark.index
            if key in places:
                self._refuse_duplicate(key, result, offset)
            event = self._next_event()
            pack = self._packs.get(key) if depth == 1 else None
            result[key] = self._packed(event, pack) if pack else self._node(event, depth + 1)
            places[key] = offset << 32 | event.start_mark.index
        return self._merge(result) if _MERGE in places else result

    def _packed(self, event: _Event, pack: Pack) -> Any:
        """The value of a key of the root; the items of a list are packed one by one."""
        # An alias elsewhere means the items of an anchored list themselves.
        is_plain = event.anchor is None and event.tag is None
        if not is_plain or type(event) is not SequenceStartEvent:
            return self._node(event, 2)
        self._nodes += 1
        return self._sequence(event, 2, pack)

    def _key(self, event: _Event) -> Any:
        is_plain = type(event) is ScalarEvent and not event.style and event.tag is None
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            self._refuse_collection_as_key(event)
        key = self._node(event, 1)
        if not isinstance(key, str):
            self._refuse_as_key(event, key)
        if is_plain:
            self._keys[key] = key
        return key

    def _merge(self, mapping: YamlMapping) -> YamlMapping:
        place = mapping.value_location(_MERGE)
        sources = mapping.pop(_MERGE)
        del mapping._places[_MERGE]
        for source in sources if isinstance(sources, YamlSequence) else [sources]:
            if not isinstance(source, YamlMapping):
                raise SpecError(
                    "'<<' merges mappings, and this is none",
                    where=place,
                    hint="write '<<: *anchor' or '<<: [*first, *second]', or quote the key '<<'",
                )
            mapping = merged(source, mapping)
        return mapping

    def _alias(self, event: _Event, depth: int) -> Any:
        offset = event.start_mark.index
        if event.anchor not in self._anchors:
            what = f"there is no anchor &{event.anchor} above this alias"
            hint = f"write &{event.anchor} before the value; quote a text that begins with '*'"
            similar = nearest(event.anchor, self._anchors)
            self._fail(what, offset, f"did you mean *{similar}?" if similar else hint)
        anchor = self._anchors[event.anchor]
        if anchor is None:
            what = f"the alias *{event.anchor} stands inside its own anchor"
            self._fail(what, offset, "data cannot contain itself: write this part out")
        self._nodes += anchor.nodes
        self._aliased += anchor.nodes
        written = self._nodes - self._aliased
        if self._aliased > ALIASED_NODES + ALIASED_NODES_PER_NODE * written:
            what = f"the aliases up to here stand for {self._aliased:,} values"
            self._fail(what, offset, "aliases of aliases multiply: alias less, or smaller parts")
        self._reach(depth + anchor.height - 1, event)
        return anchor.value

    def _scalar(self, event: _Event) -> Any:
        return self._resolved(event) if event.tag is None else self._tagged(event)

    def _resolved(self, event: _Event) -> Any:
        try:
            return plain(event.value)
        except ValueError as error:
            self._fail(str(error), event.start_mark.index, "put quotes around it if it is a text")

    def _tagged(self, event: _Event) -> Any:
        tag: str = event.tag
        if tag == _TAG + "str":
            return event.value
        if tag not in _SCALAR_TAGS:
            self._refuse_tag(event)
        value = self._resolved(event)
        if type(value) not in _SCALAR_TAGS[tag]:
            what = f"{shortened(event.value)} is no !!{tag.removeprefix(_TAG)}"
            self._fail(what, event.start_mark.index, "remove the tag, or correct the value")
        return Decimal(value) if tag == _TAG + "float" and isinstance(value, int) else value

    def _reach(self, depth: int, event: _Event) -> None:
        if depth > MAX_DEPTH:
            what = f"this is nested deeper than {MAX_DEPTH} levels"
            hint = "write it flatter; perhaps a bracket is not closed"
            self._fail(what, event.start_mark.index, hint)
        self._deepest = max(self._deepest, depth)

    def _refuse_duplicate(self, key: Any, mapping: YamlMapping, offset: int) -> NoReturn:
        first, second = mapping.key_location(key), self._document.location(offset)
        name = "<<" if key is _MERGE else key
        what = f"duplicate key {name!r}: in line {first.line} and again in line {second.line}"
        hint = "merge several mappings with '<<: [*first, *second]'" if key is _MERGE else None
        self._fail(what, offset, hint or "keep one of the two")

    def _refuse_collection_as_key(self, event: _Event) -> NoReturn:
        offset = event.start_mark.index
        if self._text[offset - 1 : offset + 1] == "{{":
            offset -= 1
        if hint := template_hint(self._text, offset):
            self._fail("a template without quotes is read as a mapping", offset, hint)
        kind = "mapping" if isinstance(event, MappingStartEvent) else "list"
        self._fail(f"a {kind} cannot be a key", offset, "keys are text")

    def _refuse_as_key(self, event: _Event, key: Any) -> NoReturn:
        offset = event.start_mark.index
        if isinstance(event, AliasEvent):
            self._fail(
                f"the alias *{event.anchor} is a key and stands for no text",
                offset,
                "keys are text",
            )
        if not event.value:
            self._fail("there is no key before the colon", offset, "write the key")
        kind = "null" if key is None else "a boolean" if isinstance(key, bool) else "a number"
        text = shortened(event.value)
        self._fail(f"the key {text} is {kind}, not text", offset, f'put quotes around it: "{text}"')

    def _refuse_tag(self, event: _Event) -> NoReturn:
        tag: str = event.tag
        name = "!!" + tag.removeprefix(_TAG) if tag.startswith(_TAG) else tag
        hint = "remove the tag: specs are plain data; put quotes around a text that begins with '!'"
        self._fail(f"the tag {shortened(name)} has no meaning here", event.start_mark.index, hint)

    def _fail(self, what: str, offset: int, hint: str | None) -> NoReturn:
        raise SpecError(what, where=self._document.location(offset), hint=hint)
