"""Evidence that training rows share nothing with examinations."""
