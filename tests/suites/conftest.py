"""The project that the plugin's tests use, too."""

from tests.plugin.conftest import project

__all__ = ["project"]
