"""The language-model writer: prompts drawn before the model is asked, answers parsed, nothing kept that does not run.

phi-1 §2.2: diversity comes from constraining topic and audience (textbooks) and the function's name (exercises).
"""

from __future__ import annotations

import ast
import json
import random
from collections.abc import Sequence
from pathlib import Path

from hornbook.records import Exercise, Provenance, Rejected, Section, content_id
from hornbook.synthesis.textbooks import shelf
from hornbook.teacher.ask import Replay, Request, Response, Teacher, ask, open_store

TEXTBOOK = """Write one section of a programming textbook in Markdown.
Topic: {topic}
Audience: {audience}
Style: {style}
Explain first, then show. Put runnable Python in ```python blocks, which are run in order in one interpreter; after a
block that prints put a ```output block with exactly what it prints. Use the standard library only. End with two small
exercises and their solutions in code."""

EXERCISE = """Write one Python exercise about {topic} for {audience}. The function's name contains the word "{word}".
Answer with JSON: {{"prompt": "<imports, signature with type hints and a docstring; no body>",
"solution": "<the body, indented by four spaces>",
"tests": "<def check(candidate): with at least five asserts>"}}. Use the standard library only."""

WORDS = ("amber", "brook", "cedar", "delta", "ember", "fjord", "grove", "haven", "islet", "juniper", "kelp", "lagoon")


def plan(kind: str, n: int, seed: int) -> list[str]:
    """The `n` prompts of a job, drawn from topics × audiences × styles (or words) before anything is asked."""
    sections = shelf(["code"])
    topics = sorted({section.topic for section in sections})
    audiences = sorted({section.audience for section in sections})
    styles = sorted({section.style for section in sections})
    draw = random.Random(f"{kind} {seed}")
    form = TEXTBOOK if kind == "textbooks" else EXERCISE
    return [
        form.format(
            topic=draw.choice(topics),
            audience=draw.choice(audiences),
            style=draw.choice(styles),
            word=draw.choice(WORDS),
        )
        for _ in range(n)
    ]


def requests(teacher: Teacher, prompts: Sequence[str]) -> list[Request]:
    """One request a prompt; a prompt drawn twice is asked as another attempt."""
    seen: dict[str, int] = {}
    found = []
    for prompt in prompts:
        attempt = seen[prompt] = seen.get(prompt, -1) + 1
        found.append(
            Request(
                model=teacher.model,
                messages=(("user", prompt),),
                temperature=teacher.temperature,
                top_p=teacher.top_p,
                max_tokens=teacher.max_tokens,
                attempt=attempt,
            )
        )
    return found


def answers(teacher: Teacher, kind: str, n: int, seed: int, store: Path) -> list[tuple[Request, Response]]:
    """Ask for `n` texts. Only the replay provider writes as yet; an endpoint fills the same store."""
    asked = requests(teacher, plan(kind, n, seed))
    return list(zip(asked, ask(Replay(), asked, open_store(store)), strict=True))


def provenance(request: Request, answer: Response) -> Provenance:
    """Who wrote a row, from which prompt, in which response."""
    return Provenance("llm", request.model, content_id(request.messages[0][1]), [answer.key], request.attempt)


def to_section(request: Request, answer: Response) -> Section:
    """The answer as a section; topic, audience and style are read back from the prompt."""
    lines = dict(line.split(": ", 1) for line in request.messages[0][1].splitlines()[1:4])
    return Section(
        id=content_id(answer.text),
        text=answer.text,
        topic=lines["Topic"],
        audience=lines["Audience"],
        style=lines["Style"],
        license=[],
        parents=[],
        provenance=provenance(request, answer),
    )


def to_exercise(request: Request, answer: Response) -> Exercise | Rejected:
    """The answer as an exercise, or a reject that says why it is none."""
    try:
        start, end = answer.text.index("{"), answer.text.rindex("}") + 1
        found = json.loads(answer.text[start:end])
        prompt, solution, tests = (str(found[name]) for name in ("prompt", "solution", "tests"))
        (prompt + solution + tests).encode()  # half of a surrogate pair cannot be written
        functions = [node for node in ast.parse(prompt + solution).body if isinstance(node, ast.FunctionDef)]
        name = functions[-1].name
    except (ValueError, KeyError, TypeError, IndexError, SyntaxError, RecursionError, MemoryError) as error:
        reason = f"{type(error).__name__}: {str(error).splitlines()[0][:120] if str(error) else ''}"
        return Rejected(answer.key[:16], "write", "unreadable-answer", reason, answer.text[:200])
    return Exercise(
        id=content_id(prompt, solution),
        name=name,
        prompt=prompt,
        solution=solution,
        tests=tests,
        topic="llm",
        license=[],
        parents=[],
        provenance=provenance(request, answer),
    )
