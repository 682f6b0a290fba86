"""Runs untrusted Python; says what it does not stop."""
