"""The tree of topics: branch, group, leaf; and for whom, in which setting and how they may be taught."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from hornbook.synthesis.topics.likeness import normal_form

Half = Literal["programming", "common sense"]  # phi-1's texts, whose code is run; and what phi-1.5 added
HALVES: tuple[str, ...] = get_args(Half)
LISTS = ("audiences", "professions", "styles", "names", "words")
AND = " × "  # between the topics of a row
PARTED = "/"  # between branch, group and leaf


@dataclass(frozen=True, slots=True)
class Leaf:
    """A topic that can be taught in one section. `parent` is its branch and group."""

    branch: str
    group: str
    name: str
    half: Half

    @property
    def parent(self) -> str:
        """`branch/group`."""
        return f"{self.branch}{PARTED}{self.group}"

    @property
    def path(self) -> str:
        """`branch/group/name`: what rows and ledgers know the leaf by."""
        return f"{self.parent}{PARTED}{self.name}"


@dataclass(frozen=True)
class Tree:
    """Leaves in the order of their file. `names`: of people in examples. `words`: for the names of functions.

    `called`: what rows written without the tree call a topic → the leaves, or groups, that they teach.
    """

    leaves: tuple[Leaf, ...] = ()
    audiences: tuple[str, ...] = ()
    professions: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    called: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    def of(self, half: Half | None) -> list[Leaf]:
        """The leaves of one half; all for None."""
        return [leaf for leaf in self.leaves if half in (None, leaf.half)]


class Places:
    """Finds where a topic stands in a tree, by the way a row names it.

    A path is itself; a path that is not in the tree is sought by its last part, so that a leaf may move to another
    group and keep its rows. Everything else is sought by its words among leaves, then among groups.
    """

    def __init__(self, tree: Tree) -> None:
        self._known = {place for leaf in tree.leaves for place in (leaf.path, leaf.parent)}
        self._leaves = {normal_form(leaf.name): leaf.path for leaf in tree.leaves}
        groups = dict.fromkeys((leaf.group, leaf.parent) for leaf in tree.leaves)
        forms = [normal_form(group) for group, _ in groups]
        self._groups = {form: parent for form, (_, parent) in zip(forms, groups, strict=True) if forms.count(form) == 1}
        self._called = tree.called

    def find(self, topic: str) -> tuple[str, ...]:
        """The paths of the leaves or groups that a topic names; empty when it is not in the tree."""
        if topic in self._called:
            return tuple(path for name in self._called[topic] if (path := self.named(name)))
        path = self.named(topic)
        return (path,) if path else ()

    def named(self, topic: str) -> str | None:
        """The path of one leaf or group by path or name."""
        if topic in self._known:
            return topic
        form = normal_form(topic.rsplit(PARTED, 1)[-1])
        return self._leaves.get(form) or self._groups.get(form)
