"""The rules, one module each."""

from __future__ import annotations

from harness.lint.rules import (
    database_per_test,
    schema_per_test,
    second_pglite,
    too_many_workers,
    truncate_cleanup,
    unclosed_session,
    undisposed_engine,
)

RULES = (
    database_per_test.RULE,
    second_pglite.RULE,
    schema_per_test.RULE,
    truncate_cleanup.RULE,
    too_many_workers.RULE,
    unclosed_session.RULE,
    undisposed_engine.RULE,
)
"""In the order in which they are told of."""
