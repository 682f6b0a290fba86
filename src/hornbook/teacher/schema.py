"""JSON in a model's answer: the object that was asked for, whatever stands around it, and what of it does not fit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

DECODER = json.JSONDecoder(strict=False)  # models break lines within strings, which JSON forbids and everyone can read
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def object_in(text: str, schema: Any = None) -> dict[str, Any]:
    """The JSON object that `answer_in` finds. Halves of surrogate pairs become U+FFFD."""
    return whole(answer_in(text, schema))


def answer_in(text: str, schema: Any = None) -> dict[str, Any]:
    """The JSON object that a text answers with, whatever stands around it.

    Of several, the last that fits the schema: models think first. One inside another counts only where none of the
    outer ones fits. If none fits, the longest. Raises ValueError if there is no object, RecursionError for one nested
    too deeply.
    """
    for within in (False, True) if schema else ():
        fitting = [value for _, value in objects(text, within) if not any(misfits(value, schema))]
        if fitting:
            return fitting[-1]
    outer = dict(objects(text))
    if not outer:
        DECODER.raw_decode(text, max(0, text.find("{")))  # which says what is wrong
        raise ValueError("no JSON object")
    return outer[max(outer, key=lambda span: span[1] - span[0])]


def objects(text: str, within: bool = False) -> Iterator[tuple[tuple[int, int], dict[str, Any]]]:
    """The JSON objects in a text with their spans, in order; those inside others only when asked for."""
    at = text.find("{")
    while at >= 0:
        try:
            value, end = DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            yield (at, end), value
        at = text.find("{", at + 1 if within else end)


def whole(value: dict[str, Any]) -> dict[str, Any]:
    """A value without halves of surrogate pairs, which nothing could write."""
    text = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    found: dict[str, Any] = json.loads(text)
    return found


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
