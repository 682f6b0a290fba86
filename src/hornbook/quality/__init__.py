"""Annotate, embed, classify, score, choose."""
