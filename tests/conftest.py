"""Fixtures of tests that need a whole run; see `runs.py`. Rooms have their own conftest."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = ["runs"]

settings.register_profile("suite", deadline=None, max_examples=40)  # a busy machine is no failure
settings.load_profile("suite")
