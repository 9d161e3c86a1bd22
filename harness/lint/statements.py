"""SQL that code sends, as far as it is written out."""

from __future__ import annotations

import ast

from harness.lint.functions import Function
from harness.lint.makers import literal
from harness.lint.module import Module
from harness.lint.names import dotted, last

_SENDING = frozenset(
    {
        "execute", "executemany", "exec_driver_sql", "exec", "scalar", "scalars",
        "fetch", "fetchval", "fetchrow",
    }
)  # fmt: skip


def statement(call: ast.Call, function: Function | None, module: Module) -> str:
    """The text of the statement that a call sends to the database; empty if it sends none."""
    if last(dotted(call.func)) not in _SENDING or not call.args:
        return ""
    return literal(call.args[0], function, module)
