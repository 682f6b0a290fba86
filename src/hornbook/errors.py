"""Every error a person meets.

HornbookError
├── RequestError            the request was wrong: exit code 2, one line, no traceback
│   ├── RecipeError         a recipe cannot be read or asks for what does not exist
│   └── InputError          a file, row or folder is missing or unusable
└── WorkError               the request was right and the work failed: exit code 1
    ├── CanaryError         a planted row was missed, or an innocent one caught
    ├── CollapseError       what a writer writes is no longer varied
    ├── InfrastructureError a worker, disk or process broke; never a verdict on a program
    └── MissingResponse     replay was asked for an answer that the store does not hold

Every message names the bad value, where it stands and what to do about it.
"""


class HornbookError(Exception):
    """Base of everything hornbook raises on purpose."""

    exit_code = 1


class RequestError(HornbookError):
    """The person's request cannot be carried out as written."""

    exit_code = 2


class RecipeError(RequestError):
    """A recipe is unreadable, extends itself, or names an unknown key or value."""


class InputError(RequestError):
    """A file, row or folder given by the person is missing or unusable."""


class WorkError(HornbookError):
    """The request was right; carrying it out failed."""


class CanaryError(WorkError):
    """A stage failed its own planted check: a threshold that is set but not read, or read wrongly."""


class CollapseError(WorkError):
    """A language-model writer's rows have become alike; the message says which dial to turn."""


class InfrastructureError(WorkError):
    """The machinery failed (worker killed, disk full). Says nothing about the program or row in hand."""


class MissingResponse(WorkError):
    """A replay teacher was asked for a response that was never stored."""
