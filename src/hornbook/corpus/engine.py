"""The one place where Daft is imported: late, with its telemetry and its own progress display switched off.

Its plans run in this process, or on a Ray cluster; the rows are the same.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from hornbook.errors import InfrastructureError, RequestError
from hornbook.extras import require

QUIET = {
    "DAFT_ANALYTICS_ENABLED": "0",
    "DO_NOT_TRACK": "1",
    "DAFT_PROGRESS_BAR": "0",
    "RAY_TQDM": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
}
PARTITION_ROWS = 512  # of a list of files that a cluster shares out
CONNECT_SECONDS = 10


def daft() -> Any:
    """The Daft module. It takes a quarter of a second to import, so only work that needs it calls this."""
    os.environ.update(QUIET)
    import daft as module

    return module


def start(runner: str, address: str) -> None:
    """Choose where plans run, for the life of the process: `native`, or `ray` at an address (empty: the cluster that
    RAY_ADDRESS names, else a Ray of this machine's own).

    Raises RequestError when the extra is missing or plans have run elsewhere before, InfrastructureError when no
    cluster answers.
    """
    try:
        if runner == "ray":
            connect(address)
            daft().set_runner_ray(noop_if_initialized=True)
        elif daft().get_or_infer_runner_type() != "native":  # DAFT_RUNNER, or a script that runs as a Ray job
            daft().set_runner_native()
    except daft().exceptions.DaftCoreException:
        raise RequestError(f"runner: {runner}: Daft already runs elsewhere here; begin another process") from None


def connect(address: str) -> None:
    """Join a Ray cluster, once."""
    require("ray")
    os.environ.update(QUIET)
    import ray

    if not ray.is_initialized():
        try:
            knock(address)
            ray.init(address=address or None, log_to_driver=False, logging_level="error")
        except (OSError, RuntimeError, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise InfrastructureError(
                f"address: no Ray cluster at {address or 'RAY_ADDRESS'} ({reason}); name one as HOST:PORT"
            ) from None


def knock(address: str) -> None:
    """Raise OSError where nobody listens at `host:port`: Ray itself would go on trying for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()


def on_ray() -> bool:
    """Whether plans run on a cluster."""
    return bool(daft().get_or_infer_runner_type() == "ray")


def spread(frame: Any, rows: int) -> Any:
    """A frame of so many rows in parts that a cluster can share out; as it is where there is none."""
    return frame.into_partitions(-(-rows // PARTITION_ROWS)) if on_ray() and rows else frame


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def width() -> int:
    """How many processors plans may use: this process's, or the cluster's."""
    if not on_ray():
        return processors()
    import ray

    return max(1, int(ray.cluster_resources().get("CPU", 1)))
