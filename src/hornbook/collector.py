"""The cyclic garbage collector, suspended while Python is parsed: what a parse makes holds no cycles, and is so much
that looking for some takes up to half of the time.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def collector_off() -> Iterator[None]:
    """Suspend the collector, and set it going again if it was."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
