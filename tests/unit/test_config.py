"""Settings: where they come from, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.config import Config, load_config
from harness.errors import ConfigError

ROOT = Path("project")


def _load(table: Any, environment: dict[str, str] | None = None, **options: Any) -> Config:
    return load_config(ROOT, table, environment or {}, options)


def test_defaults() -> None:
    config = _load({})
    assert (config.backend, config.timeout, config.max_workers) == ("pglite", 10, 2)
    assert config.autofill is True
    assert config.setup == ()


def test_the_later_place_wins() -> None:
    assert _load({"timeout": 1}).timeout == 1
    assert _load({"timeout": 1}, {"HARNESS_TIMEOUT": "2"}).timeout == 2
    assert _load({"timeout": 1}, {"HARNESS_TIMEOUT": "2"}, timeout="3").timeout == 3
    assert _load({"timeout": 1}, {"HARNESS_TIMEOUT": "2"}, timeout=None).timeout == 2


def test_lists_and_mappings_of_the_environment_are_json() -> None:
    environment = {"HARNESS_SETUP": '["a.sql"]', "HARNESS_SETTINGS": '{"work_mem": "1MB"}'}
    config = _load({}, environment)
    assert config.setup == ("a.sql",)
    assert config.settings == {"work_mem": "1MB"}


@pytest.mark.parametrize(
    ("given", "size"),
    [
        ("400MB", 400_000_000), ("400 MB", 400_000_000), ("0.5GB", 500_000_000), (0, 0), ("0", 0),
        ("256MiB", 268_435_456), (300_000_000, 300_000_000), ("300000000", 300_000_000),
    ],
)  # fmt: skip
def test_sizes(given: Any, size: int) -> None:
    assert load_config(Path(), {"memory_limit": given}, {}, {}).memory_limit == size
    assert load_config(Path(), {}, {"HARNESS_MEMORY_LIMIT": str(given)}, {}).memory_limit == size


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"setpu": []}, r"pyproject.toml: \[tool.harness\] has no setting 'setpu'\n.*'setup'"),
        ({"max_workers": 0}, r"pyproject.toml: \[tool.harness\]: max_workers: .*greater than 0"),
        ({"max_workers": "many"}, "max_workers"),
        ({"timeout": -1}, "timeout"),
        ({"timeout": "5"}, "timeout"),
        ({"autofill": "yes"}, "autofill"),
        ({"max_workers": True}, "max_workers"),
        ({"setup": [3]}, "setup"),
        ({"setup": "a.sql"}, "setup: a list of texts is expected, not 'a.sql'"),
        ({"uncommitted": "maybe"}, "uncommitted"),
        ({"caller": ["app:caller"]}, "caller"),
        ({"app_session": [3]}, "app_session"),
        ({"memory": "yes"}, "memory"),
        ({"memory_limit": "much"}, "memory_limit: a size such as `400MB` is expected, not 'much'"),
        ({"memory_limit": 400}, "memory_limit: this is less than a worker begins with"),
        ({"memory_limit": "-1GB"}, "memory_limit: a size such as `400MB` is expected"),
        ({"backend": "embedded"}, "'embedded' is not implemented yet"),
        (3, "tool.harness is a table"),
    ],
)
def test_refusals(table: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        _load(table)


def test_a_variable_that_is_nearly_a_setting_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"HARNESS_TIMEOUTT.*\n.*did you mean 'HARNESS_TIMEOUT'"):
        _load({}, {"HARNESS_TIMEOUTT": "1"})
    assert _load({}, {"HARNESS_BUILD_ID": "1", "HARNESS_CACHE_DIR": "/x"}) == _load({})


def test_a_refusal_names_where_the_value_came_from() -> None:
    with pytest.raises(ConfigError, match="the environment, HARNESS_"):
        _load({}, {"HARNESS_TIMEOUT": "soon"})
    with pytest.raises(ConfigError, match="the command line"):
        _load({}, timeout="soon")
