"""The same bytes from a Ray cluster of two workers as from this machine alone. `make test-ray` installs Ray first."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hornbook.artifacts import digest_folder

pytestmark = pytest.mark.ray

STAGE = """
import json, sys
from pathlib import Path
import daft
from hornbook.artifacts import Ledger
from hornbook.corpus import engine, gather
from hornbook.corpus.curate import Curate, curate
gather.ROWS_A_WORKER = engine.PARTITION_ROWS = 20
ledger = Ledger()
settings = json.loads(sys.argv[1])
curate(Curate(python=False, **settings), out=Path(sys.argv[2]), ledger=ledger)
print(json.dumps({"runner": daft.get_or_infer_runner_type(), "rejected": dict(ledger.rejected), "width": engine.width()}))
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster on this machine: a head and a second node, one processor each."""
    patient = {"RAY_raylet_start_wait_time_s": "120", "RAY_gcs_server_request_timeout_seconds": "120"}
    os.environ.update(patient, RAY_USAGE_STATS_ENABLED="0")  # on a machine with other things to do
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 200_000_000}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    try:
        cluster.add_node(**node)
        yield cluster.address
    finally:
        cluster.shutdown()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs, copies of some, near copies of others, files that are refused, and a table."""
    folder = tmp_path_factory.mktemp("ray") / "mine"
    folder.mkdir()
    for seed in range(60):
        body = "".join(f"    value_{seed}_{n} = number + {n}\n" for n in range(40 + seed % 7))
        text = f"def function_{seed}(number):\n{body}    return number\n"
        (folder / f"p{seed}.py").write_text(text)
        if seed % 5 == 0:
            (folder / f"copy{seed}.py").write_text(text)
        if seed % 3 == 0:
            (folder / f"near{seed}.py").write_text(text + f"# a line more, {seed}\n")
        if seed % 10 == 0:
            (folder / f"bad{seed}.py").write_text(text + "def (:\n")
    rows = [{"content": (folder / f"p{n}.py").read_text() + f"print({n})\n", "path": f"t{n}.py"} for n in range(50)]
    (folder / "table.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


def stage(corpus: Path, out: Path, **settings: Any) -> tuple[subprocess.CompletedProcess[str], dict[str, str]]:
    """Curate in a process of its own; what it said, and the digests of what it made."""
    settings["paths"] = [str(corpus)]
    command = [sys.executable, "-c", STAGE, json.dumps(settings), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250, check=False)
    return done, {folder.name: digest_folder(folder) for folder in sorted(out.glob("*")) if folder.is_dir()}


def test_two_ray_workers_make_the_same_bytes(cluster: str, corpus: Path, tmp_path: Path) -> None:
    alone, native = stage(corpus, tmp_path / "native", workers=2)
    shared, on_ray = stage(corpus, tmp_path / "ray", runner="ray", address=cluster)
    assert (alone.returncode, shared.returncode) == (0, 0), alone.stderr + shared.stderr
    assert sorted(native) == ["clusters", "documents", "rejected"]
    assert on_ray == native
    about, expected = json.loads(shared.stdout.splitlines()[-1]), json.loads(alone.stdout.splitlines()[-1])
    assert (about["runner"], about["width"], expected["runner"]) == ("ray", 2, "native")
    assert about["rejected"] == expected["rejected"]
    assert expected["rejected"]["exact-duplicate"] == 12
    assert expected["rejected"]["near-duplicate"] >= 20


def test_no_cluster_is_one_clear_line(corpus: Path, tmp_path: Path) -> None:
    done, _ = stage(corpus, tmp_path / "out", runner="ray", address="127.0.0.1:1")
    assert "InfrastructureError: address: no Ray cluster at 127.0.0.1:1" in done.stderr
