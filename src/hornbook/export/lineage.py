"""The stages behind a folder, back to its sources: followed by content digest, so that nothing is taken on trust."""

from __future__ import annotations

import contextlib
import glob
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hornbook.artifacts import MANIFEST, read_manifest
from hornbook.errors import InputError
from hornbook.report.run import Run, load_run
from hornbook.standalone import digest_of


@dataclass(frozen=True)
class Given:
    """An input of a stage. `link`: the stage that made it; None for a person's own file, or one that is gone.

    `path`: the file or folder that was read; None when it is gone or has changed since.
    """

    name: str
    digest: str
    path: Path | None
    link: Link | None


@dataclass(frozen=True)
class Link:
    """A stage that has run, with its inputs by parameter. `name` is empty for a command of its own."""

    stage: str
    name: str
    folder: Path
    manifest: Mapping[str, Any]
    inputs: Mapping[str, Given] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """`stage-name`, or the stage alone."""
        return f"{self.stage}-{self.name}" if self.name else self.stage

    @property
    def figures(self) -> Mapping[str, Any]:
        """What the stage measured."""
        return self.manifest.get("figures") or {}

    def behind(self) -> list[Link]:
        """This stage and all before it, those that read nothing first."""
        found: dict[Path, Link] = {}
        self._collect(found)
        return list(found.values())

    def _collect(self, found: dict[Path, Link]) -> None:
        for given in self.inputs.values():
            if given.link and given.link.folder not in found:
                given.link._collect(found)
        found[self.folder] = self

    def lost(self) -> list[str]:
        """The inputs, anywhere behind, whose rows cannot be read any more."""
        return sorted({g.name for link in self.behind() for g in link.inputs.values() if g.path is None})


def trace(folder: Path) -> Link:
    """The stage that made a folder, with everything behind it."""
    return traced(folder.absolute(), {})


def traced(folder: Path, known: dict[Path, Link]) -> Link:
    """The same, each folder looked at once."""
    if folder not in known:
        manifest = read_manifest(folder) or {}
        inputs = {name: given_by(about, folder, known) for name, about in (manifest.get("inputs") or {}).items()}
        name = str(manifest.get("name") or "")
        known[folder] = Link(str(manifest.get("stage") or "unknown"), name, folder, manifest, inputs)
    return known[folder]


def given_by(about: Mapping[str, str], folder: Path, known: dict[Path, Link]) -> Given:
    """An input as a manifest names it: a node of a run, or a path of a command of its own."""
    if "node" in about:
        owner, _, inside = about["node"].partition("/")
        for made in sorted(folder.parent.glob(f"{glob.escape(owner)}-????????")):
            if digest_in(made, inside) == about["digest"]:
                return Given(about["node"], about["digest"], made / inside, traced(made, known))
        return Given(about["node"], about["digest"], None, None)
    path = Path(about["path"])
    if not path.exists() or digest_of(path) != about["digest"]:
        return Given(path.name, about["digest"], None, None)
    maker = next((place for place in (path, path.parent) if (place / MANIFEST).is_file()), None)
    return Given(path.name, about["digest"], path, traced(maker, known) if maker else None)


def digest_in(folder: Path, inside: str) -> str:
    """The digest that an artifact's manifest gives for itself, or for a folder in it."""
    manifest = read_manifest(folder) or {}
    return str((manifest.get("folders") or {}).get(inside) if inside else manifest.get("digest"))


def runs_with(link: Link) -> Iterator[Run]:
    """The runs, in the same workdir, that an artifact belongs to; a torn summary is passed over."""
    for path in sorted(link.folder.parent.parent.glob("runs/*/run.json")):
        with contextlib.suppress(InputError):
            run = load_run(path.parent)
            if any(stage.key == link.manifest.get("key") for stage in run.stages):
                yield run
