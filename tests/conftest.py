"""Fixtures of tests that need a run, an endpoint or a language model; see `runs.py`, `endpoint.py`, `scripted.py`."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = ["runs", "endpoint", "scripted"]

settings.register_profile("suite", deadline=None, max_examples=40)  # a busy machine is no failure
settings.load_profile("suite")
