"""Requests as chat bodies, and answers that must fit a JSON schema: asked for, checked, and once mended.

A server is asked for the schema in the strongest form that it knows: `json_schema` (decoding constrained by it),
`json_object` (some JSON, the schema told in words), or in words alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from hornbook.teacher.request import Request, Response

FORMS = ("json_schema", "json_object", "words")  # from the strongest down
TELL = "Answer with one JSON object and nothing else. It must fit this JSON schema:\n{schema}"
MEND = "That answer cannot be used: {fault}. Give the whole answer again, as one JSON object that fits the schema."
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


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
    if schema.get("type") == "object" and (
        schema.get("additionalProperties") is not False or set(schema.get("required", ())) != set(schema["properties"])
    ):
        return False
    return all(map(closed, schema.values()))


def fault_of(request: Request, raw: Mapping[str, Any]) -> tuple[str, str]:
    """Why a received answer cannot be used: its reason (of `request.REASONS`) and a detail. Empty when it can be."""
    answer = Response("", dict(raw))
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


def misfits(value: Any, schema: Any, at: str = "the answer") -> Iterator[str]:
    """Where a value does not fit a JSON schema, in words.

    Knows `type`, `enum`, `const`, `properties`, `required`, `additionalProperties`, `items`, `anyOf`, and the bounds of
    lengths and numbers. Other keywords are not looked at.
    """
    if not isinstance(schema, dict):
        return
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(is_a(value, kind) for kind in kinds):
        yield f"{at} is not of type {' or '.join(kinds)}"
        return
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        yield f"{at} is none of the values allowed"
    if "anyOf" in schema and all(any(misfits(value, each, at)) for each in schema["anyOf"]):
        yield f"{at} fits none of the alternatives"
    yield from out_of_bounds(value, schema, at)
    if isinstance(value, dict):
        yield from misfits_inside(value, schema, at)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from misfits(item, schema.get("items"), f"item {number} of {at}")


def misfits_inside(value: dict[str, Any], schema: dict[str, Any], at: str) -> Iterator[str]:
    """What is missing in an object, what is too much, and what inside it does not fit."""
    properties = schema.get("properties", {})
    yield from (f"{at} lacks {name!r}" for name in schema.get("required", ()) if name not in value)
    if schema.get("additionalProperties") is False:
        yield from (f"{at} has {name!r}, which does not belong there" for name in value if name not in properties)
    for name, inner in properties.items():
        if name in value:
            yield from misfits(value[name], inner, repr(name))


def out_of_bounds(value: Any, schema: dict[str, Any], at: str) -> Iterator[str]:
    """Lengths and numbers outside their bounds."""
    bounds = [("minLength", "maxLength", str), ("minItems", "maxItems", list)]
    for least, most, kind in bounds:
        if isinstance(value, kind) and not schema.get(least, 0) <= len(value) <= schema.get(most, len(value)):
            yield f"{at} is too short or too long"
    if is_a(value, "number") and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{at} is out of bounds"


def is_a(value: Any, kind: str) -> bool:
    """Whether a value is of a JSON type; a boolean is no number, and 3.0 is an integer."""
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return kind not in TYPES or isinstance(value, TYPES[kind])


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
