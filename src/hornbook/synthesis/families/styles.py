"""The same solution told in other styles: a loop as a comprehension, a pipeline, a generator, a recursion.

A body that `gather` made remembers what it gathers (`Loop`), so each of these can be spelled from the same pieces. What
a style turns out to mean is not believed but run: the writer compares it with the parts on the whole pool.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from hornbook.synthesis.families.base import Composition, Loop, lines


@dataclass(frozen=True, slots=True)
class Spelling:
    """A body in one style; `needs` are import lines that it calls for."""

    style: str
    body: str
    needs: tuple[str, ...] = ()


def spellings(composition: Composition) -> list[Spelling]:
    """The ways to spell the composition's body: the family's own first, under the name of its style."""
    choice, family = composition.choice, composition.family
    body = family.body(choice)
    bodies = {style_of(body): body}
    for style, spell in family.also.items():
        bodies.setdefault(style, spell(choice))
    loop = next((body for body in bodies.values() if isinstance(body, Loop)), None)
    bodies = {**(retold(loop) if loop else {}), **bodies}
    own = style_of(body)
    styles = [own, *(style for style in bodies if style != own)]
    return [Spelling(style, bodies[style], needs_of(bodies[style])) for style in styles if bodies[style]]


def own_spelling(composition: Composition) -> Spelling:
    """The family's own body."""
    body = composition.family.body(composition.choice)
    return Spelling(style_of(body), body, needs_of(body))


# what a body may call, and the import that this takes
LIBRARY = {
    "math.": "import math",
    "reduce(": "from functools import reduce",
    "accumulate(": "from itertools import accumulate",
    "defaultdict(": "from collections import defaultdict",
    "deque(": "from collections import deque",
}


def needs_of(body: str) -> tuple[str, ...]:
    """The import lines that a body calls for.

    >>> needs_of("return math.prod(found)"), needs_of("return sum(found)")
    (('import math',), ())
    """
    return tuple(line for call, line in LIBRARY.items() if re.search(rf"\b{re.escape(call)}", body))


@lru_cache(maxsize=1024)  # a body is asked about as one of the choices and again when it is written
def style_of(body: str) -> str:
    """Which style a body is in: recursion, generator, loop, comprehension, branches or expression."""
    nodes = [node for statement in parsed(body).body for node in ast.walk(statement)]
    if any(calls_itself(node) for node in nodes if isinstance(node, ast.FunctionDef)):
        return "recursion"
    if any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in nodes):
        return "generator"
    if any(isinstance(node, (ast.For, ast.While)) for node in nodes):
        return "loop"
    if any(isinstance(node, ast.comprehension) for node in nodes):
        return "comprehension"
    return "branches" if any(isinstance(node, (ast.If, ast.IfExp)) for node in nodes) else "expression"


def calls_itself(function: ast.FunctionDef) -> bool:
    """Whether the function's own name is called inside it."""
    return any(isinstance(n, ast.Call) and getattr(n.func, "id", "") == function.name for n in ast.walk(function))


def retold(loop: Loop) -> dict[str, str]:
    """The loop in the other styles, by style; empty where it cannot be told so."""
    told = {"guard": guard(loop) if loop.test else ""}
    if folded(loop) and loop.head.startswith("for "):
        told |= {style: tell(loop) for style, tell in TELLERS.items()}
    return told


def folded(loop: Loop) -> str:
    """The fold as an expression over the list `found` of the results; empty where the fold does not say."""
    fold = loop.fold
    over: str = fold.over or (fold.code if fold.init == "found = []" and fold.step == "found.append({e})" else "")
    return over


def ending(loop: Loop, results: str, *, bare: bool) -> str:
    """Return the fold of `results`, an iterable; put straight into a call where one takes it and nothing else.

    `bare`: `results` is a comprehension without its brackets.
    """
    over = folded(loop)
    if over == "found":
        return f"return [{results}]" if bare else f"return list({results})"
    if over.count("found") == 1 and "(found)" in over:
        return "return " + over.replace("(found)", f"({results})")
    return lines(f"found = [{results}]" if bare else f"found = list({results})", f"return {over}")


def pieces(loop: Loop) -> tuple[str, str]:
    """The target and the source of the loop's head."""
    target, _, source = loop.head.removeprefix("for ").removesuffix(":").partition(" in ")
    return target, source


