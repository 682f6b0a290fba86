"""Requests as chat bodies, and answers that must fit a JSON schema: asked for, checked, and once mended.

A server is asked for the schema in the strongest form that it knows: `json_schema` (decoding constrained by it),
`json_object` (some JSON, the schema told in words), or in words alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hornbook.teacher.request import Request, Response
from hornbook.teacher.schema import misfits

FORMS = ("json_schema", "json_object", "words")  # from the strongest down
TELL = "Answer with one JSON object and nothing else. It must fit this JSON schema:\n{schema}"
MEND = "That answer cannot be used: {fault}. Give the whole answer again, as one JSON object that fits the schema."


def chat_body(request: Request, form: str = FORMS[0]) -> dict[str, Any]:
    """A request as the body of a chat completion; `form` matters only where there is a schema.

    A parameter that is null leaves a field out: {max_tokens: null, max_completion_tokens: 4096}.
    """
    messages = [{"role": role, "content": content} for role, content in request.messages]
    body: dict[str, Any] = {
        "model": request.model,
        "messages": messages,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "max_tokens": request.max_tokens,
    }
    if request.schema:
        schema = json.loads(request.schema)
        if form == "json_schema":
            named = {"name": "answer", "schema": schema, "strict": closed(schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        else:
            messages.insert(0, {"role": "system", "content": TELL.format(schema=request.schema)})
        if form == "json_object":
            body["response_format"] = {"type": "json_object"}
    body |= json.loads(request.parameters) if request.parameters else {}
    return {name: value for name, value in body.items() if value is not None}


def closed(schema: Any) -> bool:
    """Whether every object of a schema names all its properties and requires them: what strict decoding takes."""
    if isinstance(schema, list):
        return all(map(closed, schema))
    if not isinstance(schema, dict):
        return True
    named, required = set(schema.get("properties", ())), set(schema.get("required", ()))
    if schema.get("type") == "object" and (schema.get("additionalProperties") is not False or named != required):
        return False
    return all(map(closed, schema.values()))


def fault_of(request: Request, raw: Mapping[str, Any]) -> tuple[str, str]:
    """Why a received answer cannot be used: its reason (of `request.REASONS`) and a detail. Empty when it can be."""
    answer = Response("", dict(raw), schema=request.schema)
    if answer.finish_reason == "length":
        return "length", f"cut off at {request.max_tokens} tokens"
    if answer.finish_reason == "content_filter":
        return "filtered", "withheld by the server"
    if not answer.text.strip():
        return "empty", "no content"
    if request.schema:
        try:
            fault = next(misfits(answer.json, json.loads(request.schema)), "")
        except (ValueError, RecursionError) as error:
            fault = f"no JSON object can be read ({error})"
        if fault:
            return "schema", fault
    return "", ""


def mended(request: Request, raw: Mapping[str, Any]) -> Request | None:
    """The one further request that an unusable answer is worth; None where asking again would not help.

    A misfit is shown to the model with what is wrong; for an empty answer the same is asked once more.
    """
    reason, detail = fault_of(request, raw)
    if request.repair or reason not in ("schema", "empty"):
        return None
    said = Response("", dict(raw)).text
    more = (("assistant", said), ("user", MEND.format(fault=detail))) if reason == "schema" else ()
    return replace(request, messages=(*request.messages, *more), repair=1)
