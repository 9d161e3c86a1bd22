"""What is known of SQLAlchemy's metadata without a database."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
from sqlalchemy import Column, Integer, MetaData, Table, Index
from harness.database.orm import ddl

metadata = MetaData()
table = Table("t", metadata, *(Column(f"c{i}", Integer) for i in range(6)))
for i in range(6):
    Index(f"i{i}", table.c[f"c{i}"])
print(ddl(metadata))
"""


def test_the_ddl_of_many_indexes_is_the_same_in_every_process() -> None:
    seen = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT], capture_output=True, check=True, text=True
        ).stdout
        for _ in range(4)
    }
    assert len(seen) == 1
    assert seen.pop().count("CREATE INDEX") == 6
