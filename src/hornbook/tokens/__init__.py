"""Tokenizer, packing, mixtures."""
