"""Edits into a file: all of them or none, and only if it is the file that was read."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from harness.editing.document import edited
from harness.editing.plan import EditError
from harness.errors import Location
from harness.results import Edit


def fingerprint(file: Path) -> str:
    """What tells this content of a file from any other; taken when its specs are collected.

    Raises:
        EditError: the file cannot be read.
    """
    return _digest(_read(file))


def write(file: Path, edits: Sequence[Edit], seen: str, check: Callable[[Path], object]) -> bool:
    """Edits a file: its new content takes the place of the old one in one step.

    Args:
        file: a link is followed, and stays one.
        edits: as `edited` takes them.
        seen: the file's fingerprint from when what the edits say was found.
        check: is given a file beside it with the new content, and raises if that is wrong.

    Returns:
        Whether the content is another one now.

    Raises:
        EditError: an edit cannot be made, or the file has changed or cannot be written; it is then
            as it was.
        SpecError: the file is no longer YAML.
    """
    content = _read(file)
    if _digest(content) != seen:
        raise _refusal(
            file, "the file has changed since it was read, and is left as it is", "run again"
        )
    text = edited(content.decode(), edits, file)
    if text.encode() == content:
        return False
    try:
        _replace(file.resolve(strict=True), text.encode(), check)
    except OSError as error:
        raise _refusal(
            file,
            f"the file cannot be written, and is as it was: {error.strerror}",
            "check that you may write it and its folder, and that the disk is not full",
        ) from error
    return True


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        hint = "check that it exists and that you may read it"
        raise _refusal(file, f"the file cannot be read: {error.strerror}", hint) from error


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _replace(file: Path, content: bytes, check: Callable[[Path], object]) -> None:
    status = file.stat()
    # A rename asks for the folder's permission only; the file's own mark is the user's word.
    if not status.st_mode & 0o222 or not os.access(file, os.W_OK):
        raise PermissionError(13, "it is read-only")
    handle, temporary = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        check(Path(temporary))
        with suppress(PermissionError):  # only the superuser gives files away
            os.chown(temporary, status.st_uid, status.st_gid)
        os.chmod(temporary, status.st_mode & 0o7777)
        os.replace(temporary, file)
    except BaseException:
        os.unlink(temporary)
        raise


def _refusal(file: Path, what: str, hint: str) -> EditError:
    return EditError((), what, hint, Location(file))
