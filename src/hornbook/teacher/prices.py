"""What a model's tokens cost: a small packaged table, dated, that the recipe overrides."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

import yaml
from pydantic import Field

from hornbook.config import Config
from hornbook.teacher.request import Usage

MILLION = 1_000_000
DATED = re.compile(r"-\d{4}-\d{2}-\d{2}$")  # a release of a model costs what the model costs


class Price(Config):
    """US dollars for a million tokens. `batch`: what share of that is asked for answers that may take a day."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    batch: float = Field(0.5, ge=0, le=1)
    as_of: datetime.date | None = None

    def of(self, usage: Usage) -> float:
        """Dollars for one answer.

        >>> Price(input=2, output=8).of(Usage(1_000_000, 500_000))
        6.0
        """
        full = (usage.prompt_tokens * self.input + usage.completion_tokens * self.output) / MILLION
        return full * (self.batch if usage.batch else 1.0)


@cache
def packaged() -> dict[str, Price]:
    """The table that ships with hornbook, by model."""
    text = resources.files("hornbook.teacher").joinpath("prices.yaml").read_text("utf-8")
    return {name: Price(**row) for name, row in yaml.safe_load(text).items()}


def price_of(model: str, override: Mapping[str, Price]) -> Price | None:
    """The price of a model, the override's first; None when neither table knows it or the model without its date."""
    for table in (override, packaged()):
        for name in (model, DATED.sub("", model)):
            if name in table:
                return table[name]
    return None
