"""What a stage cost: wall and CPU time, and the peak memory of this process with its children; and with what it ran."""

from __future__ import annotations

import contextlib
import resource
import threading
import time
from typing import Any, Self

import hornbook

SAMPLE_SECONDS = 0.25


class Gauge:
    """Use as a context manager; `figures()` afterwards. Memory is sampled, so a spike under 0.25 s can be missed."""

    def __enter__(self) -> Self:
        self._stop = threading.Event()
        self.peak_memory_bytes = 0
        self._wall, self._cpu = time.monotonic(), cpu_seconds()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.wall_seconds = round(time.monotonic() - self._wall, 3)
        self.cpu_seconds = round(cpu_seconds() - self._cpu, 3)

    def _sample(self) -> None:
        import psutil

        process = psutil.Process()
        while True:
            self.peak_memory_bytes = max(self.peak_memory_bytes, resident_bytes(process))
            if self._stop.wait(SAMPLE_SECONDS):
                return

    def figures(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "wall_seconds": self.wall_seconds,
            "cpu_seconds": self.cpu_seconds,
            "peak_memory_bytes": self.peak_memory_bytes,
        }


def resident_bytes(process: Any) -> int:
    """Resident memory of a process and all below it; one that has just ended counts nothing."""
    import psutil

    total = 0
    for member in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.Error):
            total += member.memory_info().rss
    return total


def cpu_seconds() -> float:
    """CPU time of this process and of its children that have ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, kinds))


def versions() -> dict[str, str]:
    """Versions of what shapes results."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version(), "hornbook": hornbook.__version__}
    models = ("model2vec", "sentence-transformers", "tokenizers", "torch", "transformers")
    for name in ("daft", "numpy", "pyarrow", "scikit-learn", *models):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
