"""The stages, and the graph that a recipe makes of them.

Read `STAGES` for what there is and `graph` for how one experiment flows through it. Everything else here decides what
is already done, does what is not, and writes down what it cost.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hornbook
from hornbook.artifacts import MANIFEST, Ledger, Node, Store, digests_of, key_of, read_manifest, write_json
from hornbook.config import Config
from hornbook.decontamination.decontaminate import Decontaminate
from hornbook.errors import HornbookError, InfrastructureError
from hornbook.facts import (
    Facts,
    benchmark_digests,
    benchmark_facts,
    examination_facts,
    packaged_facts,
    source_facts,
    written_facts,
)
from hornbook.measure import Gauge
from hornbook.progress import duration, say
from hornbook.recipe import Recipe
from hornbook.synthesis.write import WriteExercises, WriteTextbooks
from hornbook.tasks.load import available
from hornbook.tokens.pack import Pack
from hornbook.training.loop import training_facts

FULL_BYTES = 65_536  # a disk with less than this free is full


def no_facts(config: Config, store: Store) -> dict[str, str]:  # noqa: ARG001
    """For stages that are shaped by config and inputs alone."""
    return {}


@dataclass(frozen=True)
class Stage:
    """A stage: where its function is (imported when it runs), the version of its bytes, and what else shapes them.

    Raise `version` whenever the same config and inputs give other bytes. `resumes`: it goes on from what a killed run
    left in its folder; others begin afresh. `asks`: it is given the store of teachers' responses.
    """

    version: int
    function: str
    facts: Facts = no_facts
    resumes: bool = False
    asks: bool = False

    def load(self) -> Callable[..., None]:
        """The stage function."""
        module, name = self.function.split(":")
        function: Callable[..., None] = getattr(importlib.import_module(module), name)
        return function


STAGES: dict[str, Stage] = {
    "curate": Stage(2, "hornbook.corpus.curate:curate", source_facts),
    "annotate": Stage(1, "hornbook.quality.annotate:annotate", packaged_facts("teacher/readings.jsonl"), asks=True),
    "classify": Stage(
        2,
        "hornbook.quality.classify:classify",
        packaged_facts("quality/classifier.skops", "quality/meaning.npz"),
    ),
    "score": Stage(2, "hornbook.quality.score:score", packaged_facts("quality/meaning.npz")),
    "select": Stage(1, "hornbook.quality.select:select"),
    "write_textbooks": Stage(1, "hornbook.synthesis.write:write_textbooks", written_facts, asks=True),
    "write_exercises": Stage(2, "hornbook.synthesis.write:write_exercises", written_facts, asks=True),
    "decontaminate": Stage(1, "hornbook.decontamination.decontaminate:decontaminate", benchmark_facts("against")),
    "train_tokenizer": Stage(1, "hornbook.tokens.tokenizer:train_tokenizer"),
    "pack": Stage(1, "hornbook.tokens.pack:pack"),
    "pretrain": Stage(2, "hornbook.training.pretrain:pretrain", lambda config, _: training_facts(config), resumes=True),
    "finetune": Stage(2, "hornbook.training.finetune:finetune", lambda config, _: training_facts(config), resumes=True),
    "evaluate": Stage(2, "hornbook.evaluation.evaluate:evaluate", examination_facts, resumes=True, asks=True),
    "baseline": Stage(2, "hornbook.evaluation.baseline:baseline", benchmark_facts("benchmarks")),
    "compare": Stage(1, "hornbook.evaluation.compare:compare", benchmark_facts("benchmarks")),
}


def graph(recipe: Recipe) -> list[Node]:
    """What a recipe asks for, each node after those it reads. An input is a node's id, or `id/folder` inside it.

    The corpus is decontaminated before it is split into raw and selected, so that one pass serves both arms.
    """
    nodes: list[Node] = []

    def add(stage: str, name: str, config: Config, **inputs: str) -> str:
        node = Node(stage, name, STAGES[stage].version, config, inputs)
        nodes.append(node)
        return node.id

    raw = add("curate", "corpus", recipe.curate)
    read = add("annotate", "corpus", recipe.annotate, documents=f"{raw}/documents")
    judge = add("classify", "corpus", recipe.classify, documents=f"{raw}/documents", annotations=f"{read}/annotations")
    scores = add("score", "corpus", recipe.score, documents=f"{raw}/documents", classifier=judge)
    shelf = add("write_textbooks", "textbooks", recipe.textbooks, **corpus_for(recipe.textbooks, raw))
    drills = add("write_exercises", "exercises", recipe.exercises, **corpus_for(recipe.exercises, raw))
    exam = f"{drills}/held_out"
    clean, datasets = against_all(recipe), {}
    for name, rows in (("corpus", f"{raw}/documents"), ("textbooks", f"{shelf}/sections")):
        datasets[name] = add("decontaminate", name, clean, rows=rows, **{"references.0": exam})
    datasets["exercises"] = add("decontaminate", "exercises", clean, rows=f"{drills}/exercises", siblings=exam)
    corpus = f"{datasets['corpus']}/documents"
    datasets["selected"] = add("select", "filtered", recipe.select, documents=corpus, scores=f"{scores}/scores")
    sources = {f"datasets.{name}": datasets[name] for name in sorted(datasets) if name != "selected"}
    tokenizer = add("train_tokenizer", "shared", recipe.tokenizer, **sources)
    models = add_models(recipe, add, datasets, tokenizer)
    judged = {
        name: add("evaluate", name, recipe.evaluate, model=model, **exams(exam)) for name, model in models.items()
    }
    lessons = f"{datasets['exercises']}/exercises"
    judged["nearest exercise"] = add("baseline", "nearest", recipe.evaluate, exercises=lessons, **exams(exam))
    compared = {f"arms.{name}": node for name, node in judged.items()}
    examined = {"benchmarks": recipe.evaluate.benchmarks, "convention": recipe.evaluate.convention}
    side_by_side = recipe.compare.model_copy(update=examined)
    add("compare", "arms", side_by_side, exercises=lessons, **exams(exam), **compared)
    return nodes


def corpus_for(config: WriteTextbooks | WriteExercises, raw: str) -> dict[str, str]:
    """The corpus as an input of a writer that reads it."""
    reads = config.writer == "reversal" or (config.writer == "llm" and config.subjects.passages)
    return {"documents": f"{raw}/documents"} if reads else {}


def against_all(recipe: Recipe) -> Decontaminate:
    """The settings against what the recipe names, what it examines with, and every benchmark that is at hand."""
    against = {*recipe.decontaminate.against, *recipe.evaluate.benchmarks, *available()}
    return recipe.decontaminate.model_copy(update={"against": sorted(against)})


def exams(held_out: str) -> dict[str, str]:
    """The examinations that are artifacts."""
    return {"problems.held-out": held_out}


def add_models(recipe: Recipe, add: Callable[..., str], datasets: Mapping[str, str], tokenizer: str) -> dict[str, str]:
    """Packs and students: every arm shares all that it can. Returns model name → node id."""
    packs: dict[tuple[str, int], str] = {}
    models: dict[str, str] = {}

    def pack_for(mixture: str, tokens: int) -> str:
        if (mixture, tokens) not in packs:
            weights = recipe.mixtures[mixture]
            config = Pack(weights=weights, tokens=tokens, seed=recipe.seed, **dict(recipe.pack))
            sources = {f"datasets.{name}": datasets[name] for name in sorted(weights)}
            name = f"{mixture}-{tokens}" if any(mixture == other for other, _ in packs) else mixture
            packs[mixture, tokens] = add("pack", name, config, tokenizer=tokenizer, **sources)
        return packs[mixture, tokens]

    for name, arm in sorted(recipe.models.items(), key=lambda item: item[1].base is not None):
        if arm.pretrain is not None:
            settings: Config = seeded(recipe.pretrain, recipe.seed)
            pack = pack_for(arm.pretrain, recipe.pretrain.tokens)
            models[name] = add("pretrain", name, settings, pack=pack, tokenizer=tokenizer)
        elif recipe.finetune is not None and arm.base is not None and arm.finetune is not None:
            pack = pack_for(arm.finetune, recipe.finetune.tokens)
            settings = seeded(recipe.finetune, recipe.seed)
            models[name] = add("finetune", name, settings, base=models[arm.base], pack=pack)
    return models


def seeded(config: Config, seed: int) -> Config:
    """The config with the recipe's seed, unless it has one of its own."""
    return config if "seed" in config.model_fields_set else config.model_copy(update={"seed": seed})


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
        dict(benchmark_digests([*recipe.evaluate.benchmarks, *recipe.decontaminate.against]))  # missing: say so now
        self.nodes = graph(recipe)
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


def owner_of(given: str) -> str:
    """The node an input belongs to."""
    return given.partition("/")[0]


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


def versions() -> dict[str, str]:
    """Versions of what shapes results."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version(), "hornbook": hornbook.__version__}
    for name in ("daft", "numpy", "pyarrow", "scikit-learn", "tokenizers", "torch", "transformers"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def run_recipe(recipe: Recipe, workdir: Path) -> dict[str, Any]:
    """Run a recipe, write `runs/<recipe>/run.json` and the report; returns what `run --json` prints."""
    from hornbook.report.render import render
    from hornbook.report.run import load_run

    run = Run(recipe, workdir)
    run.store.prepare()
    with run.store.lock():
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
        "resolved": run.recipe.model_dump(mode="json", exclude_defaults=True),
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
