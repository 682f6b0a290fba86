"""What is written about, for whom and how: a tree of topics, prompts drawn from it, and which of it has been covered.

tree.py      the tree, packaged or a person's own, and how it is read from YAML
likeness.py  when two topics are the same, or nearly
draw.py      briefs: intersections of topics, drawn by a seed before any model is asked
coverage.py  the ledger: what has been covered, and what the next round begins with
expand.py    a language model names narrower topics; near duplicates are removed
"""

from hornbook.synthesis.topics.coverage import Coverage
from hornbook.synthesis.topics.draw import Brief, Passage, draw
from hornbook.synthesis.topics.tree import Half, Tree, load_tree

__all__ = ["Brief", "Coverage", "Half", "Passage", "Tree", "draw", "load_tree"]
