"""Answers that must fit a schema: how they are asked for, what does not fit, and the one repair."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from test_unruly import Start

from endpoint import Server
from hornbook.errors import RequestError
from hornbook.teacher.ask import Request, Response, Teacher, Unanswered, consult
from hornbook.teacher.job import settle
from hornbook.teacher.schema import misfits
from hornbook.teacher.store import ResponseStore
from hornbook.teacher.structure import chat_body, closed, fault_of, mended

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2},
        "score": {"type": "integer", "minimum": 0, "maximum": 5},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2},
        "more": {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
    },
    "required": ["name", "score"],
    "additionalProperties": False,
}
REQUEST = Request("m", (("user", "name it"),), schema=json.dumps(SCHEMA), parameters='{"seed": 3, "top_p": null}')


def chat(text: str | None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": text}, **more}]}


@pytest.mark.parametrize(
    "fits", [{"name": "ab", "score": 5}, {"name": "ab", "score": 3.0, "tags": ["a", "b"], "more": None}]
)
def test_what_fits(fits: dict[str, Any]) -> None:
    assert list(misfits(fits, SCHEMA)) == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "the answer is not of type object"),
        ({"score": 1}, "the answer lacks 'name'"),
        ({"name": "ab", "score": 1, "x": 0}, "the answer has 'x', which does not belong there"),
        ({"name": "a", "score": 1}, "'name' is too short or too long"),
        ({"name": 7, "score": 1}, "'name' is not of type string"),
        ({"name": "ab", "score": 6}, "'score' is out of bounds"),
        ({"name": "ab", "score": 1.5}, "'score' is not of type integer"),
        ({"name": "ab", "score": True}, "'score' is not of type integer"),
        ({"name": "ab", "score": 1, "tags": ["a", "c"]}, "item 1 of 'tags' is none of the values allowed"),
        ({"name": "ab", "score": 1, "tags": ["a"] * 3}, "'tags' is too short or too long"),
        ({"name": "ab", "score": 1, "more": 0}, "'more' fits none of the alternatives"),
    ],
)
def test_what_does_not_fit_is_said(value: Any, said: str) -> None:
    assert list(misfits(value, SCHEMA)) == [said]


def test_a_schema_is_strict_only_where_every_object_requires_all_it_names() -> None:
    inner = {"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False}
    assert closed(inner)
    assert closed({"type": "array", "items": inner})
    assert not closed(SCHEMA)
    assert not closed({"type": "array", "items": {**inner, "additionalProperties": True}})
    assert not closed({"type": "object"})


def test_the_three_forms_of_a_request() -> None:
    body = chat_body(REQUEST)
    assert body["response_format"]["json_schema"] == {"name": "answer", "schema": SCHEMA, "strict": False}
    assert (body["seed"], "top_p" in body, len(body["messages"])) == (3, False, 1)
    loose, words = chat_body(REQUEST, "json_object"), chat_body(REQUEST, "words")
    assert loose["response_format"] == {"type": "json_object"}
    assert "response_format" not in words
    assert json.dumps(SCHEMA) in loose["messages"][0]["content"]
    assert json.dumps(SCHEMA) in words["messages"][0]["content"]
    assert "response_format" not in chat_body(replace(REQUEST, schema=""))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (chat('Sure:\n```json\n{"name": "ab", "score": 1}\n```'), ""),
        (chat('{"name": "ab"}'), "schema"),
        (chat("no"), "schema"),
        (chat('{"name": "ab", "score": 1}', finish_reason="length"), "length"),
        (chat("", finish_reason="content_filter"), "filtered"),
        (chat(None), "empty"),
        ({"choices": []}, "empty"),
        ({}, "empty"),
    ],
)
def test_why_an_answer_cannot_be_used(raw: dict[str, Any], reason: str) -> None:
    assert fault_of(REQUEST, raw)[0] == reason


def test_a_misfit_is_shown_to_the_model_once_and_nothing_else_is_asked_again() -> None:
    repair = mended(REQUEST, chat('{"name": "ab"}'))
    assert repair is not None
    assert repair.messages[1] == ("assistant", '{"name": "ab"}')
    assert "the answer lacks 'score'" in repair.messages[2][1]
    assert mended(repair, chat('{"name": "ab"}')) is None
    again = mended(REQUEST, chat(None))
    assert again is not None
    assert (again.messages, again.key == REQUEST.key) == (REQUEST.messages, False)
    for fine in (chat('{"name": "ab", "score": 1}'), chat("x", finish_reason="length")):
        assert mended(REQUEST, fine) is None


def asking(url: str) -> Teacher:
    return Teacher(provider="endpoint", model="m", url=url, concurrency=1, retries=1)


def test_an_answer_is_mended_once_and_both_are_paid_for(serve: Start, tmp_path: Path) -> None:
    def answer(body: dict[str, Any]) -> dict[str, Any]:
        said = '{"name": "ab", "score": 1}' if len(body["messages"]) == 3 else '{"name": "ab"}'
        return {**chat(said), "usage": {"prompt_tokens": 10 * len(body["messages"]), "completion_tokens": 5}}

    server: Server = serve(answer)
    for _ in range(2):
        (found,) = consult(asking(server.url), [REQUEST], tmp_path, "job")
        assert isinstance(found, Response)
        assert (found.key, found.json) == (REQUEST.key, {"name": "ab", "score": 1})
        assert [(usage.prompt_tokens, usage.completion_tokens) for usage in found.usages] == [(10, 5), (30, 5)]
    assert len(server.asked) == 2


def test_what_cannot_be_mended_is_counted_and_paid(
    serve: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server: Server = serve(lambda body: chat("no") if body["seed"] == 3 else chat("{", finish_reason="length"))
    cut_off = replace(REQUEST, parameters='{"seed": 4}')
    misfit, cut = consult(asking(server.url), [REQUEST, cut_off], tmp_path, "job")
    assert [(found.reason, len(found.usages)) for found in (misfit, cut) if isinstance(found, Unanswered)] == [
        ("schema", 2),
        ("length", 1),
    ]
    assert len(server.asked) == 3
    assert "· 2 requests without an answer (1 length, 1 schema)" in capsys.readouterr().err


@pytest.mark.parametrize("known", ["json_schema", "json_object", "words"])
def test_a_server_is_asked_in_the_strongest_form_that_it_takes(tmp_path: Path, known: str) -> None:
    from http_status import StatusServer

    def answer(body: dict[str, Any]) -> tuple[int, Any]:
        form = body.get("response_format", {"type": "words"})["type"]
        forms = ["json_schema", "json_object", "words"]
        if forms.index(form) < forms.index(known):
            return 400, {"error": {"message": f"response_format {form} is not known"}}
        return 200, chat('{"name": "ab", "score": 1}')

    with StatusServer(answer) as server:
        requests = [replace(REQUEST, attempt=n) for n in range(3)]
        found = consult(asking(server.url), requests, tmp_path, "job")
        assert all(isinstance(each, Response) for each in found)
        extra = ["json_schema", "json_object", "words"].index(known)
        assert len(server.bodies) == 3 + extra  # found out once


def test_a_request_that_is_refused_in_every_form_is_counted_and_a_job_of_nothing_else_is_refused(
    tmp_path: Path,
) -> None:
    from http_status import StatusServer

    def answer(body: dict[str, Any]) -> tuple[int, Any]:
        if body["seed"] == 9:
            return 400, {"error": {"message": "too long"}}
        return 200, chat('{"name": "ab", "score": 1}')

    with StatusServer(answer) as server:
        bad = replace(REQUEST, parameters='{"seed": 9}')
        fine, refused = consult(asking(server.url), [REQUEST, bad], tmp_path, "job")
        assert isinstance(fine, Response)
        assert refused == Unanswered(bad.key, "refused")
        with pytest.raises(RequestError, match=r"400 \(.*too long"):
            consult(asking(server.url), [bad], tmp_path, "job")


def read(folder: Path, text: str) -> Any:
    """What a stored answer to REQUEST is read as: an object, or the reason why it is none."""
    store = ResponseStore(folder)
    store.put(REQUEST.key, chat(text))
    found = settle(REQUEST, store)
    return found.json if isinstance(found, Response) else found and found.reason


FITS = '{"name": "ab", "score": 1}'


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"Of {{name}} and {{score}}: {FITS} where {{score}} is 0-5.", {"name": "ab", "score": 1}),
        ('{"name": "a\nb\tc", "score": 1}', {"name": "a\nb\tc", "score": 1}),
        (f'First {{"name": "no", "score": 0}}, no: {FITS}', {"name": "ab", "score": 1}),
        (f'{FITS} as in {{"example": 1}}', {"name": "ab", "score": 1}),
        (f'{{"answer": {FITS}}}', {"name": "ab", "score": 1}),
        (f'{{"answer": {{"name": "no", "score": 0}}}} or rather {FITS}', {"name": "ab", "score": 1}),
        (f'{FITS} or {{"answer": {{"name": "no", "score": 0}}}}', {"name": "ab", "score": 1}),
        ('{"name": "\\ud83d ab", "score": 1}', {"name": "\ufffd ab", "score": 1}),
        ('{"name": "\\ud83d\\ude00", "score": 1}', "schema"),  # one character, and two are the least
        ('{"a":' * 5000, "schema"),
        ("{" * 5000, "schema"),
    ],
)
def test_the_object_that_was_asked_for_is_found_whatever_stands_around_it(
    tmp_path: Path, text: str, found: Any
) -> None:
    assert read(tmp_path, text) == found


NOISE = st.text(alphabet='{}[]":, \n1ab', max_size=12)


@given(before=NOISE, after=NOISE, name=st.text(alphabet="ab{}[]:,\n\t\x01é", min_size=2), score=st.integers(0, 5))
@example(before='{"a":', after="}", name="ab", score=1)
def test_an_object_is_found_in_any_noise(before: str, after: str, name: str, score: int) -> None:
    """Line ends and other controls stand raw in its strings, as models write them."""
    raw = chat(f'{before}{{"name": "{name}", "score": {score}}}{after}')
    assert fault_of(REQUEST, raw) == ("", "")
    assert Response("", raw, schema=REQUEST.schema).json == {"name": name, "score": score}


def test_what_is_wrong_is_said_of_the_longest_object() -> None:
    assert fault_of(REQUEST, chat('{} {"name": "ab", "x": [{}]} {"y": 1}')) == ("schema", "the answer lacks 'score'")
    assert "Expecting ',' delimiter" in fault_of(REQUEST, chat('{"name": "ab" "score": 1}'))[1]
    assert "no JSON object" in fault_of(REQUEST, chat("[1]"))[1]


def test_content_in_parts_is_read_without_the_thoughts() -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "# A"}]
    assert (
        Response("", {"choices": [{"message": {"content": [*parts, {"type": "text", "text": " b"}]}}]}).text == "# A b"
    )
    assert Response("", {"choices": [{"message": {"content": [7]}}]}).text == ""
