"""Instruction reversal: code of the corpus → an exercise → code again, kept where both behave alike (phi-4 §2.2).

The model describes a function that it sees, then writes one from the description alone. Inputs are the model's too; the
expected values are what the corpus' function returns in the sandbox. The row keeps the corpus' code, with the document
as parent and its licence.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hornbook.records import Exercise, Rejected, content_id
from hornbook.sandbox.run import BlockResult, execute_many
from hornbook.synthesis.llm import prompts
from hornbook.synthesis.llm.asking import Answer, Asker, Question, Round, begun, continued
from hornbook.synthesis.llm.functions import Function
from hornbook.synthesis.llm.reading import NOT_PYTHON, Unfit, parts_of, python_in
from hornbook.synthesis.llm.screen import Bench, reject

LONGEST_INPUT, LONGEST_VALUE, MOST_INPUTS, FEWEST_INPUTS = 1000, 500, 12, 4
QUOTED = 24  # characters of a line of code that a docstring may not hold


@dataclass(frozen=True)
class Told:
    """A function with its description and the inputs on which behaviour is compared."""

    function: Function
    answer: Answer
    docstring: str
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Reversal:
    """Makes exercises of functions."""

    asker: Asker
    bench: Bench

    def write(self, functions: Sequence[Function]) -> Iterator[Round[Exercise]]:
        """What became of the functions, a round at a time."""
        for part in self.asker.rounds(len(functions), "reversal"):
            yield self.screen(functions[part])

    def screen(self, functions: Sequence[Function]) -> Round[Exercise]:
        """Describe, compute the tests, run, mutate, and write again from the description."""
        questions = [
            Question(prompts.TELL.format(rule=prompts.RULE, code=function.code), prompts.TELL_SCHEMA)
            for function in functions
        ]
        answers = self.asker.ask(questions, "reversal: describe")
        read = [attempt(function, answer) for function, answer in zip(functions, answers, strict=True)]
        described = [row for row in read if isinstance(row, Told)]
        kept, rejected = self.tested(described)
        rejected = [row for row in read if isinstance(row, Rejected)] + rejected
        for step in (self.bench.passing, self.bench.telling, self.again):
            screened = step(kept)
            kept, rejected = screened.kept, rejected + screened.rejected
        return Round(kept, rejected)

    def tested(self, described: Sequence[Told]) -> tuple[list[Exercise], list[Rejected]]:
        """Exercises with tests computed from the corpus' own function."""
        blocks = [
            [item.function.code, *(call(item.function.name, given) for given in item.inputs)] for item in described
        ]
        kept, rejected = [], []
        for item, results in zip(described, execute_many(self.bench.sandbox, blocks), strict=True):
            try:
                kept.append(self.exercise(item, results[1:]))
            except Unfit as unfit:
                rejected.append(item.answer.refusal(unfit))
        return kept, rejected

    def exercise(self, item: Told, results: Sequence[BlockResult]) -> Exercise:
        """The row. Raises Unfit when too few inputs give a value that can be written down."""
        values = [(given, value_in(result)) for given, result in zip(item.inputs, results, strict=True)]
        cases = [(given, value) for given, value in values if value is not None]
        if len(cases) < FEWEST_INPUTS:
            raise Unfit("no-inputs", f"{len(cases)} of {len(item.inputs)} inputs give a value that can be written down")
        function, document = item.function, item.function.document
        prompt = with_docstring(function, item.docstring)
        return Exercise(
            id=content_id(prompt, function.body),
            name=function.name,
            prompt=prompt,
            solution=function.body,
            tests="def check(candidate):\n" + "".join(assertion(given, value) for given, value in cases),
            topic="reversal",
            license=list(document.license or []),
            parents=[document.id],
            provenance=begun("reversal", self.asker, "describe", item.answer),
        )

    def again(self, exercises: Sequence[Exercise]) -> Round[Exercise]:
        """A function written from the description alone behaves the same."""
        questions = [
            Question(prompts.SOLVE.format(rule=prompts.RULE, prompt=e.prompt), after=e.provenance.responses[0])
            for e in exercises
        ]
        answers = self.asker.ask(questions, "reversal: write again")
        screened: Round[Exercise] = Round([], [])
        heard = [(e, a) for e, a in zip(exercises, answers, strict=True) if not a.missing]
        faults = self.bench.run([(python_in(answer.text), e.tests, e.name) for e, answer in heard])
        fault_of = {e.id: fault for (e, _), fault in zip(heard, faults, strict=True)}
        for exercise, answer in zip(exercises, answers, strict=True):
            if answer.missing:
                screened.rejected.append(reject(exercise, f"unanswered-{answer.missing}", "nobody wrote it again"))
            elif fault := fault_of[exercise.id]:
                screened.rejected.append(reject(exercise, "behaves-otherwise", fault))
            else:
                made = continued(exercise.provenance, "write again", [answer])
                screened.kept.append(replace(exercise, provenance=made))
        return screened


