"""What is written about, for whom and how: a tree of topics, prompts drawn from it, and which of it has been covered.

tree.py      the tree, and where a row's topic stands in it
reading.py   trees as YAML: the packaged one, or a person's own
likeness.py  when two topics are the same, or nearly
draw.py      briefs: intersections of topics, drawn by a seed before any model is asked
coverage.py  the ledger: what has been covered, and what the next round begins with
expand.py    a language model names narrower topics; near duplicates are removed
"""

from hornbook.synthesis.topics.coverage import Coverage, read_coverage
from hornbook.synthesis.topics.draw import Brief, Passage, draw, read_passages
from hornbook.synthesis.topics.reading import load_tree
from hornbook.synthesis.topics.tree import Half, Tree

__all__ = ["Brief", "Coverage", "Half", "Passage", "Tree", "draw", "load_tree", "read_coverage", "read_passages"]
