"""What of a config enters a key, and what a config refuses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hornbook.config import Config, is_operational, operational


class Oven(Config):
    fan: bool = False
    watts: int = 2000
    light: bool = operational(True)


class Recipe(Config):
    """A nested config at a default of its own, which is not its class's default."""

    flour: int
    salt: float = 1.5
    seeds: list[str] = []
    oven: Oven = Oven(fan=True)
    ovens: list[Oven] = []
    cooks: int = operational(1, ge=1)


def test_defaults_and_operational_fields_stay_out() -> None:
    assert Recipe(flour=500, cooks=9).semantic() == {"flour": 500}


def test_a_required_field_is_always_in() -> None:
    assert Recipe(flour=0).semantic() == {"flour": 0}


def test_a_nested_config_gives_its_own_semantic_fields() -> None:
    made = Recipe(flour=1, oven=Oven(watts=3000, light=False))
    assert made.semantic() == {"flour": 1, "oven": {"watts": 3000}}


def test_a_nested_config_at_its_class_default_is_not_the_fields_default() -> None:
    assert Recipe(flour=1, oven=Oven()).semantic() == {"flour": 1, "oven": {}}


def test_a_nested_operational_field_stays_out() -> None:
    assert Recipe(flour=1, oven=Oven(fan=True, light=False)).semantic() == {"flour": 1}


def test_configs_in_a_list_give_their_semantic_fields() -> None:
    made = Recipe(flour=1, ovens=[Oven(light=False), Oven(watts=1)])
    assert made.semantic() == {"flour": 1, "ovens": [{}, {"watts": 1}]}


@given(
    st.fixed_dictionaries(
        {"flour": st.integers()},
        optional={
            "salt": st.floats(0, 10),
            "seeds": st.lists(st.text(), max_size=2),
            "oven": st.builds(Oven, fan=st.booleans(), watts=st.integers(0, 3), light=st.booleans()),
            "cooks": st.integers(1, 8),
        },
    )
)
def test_what_is_semantic_is_enough_to_make_the_same_config(values: dict[str, Any]) -> None:
    made = Recipe(**values)
    again = Recipe.model_validate(made.semantic())
    assert again.semantic() == made.semantic()
    calm = {"cooks": 1, "oven": made.oven.model_copy(update={"light": True})}
    assert again.model_copy(update=calm) == made.model_copy(update=calm)


def test_operational_is_told_apart() -> None:
    fields = Recipe.model_fields
    assert [name for name in fields if is_operational(fields[name])] == ["cooks"]


def test_an_operational_field_keeps_its_constraints() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        Recipe(flour=1, cooks=0)


@pytest.mark.parametrize("values", [{"flour": 1, "flower": 2}, {"flour": "much"}, {"flour": 1, "salt": float("nan")}])
def test_a_config_refuses(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Recipe(**values)


def test_a_config_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Oven().watts = 1  # type: ignore[misc]
