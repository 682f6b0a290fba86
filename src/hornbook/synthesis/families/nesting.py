"""Families of recursion: numbers in nested lists, trees, nested dicts, texts of lists in lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hornbook.synthesis.families.base import Choice, Family, Part, lines, named
from hornbook.synthesis.families.ints import MAPS, PREDICATES
from hornbook.synthesis.families.literals import SEPARATORS, about, numbers
from hornbook.synthesis.families.results import DETAILED, LARGEST, SMALLEST, SUM, operand
from hornbook.synthesis.families.texts import WORD_MAPS

# a result `{e}` that depends on the depth too
DEPTHS: tuple[Part, ...] = (
    named("times", lambda x, depth: sum([x] * depth), "{e} * depth", "times the depth"),
    named("plus", lambda x, depth: -(-x - depth), "{e} + depth", "plus the depth"),
    named("minus", lambda x, depth: -(depth - x), "{e} - depth", "minus the depth"),
    named("ten", lambda x, depth: x + sum([10] * depth), "{e} + 10 * depth", "plus 10 times the depth"),
    named("even", lambda x, depth: x if depth in (2, 4, 6, 8) else 0, "{e} * (depth % 2 == 0)",
          "if the depth is even, and 0 if it is odd"),
    named("sign", lambda x, depth: x * (-1) ** depth, "{e} * (-1) ** depth", "times -1 if the depth is odd"),
    named("power", lambda x, depth: x * 2**depth, "{e} * 2 ** depth", "times 2 to the power of the depth"),
)  # fmt: skip


def leaves(nested: list[Any]) -> list[tuple[int, int]]:
    """The numbers of nested lists with their depths, one level after the other put into its place."""
    pairs: list[tuple[Any, int]] = [(item, 1) for item in nested]
    while any(isinstance(item, list) for item, _ in pairs):
        opened = [
            [(x, depth + 1) for x in item] if isinstance(item, list) else [(item, depth)] for item, depth in pairs
        ]
        pairs = [pair for group in opened for pair in group]
    return pairs


def at_depth(p: Choice) -> str:
    """The result for a number x, spelled with its depth."""
    code = operand(p.map.code) if p.depth.code.startswith("{e} *") else p.map.code
    return str(p.depth.code.format(e=code))


NESTED_NUMBERS = Family(
    name="nested_numbers",
    slots={"pred": PREDICATES, "map": about(MAPS, "the number"), "depth": DEPTHS, "fold": DETAILED},
    args="nested: list[Any]",
    kind="nested",
    title="{fold}_of_nested_{map}_{depth}_depth_if_{pred}",
    sayings=(
        "The list nested holds numbers and lists, which hold numbers and lists again. The depth of a number is how "
        "many "
        "lists it is inside of (1 if it stands in nested itself). For each number that {pred}, from left to right, the "
        "result is {map}, {depth}. Return {fold}.",
        "Go through nested, a list of numbers and of lists of the same kind, from left to right and into every list. A "
        "number directly in nested has depth 1, one list deeper 2, and so on. Each number that {pred} gives {map}, "
        "{depth}. Return {fold}.",
    ),
    body=lambda p: lines(
        "found = []",
        "def visit(items, depth):",
        "    for x in items:",
        "        if isinstance(x, list):",
        "            visit(x, depth + 1)",
        f"        elif {p.pred.code}:",
        f"            found.append({at_depth(p)})",
        "visit(nested, 1)",
        f"return {p.fold.code}",
    ),
    reference=lambda p: (
        lambda nested: p.fold.fn([p.depth.fn(p.map.fn(x), depth) for x, depth in leaves(nested) if p.pred.fn(x)])
    ),
    returns=lambda p: p.fold.returns,
    imports="from typing import Any\n\n\n",
)


def walk(name: str, order: str, code: str, words: str) -> Part:
    """An order of a tree's nodes: N the node, L and R its sides."""
    return Part(name, lambda: order, code, (words,), name)


WALKS: tuple[Part, ...] = (
    walk("node_first", "NLR", "[*here, *visit(left), *visit(right)]", "the node, its left side, its right side"),
    walk("node_between", "LNR", "[*visit(left), *here, *visit(right)]", "its left side, the node, its right side"),
    walk("node_last", "LRN", "[*visit(left), *visit(right), *here]", "its left side, its right side, the node"),
    walk("right_first", "RNL", "[*visit(right), *here, *visit(left)]", "its right side, the node, its left side"),
    walk("mirrored", "NRL", "[*here, *visit(right), *visit(left)]", "the node, its right side, its left side"),
)


def walked(p: Choice, tree: Any) -> list[int]:
    """The numbers of a tree, with a stack in place of recursion."""
    found, waiting = [], [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, int):
            found.append(item)
        elif item is not None:
            sides = dict(zip("NLR", item, strict=True))
            waiting += [sides[letter] for letter in reversed(p.order.fn())]
    return found


