"""What tests of whole runs share: the command line in this process and in another, and one real run of `smoke`."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hornbook import cli
from hornbook.artifacts import OUTSIDE_DIGEST

COMMAND = [sys.executable, "-m", "hornbook"]


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on standard output; fails when there is anything else."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value

    def complaint(self, code: int) -> str:
        """The one clear line of a failure; progress lines (`▸`, or indented) may stand before it."""
        assert self.code == code, self.err
        assert self.out == ""
        assert "Traceback" not in self.err
        lines = [line for line in self.err.splitlines() if line and not line.startswith(("▸", "  "))]
        assert len(lines) == 1, self.err
        assert lines[0].startswith("hornbook: ")
        return lines[0].removeprefix("hornbook: ")


Command = Callable[..., Result]


@pytest.fixture
def hornbook(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run `hornbook ARGS` in this process, errors handled as the installed command handles them."""

    def call(*args: object) -> Result:
        capsys.readouterr()
        monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)  # put back afterwards
        monkeypatch.setattr(sys, "argv", ["hornbook", *map(str, args)])
        code: Any = 0
        try:
            cli.main()
        except SystemExit as leaving:
            code = leaving.code or 0
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return call


def spawn(*args: object, **options: Any) -> Result:
    """Run `hornbook ARGS` in a process of its own."""
    done = subprocess.run([*COMMAND, *map(str, args)], capture_output=True, text=True, check=False, **options)
    return Result(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Smoke:
    """The unbroken run of `smoke` that tests compare with. Nobody changes its workdir; take a `copy_of` it."""

    workdir: Path
    answer: dict[str, Any]
    err: str

    def folder(self, node: str) -> Path:
        """The artifact of `stage-name`."""
        (found,) = self.workdir.glob(f"artifacts/{node}-????????")
        return found

    def manifest(self, node: str) -> dict[str, Any]:
        """Its manifest."""
        value: dict[str, Any] = json.loads((self.folder(node) / "manifest.json").read_text("utf-8"))
        return value


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Smoke]:
    """`hornbook run smoke`, once a session, in a process of its own and away from the repository."""
    workdir = tmp_path_factory.mktemp("smoke") / "work"
    done = spawn("run", "smoke", "--workdir", workdir, "--json", cwd=workdir.parent)
    assert done.code == 0, done.err
    before = bytes_of(workdir)
    yield Smoke(workdir, done.json, done.err)
    assert bytes_of(workdir) == before, "a test changed the artifacts that the others compare with"


def bytes_of(workdir: Path) -> dict[str, str]:
    """Every file of every artifact that the byte promise covers, with its digest."""
    root = workdir / "artifacts"
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name not in OUTSIDE_DIGEST
    }


def write_sources(folder: Path, count: int = 3) -> Path:
    """A folder of Python files that every cleaning rule lets through, no two alike."""
    folder.mkdir(parents=True, exist_ok=True)
    nouns = ("apple", "river", "stone", "cloud", "tiger", "piano", "wagon", "candle")
    for number, noun in zip(range(count), nouns, strict=False):
        lines = [f'"""How to count every {noun} in a basket, and what to do with what is left."""', ""]
        for verb in ("count", "sort", "hide"):
            lines += [
                f"def {verb}_{noun}(basket, least={number}):",
                f'    """Return the {noun} items of the basket that {verb} allows, none below least."""',
                f"    chosen_{noun} = [item for item in basket if item.{verb} > least]",
                f"    return {verb}_all(chosen_{noun}, {number * 7 + len(verb)})",
                "",
            ]
        (folder / f"{noun}.py").write_text("\n".join(lines), "utf-8")
    return folder


def recipe_file(path: Path, text: str) -> Path:
    """A recipe on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def as_root() -> bool:
    """Whether file modes stop nobody here."""
    return os.geteuid() == 0
