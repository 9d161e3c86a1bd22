"""What collection has read, outside memory: until it runs, and for the next collection."""

from harness.archive.archive import Archive, ArchivedFile
from harness.archive.outline import Outline
from harness.archive.session import archive_of, without_garbage_collection

__all__ = ["Archive", "ArchivedFile", "Outline", "archive_of", "without_garbage_collection"]
