"""hornbook: textbook-quality data, a small model trained on it, and executed proof of what the data was worth."""

__version__ = "0.1.0"
