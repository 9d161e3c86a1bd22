"""Tries every mutation of every suite, and prints those that pass nevertheless."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from tests.mutation.suites import SUITES, opened


def main() -> int:
    """Run all of them; 1 if any passes."""
    os.environ["HARNESS_TEST"] = "from outside"
    survivors = 0
    for suite in SUITES:
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as scratch, opened(suite, Path(scratch)) as trial:
            mutants = trial.mutants()
            for subject, mutation in mutants:
                if trial.survives(subject, mutation):
                    survivors += 1
                    print(f"{subject}: {mutation}")
        print(f"{suite}: {len(mutants)} mutations in {time.perf_counter() - started:.0f} s")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
