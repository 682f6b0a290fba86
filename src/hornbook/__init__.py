"""hornbook: textbook-quality data, a small model trained on it, and executed proof of what the data was worth."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hornbook.library import Program, Sandbox, Verdict, Verdicts, judge

__version__ = "0.1.0"
__all__ = ["Program", "Sandbox", "Verdict", "Verdicts", "judge"]


def __getattr__(name: str) -> Any:
    """The public names, loaded when one is first used: importing the package stays instant."""
    if name not in __all__:
        raise AttributeError(f"module 'hornbook' has no attribute {name!r}")
    from hornbook import library

    return getattr(library, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
