"""Made-up worlds of organisations, and the search for anything that one of them may not know."""
