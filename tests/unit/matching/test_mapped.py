"""Instances of SQLAlchemy's mapped classes, and its rows, as results: nothing more is loaded."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import ForeignKey, create_engine, delete, event, func, select, text
from sqlalchemy.ext.associationproxy import AssociationProxy, association_proxy
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    Session,
    column_property,
    composite,
    defer,
    joinedload,
    mapped_column,
    relationship,
    selectinload,
)
from sqlalchemy.pool import StaticPool

from harness.matching.calls import judge_result
from harness.matching.plaindata import plain_data
from harness.results import Mismatch

from .recorded import comparison, expectation


class Base(DeclarativeBase):
    pass


class Span:
    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high


class Issue(Base):
    __tablename__ = "issues"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    note: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default="new")
    body: Mapped[str] = mapped_column(deferred=True, default="long")
    low: Mapped[int] = mapped_column(default=1)
    high: Mapped[int] = mapped_column(default=2)
    span: Mapped[Span] = composite("low", "high")
    comments: Mapped[list[Comment]] = relationship(back_populates="issue", order_by="Comment.id")
    tags: Mapped[set[Tag]] = relationship()
    texts: AssociationProxy[list[str]] = association_proxy("comments", "text")

    @hybrid_property
    def loud(self) -> str:
        return self.title.upper()

    @property
    def size(self) -> int:
        return len(self.comments)

    @property
    def cautious(self) -> int:
        try:
            return len(self.comments)
        except Exception:  # noqa: BLE001 - such code exists
            return -1

    @property
    def length(self) -> int:
        return len(self.body)


class Comment(Base):
    __tablename__ = "comments"

    id: Mapped[int] = mapped_column(primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id"))
    text: Mapped[str]
    issue: Mapped[Issue] = relationship(back_populates="comments")


class Tag(Base):
    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id"))
    word: Mapped[str]


class Person(MappedAsDataclass, Base):
    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    name: Mapped[str]


class Counted(Base):
    __table__ = Issue.__table__
    doubled = column_property(Issue.__table__.c.low * 2)


@pytest.fixture
def engine() -> Iterator[Any]:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        comments = [Comment(id=1, text="one"), Comment(id=2, text="two")]
        tags = {Tag(id=1, word="x"), Tag(id=2, word="y")}
        session.add(Issue(id=1, title="t", comments=comments, tags=tags))
        session.commit()
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Any) -> Iterator[Session]:
    with Session(engine) as session:
        yield session


@pytest.fixture
def sent(engine: Any) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


def judge(expected: Any, value: Any) -> tuple[Mismatch, ...]:
    return judge_result(expectation(expected), value, ("result",), comparison())


def only(expected: Any, value: Any) -> Mismatch:
    (mismatch,) = judge(expected, value)
    return mismatch


LOADING_NOTHING: list[Any] = [
    {"$any": True},
    {"$null": True},
    {"$null": False},
    {"$absent": True},
    {"$not": 5},
    {"$len": 2},
    {"$unordered": [{"id": 1}, {"id": 2}]},
    {"$same": "x"},
    {"$one_of": [None, {"$any": True}]},
    None,
    [],
    [{"id": 1}, {"id": 2}],
    "long",
]


def test_columns_by_name(session: Session, sent: list[str]) -> None:
    issue = session.scalars(select(Issue)).one()
    sent.clear()

    assert judge({"id": 1, "title": "t", "note": None, "loud": "T"}, issue) == ()
    assert judge({"span": {"low": 1, "high": 2}}, issue) == ()
    assert judge({"$unordered": [{"id": 1}, None]}, [None, issue]) == ()
    assert judge({"title": "u"}, issue) != ()
    assert judge({"span": {"low": 2}}, issue) != ()
    assert judge({"gone": {"$any": True}}, issue) != ()
    assert only({"titel": "t"}, issue).hint == "did you mean 'title'?"
    assert sent == []


@pytest.mark.parametrize("expected", LOADING_NOTHING, ids=repr)
@pytest.mark.parametrize("name", ["comments", "tags", "body", "issue"])
def test_what_is_not_loaded_never_holds(
    session: Session, sent: list[str], name: str, expected: Any
) -> None:
    loaded = Comment if name == "issue" else Issue
    value: Any = session.scalars(select(loaded)).first()
    sent.clear()
    mismatch = only({name: expected}, value)

    assert mismatch.reason == f"result: {name}: {loaded.__name__}.{name} is not loaded"
    assert "load it in the application" in (mismatch.hint or "")
    assert judge({"$unordered": [{name: expected}] * 9}, [value] * 9) != ()
    assert judge({"$not": {name: expected}}, value) != ()
    assert sent == []


@pytest.mark.parametrize("name", ["texts", "size", "cautious", "length"])
def test_a_property_that_would_load(session: Session, sent: list[str], name: str) -> None:
    issue = session.scalars(select(Issue)).one()
    sent.clear()

    for expected in ({"$any": True}, -1, {"$not": 5}, {"$absent": True}):
        reason = only({name: expected}, issue).reason
        assert reason == f"result: {name}: Issue.{name} needs something that is not loaded"
    assert sent == []
    assert issue.cautious == 2  # the session loads again


def test_what_the_application_has_loaded(session: Session, sent: list[str]) -> None:
    options = (selectinload(Issue.comments).joinedload(Comment.issue), joinedload(Issue.tags))
    issue = session.scalars(select(Issue).options(*options)).unique().one()
    sent.clear()

    assert judge({"comments": [{"text": "one"}, {"id": 2, "issue": {"id": 1}}]}, issue) == ()
    assert judge({"tags": {"$unordered": [{"word": "y"}, {"word": "x"}]}, "size": 2}, issue) == ()
    assert judge({"texts": ["one", "two"], "cautious": 2}, issue) == ()
    assert judge({"comments": [{"text": "one"}]}, issue) != ()
    assert judge({"comments": [{"text": "two"}, {"text": "one"}]}, issue) != ()
    assert judge({"tags": [{"word": "x"}, {"word": "y"}]}, issue) != ()
    assert judge({"tags": {"$unordered": [{"word": "y"}, {"word": "y"}]}}, issue) != ()
    assert judge({"comments": {"$each": {"issue": {"comments": {"$len": 2}}}}}, issue) == ()
    assert sent == []


def test_columns_that_a_commit_let_expire(session: Session, sent: list[str]) -> None:
    issue = session.scalars(select(Issue)).one()
    assert len(issue.comments) == 2
    session.commit()
    sent.clear()

    assert judge({"title": "t", "id": 1, "loud": "T"}, issue) == ()
    assert len(sent) == 1
    for name in ("body", "comments"):
        assert "is not loaded" in only({name: {"$any": True}}, issue).reason
    assert len(sent) == 1


@pytest.mark.parametrize("order", [1, -1])
def test_what_is_loaded_again_after_a_commit_is_loaded(session: Session, order: int) -> None:
    issue = session.scalars(select(Issue).options(selectinload(Issue.comments))).one()
    session.commit()
    expected = {"title": "t", "comments": [{"id": 1}, {"id": 2}]}

    assert judge(dict(list(expected.items())[::order]), issue) == ()


def test_a_deferred_column_that_has_expired(session: Session, sent: list[str]) -> None:
    issue = session.scalars(select(Issue)).one()
    session.expire(issue, ["body"])
    sent.clear()

    assert "is not loaded" in only({"body": {"$any": True}}, issue).reason
    assert sent == []


def test_a_property_of_what_has_expired(session: Session, sent: list[str]) -> None:
    issue = session.scalars(select(Issue)).one()
    session.commit()
    sent.clear()

    assert judge({"loud": "T"}, issue) == ()
    assert judge({"size": {"$any": True}}, issue) != ()
    assert len(sent) == 1


def test_columns_that_a_query_left_out(session: Session, sent: list[str]) -> None:
    issue = session.scalars(select(Issue).options(defer(Issue.title))).one()
    sent.clear()

    assert "Issue.title is not loaded" in only({"title": "t"}, issue).reason
    assert "title" not in (only({"id": 2}, issue).actual or "")
    assert sent == []


def test_an_object_whose_session_is_closed(session: Session) -> None:
    issue = session.scalars(select(Issue)).one()
    session.expunge(issue)

    assert judge({"id": 1, "title": "t"}, issue) == ()
    for name in ("comments", "body"):
        assert "is not loaded" in only({name: {"$any": True}}, issue).reason


def test_an_expired_object_whose_session_is_closed(session: Session) -> None:
    issue = session.scalars(select(Issue)).one()
    session.commit()
    session.expunge(issue)
    mismatch = only({"id": 1}, issue)

    assert "Issue.id is not loaded" in mismatch.reason
    assert "expire_on_commit=False" in (mismatch.hint or "")


def test_objects_that_are_in_no_database_yet(session: Session, sent: list[str]) -> None:
    new = Issue(title="t", comments=[Comment(text="a")])

    assert (
        judge({"id": None, "title": "t", "comments": [{"text": "a"}], "tags": {"$len": 0}}, new)
        == ()
    )
    session.add(new)
    assert judge({"title": "t", "comments": [{"text": "a", "issue": {"title": "t"}}]}, new) == ()
    assert judge({"title": "u"}, new) != ()
    assert sent == []


def test_a_new_object_that_was_flushed(session: Session) -> None:
    new = Issue(title="t")
    session.add(new)
    session.flush()

    assert judge({"id": {"$type": "int"}, "title": "t", "state": "new", "note": None}, new) == ()
    assert "is not loaded" in only({"comments": []}, new).reason
    assert plain_data(new)["state"] == "new"
    session.rollback()


def test_an_object_whose_row_is_gone(session: Session) -> None:
    new = Issue(title="t")
    session.add(new)
    session.flush()
    gone = Issue.id == new.id
    session.expire(new)
    session.connection().execute(delete(Issue).where(gone))

    assert "Issue.title cannot be read: ObjectDeletedError" in only({"title": "t"}, new).reason


def test_a_mapped_dataclass_and_a_column_property(session: Session, sent: list[str]) -> None:
    assert judge({"id": None, "name": "p"}, Person("p")) == ()
    counted = session.scalars(select(Counted)).one()
    sent.clear()
    assert judge({"doubled": 2, "low": 1}, counted) == ()
    assert judge({"doubled": 3}, counted) != ()
    assert sent == []


def test_rows(session: Session) -> None:
    counts = select(Issue.id, func.count(Comment.id).label("count")).join(Issue.comments)
    rows = session.execute(counts.group_by(Issue.id)).all()

    assert judge([{"id": 1, "count": 2}], rows) == ()
    assert judge([{"count": 2}], rows) == ()
    assert judge([[1, 2]], rows) == ()
    assert judge({"$unordered": [[1, 2]]}, rows) == ()
    assert judge({"id": 1}, rows[0]) == ()
    assert judge({"id": 1, "count": 2}, rows[0]._mapping) == ()
    for wrong in ({"count": 1}, {"id": 1, "gone": None}, [2, 1], [1], {"_tuple": {"$any": True}}):
        assert judge([wrong], rows) != ()
    assert judge({"count": 2}, rows[0]._mapping) != ()


def test_rows_with_two_columns_of_one_name(session: Session) -> None:
    row = session.execute(text("select 1 as id, 2 as id")).one()
    mismatch = only({"id": {"$any": True}}, row)

    assert mismatch.reason == "result: id: 2 columns are named id"
    assert judge([1, 2], row) == ()
    assert plain_data(row) == {}


def test_rows_of_entities(session: Session, sent: list[str]) -> None:
    row = session.execute(select(Issue, Comment.text).join(Issue.comments)).first()
    sent.clear()

    assert judge({"Issue": {"title": "t"}, "text": "one"}, row) == ()
    assert judge([{"title": "t"}, "one"], row) == ()
    assert judge({"Issue": {"comments": {"$any": True}}}, row) != ()
    assert sent == []


def test_results_that_were_not_read(session: Session) -> None:
    for result in (session.execute(select(Issue)), session.scalars(select(Issue))):
        assert "can be read only once" in only({"$any": True}, result).reason
        assert len(result.all()) == 1


def test_what_is_shown_loads_nothing(session: Session, sent: list[str]) -> None:
    issue = session.scalars(select(Issue).options(selectinload(Issue.comments))).one()
    sent.clear()
    mismatch = only([{"id": 2}], [issue])

    shown = "[<Issue object {id: 1, title: t, note: null, state: new, low: 1, high: 2}>]"
    assert mismatch.actual == shown
    assert sent == []


def test_plain_data_of_what_is_loaded(session: Session, sent: list[str]) -> None:
    option = selectinload(Issue.comments).joinedload(Comment.issue)
    issue = session.scalars(select(Issue).options(option)).one()
    sent.clear()
    columns = {"id": 1, "title": "t", "note": None, "state": "new", "low": 1, "high": 2}

    assert plain_data(issue) == {
        **columns,
        "comments": [
            {"id": 1, "issue_id": 1, "text": "one"},
            {"id": 2, "issue_id": 1, "text": "two"},
        ],
    }
    assert plain_data([issue.comments[0]]) == [
        {"id": 1, "issue_id": 1, "text": "one", "issue": columns}
    ]
    assert sent == []


def test_plain_data_of_what_has_expired(session: Session, sent: list[str]) -> None:
    issue = session.scalars(select(Issue)).one()
    session.commit()
    sent.clear()

    assert plain_data(issue)["title"] == "t"
    assert len(sent) == 1


def test_sqlalchemy_is_not_imported_for_those_who_do_not_use_it() -> None:
    code = """
import sys
from types import SimpleNamespace
from harness.matching.calls import judge_result
from harness.matching.casts import NoCasts, RememberedCasts
from harness.matching.comparison import Comparison
comparison = Comparison(RememberedCasts(NoCasts()))
print(judge_result({"a": 1}, SimpleNamespace(a=1), (), comparison))
print([name for name in sys.modules if name.startswith("sqlalchemy")])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[:2] == ["()", "[]"]
