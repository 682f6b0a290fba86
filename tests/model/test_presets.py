"""The Phi configurations, counted by hand."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

from hornbook.model.presets import PRESETS, Model, Shape, build


def matrices(layers: int, width: int, vocab: int) -> int:
    """Four attention and two MLP matrices a layer (the MLP is four times as wide), embedding and untied head."""
    return layers * (4 * width**2 + 2 * 4 * width**2) + 2 * vocab * width


def vectors(layers: int, width: int, vocab: int) -> int:
    """A layer's biases (4 attention, 4 + 1 MLP, in widths) and norm, the last norm, the head's bias."""
    return layers * (4 + 5 + 2) * width + 2 * width + vocab


@pytest.mark.parametrize(
    ("preset", "layers", "width", "published"), [("phi-1", 24, 2048, 1.418e9), ("phi-1-small", 20, 1024, 356.5e6)]
)
def test_a_preset_has_the_papers_number_of_parameters(preset: str, layers: int, width: int, published: float) -> None:
    with torch.device("meta"):
        model = build(PRESETS[preset], 51_200, 0)
    sizes = {dim: sum(p.numel() for p in model.parameters() if p.dim() == dim) for dim in (1, 2)}
    assert sizes == {1: vectors(layers, width, 51_200), 2: matrices(layers, width, 51_200)}
    assert sizes[2] == pytest.approx(published, rel=1e-3)


@pytest.mark.parametrize("preset", ["phi-1", "phi-1-small"])
def test_a_preset_has_the_papers_heads_rotation_and_dropout(preset: str) -> None:
    with torch.device("meta"):
        model = build(PRESETS[preset], 10, 0)
    config = model.config
    head = config.hidden_size // config.num_attention_heads
    rotated = config.rope_parameters["partial_rotary_factor"] * head
    assert (head, rotated, config.max_position_embeddings) == (64, 32, 2048)
    assert (config.attention_dropout, config.resid_pdrop) == (0.1, 0.1)


def test_attention_and_mlp_stand_in_parallel() -> None:
    """Without the MLP's output a layer adds attention alone: the two share one norm and one residual."""
    torch.manual_seed(0)
    model = build(Shape(layers=1, width=16, mlp=32, heads=2, rotary_dim=4, context=8), 11, 0).eval()
    layer = model.model.layers[0]
    with torch.no_grad():
        x = model.model.embed_tokens(torch.tensor([[1, 2, 3]]))
        normed = layer.input_layernorm(x)
        both = layer(x, position_embeddings=model.model.rotary_emb(x, torch.arange(3)[None]))
        both = both[0] if isinstance(both, tuple) else both
        attention = layer.self_attn(
            normed, position_embeddings=model.model.rotary_emb(x, torch.arange(3)[None]), attention_mask=None
        )[0]
        assert torch.allclose(both, x + attention + layer.mlp(normed), atol=1e-5)


def test_an_unknown_preset_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ValidationError, match=r"no preset 'phi-1-smal'; did you mean 'phi-1-small'\?"):
        Model(preset="phi-1-smal")


def test_a_shape_of_ones_own_goes_before_the_preset() -> None:
    shape = Shape(layers=1, width=16, mlp=32, heads=2, rotary_dim=4)
    assert Model(shape=shape).resolve() is shape
    assert Model(preset="phi-smoke").resolve() is PRESETS["phi-smoke"]
