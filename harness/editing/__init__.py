"""`--harness-update`: new expectations into a YAML file, every other byte as it was."""

from harness.editing.document import edited
from harness.editing.file import fingerprint, write
from harness.editing.plan import EditError

__all__ = ["EditError", "edited", "fingerprint", "write"]
