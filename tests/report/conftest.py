"""One fake run for the whole room, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_run import build

from hornbook.report.render import render
from hornbook.report.run import Run, load_run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The complete fake run, hostile texts included."""
    return load_run(build(tmp_path_factory.mktemp("whole")))


@pytest.fixture(scope="session")
def page(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its report."""
    out = tmp_path_factory.mktemp("page") / "report.html"
    render(run, out)
    return out
