"""However a conversation is cut into chunks, every byte of the answer is the same."""

from __future__ import annotations

import threading
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.database.wire import (
    COPY_DONE,
    FLUSH,
    SSL_REQUEST,
    SYNC,
    TERMINATE,
    Wire,
    copy_data,
    copy_fail,
    extended,
    message,
    query,
    run_prepared,
    startup,
)

# Step by step as a driver sends it: each with the message that it waits for.
CONVERSATION = [
    (startup(), "Z"),
    (query("select 1, 'ä'; select null; "), "Z"),
    (query("begin; create temp table t (a int primary key, b text) on commit drop"), "Z"),
    (message(b"P", b"kept\0select $1::int + 1\0\0\1" + bytes(4)) + SYNC, "Z"),
    (extended("insert into t values (1, 'x')") + SYNC, "Z"),
    (extended("select a + 0 from t") + FLUSH, "C"),
    (SYNC, "Z"),
    (query("copy t from stdin"), "G"),
    (copy_data(b"2\ttwo\n3\tth") + FLUSH + copy_data(b"ree\n") + COPY_DONE, "Z"),
    (extended("copy t from stdin") + SYNC, "G"),
    (copy_data(b"4\tfour\n") + COPY_DONE + SYNC, "Z"),
    (query("copy t to stdout; savepoint s"), "Z"),
    (query("copy t from stdin"), "G"),
    (copy_data(b"5\tfive\n") + copy_data(b"nonsense\n") + COPY_DONE, "Z"),
    (query("rollback to s; copy t from stdin; select 'not reached'"), "G"),
    (copy_fail("enough"), "Z"),
    (query("rollback to s; select repeat(b, 100000) from t"), "Z"),
    (extended("select 1 / (a - 3) + 0 from t") + extended("select 2") + SYNC, "Z"),
    (extended("select 'failed'") + SYNC + query("rollback"), "Z"),
    (run_prepared("unknown") + SYNC, "Z"),
    (query("select 1; select 1 / 0; select 2"), "Z"),
    (TERMINATE, ""),
]
BYTES = b"".join(sent for sent, _ in CONVERSATION)


@pytest.fixture(scope="module")
def expected(path: str) -> bytes:
    """What is answered to one step after the other."""
    with Wire(path).begin() as first:  # gets told some parameters more
        first.send(query("select 1"))
        first.receive()
    with Wire(path) as wire:
        seen = b""
        for sent, awaited in CONVERSATION:
            wire.send(sent)
            count = sent.count(SYNC + query("rollback"))  # two answers
            seen += wire.receive(awaited, 1 + count) if awaited else wire.rest()
    return seen


def replay(path: str, chunks: list[bytes]) -> bytes:
    """The answer to chunks of which the server reads each before the next is sent."""
    answer = []
    with Wire(path) as wire:
        # Reads meanwhile: while its answer has no room the server does not read either.
        reader = threading.Thread(target=lambda: answer.append(wire.rest()))
        reader.start()
        for chunk in chunks:
            wire.send(chunk)
            wire.await_read()
        reader.join()
    return answer[0]


def cut(places: list[int]) -> list[bytes]:
    return [BYTES[start:end] for start, end in pairwise([0, *sorted(places), len(BYTES)])]


def test_the_conversation_holds_what_it_should(expected: bytes) -> None:
    for part in (b"\xc3\xa4", b"COPY 2", b"COPY 1", b"2\ttwo\n", b"C57014", b"C22012", b"C26000"):
        assert part in expected
    assert b"not reached" not in expected
    assert len(expected) > 1_000_000


@given(places=st.lists(st.integers(1, len(BYTES) - 1), unique=True, max_size=12))
@example(places=[])  # all at once
@settings(max_examples=60, derandomize=True)
def test_cut_anywhere(path: str, expected: bytes, places: list[int]) -> None:
    assert replay(path, cut(places)) == expected


def test_byte_by_byte(path: str, expected: bytes) -> None:
    assert replay(path, cut(list(range(1, len(BYTES))))) == expected


def test_after_requests_for_encryption(path: str, expected: bytes) -> None:
    assert replay(path, [SSL_REQUEST + SSL_REQUEST + BYTES]) == b"NN" + expected
