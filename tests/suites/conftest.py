"""The suites' project, and that of the plugin's tests."""

from pathlib import Path

from harness.config import Config
from tests.plugin.conftest import project

__all__ = ["CONFIG", "project"]

CONFIG = Config(
    root=Path(__file__).parent,
    setup=("schema.sql",),
    caller="bookshop.caller:caller",
    app="bookshop.web:app",
    app_session=("bookshop.web:get_session", "bookshop.web:get_async_session"),
    app_actor="bookshop.web:get_user",
    env=("HARNESS_TEST",),
)
