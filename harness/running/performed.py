"""What one operation did, as far as anything may be expected of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.matching.outcome import SqlResult
from harness.matching.responses import Response
from harness.results import SentQuery, TableChange
from harness.running.sql import Prepared


@dataclass(frozen=True, slots=True)
class Performed:
    """What a verb did.

    Attributes:
        result: what came of it; of `call` and `http` the error alone.
        data: the same as plain data, for `save`.
        prepared: the statement that was sent, of the verb `sql`.
        notices: messages that it raised.
        changes: what it changed, by table, if anything is expected of that.
        returned: what `call` returned.
        response: what `http` was answered.
        queries: the statements that it sent, without those that control the transaction.
    """

    result: SqlResult
    data: Mapping[str, Any]
    prepared: Prepared | None = None
    notices: tuple[str, ...] = ()
    changes: Mapping[str, TableChange] | None = None
    returned: Any = None
    response: Response | None = None
    queries: tuple[SentQuery, ...] = ()
