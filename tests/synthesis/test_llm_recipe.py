"""A recipe whose textbooks and exercises a language model writes: its keys, its inputs, and what its bytes hang on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from hornbook.artifacts import Store
from hornbook.facts import written_facts
from hornbook.pipeline import graph
from hornbook.recipe import Recipe, load_recipe
from hornbook.synthesis.llm.commission import Subjects
from hornbook.synthesis.write import WriteExercises, WriteTextbooks

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
PROMPTS, TOPICS = "synthesis/llm/prompts.py", "synthesis/topics/packaged"


@pytest.fixture
def taught(tmp_path: Path) -> Recipe:
    """The recipe that the README shows."""
    (text,) = re.findall(r"```yaml\n(extends: laptop\nrecipe: taught\n.*?)```", README, re.DOTALL)
    (tmp_path / "taught.yaml").write_text(text)
    return load_recipe(str(tmp_path / "taught.yaml"))


def test_the_recipe_in_the_readme_says_what_it_seems_to(taught: Recipe) -> None:
    assert (taught.textbooks.writer, taught.textbooks.n, taught.textbooks.kinds) == ("llm", 2000, ["code", "prose"])
    assert taught.textbooks.teacher == taught.exercises.teacher
    assert (taught.exercises.teacher.model, taught.exercises.teacher.cap_tokens) == ("NAME", 20_000_000)
    assert (taught.exercises.drills.answers, taught.exercises.drills.drop_easy) == (3, False)


def test_a_writer_gets_the_corpus_only_if_it_reads_it(taught: Recipe) -> None:
    def inputs(recipe: Recipe) -> dict[str, dict[str, str]]:
        return {node.stage: dict(node.inputs) for node in graph(recipe) if node.stage.startswith("write_")}

    corpus = {"documents": "curate-corpus/documents"}
    assert inputs(taught) == {"write_textbooks": corpus, "write_exercises": {}}
    told = taught.model_copy(update={"exercises": taught.exercises.model_copy(update={"writer": "reversal"})})
    assert inputs(told)["write_exercises"] == corpus
    assert inputs(load_recipe("laptop")) == {"write_textbooks": {}, "write_exercises": {}}


@pytest.mark.parametrize(
    ("config", "names"),
    [
        (WriteTextbooks(), {"synthesis/shelf"}),
        (WriteExercises(), set()),
        (WriteTextbooks(writer="llm"), {PROMPTS, TOPICS}),
        (WriteExercises(writer="llm"), {PROMPTS, TOPICS}),
        (WriteExercises(writer="reversal"), {PROMPTS, TOPICS}),
        (WriteExercises(writer="llm", subjects=Subjects(tree="t.yaml", previous=["old"])), {PROMPTS, "t.yaml", "old"}),
    ],
)
def test_what_a_writer_reads_besides_its_config_is_in_its_key(tmp_path: Path, config: Any, names: set[str]) -> None:
    found = written_facts(config, Store(tmp_path))
    assert found.keys() == names
    assert all(digest == "absent" for name, digest in found.items() if name in ("t.yaml", "old"))
    assert all(len(digest) == 64 for name, digest in found.items() if name not in ("t.yaml", "old"))


def test_a_tree_of_ones_own_counts_by_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "tree.yaml"
    config = WriteExercises(writer="llm", subjects=Subjects(tree=str(path)))
    digests = set()
    for text in ("branches: {}\n", "branches: {a: 1}\n"):
        path.write_text(text)
        digests.add(written_facts(config, Store(tmp_path))[str(path)])
    assert len(digests) == 2
