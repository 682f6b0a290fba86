"""Trees of topics as YAML. One ships with the package; a person's own has the same form.

    branches:
      beekeeping:
        half: common sense        # programming: sections carry code that is run; common sense: prose
        topics:
          the colony:
            - how a colony decides to swarm
            - what a drone does all day
    audiences: [beekeepers in their first year]       # these five may be left out: the packaged ones are taken
    professions: [vet]
    styles: [field notes]
    names: [Amina]                                    # people in a text's examples
    words: [frame]                                    # asked for in the name of an exercise's function
    called: {swarming: [how a colony decides to swarm]}  # may be left out: other rows' topics, and what they teach

A tree is one file, or a folder of such files that are read as one. Branches, groups and leaves keep their order.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from hornbook.errors import InputError
from hornbook.synthesis.topics.likeness import Form, normal_form
from hornbook.synthesis.topics.tree import AND, HALVES, LISTS, PARTED, Half, Leaf, Places, Tree

# libyaml's, where PyYAML was built with it: ten times as fast
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@cache
def packaged() -> Tree:
    """The tree that ships with hornbook."""
    with resources.as_file(resources.files("hornbook.synthesis.topics") / "packaged") as folder:
        return read(folder)


def load_tree(path: Path | None = None) -> Tree:
    """A person's own tree, what it leaves out taken from the packaged one; the packaged one for None.

    Raises InputError naming file, line and what to do.
    """
    if path is None:
        return packaged()
    tree = read(path)
    return replace(tree, **{name: getattr(tree, name) or getattr(packaged(), name) for name in LISTS})


def read(path: Path) -> Tree:
    """A tree from a file, or from the files of a folder in the order of their names."""
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not files:
        raise InputError(f"{path}: no .yaml file in it; give a tree of topics, or a folder of them")
    reader = Reader()
    for file in files:
        reader.file(file)
    if not reader.leaves:
        raise InputError(f"{path}: no topics; write `branches:` with a branch, its half and its topics")
    return reader.tree()


@dataclass
class Reader:
    """Takes files one by one and refuses what stands twice, or says the same twice, wherever it stands."""

    leaves: list[Leaf] = field(default_factory=list)
    lists: dict[str, list[str]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)  # → file:line
    forms: dict[Form, str] = field(default_factory=dict)  # of leaves → file:line
    called: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # → what it teaches, file:line
    name: str = ""

    def tree(self) -> Tree:
        """What was read. Raises InputError when `called` leads nowhere."""
        called = {topic: tuple(name for name, _ in named) for topic, named in self.called.items()}
        made = Tree(tuple(self.leaves), **{name: tuple(items) for name, items in self.lists.items()}, called=called)
        places = Places(replace(made, called={}))
        for name, place in (found for named in self.called.values() for found in named):
            if not places.find(name):
                raise InputError(
                    f"{place}: called: no topic {name!r}{nearest(name, [leaf.name for leaf in self.leaves])}"
                )
        return made

    def file(self, path: Path) -> None:
        """Read one file into the tree."""
        self.name = path.name
        for key, value in self.mapping(compose(path), "a tree", "`branches:`"):
            if key.value in LISTS:
                self.words(key, value)
            elif key.value == "called":
                for topic, names in self.mapping(value, "called", "`TOPIC:` with a list of topics of the tree"):
                    found = [(item.value, self.place(item)) for item in self.sequence(names, f"called: {topic.value}")]
                    self.called.setdefault(topic.value, []).extend(found)
            elif key.value == "branches":
                for name, branch in self.mapping(value, "branches", "`NAME:` for each branch"):
                    self.branch(name, branch)
            else:
                raise self.wrong(key, f"unknown key {key.value!r}{nearest(key.value, ('branches', *LISTS))}")

    def words(self, key: yaml.Node, value: yaml.Node) -> None:
        """One of the lists beside the branches."""
        if key.value in self.lists:
            raise self.wrong(key, f"{key.value}: there is such a list already; keep one")
        items = [self.text(item, key.value) for item in self.sequence(value, key.value)]
        twice = next((item for item, other in zip(sorted(items), sorted(items)[1:], strict=False) if item == other), "")
        if twice:
            raise self.wrong(key, f"{key.value}: {twice!r} stands there twice; keep one")
        self.lists[key.value] = items

    def branch(self, key: yaml.Node, value: yaml.Node) -> None:
        """One branch: its half, and its groups of leaves."""
        name = self.text(key, "a branch")
        if name in self.branches:
            raise self.wrong(key, f"branch {name!r} stands already at {self.branches[name]}; join them")
        self.branches[name] = self.place(key)
        parts = {part.value: (part, inner) for part, inner in self.mapping(value, name, "`half:` and `topics:`")}
        for part, (at, _) in parts.items():
            if part not in ("half", "topics"):
                raise self.wrong(at, f"{name}: unknown key {part!r}{nearest(part, ('half', 'topics'))}")
        for part in ("half", "topics"):
            if part not in parts:
                raise self.wrong(key, f"{name}: lacks `{part}:`; a branch has `half:` and `topics:`")
        half = parts["half"][1]
        if half.value not in HALVES:
            raise self.wrong(half, f"{name}: half {half.value!r}; write {' or '.join(HALVES)}")
        for group, leaves in self.mapping(parts["topics"][1], f"{name}: topics", "`GROUP:` with a list of topics"):
            for leaf in self.sequence(leaves, f"{name}/{group.value}"):
                self.leaf(name, self.text(group, "a group"), leaf, half.value)

    def leaf(self, branch: str, group: str, node: yaml.Node, half: Half) -> None:
        """One leaf, unless another says the same."""
        made = Leaf(branch, group, self.text(node, f"{branch}/{group}"), half)
        form = normal_form(made.name)
        if form in self.forms:
            raise self.wrong(node, f"{made.name!r} says the same as the topic at {self.forms[form]}; keep one")
        self.forms[form] = self.place(node)
        self.leaves.append(made)

    def mapping(self, node: yaml.Node, what: str, wanted: str) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        """Key and value nodes of a mapping, no key twice."""
        if not isinstance(node, yaml.MappingNode) or not node.value:
            raise self.wrong(node, f"{what}: write {wanted}")
        seen = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.wrong(key, f"{what}: write {wanted}")
            if key.value in seen:
                raise self.wrong(key, f"{what}: {key.value!r} stands there twice; join them")
            seen.add(key.value)
            yield key, value

    def sequence(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        """The item nodes of a list that has some."""
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise self.wrong(node, f"{what}: write a list, each item on a line that begins with a dash")
        return list(node.value)

    def text(self, node: yaml.Node, what: str) -> str:
        """One line of text that can stand in a path."""
        value = node.value if isinstance(node, yaml.ScalarNode) else None
        if value is None:
            raise self.wrong(node, f"{what}: each item is one line of text; put text with a colon into quotes")
        if not value.strip() or "\n" in value or PARTED in value or AND.strip() in value:
            raise self.wrong(node, f"{what}: {value!r}; write one line of text without {PARTED} and {AND.strip()}")
        return " ".join(value.split())

    def place(self, node: yaml.Node) -> str:
        """`file:line` of a node."""
        return f"{self.name}:{node.start_mark.line + 1}"

    def wrong(self, node: yaml.Node, what: str) -> InputError:
        """An error that says where it stands."""
        return InputError(f"{self.place(node)}: {what}")


def compose(path: Path) -> yaml.Node:
    """The nodes of a YAML file, which know their lines."""
    try:
        node = yaml.compose(path.read_text("utf-8"), Loader=LOADER)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; give a tree of topics as a YAML file") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text; save it as UTF-8") from None
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        said = getattr(error, "problem", None) or type(error).__name__
        raise InputError(f"{path.name}{line}: not YAML ({said}); put text with a colon or a # into quotes") from None
    if node is None:
        raise InputError(f"{path}: empty; write `branches:` with a branch, its half and its topics")
    return node


def nearest(word: str, known: Sequence[str]) -> str:
    """`; did you mean 'x'?`, or the first of what there is."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known[:8])}"


def write_tree(tree: Tree, path: Path) -> None:
    """Write a tree as one file that `load_tree` reads back, and that a person can edit. Raises InputError."""
    branches: dict[str, Any] = {}
    for leaf in tree.leaves:
        branch = branches.setdefault(leaf.branch, {"half": leaf.half, "topics": {}})
        branch["topics"].setdefault(leaf.group, []).append(leaf.name)
    data = {"branches": branches} | {name: list(getattr(tree, name)) for name in LISTS}
    data |= {"called": {topic: list(names) for topic, names in tree.called.items()}} if tree.called else {}
    try:
        path.write_text(yaml.dump(data, Dumper=DUMPER, sort_keys=False, allow_unicode=True, width=1000), "utf-8")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; name a file that can be written") from None
