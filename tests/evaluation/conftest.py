from tiny import corpus, opened, student, tokenizer

__all__ = ["corpus", "opened", "student", "tokenizer"]