TREES = Family(
    name="trees",
    slots={"order": WALKS, "pred": PREDICATES, "map": about(MAPS, "the number"), "fold": DETAILED},
    args="tree: Any",
    kind="tree",
    title="{fold}_of_tree_{order}_{map}_if_{pred}",
    sayings=(
        "A tree is None, if it is empty, or a tuple (number, left, right), where left and right are trees. Visit all "
        "numbers; at each node the order is: {order}. For each number that {pred}, the result is {map}. Return {fold}.",
        "Each node of tree is a tuple of a number, a left and a right tree; an empty tree is None. Collect the numbers "
        "that {preds}, taking at every node first to last: {order}. Each gives {map} as a result. Return {fold}.",
    ),
    body=lambda p: lines(
        "def visit(node):",
        "    if node is None:",
        "        return []",
        "    x, left, right = node",
        f"    here = [{p.map.code}] if {p.pred.code} else []",
        f"    return {p.order.code}",
        "found = visit(tree)",
        f"return {p.fold.code}",
    ),
    reference=lambda p: lambda tree: p.fold.fn([p.map.fn(x) for x in walked(p, tree) if p.pred.fn(x)]),
    returns=lambda p: p.fold.returns,
    imports="from typing import Any\n\n\n",
)


def paths(nested: dict[str, Any]) -> Iterator[tuple[list[str], int]]:
    """The paths and numbers of nested dicts."""
    waiting: list[tuple[list[str], Any]] = [([], nested)]
    while waiting:
        path, value = waiting.pop(0)
        if isinstance(value, dict):
            waiting = [([*path, key], value[key]) for key in value] + waiting
        else:
            yield path, value


PATHS = Family(
    name="paths",
    slots={
        "sep": SEPARATORS,
        "key": about((part for part in WORD_MAPS if part.id not in ("initial", "final", "start2")), "the key"),
        "pred": PREDICATES,
        "map": about(MAPS, "the number"),
    },
    args="tree: dict[str, Any]",
    kind="nested_dict",
    title="paths_{sep}_{key}_to_{map}_if_{pred}",
    sayings=(
        "The values of the dict tree are numbers or dicts of the same kind. The path of a number is made of the keys "
        "that lead to it, joined by {sep}, where in place of each key stands {key}. Return one flat dict that has, for "
        "every number that {pred}, its path as key and as value {map}.",
        "Flatten tree, a dict of numbers and of dicts nested in it. For each number that {pred}, the new dict has an "
        "entry: its value is {map}; its key is put together from the keys on the way from the outside to the number, "
        "each changed to {key}, with {sep} between them.",
    ),
    body=lambda p: lines(
        "def entries(node, path):",
        "    for w, x in node.items():",
        f"        here = [*path, {p.key.code}]",
        "        if isinstance(x, dict):",
        "            yield from entries(x, here)",
        f"        elif {p.pred.code}:",
        f"            yield {p.sep.code}.join(here), {p.map.code}",
        "return dict(entries(tree, []))",
    ),
    reference=lambda p: (
        lambda tree: {p.sep.value.join(map(p.key.fn, path)): p.map.fn(x) for path, x in paths(tree) if p.pred.fn(x)}
    ),
    returns=lambda _: "dict[str, int]",
    imports="from typing import Any\n\n\n",
)


def weigh(p: Choice) -> Callable[[list[Any]], int]:
    """What the weight of nested lists means, from the inside out."""

    def weight(item: Any) -> int:
        if isinstance(item, int):
            value: int = p.map.fn(item)
            return value
        inner = [weight(other) for other in item]
        return int(p.box.value + p.factor.value * p.fold.fn(inner))

    return weight


WEIGHTS = Family(
    name="weights",
    slots={
        "box": numbers(range(1, 50)),
        "factor": numbers(range(1, 8)),
        "map": about(MAPS, "the number"),
        "fold": (SUM, LARGEST, SMALLEST, *(fold for fold in DETAILED if fold.id in ("weighted", "swinging"))),
    },
    args="box: list[Any]",
    kind="nested",
    title="weight_{fold}_{map}_times_{factor}_plus_{box}",
    sayings=(
        "A box is a list of things, each either a number or another box. The weight of a number is {map}. To weigh a "
        "box, take the weights of the things directly in it as results, and find {fold}; the weight of the box is "
        "{factor} times that, plus {box}. Return the weight of the given box.",
        "Weigh a box, which holds numbers and boxes of the same kind. A number weighs {map}. A box weighs {box} plus "
        "{factor} times a value found from the weights of what is directly in it, which are the results: {fold}.",
    ),
    body=lambda p: lines(
        "def weight(x):",
        "    if not isinstance(x, list):",
        f"        return {p.map.code}",
        "    found = [weight(item) for item in x]",
        f"    return {p.box.code} + {p.factor.code} * {operand(p.fold.code)}"
        if p.factor.value > 1
        else f"    return {p.box.code} + {operand(p.fold.code)}",
        "return weight(box)",
    ),
    reference=weigh,
    imports="from typing import Any\n\n\n",
)