def guard(loop: Loop) -> str:
    """The loop that skips what it does not want."""
    step = loop.fold.step.format(e=loop.result)
    inner = [*loop.before, f"if {opposite(loop.test)}:", "    continue", step]
    return lines(loop.fold.init, loop.head, *(f"    {row}" for row in inner), f"return {loop.fold.code}")


def opposite(test: str) -> str:
    """The test denied.

    >>> opposite("x > 3"), opposite("c.isdigit()"), opposite("x < 2 or x > 7"), opposite("1 <= x <= 5")
    ('x <= 3', 'not c.isdigit()', 'not (x < 2 or x > 7)', 'not 1 <= x <= 5')
    """
    node = ast.parse(test, mode="eval").body
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return ast.unparse(ast.Compare(node.left, [OPPOSITES[type(node.ops[0])]()], node.comparators)).replace("'", '"')
    return f"not ({test})" if isinstance(node, (ast.BoolOp, ast.IfExp)) else f"not {test}"


OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


def comprehension(loop: Loop) -> str:
    """One comprehension. A row that names a value becomes a clause over that one value."""
    clauses = [loop.head.removesuffix(":")]
    for row in loop.before:
        name, _, value = row.partition(" = ")
        clauses.append(f"for {name} in [{value}]")
    if loop.test:
        clauses.append(f"if {loop.test}")
    return ending(loop, " ".join([loop.result, *clauses]), bare=True)


def pipeline(loop: Loop) -> str:
    """`filter`, then `map`; only where one name runs over the source."""
    target, source = pieces(loop)
    if loop.before or not loop.test or not target.isidentifier():
        return ""
    kept = f"kept = filter(lambda {target}: {loop.test}, {source})"
    if loop.result == target:
        return lines(kept, ending(loop, "kept", bare=False))
    return lines(kept, ending(loop, f"map(lambda {target}: {loop.result}, kept)", bare=False))


def generator(loop: Loop) -> str:
    """An inner generator of the results."""
    yields = [f"if {loop.test}:", f"    yield {loop.result}"] if loop.test else [f"yield {loop.result}"]
    inner = [loop.head, *(f"    {row}" for row in (*loop.before, *yields))]
    return lines("def results():", *(f"    {row}" for row in inner), ending(loop, "results()", bare=False))


def recursion(loop: Loop) -> str:
    """An inner function of what is left, which takes the first and calls itself with the others."""
    target, source = pieces(loop)
    taken = f"[{loop.result}] if {loop.test} else []" if loop.test else f"[{loop.result}]"
    inner = [
        *("if not rest:", "    return []"),
        f"{target} = rest[0]",
        *loop.before,
        *((f"taken = {taken}", "return taken + results(rest[1:])")),
    ]
    source = source if source.isidentifier() else f"list({source})"
    whole = ending(loop, f"results({source})", bare=False).replace(f"list(results({source}))", f"results({source})")
    return lines("def results(rest):", *(f"    {row}" for row in inner), whole)


TELLERS: dict[str, Callable[[Loop], str]] = {
    "comprehension": comprehension,
    "pipeline": pipeline,
    "generator": generator,
    "recursion": recursion,
}


BRANCHING = (ast.If, ast.IfExp, ast.For, ast.While, ast.comprehension, ast.FunctionDef, ast.Lambda, ast.Try)


def difficulty(body: str) -> int:
    """1, 2 or 3, by how many ways lead through the body: up to 2 decisions and loops, up to 4, more.

    A condition in a comprehension counts, and so does every `and`, `or` and second comparison of a chain.
    """
    decisions = 0
    for node in ast.walk(parsed(body)):
        decisions += isinstance(node, BRANCHING)
        decisions += len(getattr(node, "ifs", ())) + (len(node.values) - 1 if isinstance(node, ast.BoolOp) else 0)
        decisions += len(node.ops) - 1 if isinstance(node, ast.Compare) else 0
    return 1 if decisions <= 3 else 2 if decisions <= 5 else 3  # the function itself is one


def parsed(body: str) -> ast.FunctionDef:
    """The body as the tree of a function."""
    function = ast.parse("def _():\n" + "\n".join(f"    {row}" for row in body.splitlines())).body[0]
    assert isinstance(function, ast.FunctionDef)
    return function
