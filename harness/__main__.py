"""`python -m harness`: the console script, where it is not on the PATH."""

from __future__ import annotations

import sys

from harness.cli import main

sys.exit(main())
