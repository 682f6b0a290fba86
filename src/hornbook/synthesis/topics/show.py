"""A tree as an outline, for people and for programs."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from hornbook.errors import RequestError
from hornbook.synthesis.topics.likeness import Known
from hornbook.synthesis.topics.tree import LISTS, Tree


def outline(tree: Tree, branch: str | None = None) -> dict[str, Any]:
    """Counts and leaves by branch and group, of one branch when it is named; `near`: topics that say nearly the same.

    Raises RequestError.
    """
    branches: dict[str, dict[str, Any]] = {}
    for leaf in tree.leaves:
        made = branches.setdefault(leaf.branch, {"branch": leaf.branch, "half": leaf.half, "leaves": 0, "groups": {}})
        made["leaves"] += 1
        made["groups"].setdefault(leaf.group, []).append(leaf.name)
    if branch is not None and branch not in branches:
        near = difflib.get_close_matches(branch, branches, n=1, cutoff=0.4)
        raise RequestError(f"--branch {branch!r}: not in the tree; {hint(near, list(branches))}")
    return {
        "leaves": len(tree.leaves),
        "branches": [made for name, made in branches.items() if branch in (None, name)],
        **{name: len(getattr(tree, name)) for name in LISTS},
        "near": list(near_pairs(tree)),
    }


def near_pairs(tree: Tree) -> Iterator[tuple[str, str]]:
    """Each leaf that is near an earlier one, with that one."""
    known = Known()
    for leaf in tree.leaves:
        if like := known.like(leaf.name):
            yield leaf.name, like[0]
        known.add(leaf.name)


def hint(near: list[str], known: list[str]) -> str:
    """The nearest name, or all of them."""
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"


def as_text(found: dict[str, Any], leaves: bool) -> str:
    """The outline for people, with every leaf or only the groups."""
    lines = []
    for branch in found["branches"]:
        lines.append(f"{branch['branch']} · {branch['half']} · {branch['leaves']:,} topics")
        for group, names in branch["groups"].items():
            lines.append(f"  {group} ({len(names)})")
            lines += [f"    {name}" for name in names] if leaves else []
    lines += [f"nearly the same: {one} · {other}" for one, other in found["near"]]
    lists = ", ".join(f"{found[name]:,} {name}" for name in LISTS)
    return "\n".join([*lines, f"{found['leaves']:,} topics in all; {lists}"])
