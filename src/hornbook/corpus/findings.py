"""What the finders of secrets and addresses share."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

Kind = Literal["private_key", "token", "url_password", "secret", "email", "ip"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Finding(NamedTuple):
    """A stretch of text that must go, and what is written instead."""

    start: int
    end: int
    kind: Kind
    placeholder: str


def continues(text: str, start: int, marks: str) -> bool:
    """Whether what begins here goes on from a letter, a digit or one of these marks, and so is part of something."""
    return start > 0 and (text[start - 1].isalnum() or text[start - 1] in marks)


def reserved_domain(name: str) -> bool:
    """Whether a host is for examples or within one's own walls (RFC 2606, RFC 6761, RFC 8375).

    >>> reserved_domain("mail.example.org"), reserved_domain("localhost"), reserved_domain("python.org")
    (True, True, False)
    """
    labels = name.lower().rstrip(".").split(".")
    inner = labels[-1] in {"example", "invalid", "test", "localhost", "local", "lan", "internal", "arpa"}
    return inner or any(label.startswith("example") for label in labels)
