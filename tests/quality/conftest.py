from tiny import corpus, student, tokenizer

__all__ = ["corpus", "student", "tokenizer"]
