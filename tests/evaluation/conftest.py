from endpoint import serve
from tiny import corpus, opened, student, tokenizer

__all__ = ["corpus", "opened", "serve", "student", "tokenizer"]
