"""Phi configurations, through transformers' PhiForCausalLM: attention and MLP in parallel, rotary positions.

Sizes of phi-1 and phi-1-small: "Textbooks Are All You Need" §2.3.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from pydantic import Field, field_validator, model_validator

from hornbook.config import Config

if TYPE_CHECKING:
    from transformers import PhiForCausalLM


class Shape(Config):
    """The shape of a Phi model. `rotary_dim` dimensions of each head are rotated; the MLP is `mlp` wide."""

    layers: int = Field(gt=0)
    width: int = Field(gt=0)
    mlp: int = Field(gt=0)
    heads: int = Field(gt=0)
    rotary_dim: int = Field(gt=0)
    context: int = Field(2048, gt=1)
    dropout: float = Field(0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def heads_fit(self) -> Shape:
        """Heads share the width evenly; rotary dimensions come in pairs and lie within a head."""
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not divisible by {self.heads} heads")
        if self.rotary_dim % 2 or self.rotary_dim > self.width // self.heads:
            raise ValueError(f"rotary_dim {self.rotary_dim} is not an even number up to {self.width // self.heads}")
        return self


PRESETS: dict[str, Shape] = {
    "phi-1": Shape(layers=24, width=2048, mlp=8192, heads=32, rotary_dim=32, dropout=0.1),
    "phi-1-small": Shape(layers=20, width=1024, mlp=4096, heads=16, rotary_dim=32, dropout=0.1),
    "phi-laptop": Shape(layers=4, width=128, mlp=512, heads=4, rotary_dim=16, context=256),
    "phi-smoke": Shape(layers=2, width=32, mlp=64, heads=2, rotary_dim=8, context=128),
}


class Model(Config):
    """A preset by name, or a shape of one's own."""

    preset: str = "phi-laptop"
    shape: Shape | None = None

    @field_validator("preset")
    @classmethod
    def known(cls, name: str) -> str:
        """Refuse a preset that does not exist, naming the nearest."""
        if name not in PRESETS:
            near = difflib.get_close_matches(name, PRESETS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(PRESETS)}"
            raise ValueError(f"no preset {name!r}{hint}")
        return name

    def resolve(self) -> Shape:
        """The shape that is meant."""
        return self.shape or PRESETS[self.preset]


def build(shape: Shape, vocab_size: int, eos_token_id: int) -> PhiForCausalLM:
    """A freshly initialised PhiForCausalLM of the given shape. Seed torch before calling."""
    from transformers import PhiConfig, PhiForCausalLM

    return PhiForCausalLM(
        PhiConfig(
            vocab_size=vocab_size,
            hidden_size=shape.width,
            intermediate_size=shape.mlp,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            max_position_embeddings=shape.context,
            rope_parameters={
                "rope_type": "default",
                "rope_theta": 10000.0,
                "partial_rotary_factor": shape.rotary_dim / (shape.width // shape.heads),
            },
            resid_pdrop=shape.dropout,
            attention_dropout=shape.dropout,
            embd_pdrop=0.0,
            bos_token_id=eos_token_id,
            eos_token_id=eos_token_id,
        )
    )
