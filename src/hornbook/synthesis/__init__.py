"""Textbooks and exercises, written and verified."""
