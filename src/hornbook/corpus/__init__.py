"""Sources, cleaning, licences, deduplication."""
