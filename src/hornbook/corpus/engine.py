"""The one place where Daft is imported: late, with its telemetry and its own progress display switched off."""

from __future__ import annotations

import os
from typing import Any

QUIET = {"DAFT_ANALYTICS_ENABLED": "0", "DO_NOT_TRACK": "1", "DAFT_PROGRESS_BAR": "0"}


def daft() -> Any:
    """The Daft module. It takes a quarter of a second to import, so only work that needs it calls this."""
    os.environ.update(QUIET)
    import daft as module

    return module


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
