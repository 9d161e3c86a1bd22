"""What the tracker refuses, and why: the errors that callers of its services may expect."""

from __future__ import annotations

from typing import Any, ClassVar


class TrackerError(Exception):
    """The base of all refusals.

    Attributes:
        code: what programs know it by.
        status: of the HTTP response that tells it.
        details: what else there is to know, e.g. the field that is wrong.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details


class NotSignedIn(TrackerError):  # noqa: N818 - like all here, it is called what the API calls it
    code = "not_signed_in"
    status = 401


class NotAllowed(TrackerError):  # noqa: N818 - as above
    """Attributes: `needs`, the role that would be allowed to."""

    code = "not_allowed"
    status = 403

    def __init__(self, message: str, needs: str) -> None:
        super().__init__(message, needs=needs)
        self.needs = needs


class NotFound(TrackerError):  # noqa: N818 - as above
    code = "not_found"
    status = 404


class Conflict(TrackerError):  # noqa: N818 - as above
    code = "conflict"
    status = 409


class OutOfVotes(Conflict):
    """Attributes: `missing`, how many votes more it would take."""

    code = "out_of_votes"

    def __init__(self, missing: int) -> None:
        super().__init__(f"{missing} votes are missing", missing=missing)
        self.missing = missing


class Stale(Conflict):
    code = "stale"
    status = 412


class Invalid(TrackerError):  # noqa: N818 - as above
    """Attributes: `field`, the one that is wrong."""

    code = "invalid"
    status = 422

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message, field=field)
        self.field = field
