"""The whole way against a real OpenAI-compatible server: `transformers serve` with a small Phi that is made here."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hornbook.teacher.ask import Request, Response, Teacher, Unanswered, consult
from hornbook.teacher.structure import chat_body

LACKING = [name for name in ("fastapi", "uvicorn", "transformers") if importlib.util.find_spec(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(LACKING), reason=f"needs {', '.join(LACKING)}: pip install 'transformers[serving]'"),
]
TEMPLATE = "{% for message in messages %}{{ message['content'] }}\n{% endfor %}"
SCHEMA = json.dumps({"type": "object", "properties": {"fine": {"type": "boolean"}}, "required": ["fine"]})
ANSWER = '{"fine": true}'
SERVE = "import sys; from transformers.cli.transformers import app; app(sys.argv[1:])"
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "TRANSFORMERS_VERBOSITY": "error"}


@pytest.fixture(scope="session")
def parrot(tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Phi of two layers that has learnt to answer everything with ANSWER."""
    import torch

    from hornbook.model.presets import Shape, build
    from hornbook.tokens.tokenizer import load_tokenizer

    torch.manual_seed(0)
    vocabulary = load_tokenizer(tokenizer)
    vocabulary.chat_template = TEMPLATE
    assert vocabulary.eos_token_id is not None
    shape = Shape(layers=2, width=32, mlp=64, heads=2, rotary_dim=8, context=512)
    model = build(shape, len(vocabulary), vocabulary.eos_token_id)
    optimizer, draw = torch.optim.AdamW(model.parameters(), lr=5e-3), random.Random(0)
    answer = [*vocabulary.encode(ANSWER), vocabulary.eos_token_id]
    for _ in range(250):
        request = questions(Teacher(), draw.randint(0, 999), schema=draw.choice(["", SCHEMA]))
        messages = chat_body(request, "words")["messages"]
        prompt = vocabulary.encode(vocabulary.apply_chat_template(messages, tokenize=False))
        ids = torch.tensor([prompt + answer])
        labels = torch.tensor([[-100] * len(prompt) + answer])
        loss = model(input_ids=ids, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    out = tmp_path_factory.mktemp("parrot")
    model.save_pretrained(out)
    vocabulary.save_pretrained(out)
    return out


def questions(teacher: Teacher, number: int, schema: str = "") -> Request:
    return teacher.request(("user", f"Is {number} fine?"), schema=schema)


@pytest.fixture
def served(parrot: Path) -> Iterator[str]:
    """The address of a server with the parrot, ended afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", SERVE, "serve", str(parrot), "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen([*command, "--device", "cpu"], env={**os.environ, **OFFLINE})
    try:
        until = time.monotonic() + 120
        while not healthy(port):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait()


def healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def asking(url: str, model: Path, **values: Any) -> Teacher:
    return Teacher(provider="endpoint", model=str(model), url=url, concurrency=4, pilot=2, max_tokens=24, **values)


def test_a_small_model_answers_through_a_real_server(
    served: str, parrot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from hornbook.tokens.tokenizer import load_tokenizer

    teacher, vocabulary = asking(served, parrot), load_tokenizer(parrot)
    free = [questions(teacher, number) for number in range(20)]
    shaped = [questions(teacher, number, SCHEMA) for number in range(20)]  # the server refuses `response_format`
    began = time.monotonic()
    found = consult(teacher, [*free, *shaped], tmp_path, "parrot")
    seconds = time.monotonic() - began
    assert [answer.text for answer in found if isinstance(answer, Response)] == [ANSWER] * 40
    for request, answer in zip(free, found, strict=False):
        prompt = vocabulary.encode(request.messages[0][1] + "\n")
        (usage,) = answer.usages
        assert (usage.prompt_tokens, usage.guessed) == (len(prompt), False)
        assert len(vocabulary.encode(ANSWER)) <= usage.completion_tokens <= len(vocabulary.encode(ANSWER)) + 1
    (cut,) = consult(asking(served, parrot).model_copy(update={"max_tokens": 3}), [cut_short(teacher)], tmp_path, "cut")
    assert isinstance(cut, Unanswered)
    assert cut.reason == "length"
    with capsys.disabled():
        print(f"\n  40 answers in {seconds:.1f} s; {capsys.readouterr().err}")
    gone = asking("http://127.0.0.1:9/v1", parrot)
    assert consult(gone, [*free, *shaped], tmp_path, "parrot") == found  # all of it is on file


def cut_short(teacher: Teacher) -> Request:
    return teacher.model_copy(update={"max_tokens": 3}).request(("user", "Is 7 fine?"))