def attempt(function: Function, answer: Answer) -> Told | Rejected:
    """A function described, or a refusal that says what is wrong with the description."""
    try:
        return told(function, answer)
    except Unfit as unfit:
        return answer.refusal(unfit)


def told(function: Function, answer: Answer) -> Told:
    """A description that does not give the code away, and inputs that can be read. Raises Unfit."""
    found = answer.json()
    docstring = found["docstring"].strip().strip('"').strip()
    if not docstring:
        raise Unfit("no-docstring", "the description is empty")
    lines = [line.strip() for line in function.body.split("\n")]
    if quoted := next((line for line in lines if len(line) >= QUOTED and line in docstring), ""):
        raise Unfit("gives-away", f"the docstring quotes the code: {quoted[:80]}")
    inputs = dict.fromkeys(filter(None, map(arguments_in, found["inputs"])))
    if len(inputs) < FEWEST_INPUTS:
        raise Unfit("no-inputs", f"{len(inputs)} inputs can be read")
    return Told(function, answer, docstring, tuple(inputs)[:MOST_INPUTS])


def arguments_in(text: str) -> str:
    """A tuple of literals as the arguments of a call; "" when the text is none.

    >>> arguments_in("(3, [1,2])"), arguments_in("('a',)"), arguments_in("(f(),)"), arguments_in("3")
    ('3, [1, 2]', "'a'", '', '')
    """
    literal = plain_literal(text, LONGEST_INPUT)
    return ", ".join(map(ast.unparse, literal.elts)) if isinstance(literal, ast.Tuple) else ""


def value_in(result: BlockResult) -> str | None:
    """What a call gave back, as a literal; None when it failed or gave what no literal can say."""
    literal = plain_literal(result.stdout, LONGEST_VALUE) if result.error is None else None
    return ast.unparse(literal) if literal is not None else None


class SortedSets(ast.NodeTransformer):
    """Writes the members of sets in one order: their own hangs on the hash seed."""

    def visit_Set(self, node: ast.Set) -> ast.AST:
        """Members sorted by their text."""
        self.generic_visit(node)
        return ast.Set(sorted(node.elts, key=ast.unparse))


def plain_literal(text: str, longest: int) -> ast.expr | None:
    """The tree of a literal, sets in order; None when the text is too long or anything else."""
    text = text.strip()
    try:
        ast.literal_eval(text if len(text) <= longest else "")
        expression: ast.expr = SortedSets().visit(ast.parse(text, mode="eval").body)
    except (*NOT_PYTHON, TypeError):
        return None
    return expression


def call(name: str, arguments: str) -> str:
    """A block that prints what a call gives back."""
    return f"print(repr({name}({arguments})))\n"


def assertion(arguments: str, value: str) -> str:
    """A line of tests; a float may differ in its last digits, since sums may be taken in another order."""
    if isinstance(ast.literal_eval(value), float):
        return f"    assert abs(candidate({arguments}) - {value}) <= 1e-09 * max(1.0, abs({value}))\n"
    return f"    assert candidate({arguments}) == {value}\n"


def with_docstring(function: Function, docstring: str) -> str:
    """Imports, signature and docstring. Raises Unfit when they and the body do not make the function again."""
    first = next(line for line in function.body.split("\n") if line.strip())
    indent = first[: len(first) - len(first.lstrip())]
    text = docstring.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    lines = [line.strip() and indent + line.rstrip() for line in text.split("\n")]
    close = f"\n{indent}" if len(lines) > 1 or text.endswith('"') else ""
    prompt = f'{function.head}{indent}"""{lines[0].lstrip()}' + "\n".join(["", *lines[1:]]) + f'{close}"""\n'
    parts = parts_of(prompt + function.body, function.name)
    if parts.prompt != prompt or parts.solution != function.body:
        raise Unfit("unreadable-answer", "the docstring does not fit the function")
    return prompt
