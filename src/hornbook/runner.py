"""Running a recipe's graph: what is already done, doing what is not, and writing down what it cost."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hornbook
from hornbook.artifacts import MANIFEST, Ledger, Node, Store, digests_of, key_of, read_manifest, write_json
from hornbook.errors import HornbookError, InfrastructureError
from hornbook.facts import (
    benchmark_digests,
    embedder_facts,
)
from hornbook.measure import Gauge, versions
from hornbook.pipeline import STAGES, graph, needed, owner_of
from hornbook.progress import duration, say
from hornbook.recipe import Recipe
from hornbook.teacher.store import ResponseStore

FULL_BYTES = 65_536  # a disk with less than this free is full


@dataclass
class Planned:
    """A node with what is known of it before it runs. `key` is None while an input's digest is not there yet."""

    node: Node
    key: str | None
    manifest: dict[str, Any] | None
    waits_for: str = ""
    digests: dict[str, str] = field(default_factory=dict)

    @property
    def cached(self) -> bool:
        """Whether the artifact is there."""
        return self.manifest is not None


class Run:
    """One recipe in one workdir."""

    def __init__(self, recipe: Recipe, workdir: Path) -> None:
        self.recipe = recipe
        self.store = Store(workdir)
        targets = recipe.proxy.named() if recipe.proxy else []
        dict(benchmark_digests([*recipe.evaluate.benchmarks, *recipe.decontaminate.against, *targets]))  # missing: now
        embedder_facts()(recipe, self.store)  # a model that is not there, or an extra: likewise
        self.nodes = needed(graph(recipe), recipe.only)
        self.digests: dict[str, str] = {}  # a node's id, or `id/folder` inside its artifact → content digest
        self.folders: dict[str, Path] = {}

    def plan(self) -> Iterator[Planned]:
        """Every node in order: cached, to be made, or unknown until an input is made."""
        unknown: set[str] = set()
        for node in self.nodes:
            waits = [owner for owner in map(owner_of, node.inputs.values()) if owner in unknown]
            if waits:
                unknown.add(node.id)
                yield Planned(node, None, None, waits_for=waits[0])
                continue
            planned = self.resolve(node)
            if not planned.cached:
                unknown.add(node.id)
            yield planned

    def resolve(self, node: Node) -> Planned:
        """The key of a node whose inputs are all there, and its manifest if it is done."""
        facts = STAGES[node.stage].facts(node.config, self.store)
        node = Node(node.stage, node.name, node.version, node.config, node.inputs, facts)
        digests = {name: self.digests[given] for name, given in node.inputs.items()}
        key = key_of(node, digests)
        manifest = self.store.manifest(node, key)
        if manifest is not None:
            self.remember(node, manifest)
            self.folders[node.id] = self.store.folder(node, key)
        return Planned(node, key, manifest, digests=digests)

    def remember(self, node: Node, manifest: dict[str, Any]) -> None:
        """The digests of an artifact and of the folders in it, so that a consumer depends on what it reads alone."""
        self.digests[node.id] = manifest["digest"]
        self.digests.update({f"{node.id}/{name}": digest for name, digest in manifest["folders"].items()})

    def run(self) -> list[Planned]:
        """Make what is not there, in order. Returns what was cached and what was made."""
        done = []
        for node in self.nodes:
            planned = self.resolve(node)
            if not planned.cached:
                self.make(planned)
            done.append(planned)
        return done

    def make(self, planned: Planned) -> None:
        """Run one stage in its unfinished folder and commit it."""
        node, key, stage = planned.node, planned.key, STAGES[planned.node.stage]
        assert key is not None
        out = self.store.unfinished(node, key)
        say(f"▸ {node.stage} {node.name}")
        try:
            if out.exists() and not stage.resumes:
                shutil.rmtree(out)
            out.mkdir(parents=True, exist_ok=True)
            ledger = Ledger()
            with Gauge() as gauge:
                stage.load()(node.config, **self.arguments(node), out=out, ledger=ledger)
            ledger.note_asked(out)
            manifest = self.manifest(planned, ledger, gauge.figures(), digests_of(out))
            self.folders[node.id] = self.store.commit(node, key, manifest)
        except HornbookError:
            raise
        except Exception as error:
            full = out_of_space(error, self.store.workdir)
            if not full and not isinstance(error, OSError):
                raise
            raise explained(error, node, full) from error
        self.remember(node, manifest)
        say(f"  {summary(ledger)} · {duration(gauge.wall_seconds)}")

    def arguments(self, node: Node) -> dict[str, Any]:
        """A stage function's keyword arguments: a folder an input; `a.b` are gathered into a mapping, `a.0` a list."""
        found: dict[str, Any] = {}
        for name, given in node.inputs.items():
            owner, _, inside = given.partition("/")
            folder = self.folders[owner] / inside if inside else self.folders[owner]
            group, dot, member = name.partition(".")
            if not dot:
                found[name] = folder
            elif member.isdigit():
                found.setdefault(group, []).append(folder)
            else:
                found.setdefault(group, {})[member] = folder
        if STAGES[node.stage].asks:
            found["responses"] = self.store.responses
        return found

    def manifest(
        self, planned: Planned, ledger: Ledger, cost: dict[str, Any], digests: dict[str, Any]
    ) -> dict[str, Any]:
        """Everything about one artifact that is not its data."""
        node = planned.node
        return {
            "key": planned.key,
            "stage": node.stage,
            "name": node.name,
            "version": node.version,
            "config": node.config.model_dump(mode="json"),
            "facts": dict(node.facts),
            "inputs": {name: {"node": given, "digest": planned.digests[name]} for name, given in node.inputs.items()},
            **digests,
            "rows_in": ledger.rows_in,
            "rows_out": ledger.rows_out,
            "rejected": dict(sorted(ledger.rejected.items())),
            "canaries": ledger.canaries,
            "figures": ledger.figures,
            "tokens": ledger.tokens,
            "dollars": ledger.dollars,
            "versions": versions(),
            **cost,
        }

    def estimate(self, planned: Planned) -> float | None:
        """Seconds that the newest artifact of the same stage and name took, whatever its key; None if there is none."""
        manifests = sorted(
            self.store.artifacts.glob(f"{planned.node.id}-????????/{MANIFEST}"), key=lambda path: path.stat().st_mtime
        )
        newest = read_manifest(manifests[-1].parent) if manifests else None
        return float(newest["wall_seconds"]) if newest else None


