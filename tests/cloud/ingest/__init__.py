"""Ingest, as far as it is pure: what a message is worth, what it changes, and what is answered."""
