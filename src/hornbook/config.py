"""The base of every stage's config class: unknown keys are refused, and each field is semantic or operational.

A *semantic* field shapes the bytes of the result and enters the artifact's key, unless it has its default value: so a
new option with a default invalidates nothing. An *operational* field (workers, log interval) never enters a key.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo


def operational(default: Any, **constraints: Any) -> Any:
    """A field that changes how the work is done and never what comes out; it stays out of keys."""
    return Field(default, json_schema_extra={"operational": True}, **constraints)


class Config(BaseModel):
    """Base of stage configs: frozen, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def semantic(self) -> dict[str, Any]:
        """The fields that enter a key, as plain JSON data: not operational, not at their default.

        >>> class Bake(Config):
        ...     degrees: int = 180
        ...     minutes: int = 20
        ...     workers: int = operational(2)
        >>> Bake(minutes=25, workers=8).semantic()
        {'minutes': 25}
        """
        kept: dict[str, Any] = {}
        for name, info in type(self).model_fields.items():
            value = plain(getattr(self, name))
            default = None if info.is_required() else plain(info.get_default(call_default_factory=True))
            if not is_operational(info) and (info.is_required() or value != default):
                kept[name] = value
        return kept


def is_operational(info: FieldInfo) -> bool:
    """Whether a config field was declared with `operational`."""
    extra = info.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("operational"))


def plain(value: Any) -> Any:
    """A config value as JSON data; nested configs contribute their semantic fields only."""
    if isinstance(value, Config):
        return value.semantic()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
