"""Python source as text, in whatever encoding it says it has."""

from __future__ import annotations

import tokenize
from pathlib import Path


def source(path: Path) -> str:
    r"""What a file holds, with `\n` at the end of lines.

    Raises:
        OSError: it cannot be read.
        SyntaxError: it names an encoding that there is not.
        ValueError: it is not in the encoding that it names.
    """
    with tokenize.open(path) as file:
        return file.read()
