"""A model folder, opened for use: weights, tokenizer, and the bytes that each token stands for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from hornbook.errors import InputError
from hornbook.tokens.tokenizer import encode

if TYPE_CHECKING:
    import torch
    from transformers import PhiForCausalLM, PreTrainedTokenizerFast


@dataclass
class LanguageModel:
    """A causal language model and its tokenizer. `context` is in tokens."""

    model: PhiForCausalLM
    tokenizer: PreTrainedTokenizerFast
    _agreeing: dict[bytes, torch.Tensor] = field(default_factory=dict, repr=False)

    @property
    def context(self) -> int:
        """The longest sequence the model was made for."""
        return int(self.model.config.max_position_embeddings)

    @property
    def end_of_text(self) -> int:
        """The id of the token that stands between documents, which also opens a prompt, as in training."""
        return int(self.tokenizer.eos_token_id)

    @cached_property
    def token_bytes(self) -> list[bytes]:
        """The bytes of every token id; b"" for special tokens."""
        alphabet = byte_alphabet()
        special = set(self.tokenizer.all_special_ids)
        table = []
        for number in range(self.model.config.vocab_size):
            text = self.tokenizer.convert_ids_to_tokens(number) if number < len(self.tokenizer) else None
            if text is None or number in special:
                table.append(b"")
            elif all(character in alphabet for character in text):
                table.append(bytes(alphabet[character] for character in text))
            else:
                table.append(self.tokenizer.decode([number]).encode())
        return table

    def encode(self, text: str) -> list[int]:
        """Token ids of a text, no special tokens added."""
        return encode(self.tokenizer, text)

    def agreeing(self, pending: bytes) -> torch.Tensor:
        """Which tokens may come next while `pending` must be produced: booleans [vocabulary], remembered."""
        import torch

        if pending not in self._agreeing:
            table = [agrees(data, pending) for data in self.token_bytes]
            self._agreeing[pending] = torch.tensor(table, device=self.model.device)
        return self._agreeing[pending]


def agrees(token: bytes, pending: bytes) -> bool:
    """Whether a token may come next while `pending` must be produced: one is the beginning of the other."""
    return bool(token) and (token.startswith(pending) or pending.startswith(token))


def byte_alphabet() -> dict[str, int]:
    """The printable characters by which byte-level BPE writes the 256 bytes (GPT-2's convention)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    table = {chr(byte): byte for byte in printable}
    table.update({chr(256 + place): byte for place, byte in enumerate(others)})
    return table


def load(folder: Path | str, device: str = "cpu") -> LanguageModel:
    """Open a model folder (or, with a network, a hub name). Raises InputError when it, or the device, is not there."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    named = Path(folder)
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("device 'cuda' was asked for and torch finds none here; ask for 'cpu', or see `doctor`")
    if not named.is_dir() and (str(folder).count("/") != 1 or named.parent.is_dir()):
        raise InputError(f"{folder}: no such model folder (a model of the hub is named OWNER/NAME)")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).to(device).eval()
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{folder}: not a model folder ({str(error).splitlines()[0][:200]})") from None
    return LanguageModel(model, tokenizer)
