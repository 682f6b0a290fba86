"""Datasets and models handed to others: with card, licences, contamination table, and the way to make them again."""
