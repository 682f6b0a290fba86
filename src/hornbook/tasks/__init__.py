"""Problems as data, and mutants of their solutions."""
