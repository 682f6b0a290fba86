"""Examining a model behind an endpoint, over a real connection: retries, concurrency, and nothing asked twice."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from endpoint import Server
from hornbook.artifacts import read_json, read_jsonl
from hornbook.errors import InputError, RequestError, WorkError
from hornbook.evaluation.alone import Examinee, evaluate_alone
from hornbook.evaluation.evaluate import Evaluate
from hornbook.evaluation.sampling import collect
from hornbook.model.generate import Decoding
from hornbook.records import Problem
from hornbook.sandbox.run import Sandbox
from hornbook.teacher.endpoint import Endpoint

Serve = Callable[..., Server]
PROBLEMS = [
    Problem(f"T/{n}", f"def f{n}(x):\n", f"f{n}", "", f"def check(f):\n    assert f(1) == {n + 1}\n") for n in range(3)
]


def completion(body: dict[str, Any]) -> dict[str, Any]:
    """The first sample of T/0 and T/2 is right; every sample says its seed, and goes on after its end."""
    number = int(body["prompt"][5])
    added = number if number != 1 and body["seed"] == 0 else 40
    return {"choices": [{"text": f"    return x + {added}  # {body['seed']}\n\nprint(1)\n"}]}


def config(**values: Any) -> Evaluate:
    settings = {"bootstrap": 100, "samples": 2, "decoding": Decoding(max_new_tokens=9), "sandbox": Sandbox(workers=1)}
    return Evaluate(**{**settings, **values})


def gathered(server: Server, path: Path, **values: Any) -> list[tuple[str, int, str]]:
    endpoint = Endpoint(url=server.url, **values)
    collect(config(), endpoint, "m", {"b": PROBLEMS}, path)
    return [(row["task_id"], row["sample"], row["completion"]) for row in read_jsonl(path)]


EXPECTED = [
    (f"T/{n}", s, f"    return x + {n if n != 1 and s == 0 else 40}  # {s}\n") for n in range(3) for s in range(2)
]


def test_every_sample_is_asked_for_and_cut_at_its_stop(serve: Serve, tmp_path: Path) -> None:
    server = serve(completion)
    assert gathered(server, tmp_path / "s.jsonl") == EXPECTED
    path, body = server.asked[0]
    assert path == "/v1/completions"
    assert {k: body[k] for k in ("model", "max_tokens", "temperature", "top_p")} == {
        "model": "m",
        "max_tokens": 9,
        "temperature": 0.0,
        "top_p": 1.0,
    }
    assert len(body["stop"]) == 4  # as many as a hosted endpoint takes


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_refusal_that_passes_is_tried_again(serve: Serve, tmp_path: Path, status: int) -> None:
    server = serve(completion, [status] * 3)
    assert gathered(server, tmp_path / "s.jsonl") == EXPECTED
    assert len(server.asked) == 9


def test_what_arrived_before_a_failure_is_kept_and_not_asked_again(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    server = serve(completion, [200, 200, 500, 500])
    with pytest.raises(WorkError, match=r"500 after 2 tries \(.*\); run again to go on: what came is kept"):
        gathered(server, path, concurrency=1, retries=1)
    assert len(list(read_jsonl(path))) == 2
    with path.open("ab") as stream:
        stream.write(b'{"benchmark": "b", "task_id": "T/1", "sam')  # torn by a kill
    server.asked.clear()
    assert gathered(server, path) == EXPECTED
    assert len(server.asked) == 4
    unbroken = tmp_path / "unbroken.jsonl"
    gathered(server, unbroken)
    assert path.read_bytes() == unbroken.read_bytes()


def test_requests_are_under_way_together(serve: Serve, tmp_path: Path) -> None:
    together = threading.Barrier(3, timeout=20)

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        together.wait()  # passes only when three stand here
        return completion(body)

    assert gathered(serve(answer), tmp_path / "s.jsonl", concurrency=3) == EXPECTED


def test_no_more_requests_are_under_way_than_allowed(serve: Serve, tmp_path: Path) -> None:
    inside, most = [0], [0]

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.05)
        inside[0] -= 1
        return completion(body)

    gathered(serve(answer), tmp_path / "s.jsonl", concurrency=2)
    assert most[0] <= 2


def test_after_a_failure_what_is_under_way_is_still_received(serve: Serve, tmp_path: Path) -> None:
    def answer(body: dict[str, Any]) -> dict[str, Any]:
        time.sleep(0.5)
        return completion(body)

    with pytest.raises(RequestError, match="400"):
        gathered(serve(answer, [400]), tmp_path / "s.jsonl", concurrency=3)
    assert len(list(read_jsonl(tmp_path / "s.jsonl"))) == 2


@pytest.mark.parametrize(
    ("status", "message"), [(401, "401, not allowed; set HORNBOOK_API_KEY"), (404, "404"), (400, "not now")]
)
def test_a_refusal_that_stays_is_the_persons_to_mend(serve: Serve, tmp_path: Path, status: int, message: str) -> None:
    server = serve(completion, [status] * 9)
    with pytest.raises(RequestError, match=message):
        gathered(server, tmp_path / "s.jsonl", concurrency=1)
    assert len(server.asked) == 1


@pytest.mark.parametrize("raw", [{"choices": []}, {"object": "list"}, {"choices": [{"message": {}}]}])
def test_an_answer_that_is_no_completion_is_not_an_empty_sample(serve: Serve, tmp_path: Path, raw: Any) -> None:
    with pytest.raises(InputError, match="is it a completions endpoint"):
        gathered(serve(lambda _: raw), tmp_path / "s.jsonl", concurrency=1)
    assert (tmp_path / "s.jsonl").read_bytes() == b""


def test_an_answer_that_is_no_object_is_refused(serve: Serve, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no JSON object"):
        gathered(serve(lambda _: ["text"]), tmp_path / "s.jsonl")


def test_where_nobody_listens_is_said(serve: Serve, tmp_path: Path) -> None:
    server = serve(completion)
    server.http.server_close()
    with pytest.raises(WorkError, match="cannot be reached"):
        gathered(server, tmp_path / "s.jsonl", retries=0)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, "Bearer none"),
        ({"OPENAI_API_KEY": "o"}, "Bearer o"),
        ({"OPENAI_API_KEY": "o", "HORNBOOK_API_KEY": "h"}, "Bearer h"),
    ],
)
def test_the_key_comes_from_the_environment(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], sent: str
) -> None:
    for name in ("OPENAI_API_KEY", "HORNBOOK_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    server = serve(completion)
    gathered(server, tmp_path / "s.jsonl")
    assert server.keys == {sent}


def test_a_model_behind_an_endpoint_is_examined(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "problems.jsonl"
    path.write_text("".join(json.dumps(problem.row()) + "\n" for problem in PROBLEMS))
    who = Examinee(endpoint=Endpoint(url=serve(completion).url), name="m")
    found = evaluate_alone(config(benchmarks=[str(path)], k=[1, 2]), who, tmp_path / "out", tmp_path / "store")
    assert (found["problems"], found["missing"], found["samples"]) == (3, 0, 6)
    assert found["pass_at_k"] == {"1": pytest.approx(1 / 3, abs=1e-6), "2": pytest.approx(2 / 3, abs=1e-6)}
    results = read_json(tmp_path / "out" / "results.json")["benchmarks"][str(path)]
    assert "bits_per_byte" not in results
    assert results["execute_rate"]["value"] == 1.0


@pytest.mark.parametrize(
    ("who", "message"),
    [
        (Examinee(endpoint=Endpoint()), "--endpoint: say which model to ask there with --model NAME"),
        (Examinee(name="m"), "--model m: goes with --endpoint URL"),
        (Examinee("folder", endpoint=Endpoint(), name="m"), "either a MODEL folder or --samples FILE"),
        (Examinee(samples=Path("f"), endpoint=Endpoint(), name="m"), "either a MODEL folder or --samples FILE"),
    ],
)
def test_an_endpoint_needs_a_model_and_nothing_else(who: Examinee, message: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=message):
        evaluate_alone(config(), who, tmp_path / "out", tmp_path)
