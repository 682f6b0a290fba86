"""lm-evaluation-harness's code tasks, judged in hornbook's sandbox.

    from hornbook.evaluation.lm_eval import install

    install()
    lm_eval.simple_evaluate(model, tasks=["humaneval", "mbpp"], confirm_run_unsafe_code=True)

Its code tasks (humaneval, humaneval_infilling, mbpp and their variants) all score through
`evaluate.load("code_eval").compute(references, predictions, k)`, which runs the predictions in a child of the harness
with the tests beside them. `install` answers that call with a metric of the same signature. The harness passes no
prompt, so helpers that HumanEval's tests take from the prompt (/32, /38, /50) come from the prediction here;
`hornbook evaluate --samples` takes them from the benchmark.
"""

from __future__ import annotations

import ast
import atexit
import builtins
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hornbook.errors import InfrastructureError, InputError
from hornbook.evaluation.metrics import pass_at_k
from hornbook.records import Verdict
from hornbook.sandbox.pool import Crew
from hornbook.sandbox.run import Program, Sandbox, judge_on, setting_of, worker_count
from hornbook.tasks.formats import NOT_PYTHON, parse

NAME = "code_eval"
Results = dict[int, list[tuple[int, dict[str, Any]]]]


def install(sandbox: Sandbox = Sandbox(), trusted: bool = False) -> CodeEval:
    """From here on, whatever in this process asks `evaluate` for `code_eval` gets the sandbox; so do tasks that already
    hold it. `trusted`: references run beside the judge, which is faster; only for data whose tests you vouch for.
    """
    import evaluate

    metric, load = CodeEval(sandbox, trusted), evaluate.load
    evaluate.load = lambda path, *args, **named: metric if path == NAME else load(path, *args, **named)
    for holder, name in holders(lambda kind: issubclass(kind, (evaluate.EvaluationModule, CodeEval))):
        if getattr(holder[name], "name", None) == NAME:
            holder[name] = metric
    return metric


def holders(wanted: Callable[[type], bool]) -> Iterator[tuple[dict[str, Any], str]]:
    """Every name in a loaded module whose value is of a wanted type, with the module's namespace."""
    for module in list(sys.modules.values()):
        space = getattr(module, "__dict__", {})
        yield from [(space, name) for name, value in list(space.items()) if wanted(type(value))]


class CodeEval:
    """What `evaluate.load("code_eval")` gives, with verdicts that the prediction cannot forge.

    Its workers stand ready between calls, since the harness judges one document at a time; `close` ends them.
    """

    name = NAME

    def __init__(self, sandbox: Sandbox = Sandbox(), trusted: bool = False) -> None:
        self.trusted = trusted
        self.crew = Crew[Program](setting_of(sandbox), worker_count(sandbox))
        atexit.register(self.close)

    def compute(
        self,
        *,
        predictions: Sequence[Sequence[str]],
        references: Sequence[str],
        k: Sequence[int] = (1, 10, 100),
        **_: Any,
    ) -> tuple[dict[str, float], Results]:
        """`{"pass@k": …}` for each k that every reference has samples for, and the results by reference.

        predictions: [references][samples] whole programs; references: texts that are run after the program. Other
        options of the original (`num_workers`, `timeout`) are the sandbox's to say. Raises InputError for a reference
        that calls nothing, InfrastructureError when the sandbox could not judge.
        """
        pairs = zip(references, predictions, strict=True)
        programs = [
            program for place, (text, given) in enumerate(pairs) for program in self.programs(place, text, given)
        ]
        results: Results = {place: [] for place in range(len(references))}
        for verdict in sorted(judge_on(self.crew, programs), key=lambda v: (int(v.task_id), v.sample)):
            results[int(verdict.task_id)].append((verdict.sample, told(verdict)))
        passed = [[row["passed"] for _, row in rows] for rows in results.values()]
        fewest = min(map(len, passed), default=0)
        rates = {n: [pass_at_k(len(row), sum(row), n) for row in passed] for n in k if n <= fewest}
        return {f"pass@{n}": sum(rate) / len(rate) for n, rate in rates.items()}, results

    def programs(self, place: int, reference: str, predictions: Sequence[str]) -> list[Program]:
        """One reference's predictions as programs of one task."""
        tests, entry_point = tests_of(reference)
        return [Program(str(place), n, text, tests, entry_point, self.trusted) for n, text in enumerate(predictions)]

    def close(self) -> None:
        """End the workers."""
        self.crew.__exit__(None, None, None)
        atexit.unregister(self.close)


def told(verdict: Verdict) -> dict[str, Any]:
    """A verdict as `code_eval` words it. Raises InfrastructureError for what is none."""
    if verdict.status == "infrastructure":
        raise InfrastructureError(f"prediction {verdict.sample} of reference {verdict.task_id}: {verdict.detail}")
    passed = verdict.status == "passed"
    result = "passed" if passed else "timed out" if verdict.status == "timeout" else f"failed: {verdict.detail}"
    return {"task_id": int(verdict.task_id), "passed": passed, "result": result, "completion_id": verdict.sample}


def tests_of(reference: str) -> tuple[str, str]:
    """A text to run after a program, as tests that define `check(candidate)`, and the function that they examine.

    >>> print(*tests_of("import math\\nassert halve(4) == math.sqrt(4)"), sep="\\n")
    import math
    def check(candidate):
        assert halve(4) == math.sqrt(4)
    halve

    HumanEval's form (`def check(candidate): …` and a last line `check(name)`) stays as it is, without the last line.
    """
    try:
        tree = parse(reference)
    except NOT_PYTHON as error:
        raise InputError(f"a reference is not Python ({error}): {reference[:60]!r}") from None
    match tree.body:
        case [*before, ast.Expr(ast.Call(ast.Name("check"), [ast.Name(entry_point)]))] if defines_check(before):
            return "\n".join(reference.splitlines()[: tree.body[-1].lineno - 1]) + "\n", entry_point
    entry_point = called(tree, reference)
    if entry_point == "check":  # some of MBPP's functions bear the name of what tests must define
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id == "check":
                node.id = "candidate"
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    rest = ast.Module([node for node in tree.body if node not in imports], [])
    lines = [*map(ast.unparse, imports), "def check(candidate):", *(f"    {n}" for n in ast.unparse(rest).split("\n"))]
    return "\n".join(lines), entry_point


def defines_check(statements: Sequence[ast.stmt]) -> bool:
    """Whether statements define a function `check`."""
    return any(isinstance(node, ast.FunctionDef) and node.name == "check" for node in statements)


def called(tree: ast.Module, reference: str) -> str:
    """The first function called that the text does not define: one that Python does not define either, if there is."""
    nodes = [node for statement in tree.body for node in ast.walk(statement)]
    own = {getattr(node, "asname", None) or getattr(node, "name", None) for node in nodes}
    own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    own |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    calls = [node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    names = sorted((name for name in calls if name not in own), key=lambda name: hasattr(builtins, name))
    if not names:
        raise InputError(f"a reference calls no function of the program: {reference[:60]!r}")
    return names[0]
