"""The stages, and the graph that a recipe makes of them.

Read `STAGES` for what there is and `graph` for how one experiment flows through it. `runner.py` decides what of it is
already done, does what is not, and writes down what it cost.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hornbook.artifacts import Node, Store
from hornbook.config import Config
from hornbook.decontamination.decontaminate import Decontaminate
from hornbook.errors import RecipeError
from hornbook.evaluation.proxy import RAW, Proxy, arm_name
from hornbook.facts import (
    Facts,
    annotation_facts,
    benchmark_facts,
    embedder_facts,
    examination_facts,
    source_facts,
    target_facts,
    written_facts,
)
from hornbook.recipe import FILTERED, Recipe, suggestion
from hornbook.synthesis.write import WriteExercises, WriteTextbooks
from hornbook.tasks.load import available
from hornbook.tokens.pack import Pack
from hornbook.training.loop import training_facts


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
    "annotate": Stage(2, "hornbook.quality.annotate:annotate", annotation_facts, asks=True),
    "classify": Stage(
        4,
        "hornbook.quality.classify:classify",
        embedder_facts("quality/classifier.skops", "quality/meaning.npz"),
    ),
    "score": Stage(3, "hornbook.quality.score:score", embedder_facts("quality/meaning.npz")),
    "select": Stage(1, "hornbook.quality.select:select"),
    "write_textbooks": Stage(2, "hornbook.synthesis.write:write_textbooks", written_facts, asks=True),
    "write_exercises": Stage(3, "hornbook.synthesis.write:write_exercises", written_facts, asks=True),
    "decontaminate": Stage(1, "hornbook.decontamination.decontaminate:decontaminate", benchmark_facts("against")),
    "train_tokenizer": Stage(1, "hornbook.tokens.tokenizer:train_tokenizer"),
    "pack": Stage(1, "hornbook.tokens.pack:pack"),
    "pretrain": Stage(2, "hornbook.training.pretrain:pretrain", lambda config, _: training_facts(config), resumes=True),
    "finetune": Stage(2, "hornbook.training.finetune:finetune", lambda config, _: training_facts(config), resumes=True),
    "evaluate": Stage(3, "hornbook.evaluation.evaluate:evaluate", examination_facts, resumes=True, asks=True),
    "baseline": Stage(3, "hornbook.evaluation.baseline:baseline", benchmark_facts("benchmarks")),
    "compare": Stage(1, "hornbook.evaluation.compare:compare", benchmark_facts("benchmarks")),
    "hold_out": Stage(1, "hornbook.decontamination.hold_out:hold_out", benchmark_facts("without")),
    "target_bits": Stage(1, "hornbook.evaluation.target:target_bits", target_facts),
    "decide": Stage(1, "hornbook.evaluation.proxy:decide"),
}


TRAINING = frozenset({"train_tokenizer", "pack", "pretrain", "finetune", "evaluate"})  # what needs the `train` extra


def graph(recipe: Recipe) -> list[Node]:
    """What a recipe asks for, each node after those it reads. An input is a node's id, or `id/folder` inside it.

    The corpus is decontaminated before it is split into raw and selected, so that one pass serves every arm.
    """
    nodes: list[Node] = []

    def add(stage: str, name: str, config: Config, **inputs: str) -> str:
        node = Node(stage, name, STAGES[stage].version, config, inputs)
        nodes.append(node)
        return node.id

    raw = add("curate", "corpus", recipe.curate)
    read = add("annotate", "corpus", recipe.annotate, documents=f"{raw}/documents")
    learn, apply = (stage.model_copy(update={"embedder": recipe.embedder}) for stage in (recipe.classify, recipe.score))
    judge = add("classify", "corpus", learn, documents=f"{raw}/documents", annotations=f"{read}/annotations")
    scores = add("score", "corpus", apply, documents=f"{raw}/documents", classifier=judge)
    students = bool(recipe.models) or recipe.proxy is None
    written = add_written(recipe, add, raw) if students else {"corpus": f"{raw}/documents"}
    exam = written.pop("held_out", "")
    datasets = add_clean(recipe, add, written, exam)
    known = {"documents": f"{datasets['corpus']}/documents", "scores": f"{scores}/scores"}
    target = ""
    if recipe.proxy:
        kept = add("hold_out", "corpus", recipe.proxy.holding_out(), **known)
        datasets["corpus"], target = f"{kept}/documents", f"{kept}/target"
        known["documents"] = datasets["corpus"]
    sources = {f"datasets.{name}": datasets[name] for name in sorted(datasets)}
    tokenizer = add("train_tokenizer", "shared", recipe.tokenizer, **sources)
    for name, config in recipe.selections.items():
        datasets[name] = f"{add('select', name, config, **known)}/documents"
    decision = add_proxy(recipe, recipe.proxy, add, datasets, target, tokenizer) if recipe.proxy else ""
    if students:
        decided = {"decision": f"{decision}/decision"} if recipe.select.proxy else {}
        datasets["selected"] = add("select", FILTERED, recipe.select, **known, **decided)
        add_examined(recipe, add, datasets, tokenizer, exam)
    return nodes


def add_written(recipe: Recipe, add: Callable[..., str], raw: str) -> dict[str, str]:
    """The rows of every dataset before decontamination, and the held-out exercises."""
    shelf = add("write_textbooks", "textbooks", recipe.textbooks, **corpus_for(recipe.textbooks, raw))
    drills = add("write_exercises", "exercises", recipe.exercises, **corpus_for(recipe.exercises, raw))
    rows = {"corpus": f"{raw}/documents", "textbooks": f"{shelf}/sections", "exercises": f"{drills}/exercises"}
    return {**rows, "held_out": f"{drills}/held_out"}


def add_clean(recipe: Recipe, add: Callable[..., str], rows: Mapping[str, str], exam: str) -> dict[str, str]:
    """Every dataset without what would give an examination away."""
    clean = against_all(recipe)
    siblings = {"exercises": {"siblings": exam}}
    other = {"references.0": exam} if exam else {}
    return {
        name: add("decontaminate", name, clean, rows=given, **siblings.get(name, other)) for name, given in rows.items()
    }


def add_examined(
    recipe: Recipe, add: Callable[..., str], datasets: Mapping[str, str], tokenizer: str, exam: str
) -> None:
    """The students, their examinations, and the comparison of all."""
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


def add_proxy(
    recipe: Recipe, proxy: Proxy, add: Callable[..., str], datasets: Mapping[str, str], target: str, tokenizer: str
) -> str:
    """A student for each cut-off and seed, what the target costs it, and the decision. Returns the decision's node.

    All packs come before the first training, so that a cut-off that keeps nothing is found at once.
    """
    training = proxy.pretrain or recipe.pretrain
    cuts = {RAW: datasets["corpus"], **{name: datasets[name] for name in recipe.selections}}
    inputs = {f"datasets.{cut}": documents for cut, documents in cuts.items()}
    arms = [(cut, seed) for cut in cuts for seed in proxy.seeds]
    for cut, seed in arms:
        config = Pack(weights={cut: 1.0}, tokens=training.tokens, seed=seed, **dict(recipe.pack))
        pack = add("pack", arm_name(cut, seed), config, tokenizer=tokenizer, **{f"datasets.{cut}": cuts[cut]})
        inputs[f"packs.{cut}@{seed}"] = pack
    for cut, seed in arms:
        settings = training.model_copy(update={"seed": seed})
        pack = inputs[f"packs.{cut}@{seed}"]
        student = add("pretrain", arm_name(cut, seed), settings, pack=pack, tokenizer=tokenizer)
        bits = add("target_bits", arm_name(cut, seed), proxy.measuring(), student=student, held_out=target)
        inputs[f"students.{cut}@{seed}"] = bits
    return add("decide", "proxy", proxy.deciding(recipe.selections), **inputs)


def needed(nodes: list[Node], only: list[str]) -> list[Node]:
    """The nodes that `only` names, with all that they read; every node when it names none. Raises RecipeError."""
    known = {node.id: node for node in nodes}
    wanted: set[str] = set()
    todo = [*(only or known)]
    while todo:
        name = todo.pop()
        if name not in known:
            raise RecipeError(f"only: no artifact {name!r}{suggestion(name, list(known))}")
        if name not in wanted:
            wanted.add(name)
            todo += map(owner_of, known[name].inputs.values())
    return [node for node in nodes if node.id in wanted]


def trains(recipe: Recipe) -> bool:
    """Whether a recipe comes to a stage that needs the `train` extra."""
    return any(node.stage in TRAINING for node in needed(graph(recipe), recipe.only))


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
            budget = {"tokens": arm.tokens or recipe.pretrain.tokens}
            settings: Config = seeded(recipe.pretrain.model_copy(update=budget), recipe.seed)
            pack = pack_for(arm.pretrain, budget["tokens"])
            models[name] = add("pretrain", name, settings, pack=pack, tokenizer=tokenizer)
        elif recipe.finetune is not None and arm.base is not None and arm.finetune is not None:
            budget = {"tokens": arm.tokens or recipe.finetune.tokens}
            pack = pack_for(arm.finetune, budget["tokens"])
            settings = seeded(recipe.finetune.model_copy(update=budget), recipe.seed)
            models[name] = add("finetune", name, settings, base=models[arm.base], pack=pack)
    return models


def seeded(config: Config, seed: int) -> Config:
    """The config with the recipe's seed, unless it has one of its own."""
    return config if "seed" in config.model_fields_set else config.model_copy(update={"seed": seed})


def owner_of(given: str) -> str:
    """The node an input belongs to."""
    return given.partition("/")[0]
