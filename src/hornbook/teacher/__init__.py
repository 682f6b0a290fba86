"""A language model behind one protocol."""
