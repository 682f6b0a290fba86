"""What a model was worth, by executed tests and by likelihood."""