def out_of_space(error: Exception, workdir: Path) -> bool:
    """Whether a failure comes of a full disk. Libraries say so in types and words of their own, torch not at all."""
    said = getattr(error, "errno", None) == errno.ENOSPC or os.strerror(errno.ENOSPC) in str(error)
    return said or shutil.disk_usage(workdir).free < FULL_BYTES


def explained(error: Exception, node: Node, full: bool) -> InfrastructureError:
    """An operating-system failure within a stage, in one line that says what to do."""
    if full:
        reason = "no space left on the device; free some, then run again: what is finished is kept"
    else:
        named = Path(str(found)).name if (found := getattr(error, "filename", None)) else "no file named"
        reason = f"{getattr(error, 'strerror', None) or error} ({named})"
    return InfrastructureError(f"{node.stage} {node.name}: {reason}")


def summary(ledger: Ledger) -> str:
    """One line of counts for the screen."""
    parts = [f"{ledger.rows_in:,} in, {ledger.rows_out:,} out"]
    if ledger.rejected:
        parts.append("rejected " + ", ".join(f"{count:,} {why}" for why, count in ledger.rejected.most_common(4)))
    if ledger.tokens:
        parts.append(f"{ledger.tokens:,} tokens")
    return " · ".join(parts)


def run_recipe(recipe: Recipe, workdir: Path) -> dict[str, Any]:
    """Run a recipe, write `runs/<recipe>/run.json` and the report; returns what `run --json` prints."""
    from hornbook.report.render import render
    from hornbook.report.run import load_run

    run = Run(recipe, workdir)
    run.store.prepare()
    with run.store.lock():
        if recipe.responses:
            ResponseStore(run.store.responses).adopt(Path(recipe.responses))
        done = run.run()
        folder = run.store.runs / recipe.recipe
        folder.mkdir(parents=True, exist_ok=True)
        written = describe(run, done)
        report = folder / "report.html"
        known = folder / "run.json"
        if rendered_keys(known) != [stage["key"] for stage in written["stages"]]:
            report.unlink(missing_ok=True)
        write_json(known, written)
        if not report.exists():
            render(load_run(folder), report)
        with contextlib.suppress(OSError):  # not empty: another recipe's unfinished work, which it will want
            run.store.work.rmdir()
    return {**written, "workdir": str(workdir), "report": str(report)}


def rendered_keys(run_json: Path) -> list[str] | None:
    """The keys of the run that a report was last made of; None when there is none."""
    try:
        return [stage["key"] for stage in json.loads(run_json.read_text("utf-8"))["stages"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def describe(run: Run, done: list[Planned]) -> dict[str, Any]:
    """The run as run.json holds it."""
    return {
        "recipe": run.recipe.recipe,
        "seed": run.recipe.seed,
        "hornbook": hornbook.__version__,
        "resolved": run.recipe.model_dump(mode="json", exclude_unset=True),
        "finished": True,
        "stages": [stage_row(run, planned) for planned in done],
    }


def stage_row(run: Run, planned: Planned) -> dict[str, Any]:
    """One stage as `--json` and run.json show it."""
    row: dict[str, Any] = {
        "stage": planned.node.stage,
        "name": planned.node.name,
        "key": planned.key,
        "cached": planned.cached,
    }
    if planned.node.id in run.folders:
        row["folder"] = run.folders[planned.node.id].relative_to(run.store.workdir).as_posix()
    return row


def plan_recipe(recipe: Recipe, workdir: Path) -> dict[str, Any]:
    """What a run would do; makes nothing."""
    run = Run(recipe, workdir)
    stages = []
    for planned in run.plan():
        row = stage_row(run, planned)
        row["waits_for"] = planned.waits_for
        row["estimate_seconds"] = None if planned.cached else run.estimate(planned)
        stages.append(row)
    report = run.store.runs / recipe.recipe / "report.html"
    return {"recipe": recipe.recipe, "workdir": str(workdir), "report": str(report), "stages": stages}
