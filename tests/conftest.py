"""Fixtures of tests that need a whole run or an endpoint; see `runs.py` and `endpoint.py`. Rooms have their own conftest."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = ["runs", "endpoint"]

settings.register_profile("suite", deadline=None, max_examples=40)  # a busy machine is no failure
settings.load_profile("suite")
