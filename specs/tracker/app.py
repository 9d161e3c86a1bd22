"""The tracker's API: routes around the services, and refusals as statuses."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Body, FastAPI, Form, Header, Query, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, Field
from sqlalchemy import text

from specs.tracker import tokens
from specs.tracker.dependencies import CurrentActor, CurrentAsyncSession, CurrentSession
from specs.tracker.errors import NotSignedIn, Stale, TrackerError
from specs.tracker.models import Issue
from specs.tracker.results import (
    CommentView,
    Import,
    IssuePage,
    IssueView,
    Member,
    Summary,
    Transfer,
)
from specs.tracker.services import comments, issues, labels, organizations, statistics, votes


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    """What is read once, when the application starts."""
    german = {"new": "neu", "open": "offen", "blocked": "blockiert", "closed": "erledigt"}
    yield {"status_names": {"de": {**german, "rejected": "abgelehnt"}, "en": {}}}


app = FastAPI(title="Tracker", lifespan=lifespan)


@app.exception_handler(TrackerError)
async def refuse(_request: Request, error: TrackerError) -> JSONResponse:
    """Tell what a service refuses: its code for programs, its message for people."""
    refusal = {"error": error.code, "message": str(error), **error.details}
    return JSONResponse(refusal, status_code=error.status)


class NewIssue(BaseModel):
    title: str
    description: str | None = None
    priority: str = "normal"


class IssueChanges(BaseModel):
    title: str | None = None
    priority: str | None = None
    status: str | None = None


class IssueQuery(BaseModel):
    status: str | None = None
    label: list[str] = []
    limit: int = Field(20, ge=1, le=100)


class NewComment(BaseModel):
    body: str


class Gift(BaseModel):
    receiver_id: int
    votes: int


# People -----------------------------------------------------------------------------------


@app.post("/sign-in")
def sign_in(
    session: CurrentSession, email: Annotated[str, Form()], password: Annotated[str, Form()]
) -> dict[str, str]:
    """A token for an e-mail address and a password."""
    account = session.execute(text("select * from account(:email)"), {"email": email}).one_or_none()
    if account is None or not tokens.matches(password, account.password_hash):
        raise NotSignedIn("e-mail address or password is wrong")
    claims = {
        "user_id": account.id,
        "organization_id": account.organization_id,
        "role": account.role,
    }
    return {"name": account.name, "token": tokens.signed(claims)}


@app.get("/members")
def list_members(session: CurrentSession, actor: CurrentActor) -> list[Member]:
    """Everybody in one's organization."""
    return organizations.members(session, actor)


@app.post("/votes")
def give_votes(session: CurrentSession, actor: CurrentActor, gift: Gift) -> Transfer:
    """Give votes to a colleague."""
    return votes.give_or_roll_back(session, actor, gift.receiver_id, gift.votes)


@app.get("/statistics")
async def show_statistics(session: CurrentAsyncSession, actor: CurrentActor) -> Summary:
    """One's organization at a glance."""
    return await statistics.summary(session, actor)


@app.post("/visits", status_code=204)
async def record_visit(session: CurrentAsyncSession, actor: CurrentActor) -> None:
    """Remember that somebody was here."""
    await statistics.record_visit(session, actor)


# Issues -----------------------------------------------------------------------------------


@app.get("/statuses")
def name_statuses(
    request: Request, accept_language: Annotated[str, Header()] = "en"
) -> dict[str, str]:
    """The names of the statuses in a language, as far as there are any."""
    names: dict[str, str] = request.state.status_names.get(accept_language, {})
    return names


@app.get("/issues")
def list_issues(
    session: CurrentSession, actor: CurrentActor, wanted: Annotated[IssueQuery, Query()]
) -> IssuePage:
    """Issues, the newest first."""
    return issues.find(session, actor, wanted.status, wanted.label, wanted.limit)


@app.post("/issues", status_code=201)
def report_issue(
    session: CurrentSession, actor: CurrentActor, given: NewIssue, response: Response
) -> IssueView:
    """Report an issue."""
    issue = issues.create(session, actor, **given.model_dump())
    response.headers["Location"] = f"/issues/{issue.number}"
    return IssueView.model_validate(issue)


@app.post("/issues/import")
def import_issues(
    session: CurrentSession,
    actor: CurrentActor,
    lines: Annotated[str, Body(media_type="text/plain")],
) -> Import:
    """Report an issue for each line of a text."""
    return issues.import_titles(session, actor, lines.splitlines())


@app.get("/issues/export", response_class=PlainTextResponse)
def export_issues(session: CurrentSession, actor: CurrentActor) -> Response:
    """All issues, for a spreadsheet."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["number", "status", "title"])
    page = issues.find(session, actor, limit=1000)
    writer.writerows([issue.number, issue.status, issue.title] for issue in page.items)
    headers = {"Content-Disposition": 'attachment; filename="issues.csv"'}
    return PlainTextResponse(table.getvalue(), headers=headers, media_type="text/csv")


@app.get("/issues/{number}")
def show_issue(
    session: CurrentSession,
    actor: CurrentActor,
    number: int,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """An issue, with a tag of the state that it is in."""
    issue = issues.get(session, actor, number)
    if if_none_match == _tag(issue):
        return Response(status_code=304, headers={"ETag": _tag(issue)})
    return _shown(issue)


@app.patch("/issues/{number}")
def change_issue(
    session: CurrentSession,
    actor: CurrentActor,
    number: int,
    changes: IssueChanges,
    if_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Change an issue, unless somebody else has changed it meanwhile."""
    if if_match not in (None, _tag(issues.get(session, actor, number))):
        raise Stale("somebody has changed this issue")
    issue = issues.edit(session, actor, number, changes.title, changes.priority)
    if changes.status is not None:
        issue = issues.move(session, actor, number, changes.status)
    return _shown(issue)


@app.delete("/issues/{number}", status_code=204)
def delete_issue(session: CurrentSession, actor: CurrentActor, number: int) -> None:
    """Delete an issue, if it is there."""
    issues.delete(session, actor, number)


@app.post("/issues/{number}/comments", status_code=201)
def comment_on_issue(
    session: CurrentSession, actor: CurrentActor, number: int, comment: NewComment
) -> CommentView:
    """Say something about an issue."""
    return comments.add(session, actor, number, comment.body)


@app.put("/issues/{number}/labels")
def label_issue(
    session: CurrentSession, actor: CurrentActor, number: int, names: list[str]
) -> list[str]:
    """Put labels on an issue."""
    return labels.attach(session, actor, number, names)


def _shown(issue: Issue) -> Response:
    body = IssueView.model_validate(issue).model_dump_json()
    return Response(body, headers={"ETag": _tag(issue)}, media_type="application/json")


def _tag(issue: Issue) -> str:
    view = IssueView.model_validate(issue).model_dump_json()
    return f'"{hashlib.sha256(view.encode()).hexdigest()[:16]}"'
