"""Artifacts to one HTML page; computes nothing."""
