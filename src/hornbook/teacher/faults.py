"""What can go wrong with one request, and what follows from it: try again, count it, or give the whole job up."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hornbook.errors import HornbookError, RequestError, WorkError

if TYPE_CHECKING:
    from openai import APIStatusError

KEYS = ("HORNBOOK_API_KEY", "OPENAI_API_KEY")
LONGEST_ASKED = 900.0  # seconds a server may ask us to wait; beyond that a person decides


class Fault(Exception):
    """One try that brought no answer.

    `reason`: of `request.REASONS`. `again`: another try may help. `wait`: seconds that the server asked for.
    `overload`: a sign that it is asked too much. `fatal`: no other request would fare better. `error`: what a person is
    told when it stays.
    """

    def __init__(
        self,
        reason: str,
        error: HornbookError,
        *,
        again: bool = True,
        wait: float | None = None,
        overload: bool = False,
        fatal: bool = False,
    ) -> None:
        super().__init__(str(error))
        self.reason, self.error, self.again = reason, error, again
        self.wait, self.overload, self.fatal = wait, overload, fatal


def from_status(where: str, error: APIStatusError, tries: int) -> Fault:
    """What to do about a status other than success, met at the given try."""
    status, said = error.status_code, " ".join(str(error.message).split())[:200]
    if status in (401, 403):
        message = f"{where}: {status}, not allowed; set {KEYS[0]} to a key for this endpoint"
        return Fault("refused", RequestError(message), again=False, fatal=True)
    if status == 402 or "insufficient_quota" in str(error.code):
        message = f"{where}: {status}, the account has no credit left ({said}); what came is kept, run again to go on"
        return Fault("refused", WorkError(message), again=False, fatal=True)
    if status in (408, 409, 429) or status >= 500:
        return passing(where, error, f"{status} after {tries} tries ({said})")
    return Fault("refused", RequestError(f"{where}: {status} ({said})"), again=False, fatal=status in (404, 405))


def passing(where: str, error: APIStatusError, what: str) -> Fault:
    """A status that another try may not meet."""
    asked = retry_after(error.response.headers)
    if asked is not None and asked > LONGEST_ASKED:
        message = f"{where}: {error.status_code}, asks to wait for {asked:.0f} s; what came is kept, run again then"
        return Fault("rate-limited", WorkError(message), again=False, fatal=True)
    reason = "rate-limited" if error.status_code == 429 else "server-error"
    told = WorkError(f"{where}: {what}; run again to go on: what came is kept")
    return Fault(reason, told, wait=asked, overload=error.status_code in (429, 503))


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """The seconds that a server asks us to wait: `retry-after-ms`, or `retry-after` in seconds or as a date.

    >>> retry_after({"retry-after-ms": "1500"}), retry_after({"retry-after": "2"}), retry_after({})
    (1.5, 2.0, None)
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit
        except ValueError:
            continue
        if seconds >= 0:  # which NaN is not
            return seconds
    date = email.utils.parsedate_tz(headers.get("retry-after"))
    return None if date is None else max(0.0, email.utils.mktime_tz(date) - (time.time() if now is None else now))
