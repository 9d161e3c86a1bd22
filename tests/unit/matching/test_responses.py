"""Responses against what a spec expects of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.matching import Marks
from harness.matching.responses import Response, judge_response
from harness.results import Mismatch
from harness.spec.expectations import HttpOutcome

from .recorded import NOW, comparison

PATH = ("operations", 0, "expect")
ID = "7f6f0f5e-0000-4000-8000-000000000001"
BODY = {"id": ID, "title": "t", "price": 1.10, "at": NOW, "tags": ["a", "b"], "gone": None}
HEADERS = (
    ("Content-Type", "application/json"),
    ("Set-Cookie", "a=1"),
    ("set-cookie", "b=2"),
    ("x-total", "5"),
)


def response(body: Any = BODY, status: int = 200) -> Response:
    text = body if isinstance(body, str) else json.dumps(body)
    return Response(status, HEADERS, text.encode(), text)


def judge(expect: dict[str, Any] | None, given: Response | None = None) -> list[Mismatch]:
    outcome = None if expect is None else HttpOutcome.model_validate(expect)
    return judge_response(outcome, given or response(), PATH, comparison())


def only(expect: dict[str, Any] | None, given: Response | None = None) -> Mismatch:
    (mismatch,) = judge(expect, given)
    return mismatch


HOLDING: list[dict[str, Any]] = [
    {"status": 200},
    {"status": {"$lt": 300}},
    {"status": {"$in": [200, 201]}},
    {"json": BODY},
    {"json": BODY | {"price": 1.1, "id": {"$type": "uuid"}, "at": {"$now": 1}}},
    {"json": {"$partial": {"title": {"$regex": "^t"}, "tags": {"$unordered": ["b", "a"]}}}},
    {"json": BODY | {"at": {"$type": "timestamptz"}, "tags": {"$len": 2}}},
    {"text": json.dumps(BODY)},
    {"text": {"$contains": '"title": "t"'}},
    {"headers": {"content-type": "application/json"}},
    {"headers": {"CONTENT-TYPE": {"$regex": "json$"}, "x-other": {"$absent": True}}},
    {"headers": {"set-cookie": "a=1, b=2", "X-Total": 5}},
    {"status": 200, "json": {"$partial": {"title": "t"}}, "headers": {"x-total": "5"}},
]
FAILING: list[tuple[dict[str, Any], tuple[str | int, ...], str]] = [
    ({"status": 201}, ("status",), "status: 201 expected, 200 found"),
    ({"status": {"$gte": 400}}, ("status",), "status: >= 400 expected, 200 found"),
    ({"json": {"title": "t"}}, ("json",), "json: unexpected key id, and 4 more parts differ"),
    ({"json": BODY | {"title": "u"}}, ("json", "title"), "json: title: u expected, t found"),
    ({"json": BODY | {"price": "1.1"}}, ("json", "price"), "json: price: '1.1' expected, 1.1 found: text is expected, a number found"),
    ({"json": BODY | {"more": 1}}, ("json",), "json: there is no key more"),
    ({"json": BODY | {"gone": {"$absent": True}}}, ("json", "gone"), "json: gone: it should be absent, null found"),
    ({"json": BODY | {"tags": ["b", "a"]}}, ("json", "tags"), "json: tags[0]: b expected, a found, and 1 more part differs"),
    ({"json": BODY | {"tags": ["a", "c"]}}, ("json", "tags", 1), "json: tags[1]: c expected, b found"),
    ({"json": [BODY]}, ("json",), "it cannot be compared with a mapping"),
    ({"json": None}, ("json",), "json: null expected, "),
    ({"json": BODY | {"title": {"$type": "uuid"}}}, ("json", "title"), "json: title: type uuid expected"),
    ({"text": "{"}, ("text",), "text: '{' expected, "),
    ({"headers": {"x-totl": "5"}}, ("headers", "x-totl"), "there is no header x-totl"),
    ({"headers": {"x-total": "6"}}, ("headers", "x-total"), "header x-total: '6' expected, '5' found"),
    ({"headers": {"x-total": None}}, ("headers", "x-total"), "header x-total: null expected"),
    ({"headers": {"x-none": None}}, ("headers", "x-none"), "there is no header x-none"),
    ({"headers": {"x-none": {"$any": True}}}, ("headers", "x-none"), "there is no header x-none"),
    ({"headers": {"x-none": {"$not": "5"}}}, ("headers", "x-none"), "there is no header x-none"),
    ({"headers": {"X-Total": {"$absent": True}}}, ("headers", "X-Total"), "header X-Total: it should be absent"),
    ({"headers": {"set-cookie": "a=1"}}, ("headers", "set-cookie"), "header set-cookie: a=1 expected"),
    ({"headers": {"set-cookie": "b=2"}}, ("headers", "set-cookie"), "header set-cookie: b=2 expected"),
]  # fmt: skip


@pytest.mark.parametrize("expect", HOLDING, ids=repr)
def test_as_expected(expect: dict[str, Any]) -> None:
    assert judge(expect) == []


@pytest.mark.parametrize(("expect", "place", "reason"), FAILING, ids=repr)
def test_not_as_expected(expect: dict[str, Any], place: tuple[str | int, ...], reason: str) -> None:
    mismatch = only(expect)

    assert reason in mismatch.reason
    assert mismatch.path == (*PATH, *place)


@pytest.mark.parametrize("status", [200, 201, 204, 302, 399])
def test_what_has_not_failed(status: int) -> None:
    assert judge(None, response(status=status)) == []
    assert judge({"text": {"$any": True}}, response(status=status)) == []


@pytest.mark.parametrize(
    ("status", "title"), [(400, "400 Bad Request"), (404, "404 Not Found"), (599, "599")]
)
def test_a_request_that_failed(status: int, title: str) -> None:
    given = response({"detail": "no such issue"}, status)
    for expect in (None, {"json": {"detail": "no such issue"}}, {"headers": {"x-total": "5"}}):
        mismatch = only(expect, given)
        assert mismatch.path == PATH
        assert mismatch.reason == f"the request failed: {title}"
        assert mismatch.actual == '{"detail": "no such issue"}'
    assert judge({"status": status}, given) == []
    assert judge({"status": {"$gte": 400}, "json": {"detail": {"$any": True}}}, given) == []


def test_a_status_that_is_another_says_what_the_body_says() -> None:
    mismatch = only({"status": 201}, response({"detail": "title: too long"}, 422))

    assert mismatch.reason == "status: 201 expected, 422 found"
    assert mismatch.expected == "201"
    title, _, body = (mismatch.actual or "").partition("\n")
    assert title.startswith("422 Unprocessable ")  # Python 3.13 has another word than 3.12
    assert body == '{"detail": "title: too long"}'


def test_all_that_does_not_hold_is_told() -> None:
    expect = {"status": 201, "json": {"a": 1}, "text": "x", "headers": {"x-none": "1"}}

    assert [mismatch.path[2:] for mismatch in judge(expect)] == [
        ("expect", "status"),
        ("expect", "json"),
        ("expect", "text"),
        ("expect", "headers", "x-none"),
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("<h1>Oops</h1>", "the body is not JSON: "),
        ("", "the body is empty"),
        ("{'a': 1}", "the body is not JSON: "),
        ('{"a": NaN}', "the body is not JSON: NaN is no number in JSON"),
        ("[-Infinity]", "the body is not JSON: "),
        ('{"a": 1, "a": 2}', "the body is not JSON: an object has the key a twice"),
        ('{"a": 1} x', "the body is not JSON: "),
        ("[" * 100_000, "the body is nested too deeply"),
    ],
)
def test_a_body_that_is_no_json(body: str, reason: str) -> None:
    for expected in ({"a": 2}, {"$any": True}, None, {"$absent": True}, {"$not": 1}):
        mismatch = only({"json": expected}, response(body))
        assert mismatch.reason.startswith(reason)
        assert mismatch.path == (*PATH, "json")
        assert len(mismatch.actual or "") <= 1001
        assert (mismatch.actual or "").startswith(body[:1000])


def test_a_body_that_is_no_text() -> None:
    given = Response(200, (), b"\xff\xfe\xff", "\ufffd")

    assert only({"json": {"$any": True}}, given).reason.startswith("the body is not JSON: ")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_json_in_whatever_unicode(encoding: str) -> None:
    given = Response(200, (), '{"a": "é"}'.encode(encoding), "")

    assert judge({"json": {"a": "é"}}, given) == []
    assert judge({"json": {"a": "e"}}, given) != []


def test_numbers_keep_their_digits() -> None:
    given = response('{"price": 0.1000000000000000000001, "big": 12345678901234567890123}')

    assert judge({"json": {"price": 0.1, "big": 12345678901234567890123}}, given) != []
    assert judge({"json": {"price": {"$gt": 0.1}, "big": 12345678901234567890123}}, given) == []


def test_json_null_is_an_assertion() -> None:
    assert judge({"json": None}, response("null")) == []
    assert judge({"json": None}, response("0")) != []


def test_marks_are_shared() -> None:
    judged, marks = (
        HttpOutcome.model_validate({"json": {"$partial": {"id": {"$same": "id"}}}}),
        Marks(),
    )
    first = judge_response(judged, response(), PATH, comparison(marks=marks))
    again = judge_response(
        judged, response(BODY | {"id": ID[:-1] + "2"}), PATH, comparison(marks=marks)
    )

    assert first == []
    assert "was marked at operations[0].expect.json" in again[0].reason


@pytest.mark.parametrize("headers", ["x-total: 5", None, [1], 5])
def test_headers_that_a_template_gave(headers: Any) -> None:
    expect = HttpOutcome.model_validate({"headers": "{{ headers }}"})
    rendered = expect.model_copy(update={"headers": headers})

    assert judge_response(rendered, response(), PATH, comparison()) != []
