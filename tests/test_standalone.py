"""One stage into a folder that a person names: what may be gone on with, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from hornbook.artifacts import MANIFEST, Ledger
from hornbook.config import Config, operational
from hornbook.errors import MissingResponse, RequestError
from hornbook.standalone import REQUEST, run_alone


class Bake(Config):
    degrees: int = 180
    workers: int = operational(1)


def half(config: Bake, *, out: Path, ledger: Ledger) -> None:
    (out / "dough").write_text("risen")
    raise KeyboardInterrupt


def whole(config: Bake, *, out: Path, ledger: Ledger) -> None:
    (out / "bread").write_text((out / "dough").read_text() if (out / "dough").exists() else "flat")


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    with pytest.raises(KeyboardInterrupt):
        run_alone(half, Bake(degrees=200), tmp_path / "out")
    return tmp_path / "out"


def test_the_same_request_goes_on_from_what_a_kill_left(killed: Path) -> None:
    run_alone(whole, Bake(degrees=200, workers=2), killed)
    assert (killed / "bread").read_text() == "risen"
    assert (killed / MANIFEST).exists()
    assert not (killed / REQUEST).exists()


def test_another_request_does_not_touch_unfinished_work(killed: Path) -> None:
    with pytest.raises(RequestError, match="not empty, it holds unfinished work on another request; name a new one"):
        run_alone(whole, Bake(degrees=190), killed)
    assert not (killed / "bread").exists()


@pytest.mark.parametrize("error", [RequestError("ask otherwise"), MissingResponse("no answer")])
def test_a_stage_that_did_nothing_leaves_the_folder_as_it_was(tmp_path: Path, error: Exception) -> None:
    def refuse(config: Bake, *, out: Path, ledger: Ledger) -> None:
        raise error

    with pytest.raises(type(error)):
        run_alone(refuse, Bake(), tmp_path)
    assert not any(tmp_path.iterdir())


def test_a_finished_folder_is_refused(killed: Path) -> None:
    run_alone(whole, Bake(degrees=200), killed)
    with pytest.raises(RequestError, match="not empty"):
        run_alone(whole, Bake(degrees=200), killed)


def test_somebody_elses_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(RequestError, match="not empty"):
        run_alone(whole, Bake(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
