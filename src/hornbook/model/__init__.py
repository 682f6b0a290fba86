"""Phi configurations and generation with token healing."""
